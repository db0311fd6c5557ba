/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unknowns - lines that no rule knows: counted, and each new kind of them told.
 *
 * A kind is a template (template.h).  Those that were seen are remembered in a file, so that a restart tells nothing
 * anew.  At most so many an hour are told each by itself; each hour one event has the sum, of what was not told, too.
 */
#ifndef SERVIOLA_SENSE_LOG_UNKNOWNS_H
#define SERVIOLA_SENSE_LOG_UNKNOWNS_H
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "journal/event.h"

struct unknowns_way {
    void *ctx;
    void (*tell)(void *ctx, const struct event *ev);
};

struct unknown_line {
    int64_t at_us; /* when it came */
    struct addr from;
    const char *host; /* visible */
    struct slice text;
};

struct unknowns;
/* `folder`: where the file is; stays the caller's. */
struct unknowns *unknowns_new(int folder, const struct unknowns_way *way, uint64_t seed, struct err *e);
void unknowns_free(struct unknowns *u); /* saves; NULL is fine */
void unknowns_line(struct unknowns *u, const struct unknown_line *l, uint64_t an_hour);
void unknowns_tick(struct unknowns *u, int64_t now_us);
void unknowns_save(struct unknowns *u, int64_t now_us); /* when something is new, once a minute at most */
#endif
