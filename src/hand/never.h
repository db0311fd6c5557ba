/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * never - whom the hand blocks, and whom never, whoever asks.
 *
 * Pure: settings, the kernel's facts and the clock come in, a hand_code comes
 * out.  Facts are replaced as a whole at each change, so a new address of
 * ours is protected at once.  What is not known is refused: without facts
 * nobody is inside.
 */
#ifndef SERVIOLA_HAND_NEVER_H
#define SERVIOLA_HAND_NEVER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "hand/op.h"

enum {
    NEVER_OWN = 16384,     /* our addresses, on all interfaces */
    NEVER_GATEWAYS = 1024, /* next hops of our routes */
    NEVER_NETS = 1024,     /* connected networks */
    NEVER_ALLOWED = 4096,  /* prefixes allowed while running */
};

/* What the kernel says about us; about 420 KiB. */
struct never_facts {
    size_t own_count, gateways_count, nets_count;
    struct addr own[NEVER_OWN];
    struct addr gateways[NEVER_GATEWAYS];
    struct {
        struct prefix net;
        bool inside; /* its interface has no default route */
    } nets[NEVER_NETS];
    bool known; /* false: nothing is blocked */
    bool cut;   /* something did not fit: nothing is blocked, as it might be ours */
};

struct never {
    const struct hand_settings *set; /* borrowed; may be replaced at any time */
    struct never_facts facts;        /* filled by hand/facts.c, then never_sort */
    size_t allowed_count;
    struct prefix allowed[NEVER_ALLOWED];
    int64_t second;          /* of the newest bucket */
    uint32_t per_second[61]; /* new blocks in this second and the 60 before it */
};

void never_init(struct never *n, const struct hand_settings *set);
void never_sort(struct never *n); /* after the facts were filled */

/* May `who` be blocked?  HAND_OK or why not; the caps are not looked at.  `outside` as in struct hand_block. */
enum hand_code never_who(const struct never *n, struct addr who, bool outside);
/* May one more be blocked now, with `blocked` in force?  HAND_OK, HAND_CAP_MINUTE or HAND_CAP_TOTAL; `unasked` is not
 * held to the cap per minute, `outside` may use half of both. */
enum hand_code never_cap(struct never *n, size_t blocked, const struct hand_block *ask, int64_t now_us);
void never_count(struct never *n, int64_t now_us); /* a block was made */

/* HAND_OK, HAND_ALREADY, HAND_NOT_THERE, HAND_CAP_TOTAL (the list is full), HAND_WRONG.  A prefix of the
 * configuration's own list can't be taken off here. */
enum hand_code never_allow(struct never *n, struct prefix net, bool add);
bool never_is_own(const struct never *n, struct addr who);
bool never_is_special(const struct never *n, struct addr who); /* no host's address: HAND_NEVER_SPECIAL */

/* The networks whose hosts may be blocked, as they are now; returns how many, at most `cap`. */
size_t never_inside(const struct never *n, struct prefix *nets, size_t cap);
/* The allow list as it is now: the configuration's and what was added. */
size_t never_allowed(const struct never *n, struct prefix *nets, size_t cap);
#endif
