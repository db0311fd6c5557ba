/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xray_show - a picture's parts and records on the console, and what changed between two.
 */
#ifndef SERVIOLA_CMD_XRAY_SHOW_H
#define SERVIOLA_CMD_XRAY_SHOW_H
#include "snap/snap.h"

void xray_show_parts(const struct snap *s, bool json);
/*
 * The records of `part` (NULL: of all) that hold every one of the words, in any case; each an exit code.
 * EXIT_USAGE when there is no such part.
 */
int xray_show_records(const struct snap *s, const char *part, char *const *words, int count, bool json);
int xray_show_changes(const struct snap *before, const struct snap *after, bool json);
#endif
