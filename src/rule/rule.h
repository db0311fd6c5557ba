/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rule - which events, how many of them and how fast, lead to which act.
 *
 * A rule waits for one kind of event.  It counts them by source, in a window
 * that slides, and fires when the number is reached; its count for that
 * source then begins anew.  Nothing is done here: what fired is returned, and
 * the event that made it fire is the act's cause.
 */
#ifndef SERVIOLA_RULE_RULE_H
#define SERVIOLA_RULE_RULE_H
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "journal/event.h"
#include "rule/settings.h"

enum { RULE_HITS = RULE_CAP }; /* an event can fire no more than every rule */

struct rule_hit {
    struct addr src; /* whom it is about; never family 0 when act is RULE_BLOCK */
    enum rule_act act;
    int64_t span_us;  /* with RULE_BLOCK: for how long */
    const char *rule; /* its name; the rules' own, valid until rules_free */
};

struct rules;
/* Keeps nothing of the settings. */
struct rules *rules_new(const struct rules_settings *rules, const struct block_settings *block, struct err *e);
void rules_free(struct rules *r); /* NULL is fine */

/*
 * What this event fires: at most `cap` hits, in the order of the
 * configuration; how many is returned.  `now_us` never goes back.  An event
 * that no rule waits for costs one look into a table.
 */
size_t rules_match(struct rules *r, const struct event *ev, int64_t now_us, struct rule_hit *hits, size_t cap);

/* Whatever was counted against this address is forgotten: it was unblocked. */
void rules_forget(struct rules *r, struct addr src);

/* Counts that were dropped, still running, because all windows were taken: attacks may have been missed. */
uint64_t rules_lost(const struct rules *r);
#endif
