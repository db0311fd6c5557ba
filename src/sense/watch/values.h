/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * values - this second's measures by name: "disk.latency", "psi.io", "service.web.up".
 *
 * A table of a fixed size.  What is not set in a second is not known in it:
 * nothing is made up.  An index stays that name's for good.
 */
#ifndef SERVIOLA_WATCH_VALUES_H
#define SERVIOLA_WATCH_VALUES_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { VALUES_MOST = 1024, VALUE_NAME = 64 };

struct value {
    char name[VALUE_NAME]; /* [a-z0-9._/:-] and what value_name makes of the rest */
    double number;         /* NaN: not known */
    bool was_known;        /* now, or at some time before */
};

struct values {
    uint32_t count;
    uint64_t refused; /* that found no place */
    struct value at[VALUES_MOST];
    uint16_t hashed[2 * VALUES_MOST]; /* index + 1 */
};

void values_clear(struct values *v);  /* a new second: names stay, nothing is known */
void values_forget(struct values *v); /* names go too */
/* False: the table is full. */
bool values_set(struct values *v, const char *name, double number);
bool values_setf(struct values *v, double number, const char *format, ...) __attribute__((format(printf, 3, 4)));
int values_find(const struct values *v, struct slice name);  /* index; -1 */
double values_get(const struct values *v, const char *name); /* NaN: not known */
#endif
