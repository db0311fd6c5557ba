/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lists - addresses and names that the administrator listed, compiled into one read-only memory file.
 *
 * Role `lists` reads the files, compiles, and sends the memory file through
 * the core to the gate, which maps it and lets go of the old one between two
 * sessions: a reload of a million lines is no pause.  A faulty file leaves
 * the old lists in force, with an event that names line and column.
 */
#ifndef SERVIOLA_GATE_LISTS_H
#define SERVIOLA_GATE_LISTS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"

struct lists;
struct list_hit {
    const char *list; /* its name; the lists' own */
    enum gate_list_means means;
    uint32_t line; /* of its file */
};
/* Looks at the head alone, however long the lists are; each place is checked when it is used.  Closes nothing. */
struct lists *lists_map(int fd, struct err *e);
void lists_free(struct lists *l); /* NULL is fine */
/* The longest prefix that holds it, of all address lists; an allow wins over others of the same length. */
bool lists_addr(const struct lists *l, struct addr who, struct list_hit *hit);
/* The country of the longest prefix that holds it, 'E' << 8 | 'S'; 0: none is known. */
uint16_t lists_country(const struct lists *l, struct addr who);
/*
 * `example.net` (and what is below it), `.example.net` (below only), of which
 * the longest counts, and an allow before others; then each `/regex/`, those
 * that allow first.
 */
bool lists_name(const struct lists *l, enum gate_list_what what, struct slice name, struct list_hit *hit);
/* Whether there is any entry of this kind. */
bool lists_have(const struct lists *l, enum gate_list_what what);
uint64_t lists_count(const struct lists *l); /* NULL: 0 */
#endif
