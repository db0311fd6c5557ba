/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks: from a rule or a command to the hand, and what its answers mean. */
#include <string.h>

#include "base/text.h"
#include "core/core.h"
#include "core/doors.h"
#include "sys/clock.h"

enum { REFUSED_FOR_US = 600000000, CAP_SAID_EVERY_US = 60000000, JUMP_US = 1000000, CHECKPOINT_SHARE = 4 };

struct instant acts_now(void)
{
    return (struct instant){ .wall_us = clock_wall_us(), .boot_us = clock_mono_us() };
}

static bool hunt_observes(const struct core *c)
{
    return c->conf->hunt.mode != HUNT_BLOCK && c->conf->hunt.mode != HUNT_HOLD;
}

/* The gate's findings act by the gate's own key, all others by the hunt's mode. */
static bool observes(const struct core *c, bool outside)
{
    return outside ? !doors_block(c->conf) : hunt_observes(c);
}

static void add_port_words(struct text *t, const uint16_t *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_addf(t, "%s%u", t->len ? "," : "", (unsigned)at[i]);
}

/* Where the block holds, or would. */
static void add_ports(const struct core *c, const struct block *b, struct event *ev)
{
    char words[96];
    struct text t = TEXT_IN(words);
    uint16_t doors[HAND_LISTENS];

    if (!b->outside || !hunt_observes(c))
        add_port_words(&t, c->conf->hunt.ports.at, c->conf->hunt.ports.count);
    else
        add_port_words(&t, doors, doors_ports(c->conf, doors));
    event_add_words(ev, F_PORTS, words);
}

static uint64_t tell(struct core *c, enum event_kind kind, const struct block *b, uint64_t cause, const char *why)
{
    struct event ev = event_new(kind);

    ev.src = b->who;
    if (b->until_us != 0)
        event_add_number(&ev, F_UNTIL, (uint64_t)b->until_us);
    if (kind == EV_ACT_BLOCK_KEPT) {
        event_add_number(&ev, F_SINCE, (uint64_t)b->since_us);
        event_add_number(&ev, F_ORIGIN, b->seq);
    }
    event_add_words(&ev, F_RULE, b->rule);
    if (why)
        event_add_words(&ev, F_WHY, why);
    add_ports(c, b, &ev);
    if (b->outside)
        event_add_number(&ev, F_OUTSIDE, 1);
    return core_emit(c, &ev, cause);
}

static void answer(struct core *c, struct block *b, int32_t code, uint64_t seq, const char *why)
{
    uint32_t waiter = b->waiter;

    b->waiter = 0;
    if (waiter)
        desk_answer(c->desk, waiter, b->waiter_id, code, seq, why);
}

static void ask_hand(struct core *c, const struct block *b, int64_t boot_us, bool unasked)
{
    int64_t left = (b->over_us - boot_us + 999999) / 1000000;

    if (c->batch_count == HAND_BATCH)
        acts_flush(c);
    c->batch[c->batch_count++] = (struct hand_block){
        .who = b->who,
        .seconds = (uint32_t)(left < 1                  ? 1
                              : left > HAND_SECONDS_MAX ? HAND_SECONDS_MAX
                                                        : left),
        .unasked = unasked,
        .outside = b->outside,
    };
}

/* Said once a minute; 0: it was said. */
static uint64_t tell_cap(struct core *c, const struct block *b, enum hand_code code, int64_t boot_us)
{
    if (c->cap_said_us != 0 && boot_us - c->cap_said_us < CAP_SAID_EVERY_US)
        return 0;
    c->cap_said_us = boot_us;
    return tell(c, EV_ACT_CAP_REACHED, b, b->cause, hand_code_words(code));
}

/* Asked once, not at each of its packets, also when it was refused.  A person may ask again; and who only would be
 * blocked, or is not inside, for the hunt's sake may be blocked for the gate's. */
static bool is_settled(const struct core *c, const struct block *b, const struct act_ask *ask, int64_t boot_us)
{
    if (b->state == BLOCK_ASKED || b->state == BLOCK_STANDS)
        return true;
    return ask->waiter == 0 && b->over_us > boot_us && (b->outside == ask->outside || observes(c, ask->outside));
}

enum hand_code acts_block(struct core *c, const struct act_ask *ask)
{
    struct instant now = acts_now();
    int64_t span_us = ask->span_us > 0 ? ask->span_us : c->conf->block.span_us;
    struct block *b = blocks_find(c->blocks, ask->who);

    if (b && is_settled(c, b, ask, now.boot_us))
        return HAND_ALREADY;
    if (b)
        blocks_remove(c->blocks, ask->who);
    b = blocks_add(c->blocks, ask->who);
    if (!b) {
        if (!observes(c, ask->outside))
            (void)tell_cap(c, &(struct block){ .who = ask->who, .cause = ask->cause }, HAND_CAP_TOTAL, now.boot_us);
        return HAND_CAP_TOTAL;
    }
    b->cause = ask->cause;
    b->outside = ask->outside;
    block_time(b, now, span_us);
    b->waiter = ask->waiter;
    b->waiter_id = ask->waiter_id;
    (void)text_cstr(b->rule, sizeof(b->rule), slice_first(slice_text(ask->rule), sizeof(b->rule) - 1));
    if (observes(c, b->outside)) {
        b->state = BLOCK_PRETEND;
        if (ask->waiter == 0)
            (void)tell(c, EV_RULE_WOULD_BLOCK, b, b->cause, NULL);
        return ask->waiter ? HAND_OBSERVES : HAND_OK;
    }
    b->state = BLOCK_ASKED;
    ask_hand(c, b, now.boot_us, false);
    return HAND_OK;
}

void acts_flush(struct core *c)
{
    uint32_t n = c->batch_count;

    c->batch_count = 0; /* when the hand is down, its return asks for all of them again */
    if (n > 0)
        (void)peer_say(core_peer(c, ROW_HAND), HAND_BLOCK, c->next_id++, 0, c->batch, n * sizeof(c->batch[0]), -1);
}

static void cut(struct core *c, const struct block *b)
{
    uint32_t id = c->next_id++;

    c->kills[id % CORE_KILLS] = (struct kill){ .id = id, .who = b->who, .cause = b->seq };
    (void)peer_say(core_peer(c, ROW_HAND), HAND_KILL, id, b->seq, &b->who, sizeof(b->who), -1);
}

static void stands(struct core *c, struct block *b)
{
    bool new_one = b->seq == 0;

    b->state = BLOCK_STANDS;
    if (!new_one)
        return;
    b->seq = tell(c, EV_ACT_BLOCKED, b, b->cause, NULL);
    if (!b->outside || b->waiter != 0) /* what the gate found it ends itself, with a word to the client */
        cut(c, b);
    answer(c, b, HAND_OK, b->seq, "");
}

static void refused(struct core *c, struct block *b, const struct hand_outcome *o)
{
    const char *why = o->code == HAND_FAILED ? strerrordesc_np(o->error) : hand_code_words((enum hand_code)o->code);
    bool cap = o->code == HAND_CAP_MINUTE || o->code == HAND_CAP_TOTAL;
    struct instant now = acts_now();
    struct block said = *b;
    uint64_t seq = 0;

    if (b->seq != 0 && o->code == HAND_NEVER_OUTSIDE) { /* its network is not up yet: a later link fact asks again */
        b->state = BLOCK_ASKED;
        c->outside_waits = true;
        return;
    }
    said.until_us = 0;
    if (o->code == HAND_FAILED)
        seq = tell(c, EV_ACT_BLOCK_FAILED, &said, said.cause, why);
    else if (!cap)
        seq = tell(c, EV_ACT_BLOCK_REFUSED, &said, said.cause, why);
    else
        seq = tell_cap(c, &said, (enum hand_code)o->code, now.boot_us);
    answer(c, b, o->code, seq, why ? why : "");
    if (b->seq != 0 || cap || o->code == HAND_FAILED) { /* may be asked again: nothing is remembered against it */
        blocks_remove(c->blocks, o->who);
        return;
    }
    b->state = BLOCK_REFUSED;
    block_time(b, now, REFUSED_FOR_US);
}

int acts_on_blocked(struct core *c, const struct hand_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct block *b = blocks_find(c->blocks, outcomes[i].who);

        if (!b || (b->state != BLOCK_ASKED && b->state != BLOCK_STANDS))
            continue; /* lifted or over meanwhile */
        if (outcomes[i].code == HAND_OK || outcomes[i].code == HAND_ALREADY)
            stands(c, b);
        else
            refused(c, b, &outcomes[i]);
    }
    core_announce(c);
    return 0;
}

void acts_on_killed(struct core *c, uint32_t id, const struct hand_killed *killed)
{
    struct kill *k = &c->kills[id % CORE_KILLS];
    struct event ev = event_new(EV_ACT_CUT);

    if (k->id != id || (killed->tracked == 0 && killed->sockets == 0))
        return;
    ev.src = k->who;
    event_add_number(&ev, F_COUNT, (uint64_t)killed->tracked + killed->sockets);
    core_emit(c, &ev, k->cause);
    k->id = 0;
}

void acts_unblock(struct core *c, struct addr who, uint64_t cause)
{
    struct block *b = blocks_find(c->blocks, who);

    if (b)
        b->cause = cause;
    (void)peer_say(core_peer(c, ROW_HAND), HAND_UNBLOCK, c->next_id++, cause, &who, sizeof(who), -1);
}

int acts_on_unblocked(struct core *c, const struct hand_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].code == HAND_OK || outcomes[i].code == HAND_NOT_THERE)
            blocks_remove(c->blocks, outcomes[i].who);
    return 0;
}

void acts_on_lifted(struct core *c, const struct hand_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct block *b = blocks_find(c->blocks, outcomes[i].who);
        struct event ev = event_new(EV_ACT_UNBLOCKED);

        if (!b || b->state != BLOCK_STANDS)
            continue; /* we lifted it ourselves, and have said so */
        ev.src = b->who;
        event_add_words(&ev, F_WHY, hand_code_words((enum hand_code)outcomes[i].code));
        core_emit(c, &ev, b->seq);
        blocks_remove(c->blocks, outcomes[i].who);
    }
}

struct walk {
    struct core *core;
    int64_t boot_us;
};

static void assert_one(void *ctx, struct block *b)
{
    struct walk *w = ctx;

    if ((b->state == BLOCK_STANDS || b->state == BLOCK_ASKED) && b->over_us > w->boot_us &&
        !observes(w->core, b->outside))
        ask_hand(w->core, b, w->boot_us, true);
}

void acts_assert_all(struct core *c)
{
    c->outside_waits = false;
    if (observes(c, false) && observes(c, true))
        return;
    blocks_each(c->blocks, assert_one, &(struct walk){ c, clock_mono_us() });
    acts_flush(c);
    c->audit_id = c->next_id++;
    (void)peer_say(core_peer(c, ROW_HAND), HAND_LIST, c->audit_id, 0, NULL, 0, -1);
}

struct keep {
    struct core *core;
    int64_t boot_us;
    uint64_t checkpoint; /* 0: count only */
    uint64_t count;
};

/* The kernel may hold blocks from a life that ended before the journal had them: nobody could say why they stand. */
void acts_on_audit(struct core *c, const struct hand_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct event ev = event_new(EV_ACT_UNBLOCKED);
        uint64_t seq;

        if (blocks_find(c->blocks, entries[i].who))
            continue;
        ev.src = entries[i].who;
        event_add_words(&ev, F_WHY, "it stood in the kernel, and the journal does not know why");
        seq = core_emit(c, &ev, 0);
        acts_unblock(c, entries[i].who, seq);
    }
}

static void keep_one(void *ctx, struct block *b)
{
    struct keep *k = ctx;

    if (b->state != BLOCK_STANDS || b->over_us <= k->boot_us)
        return;
    k->count++;
    if (k->checkpoint)
        (void)tell(k->core, EV_ACT_BLOCK_KEPT, b, k->checkpoint, NULL);
}

void acts_checkpoint(struct core *c)
{
    struct keep k = { .core = c, .boot_us = clock_mono_us() };
    struct event ev = event_new(EV_JOURNAL_CHECKPOINT);

    if (!c->begun)
        return;
    blocks_each(c->blocks, keep_one, &k);
    if (k.count + c->allowed_count > c->conf->core.tail_slots / 2)
        return; /* it would push out what is not yet written; a replay begins at an older one */
    event_add_number(&ev, F_COUNT, k.count + c->allowed_count);
    k.checkpoint = core_emit(c, &ev, 0);
    blocks_each(c->blocks, keep_one, &k);
    for (uint32_t i = 0; i < c->allowed_count; i++) {
        struct event kept = event_new(EV_ACT_ALLOWED);

        event_add_words(&kept, F_PREFIX, prefix_text(c->allowed[i].net).text);
        core_emit(c, &kept, k.checkpoint);
    }
    c->checkpoint_events = k.count + c->allowed_count;
    c->checkpoint_next = tail_next(c->tail);
}

/* With many blocks and small segments one checkpoint would fill the next segment, and so on for ever. */
void acts_on_rotated(struct core *c)
{
    if (tail_next(c->tail) - c->checkpoint_next >= CHECKPOINT_SHARE * c->checkpoint_events)
        acts_checkpoint(c);
}

static void on_over(void *ctx, const struct block *b)
{
    if (b->state == BLOCK_STANDS)
        (void)tell(ctx, EV_ACT_BLOCK_EXPIRED, b, b->seq, NULL);
}

void acts_tick(struct core *c, struct instant now)
{
    int64_t offset_us = now.wall_us - now.boot_us;
    int64_t jump_us = offset_us - c->wall_offset_us;

    if (jump_us > JUMP_US || jump_us < -JUMP_US) { /* the journal must know the new ends: a restart goes by them */
        c->wall_offset_us = offset_us;
        blocks_tell_ends(c->blocks, now);
        acts_checkpoint(c);
    }
    blocks_expire(c->blocks, now.boot_us, on_over, c);
}
