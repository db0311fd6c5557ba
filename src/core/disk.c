/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scribe, seen from the core: does it keep up, and if not, where does it hang?
 * The core never waits for it; it looks at its offset.
 */
#include <string.h>

#include "base/text.h"
#include "core/core.h"
#include "sys/clock.h"

enum { REPLAY_PATIENCE_US = 5000000 };

/* The disk has not even told where the journal stood: go on without it, at a number that is surely higher. */
static void on_no_replay(void *ctx)
{
    struct core *c = ctx;
    struct event ev = event_new(EV_SCRIBE_STUCK);

    if (c->begun)
        return;
    core_begin(c, (uint64_t)clock_wall_us());
    event_add_words(&ev, F_WHY, "the journal could not be read at the start; blocks from before are not known");
    c->disk.stuck = true;
    c->disk.stuck_seq = core_emit(c, &ev, 0);
    core_come_up(c);
}

int disk_open(struct core *c, struct err *e)
{
    if (loop_timer(c->role->loop, REPLAY_PATIENCE_US, 0, on_no_replay, c) == 0)
        return err_set(e, 0, "no room for a timer");
    return 0;
}

void disk_replayed(struct core *c, uint64_t last)
{
    core_begin(c, last + 1);
    core_come_up(c);
}

static void look_again(struct core *c);

static void say_stuck(struct core *c, int64_t behind_us, const char *stack)
{
    struct event ev = event_new(EV_SCRIBE_STUCK);

    event_add_number(&ev, F_SPAN, (uint64_t)behind_us);
    event_add_number(&ev, F_PID, (uint64_t)(uint32_t)core_peer(c, ROW_SCRIBE)->pid);
    event_add_number(&ev, F_COUNT, tail_next(c->tail) - 1 - tail_synced(c->tail));
    event_add_words(&ev, F_STACK, stack);
    c->disk.stuck_seq = core_emit(c, &ev, 0);
    core_announce(c);
}

static void on_look(void *ctx)
{
    struct core *c = ctx;
    struct peer *scribe = core_peer(c, ROW_SCRIBE);
    int64_t now_us = clock_mono_us();
    int64_t behind_us;

    c->disk.timer = 0;
    if (tail_synced(c->tail) + 1 >= tail_next(c->tail))
        return; /* all is written: the next event starts the clock again */
    behind_us = now_us - c->disk.moved_us;
    if (!c->disk.stuck && behind_us >= c->conf->core.stuck_us) {
        struct hand_pid ask = { .pid = scribe->pid };

        c->disk.stuck = true;
        if (!scribe->chan || !peer_say(core_peer(c, ROW_LOOK), HAND_STACK, c->next_id++, 0, &ask, sizeof(ask), -1))
            say_stuck(c, behind_us, "");
    }
    look_again(c);
}

static void look_again(struct core *c)
{
    if (c->disk.timer == 0)
        c->disk.timer = loop_timer(c->role->loop, c->conf->core.stuck_us / 4, 0, on_look, c);
}

/* "[<0>] percpu_rwsem_wait+0x11e/0x150\n..." becomes "percpu_rwsem_wait < vfs_write < ...". */
static void stack_words(const struct hand_stack *stack, struct text *t)
{
    struct slice rest = slice_of(stack->text, stack->len < HAND_STACK_TEXT ? stack->len : HAND_STACK_TEXT);

    while (rest.len > 0) {
        struct slice line = slice_trim(slice_until(rest, '\n', &rest));
        struct slice name;
        struct slice offset;

        (void)slice_until(line, ' ', &name);
        name = slice_until(name, '+', &offset);
        if (name.len == 0)
            continue;
        if (t->len > 0)
            text_word(t, " < ");
        text_visible(t, name);
    }
}

void disk_on_stack(struct core *c, const struct hand_stack *stack)
{
    char words[EVENT_BODY];
    struct text t = TEXT_IN(words);

    if (!c->disk.stuck)
        return;
    stack_words(stack, &t);
    if (t.len == 0)
        text_addf(&t, "state %c", stack->state >= 'A' && stack->state <= 'Z' ? (char)stack->state : '?');
    say_stuck(c, clock_mono_us() - c->disk.moved_us, words);
}

void disk_tell(struct core *c)
{
    struct link_seq next = { tail_next(c->tail) };

    if (tail_synced(c->tail) >= c->disk.told - (c->disk.told > 0))
        c->disk.moved_us = clock_mono_us(); /* it had nothing to do until now */
    c->disk.told = next.seq;
    (void)peer_say(core_peer(c, ROW_SCRIBE), LINK_MORE, 0, 0, &next, sizeof(next), -1);
    look_again(c);
}

void disk_synced(struct core *c, uint64_t seq)
{
    struct event ev = event_new(EV_SCRIBE_BACK);
    int64_t now_us = clock_mono_us();

    if (seq <= tail_synced(c->tail) || seq >= tail_next(c->tail))
        return;
    tail_set_synced(c->tail, seq);
    if (c->disk.stuck) {
        c->disk.stuck = false;
        event_add_number(&ev, F_SPAN, (uint64_t)(now_us - c->disk.moved_us));
        core_emit(c, &ev, c->disk.stuck_seq);
    }
    c->disk.moved_us = now_us;
}

void disk_lost(struct core *c, const struct link_lost *lost)
{
    struct event ev = event_new(EV_JOURNAL_LOST);

    event_add_number(&ev, F_COUNT, lost->to - lost->from + 1);
    event_add_number(&ev, F_OFFSET, lost->from);
    core_emit(c, &ev, c->disk.stuck_seq);
}
