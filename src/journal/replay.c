/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/replay.h"

#include <stddef.h>

static const enum event_kind state_kinds[] = {
    EV_JOURNAL_CHECKPOINT, EV_ACT_BLOCKED, EV_ACT_UNBLOCKED,  EV_ACT_BLOCK_EXPIRED,
    EV_ACT_BLOCK_KEPT,     EV_ACT_ALLOWED, EV_ACT_DISALLOWED,
};
enum { STATE_KINDS = sizeof(state_kinds) / sizeof(state_kinds[0]) };

bool replay_is_state(enum event_kind kind)
{
    for (size_t i = 0; i < STATE_KINDS; i++)
        if (state_kinds[i] == kind)
            return true;
    return false;
}

static void check_complete(struct checkpoint *c)
{
    if (c->pending > 0 && c->left == 0) {
        c->seq = c->pending;
        c->pending = 0;
    }
}

void checkpoint_see(struct checkpoint *c, const struct event *ev)
{
    uint64_t count = 0;

    if (ev->kind == EV_JOURNAL_CHECKPOINT && event_get_number(ev, F_COUNT, &count)) {
        c->pending = ev->seq;
        c->left = count;
        check_complete(c);
    } else if (c->pending > 0 && ev->cause == c->pending &&
               (ev->kind == EV_ACT_BLOCK_KEPT || ev->kind == EV_ACT_ALLOWED)) {
        c->left--;
        check_complete(c);
    }
}

static bool follow(void *own, const struct event *ev)
{
    struct checkpoint *c = own;

    checkpoint_see(c, ev);
    return c->seq == 0;
}

static bool note_seq(void *own, const struct event *ev)
{
    uint64_t *seq = own;

    *seq = ev->seq;
    return false;
}

/* Newest first: each is followed forward until it is complete, at most to the next; almost always the first one is. */
int replay_checkpoint(struct reader *r, struct checkpoint *c, struct err *e)
{
    static const enum event_kind mark[] = { EV_JOURNAL_CHECKPOINT };
    struct query marks = { .kinds = mark, .kinds_count = 1, .reverse = true };
    struct query members = { .kinds = state_kinds, .kinds_count = STATE_KINDS };

    *c = (struct checkpoint){ 0 };
    do {
        struct checkpoint found = { 0 };
        uint64_t at = 0;

        if (reader_query(r, &marks, note_seq, &at, NULL, e) < 0)
            return -1;
        members.from_seq = at;
        members.to_seq = marks.to_seq;
        if (at > 0 && reader_query(r, &members, follow, &found, NULL, e) < 0)
            return -1;
        c->seq = found.seq;
        marks.to_seq = at > 0 ? at - 1 : 0;
    } while (c->seq == 0 && marks.to_seq > 0);
    return 0;
}

struct state {
    uint64_t checkpoint;
    bool (*seen)(void *own, const struct event *ev);
    void *own;
};

/* A later mark is one that a crash cut off: who forgot at it what stands would never hear of it again.  The members
 * that came are only said twice. */
static bool pass_on(void *own, const struct event *ev)
{
    const struct state *s = own;

    return (ev->kind == EV_JOURNAL_CHECKPOINT && ev->seq != s->checkpoint) || s->seen(s->own, ev);
}

int replay_state(struct reader *r, bool (*seen)(void *own, const struct event *ev), void *own, struct query_told *told,
                 struct err *e)
{
    struct query q = { .kinds = state_kinds, .kinds_count = STATE_KINDS };
    struct checkpoint c;

    if (replay_checkpoint(r, &c, e) < 0)
        return -1;
    q.from_seq = c.seq;
    return reader_query(r, &q, pass_on, &(struct state){ c.seq, seen, own }, told, e);
}
