/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "core/crew.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { LOOK_US = 20000, LAST_WORDS_US = 32000000 }; /* at the end */

uint64_t core_emit(struct core *c, struct event *ev, uint64_t cause)
{
    if (cause != 0)
        ev->cause = cause;
    if (ev->at_us == 0) {
        ev->at_us = clock_wall_us();
        ev->mono_us = clock_mono_us();
    }
    if (c->begun)
        return tail_append(c->tail, ev);
    if (c->early_count < CORE_EARLY)
        c->early[c->early_count++] = *ev;
    return 0;
}

void core_begin(struct core *c, uint64_t next)
{
    if (c->begun)
        return;
    tail_begin(c->tail, next);
    c->begun = true;
    c->announced = next;
    for (uint32_t i = 0; i < c->early_count; i++)
        (void)tail_append(c->tail, &c->early[i]);
}

void core_come_up(struct core *c)
{
    struct event ev = event_new(EV_SERVIOLA_STARTED);

    if (c->up || !c->begun || !c->links_known)
        return;
    c->up = true;
    event_add_words(&ev, F_NAME, SERVIOLA_VERSION);
    core_emit(c, &ev, 0);
    peers_tell_allowed(c); /* first: the journal's end is the last to say who is */
    acts_assert_all(c);
    acts_checkpoint(c);
    peers_tell_links(c);
}

void core_take(struct core *c, struct event *ev)
{
    struct rule_hit hits[RULE_HITS];
    size_t n;

    core_emit(c, ev, 0);
    n = rules_match(c->rules, ev, ev->mono_us, hits, RULE_HITS);
    for (size_t i = 0; i < n; i++) {
        struct act_ask ask = {
            .who = addr_ip(hits[i].src),
            .span_us = hits[i].span_us,
            .cause = ev->seq,
            .rule = hits[i].rule,
            .outside = strncmp(event_name(ev->kind), "gate.", 5) == 0,
        };

        if (hits[i].act == RULE_BLOCK)
            (void)acts_block(c, &ask);
    }
}

struct peer *core_peer(struct core *c, enum row_kind kind)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == kind)
            return &c->peers[i];
    abort(); /* the roster has each kind */
}

void core_announce(struct core *c)
{
    uint64_t next = tail_next(c->tail);

    acts_flush(c);
    if (next == c->announced)
        return;
    c->announced = next;
    disk_tell(c);
    (void)peer_say(core_peer(c, ROW_CONSOLE), LINK_MORE, 0, 0, &(struct link_seq){ next }, sizeof(struct link_seq), -1);
    peers_tell_more(c, next);
    desk_news(c->desk, next);
}

static void before_sleep(void *ctx)
{
    core_announce(ctx);
}

static void on_second(void *ctx)
{
    acts_tick(ctx, acts_now());
}

/* ---- what the supervisor says ---- */

static struct core *core_of(void *role)
{
    return ((struct role *)role)->own;
}

static int on_link(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = core_of(ctx);
    const struct crew_link *link = body;

    (void)from;
    (void)m;
    if (fd < 0 || link->row >= roster_count)
        return -1;
    peers_link(c, link->row, link->pid, link->restarts, fd);
    return 0;
}

static void add_end(struct event *ev, int status)
{
    char words[64];
    struct text t = TEXT_IN(words);

    if (WIFSIGNALED(status))
        text_addf(&t, "signal %d (%s)", WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    else
        text_addf(&t, "exit code %d", WEXITSTATUS(status));
    event_add_words(ev, F_WHY, words);
}

static int on_died(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = core_of(ctx);
    const struct crew_died *died = body;
    struct event ev;

    (void)from;
    (void)m;
    (void)fd;
    if (died->row >= roster_count)
        return -1;
    peers_unlink(c, died->row);
    if (c->stopping)
        return 0;
    ev = event_new(died->gave_up ? EV_ROLE_GAVE_UP : EV_ROLE_DIED);
    event_add_words(&ev, F_NAME, roster[died->row].name);
    event_add_number(&ev, F_PID, (uint64_t)(uint32_t)died->pid);
    add_end(&ev, died->status);
    core_emit(c, &ev, 0);
    if (died->gave_up && roster[died->row].may_ask[0] == HAND_LISTEN && roster[died->row].kind != ROW_HELPER)
        peers_let_go(c);
    return 0;
}

static int on_control(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = core_of(ctx);
    struct err e;

    (void)from;
    (void)m;
    (void)body;
    if (fd < 0 || desk_open(c->desk, fd, &e) < 0)
        return -1;
    return 0;
}

static int on_settings_for(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = core_of(ctx);
    const struct crew_row *to = body;

    (void)from;
    (void)m;
    if (to->row >= roster_count || fd < 0)
        return -1;
    (void)peer_say(&c->peers[to->row], roster[to->row].part ? (uint16_t)LINK_SETTINGS : (uint16_t)HAND_CONF, 0, 0, NULL,
                   0, fd);
    (void)close(fd);
    return 0;
}

static int on_reloaded(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = core_of(ctx);
    const struct crew_reloaded *how = body;
    struct event ev = event_new(how->code == 0 ? EV_CONF_LOADED : EV_CONF_REFUSED);
    char words[sizeof(how->text) + 1] = "";

    (void)from;
    (void)m;
    (void)fd;
    memcpy(words, how->text, sizeof(how->text));
    event_add_words(&ev, F_WHY, words);
    core_emit(c, &ev, 0);
    desk_reloaded(c->desk, how->code, words);
    return 0;
}

static int on_crew_stop(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    core_stop(core_of(ctx));
    return 0;
}

static int on_leave(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    const struct crew_row *who = body;

    (void)from;
    (void)m;
    (void)fd;
    if (who->row >= roster_count)
        return -1;
    (void)peer_say(&core_of(ctx)->peers[who->row], LINK_STOP, 0, 0, NULL, 0, -1);
    return 0;
}

static int on_not_run(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    char why[sizeof(struct crew_not_run) + 1] = "";

    (void)from;
    (void)m;
    (void)fd;
    memcpy(why, body, sizeof(struct crew_not_run));
    watching_over(core_of(ctx), why);
    return 0;
}

static const struct chan_op crew_ops[] = {
    { CREW_LINK, "link", sizeof(struct crew_link), sizeof(struct crew_link), true, on_link },
    { CREW_DIED, "died", sizeof(struct crew_died), sizeof(struct crew_died), false, on_died },
    { CREW_CONTROL, "control", 0, 0, true, on_control },
    { CREW_SETTINGS, "settings", sizeof(struct crew_row), sizeof(struct crew_row), true, on_settings_for },
    { CREW_RELOADED, "reloaded", sizeof(struct crew_reloaded), sizeof(struct crew_reloaded), false, on_reloaded },
    { CREW_NOT_RUN, "not run", sizeof(struct crew_not_run), sizeof(struct crew_not_run), false, on_not_run },
    { CREW_LEAVE, "leave", sizeof(struct crew_row), sizeof(struct crew_row), false, on_leave },
    { CREW_STOP, "stop", sizeof(struct crew_stop), sizeof(struct crew_stop), false, on_crew_stop },
};

/* ---- start and end ---- */

static int core_open(struct role *r, struct err *e)
{
    struct core *c;
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return err_set(e, errno, "getrandom");
    c = calloc(1, sizeof(*c));
    if (!c)
        return err_set(e, 0, "no memory for the core");
    r->own = c;
    c->role = r;
    c->conf = r->settings;
    c->started_us = clock_wall_us();
    c->wall_offset_us = c->started_us - clock_mono_us();
    c->next_id = 1;
    for (uint32_t i = 0; i < roster_count; i++)
        c->peers[i] = (struct peer){ .core = c, .row = &roster[i] };
    relay_open(c);
    c->tail = tail_new((size_t)c->conf->core.tail_slots, 1, e);
    c->blocks = blocks_new((size_t)c->conf->block.total, seed, e);
    c->rules = rules_new(&c->conf->rules, &c->conf->block, e);
    c->desk = desk_new(c, e);
    return c->tail && c->blocks && c->rules && c->desk ? 0 : -1;
}

static int core_run(struct role *r, struct err *e)
{
    struct core *c = r->own;

    loop_before_sleep(r->loop, before_sleep, c);
    if (disk_open(c, e) < 0)
        return -1;
    if (loop_timer(r->loop, 1000000, 1000000, on_second, c) == 0)
        return err_set(e, 0, "no room for a timer");
    return 0;
}

static void core_reload(struct role *r)
{
    struct core *c = r->own;
    struct err e;
    struct rules *fresh;

    c->conf = r->settings;
    fresh = rules_new(&c->conf->rules, &c->conf->block, &e);
    if (!fresh) {
        say("the old rules stay: %s", e.text);
        return;
    }
    rules_free(c->rules);
    c->rules = fresh;
}

static void finish(void *ctx)
{
    struct core *c = ctx;

    for (uint32_t i = 0; i < roster_count; i++)
        peers_unlink(c, i);
    loop_stop(c->role->loop);
}

static bool sensors_left(const struct core *c)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if ((roster[i].kind == ROW_SENSOR || roster[i].kind == ROW_WATCH) && c->peers[i].chan)
            return true;
    return false;
}

/* A gate lets go of its last messages, and what they come to is told. */
static void on_wait(void *ctx)
{
    struct core *c = ctx;

    if (!sensors_left(c) || clock_mono_us() - c->stopping_us > LAST_WORDS_US)
        finish(c);
}

/* Sensors end first, the scribe when everything is written: it drains the tail when its link closes. */
void core_stop(struct core *c)
{
    struct event ev = event_new(EV_SERVIOLA_STOPPED);
    struct hand_stop clear = { .clear = 1 };

    if (c->stopping)
        return;
    c->stopping = true;
    c->stopping_us = clock_mono_us();
    core_emit(c, &ev, 0);
    core_announce(c);
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == ROW_SENSOR || roster[i].kind == ROW_WATCH || roster[i].kind == ROW_CONSOLE)
            (void)peer_say(&c->peers[i], LINK_STOP, 0, 0, NULL, 0, -1);
    peers_let_go(c);
    if (blocks_count(c->blocks, BLOCK_STANDS) == 0) /* with blocks, our table stays until they are over */
        (void)peer_say(core_peer(c, ROW_HAND), HAND_STOP, 0, 0, &clear, sizeof(clear), -1);
    if (loop_timer(c->role->loop, LOOK_US, LOOK_US, on_wait, c) == 0)
        finish(c);
}

static void stop(struct role *r)
{
    core_stop(r->own);
}

const struct part core_part = {
    .name = "core",
    .what = "numbers events, matches rules, asks the hand",
    .user = "serviola",
    .settings_size = sizeof(struct house_settings),
    .calls = JAIL_ACCEPT,
    .locked = true,
    .open = core_open,
    .run = core_run,
    .reload = core_reload,
    .ops = crew_ops,
    .ops_count = sizeof(crew_ops) / sizeof(crew_ops[0]),
    .stop = stop,
};
