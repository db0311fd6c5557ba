/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listcompile - the administrator's list files, read and compiled into one memory file (listform.h).
 *
 * One entry a line; what follows a # or ; is a comment; empty lines are fine.
 *
 *   addresses     192.0.2.1   192.0.2.0/24   2001:db8::/32
 *   rdns, helo    example.net (and below)   .example.net or *.example.net (below only)   /^dyn-[0-9]+\./
 */
#ifndef SERVIOLA_GATE_LISTCOMPILE_H
#define SERVIOLA_GATE_LISTCOMPILE_H
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"

struct listcompile;
struct listcompile *listcompile_new(struct err *e);
void listcompile_free(struct listcompile *c); /* NULL is fine */
/* -1: "FILE:LINE:COLUMN: what is wrong"; nothing can be added any more. */
int listcompile_add(struct listcompile *c, const struct gate_list *l, struct slice text, struct err *e);
/* The same for a file of networks and their countries (wire/countries.h). */
int listcompile_countries(struct listcompile *c, const char *file, struct slice text, struct err *e);
uint64_t listcompile_count(const struct listcompile *c);
/* A sealed memory file, or -1. */
int listcompile_finish(struct listcompile *c, struct err *e);
#endif
