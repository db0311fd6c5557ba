/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fault - one more thing that is wrong with the configuration, and its place.  Inside conf/ only.
 */
#ifndef SERVIOLA_CONF_FAULT_H
#define SERVIOLA_CONF_FAULT_H
#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"
#include "conf/read.h"

enum { FAULT_CAP = sizeof(((struct conf_faults *)0)->at) / sizeof(struct conf_fault) };

/* A word in the file: `len` bytes from `at`. */
struct place {
    size_t at, len;
};
#define NOWHERE ((struct place){ SIZE_MAX, 0 })

/* Keeps them in the order of the file; those over FAULT_CAP are only counted.  Bytes from the file must be visible
 * already. */
void fault_add(struct conf_faults *f, struct slice yaml, struct place where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
unsigned fault_line(struct slice yaml, size_t at); /* from 1 */
#endif
