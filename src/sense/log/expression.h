/* SPDX-License-Identifier: GPL-3.0-or-later */
/* expression - one expression, as people write it, to the spelling that Vectorscan and PCRE2 read alike, kept to one
 * line: nothing in it matches a newline. */
#ifndef SERVIOLA_SENSE_LOG_EXPRESSION_H
#define SERVIOLA_SENSE_LOG_EXPRESSION_H
#include "sense/log/patterns.h"

struct expression {
    char *text;         /* terminated; the caller frees it */
    bool crosses_lines; /* it may match a newline after all: each line is to be asked alone */
};
int expression_write(struct slice written, unsigned flags, struct expression *x, struct err *e);
#endif
