/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The links with the other processes, and what each may say. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"
#include "core/crew.h"
#include "sys/clock.h"
#include "sys/say.h"

bool peer_say(struct peer *p, uint16_t op, uint32_t id, uint64_t cause, const void *body, size_t len, int fd)
{
    return p->chan && chan_send(p->chan, op, id, cause, body, len, fd) == 0;
}

/* ---- every process ---- */

static int on_ready(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    const struct link_ready *ready = body;
    struct event ev = event_new(EV_ROLE_STARTED);

    (void)from;
    (void)m;
    (void)fd;
    p->ready = true;
    p->gaps = ready->unenforced;
    if (p->row->kind == ROW_XRAY)
        return 0; /* it comes for one picture, and the picture is the event */
    if (strcmp(p->row->name, "gate") == 0)
        p->core->doors_count = p->core->doors_full = 0;
    event_add_words(&ev, F_NAME, p->row->name);
    event_add_number(&ev, F_PID, (uint64_t)(uint32_t)p->pid);
    core_emit(p->core, &ev, 0);
    return 0;
}

/* ---- sensors ---- */

static int take_event(struct peer *p, struct event ev, uint64_t cause)
{
    uint64_t flow;

    if (!event_is_sound(&ev) || !p->row->events ||
        strncmp(event_name(ev.kind), p->row->events, strlen(p->row->events)) != 0)
        return -1;
    ev.host = 0;
    if (ev.kind != EV_LOG_FOUND) /* of this one the part knows how grave it is */
        ev.grade = (uint8_t)event_grade(ev.kind);
    if (ev.cause == 0)
        ev.cause = cause;
    if (ev.cause >= tail_next(p->core->tail))
        return -1; /* nothing comes from what has not happened */
    if (!matters_before(p->core, &ev))
        return 0;
    p->events++;
    if (ev.grade >= GRADE_WARN)
        p->core->findings++;
    desk_note_gate(p->core, &ev);
    watching_before(p->core, &ev);
    core_take(p->core, &ev);
    watching_after(p->core, &ev);
    if (ev.kind != EV_LOG_PROOF && event_get_number(&ev, F_FLOW, &flow))
        p->core->flows[flow % CORE_FLOWS] = (struct flow_seen){ flow, ev.seq };
    return 0;
}

static int on_event(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct event ev;

    (void)from;
    (void)fd;
    if (m->len % sizeof(ev) != 0)
        return -1;
    for (size_t at = 0; at < m->len; at += sizeof(ev)) {
        memcpy(&ev, (const uint8_t *)body + at, sizeof(ev));
        if (take_event(ctx, ev, m->cause) < 0)
            return -1;
    }
    return 0;
}

static int on_counters(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;
    struct link_counters now;
    uint32_t i = 0;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&now, body, sizeof(now));
    now.name[sizeof(now.name) - 1] = '\0';
    c->mails = now.mails;
    while (i < c->counters_count && strcmp(c->counters[i].name, now.name) != 0)
        i++;
    if (i == CORE_LINKS)
        return 0;
    c->counters[i] = now;
    if (i == c->counters_count)
        c->counters_count++;
    return 0;
}

static int on_evidence(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    const struct link_evidence *what = body;
    const struct flow_seen *seen = &p->core->flows[what->flow % CORE_FLOWS];

    (void)from;
    if (fd < 0)
        return -1;
    (void)peer_say(core_peer(p->core, ROW_SCRIBE), LINK_EVIDENCE, 0, seen->flow == what->flow ? seen->seq : 0, body,
                   m->len, fd);
    (void)close(fd);
    return 0;
}

/* The hand is not there, or went away: who asked for a socket hears so.  (Other askers ask again when it is back.) */
static void fail_ask(struct core *c, struct pending *slot)
{
    const struct hand_outcome failed = { .code = HAND_FAILED, .error = EAGAIN };

    if (slot->op == HAND_LISTEN || slot->op == HAND_BORROW)
        (void)peer_say(&c->peers[slot->row], (uint16_t)(slot->op + HAND_ANSWER), slot->theirs, 0, &failed,
                       sizeof(failed), -1);
    slot->id = 0;
}

/* Whatever it says: each part gets its own places only. */
static struct hand_listen of_tenant(const struct peer *p, const void *body)
{
    struct hand_listen place;

    memcpy(&place, body, sizeof(place));
    place.tenant = p->row->kind == ROW_READER ? HAND_FOR_METRICS
                 : p->row->kind == ROW_HELPER ? HAND_FOR_LOG
                                              : HAND_FOR_GATE;
    return place;
}

static int on_let_go(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    struct hand_listen place = of_tenant(p, body);

    (void)from;
    (void)fd;
    if (p->row->may_ask[0] != HAND_LISTEN || place.at.family == 0)
        return -1;
    (void)peer_say(core_peer(p->core, ROW_HAND), m->op, 0, 0, &place, sizeof(place), -1);
    return 0;
}

void peers_let_go(struct core *c)
{
    const struct hand_listen all = { 0 };

    (void)peer_say(core_peer(c, ROW_HAND), HAND_LET_GO, 0, 0, &all, sizeof(all), -1);
}

/* An ask for the hand, if this part may ask it: goes on under a number of ours. */
static int on_ask(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    struct core *c = p->core;
    struct hand_listen place;
    bool may = false;

    (void)from;
    (void)fd;
    if (m->op == HAND_LISTEN) {
        place = of_tenant(p, body);
        body = &place;
    }
    for (size_t i = 0; i < sizeof(p->row->may_ask) / sizeof(p->row->may_ask[0]); i++)
        may = may || p->row->may_ask[i] == m->op;
    if (!may)
        return -1;
    for (size_t i = 0; i < CORE_PENDING; i++) {
        struct pending *slot = &c->pending[i];

        if (slot->id != 0)
            continue;
        slot->id = c->next_id++;
        slot->theirs = m->id;
        slot->row = (uint32_t)(p->row - roster);
        slot->op = m->op;
        if (!peer_say(core_peer(c, m->op == HAND_HOLD ? ROW_HOLD : ROW_HAND), m->op, slot->id, m->cause, body, m->len,
                      -1))
            fail_ask(c, slot);
        return 0;
    }
    return -1; /* a part with so many open asks is out of its mind */
}

static int on_account_sums(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;

    (void)from;
    (void)m;
    (void)fd;
    if (p->row->settings != SETTINGS_GATE)
        return -1;
    memcpy(&p->core->accounts, body, sizeof(p->core->accounts));
    return 0;
}

static int on_lines(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;

    (void)from;
    (void)m;
    (void)fd;
    if (p->row->settings != SETTINGS_LOG)
        return -1;
    memcpy(&p->core->lines, body, sizeof(p->core->lines));
    return 0;
}

static const struct chan_op helper_ops[] = {
    { LINK_EVENT, "event", sizeof(struct event), sizeof(struct event), false, on_event },
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_ready },
    { LINK_BOOK, "book", 0, 0, true, relay_on_file },
    { LINK_LISTS, "lists", 0, 0, true, relay_on_file },
    { LINK_ACCOUNTS_KEPT, "accounts", 0, 0, true, relay_on_file },
    { LINK_MAIL, "mail", sizeof(struct link_mail), sizeof(struct link_mail), false, relay_on_mail },
    { LINK_VALUE, "value", sizeof(struct link_value), sizeof(struct link_value), false, watching_on_value },
    { HAND_LISTEN, "listen", sizeof(struct hand_listen), sizeof(struct hand_listen), false, on_ask },
    { LINK_LINES, "lines", sizeof(struct link_lines), sizeof(struct link_lines), false, on_lines },
};

static const struct chan_op watch_ops[] = {
    { LINK_EVENT, "event", sizeof(struct event), sizeof(struct event), false, on_event },
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_ready },
    { LINK_RING, "recorder", 0, 0, true, watching_on_ring },
    { LINK_BOARD, "values", 0, 0, true, relay_on_file },
    { LINK_SHELVE, "shelve", sizeof(struct link_shelve), sizeof(struct link_shelve), true, watching_on_shelve },
};

static const struct chan_op sensor_ops[] = {
    { LINK_EVENT, "event", sizeof(struct event), ROLE_TRAY * sizeof(struct event), false, on_event },
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_ready },
    { LINK_COUNTERS, "counters", sizeof(struct link_counters), sizeof(struct link_counters), false, on_counters },
    { LINK_EVIDENCE, "evidence", sizeof(struct link_evidence), sizeof(struct link_evidence), true, on_evidence },
    { LINK_ACCOUNTS, "accounts", 0, 0, true, relay_on_file },
    { LINK_ACCOUNT_SUMS, "account sums", sizeof(struct link_account_sums), sizeof(struct link_account_sums), false,
      on_account_sums },
    { HAND_CAPTURE, "capture", sizeof(struct hand_capture), sizeof(struct hand_capture), false, on_ask },
    { HAND_HOLD, "hold", 0, 0, false, on_ask },
    { HAND_LISTEN, "listen", sizeof(struct hand_listen), sizeof(struct hand_listen), false, on_ask },
    { HAND_BORROW, "borrow", sizeof(struct addr), sizeof(struct addr), false, on_ask },
    { HAND_LET_GO, "let go", sizeof(struct hand_listen), sizeof(struct hand_listen), false, on_let_go },
};

/* ---- the scribe ---- */

static int on_synced(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)fd;
    disk_synced(((struct peer *)ctx)->core, ((const struct link_seq *)body)->seq);
    return 0;
}

static int on_lost(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)fd;
    disk_lost(((struct peer *)ctx)->core, body);
    return 0;
}

static int on_rotated(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    acts_on_rotated(((struct peer *)ctx)->core);
    return 0;
}

static int on_kept(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct event ev;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&ev, body, sizeof(ev));
    if (!event_is_sound(&ev))
        return -1;
    core_emit(((struct peer *)ctx)->core, &ev, 0);
    return 0;
}

bool peers_fold_allow(struct core *c, const struct event *ev)
{
    struct link_allow allow = { .add = ev->kind == EV_ACT_ALLOWED };
    struct slice words;
    uint32_t i = 0;

    if ((ev->kind != EV_ACT_ALLOWED && ev->kind != EV_ACT_DISALLOWED) || !event_get(ev, F_PREFIX, &words) ||
        !prefix_read(words, &allow.net))
        return false;
    while (i < c->allowed_count && memcmp(&c->allowed[i].net, &allow.net, sizeof(allow.net)) != 0)
        i++;
    if (allow.add) {
        if (i < c->allowed_count || i == CORE_ALLOWED)
            return false;
        c->allowed[c->allowed_count++] = allow;
        return true;
    }
    if (i == c->allowed_count)
        return false;
    c->allowed[i] = c->allowed[--c->allowed_count];
    return true;
}

static int on_replay(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;
    struct event ev;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&ev, body, sizeof(ev));
    if (!event_is_sound(&ev))
        return -1;
    if (ev.kind == EV_JOURNAL_CHECKPOINT)
        c->allowed_count = 0;
    if (!blocks_fold(c->blocks, &ev, acts_now()))
        (void)peers_fold_allow(c, &ev);
    return 0;
}

static int on_replay_done(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;

    (void)from;
    (void)m;
    (void)fd;
    disk_replayed(c, ((const struct link_seq *)body)->seq);
    return 0;
}

static const struct chan_op scribe_ops[] = {
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_ready },
    { LINK_SYNCED, "synced", sizeof(struct link_seq), sizeof(struct link_seq), false, on_synced },
    { LINK_LOST, "lost", sizeof(struct link_lost), sizeof(struct link_lost), false, on_lost },
    { LINK_ROTATED, "rotated", 0, 0, false, on_rotated },
    { LINK_KEPT, "kept", sizeof(struct event), sizeof(struct event), false, on_kept },
    { LINK_REPLAY, "replay", sizeof(struct event), sizeof(struct event), false, on_replay },
    { LINK_REPLAY_DONE, "replay done", sizeof(struct link_seq), sizeof(struct link_seq), false, on_replay_done },
};

/* ---- the hand and its looking eye ---- */

static int on_hand_blocked(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)fd;
    return acts_on_blocked(((struct peer *)ctx)->core, body, m->len / sizeof(struct hand_outcome));
}

static int on_hand_unblocked(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)fd;
    return acts_on_unblocked(((struct peer *)ctx)->core, body, m->len / sizeof(struct hand_outcome));
}

static int on_hand_killed(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)fd;
    acts_on_killed(((struct peer *)ctx)->core, m->id, body);
    return 0;
}

static int on_hand_list(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;

    (void)from;
    (void)fd;
    if (m->id == c->audit_id)
        acts_on_audit(c, body, m->len / sizeof(struct hand_entry));
    else
        desk_listed(c->desk, m->id, body, m->len / sizeof(struct hand_entry));
    return 0;
}

/* An answer that a part waits for. */
static int on_answer(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;

    (void)from;
    for (size_t i = 0; i < CORE_PENDING; i++) {
        struct pending *slot = &c->pending[i];

        if (m->id == 0 || slot->id != m->id)
            continue;
        (void)peer_say(&c->peers[slot->row], m->op, slot->theirs, m->cause, body, m->len, fd);
        slot->id = 0;
        break;
    }
    if (fd >= 0)
        (void)close(fd);
    return 0;
}

static int on_hand_ignored(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)ctx;
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    return 0;
}

/* Who has to know this host's addresses. */
static bool hears_links(const struct row *row)
{
    return row->kind == ROW_SENSOR || row->settings == SETTINGS_PROBE;
}

static int on_link_fact(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;
    const struct hand_link *link = body;

    (void)from;
    (void)fd;
    (void)hand_links_fold(c->links, &c->links_count, CORE_LINKS, link); /* who stands on all of them says what is cut */
    if (c->outside_waits && c->up && !link->gone)
        acts_assert_all(c);
    for (uint32_t r = 0; c->up && c->links_known && r < roster_count; r++)
        if (hears_links(&roster[r]))
            (void)peer_say(&c->peers[r], HAND_FACT_LINK, 0, 0, body, m->len, -1);
    return 0;
}

static void tell_hand_allowed(struct peer *hand)
{
    const struct core *c = hand->core;

    for (uint32_t i = 0; i < c->allowed_count; i++) {
        struct hand_allow allow = { .net = c->allowed[i].net, .add = 1 };

        (void)peer_say(hand, HAND_ALLOW, 0, 0, &allow, sizeof(allow), -1);
    }
}

static int on_links_known(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    c->links_known = true;
    if (c->up) {
        tell_hand_allowed(ctx);
        acts_assert_all(c);
        peers_tell_links(c);
    } else
        core_come_up(c);
    return 0;
}

static int on_table_fact(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;
    const struct hand_table *now = body;
    bool was_whole = c->table.whole != 0;
    bool first = !c->table_seen;
    struct event ev = event_new(now->whole ? EV_ACT_TABLE_BACK : EV_ACT_TABLE_LOST);

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&c->table, now, sizeof(*now));
    c->table_seen = true;
    if (first || was_whole == (now->whole != 0))
        return 0;
    event_add_words(&ev, F_NAME, c->conf->block.table);
    event_add_number(&ev, F_COUNT, now->blocks);
    event_add_number(&ev, F_SPAN, now->took_us < 0 ? 0 : (uint64_t)now->took_us);
    if (now->whole)
        core_emit(c, &ev, c->table_lost_seq);
    else
        c->table_lost_seq = core_emit(c, &ev, 0);
    return 0;
}

static int on_lifted(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)fd;
    acts_on_lifted(((struct peer *)ctx)->core, body, m->len / sizeof(struct hand_outcome));
    return 0;
}

static int on_stack(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)fd;
    disk_on_stack(((struct peer *)ctx)->core, body);
    return 0;
}

#define OUTCOMES sizeof(struct hand_outcome), HAND_BATCH * sizeof(struct hand_outcome)
static const struct chan_op hand_ops[] = {
    { HAND_FACT_READY, "ready", sizeof(struct hand_ready), sizeof(struct hand_ready), false, on_ready },
    { HAND_BLOCK + HAND_ANSWER, "blocked", OUTCOMES, false, on_hand_blocked },
    { HAND_UNBLOCK + HAND_ANSWER, "unblocked", OUTCOMES, false, on_hand_unblocked },
    { HAND_LIST + HAND_ANSWER, "listed", 0, HAND_BATCH * sizeof(struct hand_entry), false, on_hand_list },
    { HAND_KILL + HAND_ANSWER, "killed", sizeof(struct hand_killed), sizeof(struct hand_killed), false,
      on_hand_killed },
    { HAND_CAPTURE + HAND_ANSWER, "captured", sizeof(struct hand_captured), sizeof(struct hand_captured), true,
      on_answer },
    { HAND_LISTEN + HAND_ANSWER, "listening", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true,
      on_answer },
    { HAND_BORROW + HAND_ANSWER, "lent", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true, on_answer },
    { HAND_ALLOW + HAND_ANSWER, "allowed", sizeof(struct hand_outcome), sizeof(struct hand_outcome), false,
      on_hand_ignored },
    { HAND_CONF + HAND_ANSWER, "settings taken", sizeof(struct hand_outcome), sizeof(struct hand_outcome), false,
      on_hand_ignored },
    { HAND_FACT_LINK, "interface", sizeof(struct hand_link), sizeof(struct hand_link), false, on_link_fact },
    { HAND_FACT_LINKS_KNOWN, "interfaces known", 0, 0, false, on_links_known },
    { HAND_FACT_LIFTED, "lifted", OUTCOMES, false, on_lifted },
    { HAND_FACT_TABLE, "table", sizeof(struct hand_table), sizeof(struct hand_table), false, on_table_fact },
};

static const struct chan_op look_ops[] = {
    { HAND_FACT_READY, "ready", sizeof(struct hand_ready), sizeof(struct hand_ready), false, on_ready },
    { HAND_STACK + HAND_ANSWER, "stack", sizeof(struct hand_stack), sizeof(struct hand_stack), false, on_stack },
};

static const struct chan_op hold_ops[] = {
    { HAND_FACT_READY, "ready", sizeof(struct hand_ready), sizeof(struct hand_ready), false, on_ready },
    { HAND_HOLD + HAND_ANSWER, "holding", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true, on_answer },
};

static int on_status_asked(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct ctl_status s;

    (void)body;
    (void)fd;
    desk_status(((struct peer *)ctx)->core, &s);
    return chan_send(from, CTL_ANSWER, m->id, 0, &s, sizeof(s), -1);
}

static const struct chan_op console_ops[] = {
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_ready },
    { CTL_STATUS, "status", 0, 0, false, on_status_asked },
};

static const struct chan_op reader_ops[] = {
    { LINK_EVENT, "event", sizeof(struct event), sizeof(struct event), false, on_event },
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_ready },
    { CTL_STATUS, "status", 0, 0, false, on_status_asked },
    { HAND_LISTEN, "listen", sizeof(struct hand_listen), sizeof(struct hand_listen), false, on_ask },
};

/* ---- links come and go ---- */

static const struct {
    const struct chan_op *ops;
    size_t count;
} tables[] = {
    [ROW_SCRIBE] = { scribe_ops, sizeof(scribe_ops) / sizeof(scribe_ops[0]) },
    [ROW_HAND] = { hand_ops, sizeof(hand_ops) / sizeof(hand_ops[0]) },
    [ROW_LOOK] = { look_ops, sizeof(look_ops) / sizeof(look_ops[0]) },
    [ROW_HOLD] = { hold_ops, sizeof(hold_ops) / sizeof(hold_ops[0]) },
    [ROW_SENSOR] = { sensor_ops, sizeof(sensor_ops) / sizeof(sensor_ops[0]) },
    [ROW_HELPER] = { helper_ops, sizeof(helper_ops) / sizeof(helper_ops[0]) },
    [ROW_WATCH] = { watch_ops, sizeof(watch_ops) / sizeof(watch_ops[0]) },
    [ROW_XRAY] = { watch_ops, sizeof(watch_ops) / sizeof(watch_ops[0]) },
    [ROW_READER] = { reader_ops, sizeof(reader_ops) / sizeof(reader_ops[0]) },
    [ROW_CONSOLE] = { console_ops, sizeof(console_ops) / sizeof(console_ops[0]) },
};

static void on_ended(void *ctx, struct chan *chan, const char *why)
{
    struct peer *p = ctx;
    struct core *c = p->core;
    uint32_t row = (uint32_t)(p->row - roster);
    struct event ev = event_new(EV_LINK_BROKE_RULES);

    (void)chan;
    if (strstr(why, "broke the rules")) {
        event_add_words(&ev, F_NAME, p->row->name);
        event_add_words(&ev, F_WHY, why);
        core_emit(c, &ev, 0);
        (void)chan_send(c->role->core, CREW_STUCK, 0, 0, &(struct crew_row){ row, 0 }, sizeof(struct crew_row), -1);
    }
    peers_unlink(c, row);
}

void peers_unlink(struct core *c, uint32_t row)
{
    struct peer *p = &c->peers[row];
    bool was_linked = p->chan != NULL;

    chan_free(p->chan);
    p->chan = NULL;
    p->ready = false;
    if (was_linked && p->row->kind == ROW_XRAY)
        watching_over(c, "whoever took it ended before it was done");
    for (size_t i = 0; i < CORE_PENDING; i++)
        if (c->pending[i].id != 0 && c->pending[i].row == row)
            c->pending[i].id = 0;
        else if (c->pending[i].id != 0 && p->row->kind == ROW_HAND)
            fail_ask(c, &c->pending[i]);
    if (p->row->kind == ROW_HAND) {
        c->links_known = false;
        c->links_count = 0;
    }
}

static void tell_sensor_allowed(struct peer *p)
{
    const struct core *c = p->core;

    for (uint32_t i = 0; i < c->allowed_count; i++)
        (void)peer_say(p, LINK_ALLOW, 0, 0, &c->allowed[i], sizeof(c->allowed[i]), -1);
}

/* A sensor that sees nothing before the house is up reports nothing that could not be numbered. */
static void tell_links(struct peer *p)
{
    struct core *c = p->core;

    if (!c->up || !c->links_known)
        return;
    for (uint32_t i = 0; i < c->links_count; i++)
        (void)peer_say(p, HAND_FACT_LINK, 0, 0, &c->links[i], sizeof(c->links[i]), -1);
    (void)peer_say(p, HAND_FACT_LINKS_KNOWN, 0, 0, NULL, 0, -1);
}

void peers_tell_allowed(struct core *c)
{
    tell_hand_allowed(core_peer(c, ROW_HAND));
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == ROW_SENSOR)
            tell_sensor_allowed(&c->peers[i]);
}

void peers_tell_links(struct core *c)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (hears_links(&roster[i]))
            tell_links(&c->peers[i]);
}

/* What a process that has just come up has to know. */
static void brief(struct peer *p)
{
    struct core *c = p->core;

    switch (p->row->kind) {
    case ROW_SCRIBE:
    case ROW_CONSOLE:
        (void)peer_say(p, LINK_TAIL, 0, 0, NULL, 0, tail_fd(c->tail));
        (void)peer_say(p, LINK_MORE, 0, 0, &(struct link_seq){ tail_next(c->tail) }, sizeof(struct link_seq), -1);
        break;
    case ROW_READER:
        (void)peer_say(p, LINK_TAIL, 0, 0, NULL, 0, tail_fd(c->tail));
        (void)peer_say(p, LINK_MORE, 0, 0, &(struct link_seq){ tail_next(c->tail) }, sizeof(struct link_seq), -1);
        relay_brief(p);
        break;
    case ROW_HELPER:
        relay_brief(p);
        if (hears_links(p->row))
            tell_links(p);
        break;
    case ROW_SENSOR:
        relay_brief(p);
        if (!c->up)
            break; /* who is allowed is read back from the journal first */
        tell_sensor_allowed(p);
        tell_links(p);
        break;
    case ROW_HAND:
    case ROW_HOLD:
    case ROW_LOOK:
    case ROW_WATCH:
    case ROW_CORE:
        break;
    case ROW_XRAY:
        (void)peer_say(p, LINK_TAIL, 0, 0, NULL, 0, tail_fd(c->tail));
        break;
    }
}

void peers_link(struct core *c, uint32_t row, int32_t pid, uint32_t restarts, int fd)
{
    struct peer *p = &c->peers[row];
    struct err e;

    peers_unlink(c, row);
    if (p->row->kind == ROW_CORE) {
        (void)close(fd);
        return;
    }
    p->chan = chan_new(fd, p->row->name, tables[p->row->kind].ops, tables[p->row->kind].count, p, &e);
    if (!p->chan || chan_attach(p->chan, c->role->loop, on_ended, &e) < 0) {
        say("link with %s: %s", p->row->name, e.text);
        peers_unlink(c, row);
        return;
    }
    p->pid = pid;
    p->restarts = restarts;
    p->since_us = clock_wall_us();
    brief(p);
}

void peers_tell_allow(struct core *c, const struct link_allow *allow)
{
    struct hand_allow to_hand = { .net = allow->net, .add = allow->add };

    (void)peer_say(core_peer(c, ROW_HAND), HAND_ALLOW, 0, 0, &to_hand, sizeof(to_hand), -1);
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == ROW_SENSOR)
            (void)peer_say(&c->peers[i], LINK_ALLOW, 0, 0, allow, sizeof(*allow), -1);
}

void peers_tell_forget(struct core *c, struct addr who)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == ROW_SENSOR)
            (void)peer_say(&c->peers[i], LINK_FORGET, 0, 0, &who, sizeof(who), -1);
}

/* One that does not read for a while needs no second bell. */
void peers_tell_more(struct core *c, uint64_t next)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == ROW_READER && c->peers[i].chan && chan_queued(c->peers[i].chan) == 0)
            (void)peer_say(&c->peers[i], LINK_MORE, 0, 0, &(struct link_seq){ next }, sizeof(struct link_seq), -1);
}
