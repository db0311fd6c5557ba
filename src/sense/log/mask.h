/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mask - a message without what changes from line to line; template.h says by which rules.
 */
#ifndef SERVIOLA_SENSE_LOG_MASK_H
#define SERVIOLA_SENSE_LOG_MASK_H
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "sense/log/template.h"

struct masked {
    char text[TEMPLATE_BYTES]; /* words with one space between them, TEMPLATE_MARK for a value; no terminator */
    size_t len;
    size_t words;
    bool cut; /* the rest is one value */
};
void mask_message(struct slice message, struct masked *m);
#endif
