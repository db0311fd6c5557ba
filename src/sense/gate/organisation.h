/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * organisation - the name that somebody registered: example.co.uk for mx1.mail.example.co.uk.
 *
 * From the Public Suffix List as it is compiled into libpsl: no file is read
 * at run time.
 */
#ifndef SERVIOLA_GATE_ORGANISATION_H
#define SERVIOLA_GATE_ORGANISATION_H
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* In lower case, terminated.  False when there is none (a public suffix itself, one label, an unsound name). */
bool organisation_of(struct slice name, char *buffer, size_t size);
#endif
