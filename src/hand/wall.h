/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wall - our own table in the kernel's firewall, and the list of blocks it is kept equal to.
 *
 * The kernel owns the enforcement, the list owns the truth: whatever another
 * program does to the table, one batch puts all of it back, and at no moment
 * does a packet meet half of it.  Nothing else in the firewall is touched.
 */
#ifndef SERVIOLA_HAND_WALL_H
#define SERVIOLA_HAND_WALL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hand/bans.h"
#include "hand/counts.h"
#include "hand/never.h"
#include "hand/nl.h"
#include "hand/op.h"

struct wall {
    const struct hand_settings *set; /* borrowed, as in never */
    struct never *never;             /* borrowed */
    struct bans bans;                /* own */
    struct nl nl;                    /* asks */
    struct nl watch;                 /* the kernel's news about tables, while ours is not protected */
    struct counts counts;            /* own; for wall_count */
    struct counts carried;           /* own; for a restore, which may come in between */
    struct nl_batch batch;           /* own; for changes of HAND_BATCH elements */
    uint32_t flags;                  /* of the table, as the kernel took them */
    bool may_own;                    /* false: a plain table, as on kernels before 6.9 (and in tests) */
    bool old_queue;
    bool whole;          /* as far as we know */
    bool mended;         /* a change found it damaged and put it back; cleared by who tells it on */
    uint64_t rules_hash; /* of the kernel's rules right after they were put there */
    uint32_t pass;       /* number of the comparison */
};

/* Opens the sockets; touches nothing yet.  `seed` for the list. */
int wall_open(struct wall *w, const struct hand_settings *set, struct never *never, uint64_t seed, struct err *e);
void wall_close(struct wall *w); /* the kernel keeps what it can */

/* Takes over what an earlier hand left (its blocks, checked again), then wall_restore. */
int wall_begin(struct wall *w, int64_t now_us, struct err *e);
/* The whole table anew, in one step, from settings and list. */
int wall_restore(struct wall *w, int64_t now_us, struct err *e);
/* 0: table, rules and blocks in the kernel are as they should be; 1: they are not; -1: could not ask.  The blocks
 * themselves are only looked at where others could change them. */
int wall_compare(struct wall *w, int64_t now_us, struct err *e);
/* Leaves the kernel as it should be without us.  `clear`, or no blocks: our table goes; else blocks stay until their
 * time is over, and only a queue rule goes. */
void wall_end(struct wall *w, bool clear, int64_t now_us);
int wall_watch_fd(const struct wall *w); /* readable: call wall_news */
bool wall_news(struct wall *w);          /* true: somebody else changed our table, or news were lost */

bool wall_is_owned(const struct wall *w); /* the kernel protects it against others */

/* New settings, for which the caller sets `never` too and then lifts and restores; the old table goes when its name
 * changed or when nothing is to be done any more.  -1: the old settings stay in force. */
int wall_settings(struct wall *w, const struct hand_settings *set, int64_t now_us, struct err *e);

/* Answers in the order of the asks; at most HAND_BATCH. */
void wall_block(struct wall *w, const struct hand_block *asks, size_t count, struct hand_outcome *out, int64_t now_us);
void wall_unblock(struct wall *w, const struct addr *asks, size_t count, struct hand_outcome *out, int64_t now_us);

/* Ends the blocks that never_who refuses now (facts or lists changed); `each` hears of them.  Those that are only not
 * inside any more stay: an interface that goes down and up again frees nobody. */
void wall_lift(struct wall *w, int64_t now_us, void (*each)(void *ctx, const struct hand_outcome *lifted), void *ctx);

/*
 * Brings home what the kernel counted of each block, in portions: wall_count, then wall_count_step when
 * counts_fd(&w->counts) is readable, while it is 1.  0: that was all, or as much as could be had.
 */
int wall_count(struct wall *w, int64_t now_us);
int wall_count_step(struct wall *w);
/* Every block, with what was brought home. */
void wall_list(struct wall *w, int64_t now_us, void (*each)(void *ctx, const struct hand_entry *entry), void *ctx);
#endif
