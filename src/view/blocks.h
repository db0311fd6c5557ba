/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blocks - who is blocked now, until when, and what was dropped.
 */
#ifndef SERVIOLA_VIEW_BLOCKS_H
#define SERVIOLA_VIEW_BLOCKS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "part/control.h"

void blocks_print(const struct ctl_entry *entries, size_t count, int64_t now_us, FILE *to, bool colour);
void blocks_json(const struct ctl_entry *entry, int64_t now_us, FILE *to); /* one object, one line */
#endif
