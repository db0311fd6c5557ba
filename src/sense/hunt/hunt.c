/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/hunt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hand/op.h"
#include "part/link.h"
#include "sense/hunt/capture.h"
#include "sense/hunt/engine.h"
#include "sense/hunt/evidence.h"
#include "sense/hunt/fan.h"
#include "sense/hunt/hold.h"
#include "sense/hunt/learn.h"
#include "sense/hunt/settings.h"
#include "sys/clock.h"
#include "sys/memfile.h"
#include "sys/say.h"

enum {
    SECOND_US = 1000000,
    ALLOW_MOST = 256,          /* changes of the allow list while running */
    LEARN_EVERY_S = 600,       /* how often learning looks for what to propose */
    LEARN_PROPOSALS = 64,      /* events in one such round */
    EVIDENCE_AT_ONCE = 4,      /* files made before frames are looked at again, */
    EVIDENCE_PAUSE_US = 20000, /* and no sooner than then: blocks go before the disk */
    HOLD_RETRY_S = 2,          /* until the valve is asked for again */
    HELD_EVERY_US = 1000000,   /* hunt.held at most this often in all */
    READER_SHIFT = 56,         /* a flow's number begins with its reader's */
};

struct hunt {
    struct role *role;
    struct fan *fan; /* several readers do the work, and all else here is theirs; NULL: this thread does it */
    struct fan_share share;
    struct hunt_settings now; /* the configuration's, with `inside` found out and what was allowed since */
    struct link_allow allow[ALLOW_MOST];
    uint32_t allow_count;
    struct engine *engine;
    struct capture *capture;
    struct evidence *evidence; /* NULL: none is kept */
    struct learn *learn;       /* NULL: not in learn mode */
    struct hold *hold;         /* NULL: not in hold mode, or no valve */
    uint32_t evidence_timer;
    int hold_again_s; /* seconds until HAND_HOLD is asked again */
    int learn_in_s;
    struct link_counters told[CAPTURE_LINKS];
    uint64_t held_untold;
    int64_t held_us;
};

static struct hunt *hunt_of(void *ctx) /* handlers of the link get the role */
{
    return ((struct role *)ctx)->own;
}

/* ---- settings in force ---- */

static void add_allowed(struct key_prefixes *to, struct prefix p)
{
    if (to->count < KEY_PREFIX_CAP)
        to->at[to->count++] = p;
}

static void remove_allowed(struct key_prefixes *from, struct prefix p)
{
    for (uint32_t i = 0; i < from->count;)
        if (memcmp(&from->at[i], &p, sizeof(p)) == 0)
            from->at[i] = from->at[--from->count];
        else
            i++;
}

static bool any_mail(void *ctx, struct addr who)
{
    const struct hunt_settings *s = &((struct hunt *)ctx)->now;

    for (uint32_t i = 0; i < s->networks_count && i < HUNT_NETWORKS; i++)
        for (uint32_t k = 0; k < s->networks[i].net.count; k++)
            if (prefix_has(s->networks[i].net.at[k], who))
                return s->networks[i].limits.any_mail;
    return s->limits.any_mail;
}

/* Each of several readers has its part of the tables. */
static void divide_tables(struct hunt_settings *s, unsigned readers)
{
    uint64_t *const tables[] = { &s->flows,     &s->sources,       &s->findings,
                                 &s->half_open, &s->reorder_total, &s->fragments_bytes };

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        *tables[i] = (*tables[i] + readers - 1) / readers;
}

static void settings_in_force(struct hunt *h)
{
    memcpy(&h->now, h->role->settings, sizeof(h->now));
    divide_tables(&h->now, h->share.of);
    capture_own(h->capture, &h->now.own);
    if (h->now.inside.count == 0)
        capture_inside(h->capture, &h->now.inside);
    for (uint32_t i = 0; i < h->allow_count; i++)
        if (h->allow[i].add)
            add_allowed(&h->now.allow, h->allow[i].net);
        else
            remove_allowed(&h->now.allow, h->allow[i].net);
    if (h->engine)
        engine_set(h->engine, &h->now);
    if (h->hold)
        hold_set(h->hold, h->now.hold_fails_open);
}

/* ---- evidence ---- */

static bool send_evidence(struct hunt *h, const struct evidence_file *f, struct err *e)
{
    struct link_evidence what = { .flow = f->flow };
    int fd = memfile_from(f->pcap.at, f->pcap.len, f->name, e);
    bool sent;

    if (fd < 0)
        return false;
    memcpy(what.name, f->name, sizeof(what.name));
    sent = chan_send(h->role->core, LINK_EVIDENCE, 0, 0, &what, sizeof(what), fd) == 0;
    memfile_close(fd);
    return sent || err_set(e, 0, "the core does not take it") == 0;
}

static void evidence_due(void *ctx)
{
    struct hunt *h = ctx;
    struct evidence_file f;
    struct err e;
    int made = 0;

    h->evidence_timer = 0;
    while (made < EVIDENCE_AT_ONCE && evidence_take(h->evidence, clock_wall_us(), &f)) {
        made++;
        if (!send_evidence(h, &f, &e))
            say("evidence %s: %s", f.name, e.text);
    }
    if (evidence_open(h->evidence) > 0)
        h->evidence_timer =
            loop_timer(h->role->loop, made == EVIDENCE_AT_ONCE ? 1000 : EVIDENCE_WAIT_US / 4, 0, evidence_due, h);
}

static bool is_finding(const struct event *ev)
{
    return ev->src.family != 0 && ev->kind >= EV_HUNT_MAIL_SEEN && ev->kind <= EV_HUNT_TLS_SEEN;
}

/* ---- what the engine says ---- */

static void on_event(void *ctx, struct event *ev, uint64_t flow)
{
    struct hunt *h = ctx;

    (void)role_emit(h->role, ev, 0); /* first: the core acts on it */
    if (ev->kind == EV_HUNT_OVERLAP && h->hold && flow != 0)
        hold_distrust(h->hold, flow);
    if (!h->evidence || !is_finding(ev) || !evidence_case(h->evidence, flow, ev->src, clock_wall_us()))
        return;
    if (h->evidence_timer == 0)
        h->evidence_timer = loop_timer(h->role->loop, EVIDENCE_WAIT_US, 0, evidence_due, h);
}

static void on_mail(void *ctx, const struct mail_row *row)
{
    struct hunt *h = ctx;
    struct engine_source s;

    if (h->learn && engine_source(h->engine, addr_ip(row->client), &s))
        learn_mail(h->learn, row, &s);
}

static void on_packet(void *ctx, const struct engine_packet *p)
{
    struct hunt *h = ctx;

    if (h->evidence)
        evidence_packet(h->evidence, p);
}

/* ---- frames ---- */

static void on_frame(void *ctx, const struct engine_frame *f)
{
    struct hunt *h = ctx;

    if (fan_is_ours(&h->share, f, &h->now.ports))
        (void)engine_frame(h->engine, f);
}

static void on_capture_event(void *ctx, struct event *ev)
{
    struct hunt *h = ctx;

    if (h->share.own == 0 || ev->kind == EV_HUNT_PACKETS_LOST) /* all readers see the same interfaces */
        (void)role_emit(h->role, ev, 0);
}

static void ask_capture(void *ctx, const struct hand_capture *what)
{
    /* An ask that is lost on the way is repeated by capture.c. */
    (void)chan_send(((struct hunt *)ctx)->role->core, HAND_CAPTURE, 1, 0, what, sizeof(*what), -1);
}

/* ---- the valve ---- */

static void valve_before(void *ctx)
{
    capture_drain(((struct hunt *)ctx)->capture);
}

static struct engine_verdict valve_judge(void *ctx, const struct engine_frame *f)
{
    return engine_frame(((struct hunt *)ctx)->engine, f);
}

static void valve_held(void *ctx, uint64_t flow, struct addr client, struct addr server)
{
    struct hunt *h = ctx;
    int64_t now_us = clock_mono_us();
    struct event ev = event_new(EV_HUNT_HELD);

    h->held_untold++;
    if (h->held_us != 0 && now_us - h->held_us < HELD_EVERY_US)
        return;
    ev.src = client;
    ev.dst = server;
    event_add_number(&ev, F_COUNT, h->held_untold); /* segments, this one included */
    if (flow != 0)
        event_add_number(&ev, F_FLOW, flow);
    h->held_us = now_us;
    h->held_untold = 0;
    (void)role_emit(h->role, &ev, 0);
}

static void valve_gone(void *ctx, const char *why)
{
    struct hunt *h = ctx;

    say("the valve is gone (%s); asking for another", why);
    hold_free(h->hold);
    h->hold = NULL;
    h->hold_again_s = HOLD_RETRY_S;
}

static void ask_valve(struct hunt *h)
{
    if (h->now.mode != HUNT_HOLD || h->share.of > 1 || h->hold || --h->hold_again_s > 0)
        return;
    h->hold_again_s = HOLD_RETRY_S;
    (void)chan_send(h->role->core, HAND_HOLD, 2, 0, NULL, 0, -1);
}

static void before_sleep(void *ctx)
{
    struct hunt *h = ctx;

    if (h->hold)
        hold_flush(h->hold);
}

/* ---- learning ---- */

struct round {
    struct hunt *hunt;
    unsigned left;
};

static bool propose(void *ctx, struct learn_host *host)
{
    struct round *r = ctx;
    struct event ev;

    if (learn_judge(host) != LEARN_SERVER || host->proposed_us != 0)
        return true;
    ev = learn_event(host);
    if (!role_emit(r->hunt->role, &ev, 0))
        return false;
    host->proposed_us = clock_wall_us();
    return --r->left > 0;
}

static void learn_round(struct hunt *h)
{
    struct round r = { .hunt = h, .left = LEARN_PROPOSALS };

    learn_sources(h->learn, h->engine);
    learn_each(h->learn, propose, &r);
}

/* ---- once a second ---- */

static void tell_counters(struct hunt *h)
{
    struct engine_counts e;
    struct link_counters c;

    engine_count(h->engine, &e);
    for (unsigned n = 0; n < CAPTURE_LINKS && capture_counters(h->capture, n, &c); n++) {
        c.mails = e.mails;
        if (memcmp(&c, &h->told[n], sizeof(c)) == 0)
            continue;
        h->told[n] = c;
        (void)chan_send(h->role->core, LINK_COUNTERS, 0, 0, &c, sizeof(c), -1);
    }
}

static void each_second(void *ctx)
{
    struct hunt *h = ctx;

    engine_tick(h->engine, clock_wall_us());
    capture_second(h->capture);
    tell_counters(h);
    ask_valve(h);
    if (h->learn && --h->learn_in_s <= 0) {
        h->learn_in_s = LEARN_EVERY_S;
        learn_round(h);
    }
}

/* ---- what the core says ---- */

/* With several readers it is theirs to hear. */
static bool passed_on(struct hunt *h, const struct msg *m, const void *body, int fd)
{
    if (h->fan)
        fan_pass(h->fan, m, body, fd);
    return h->fan != NULL;
}

static int on_link_fact(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hunt *h = hunt_of(ctx);

    (void)from;
    if (passed_on(h, m, body, fd))
        return 0;
    capture_link(h->capture, body);
    settings_in_force(h); /* what is inside may have changed */
    return 0;
}

static int on_links_known(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hunt *h = hunt_of(ctx);

    (void)from;
    if (!passed_on(h, m, body, fd))
        capture_links_known(h->capture);
    return 0;
}

static int on_captured(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hunt *h = hunt_of(ctx);

    (void)from;
    if (!passed_on(h, m, body, fd))
        capture_got(h->capture, body, fd);
    return 0;
}

static int on_valve(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    static const struct hold_calls calls = {
        .before = valve_before, .judge = valve_judge, .any_mail = any_mail, .held = valve_held, .gone = valve_gone
    };
    struct hunt *h = hunt_of(ctx);
    const struct hand_outcome *outcome = body;
    struct hold_calls mine = calls;
    struct err e = { 0 };

    (void)from;
    (void)m;
    if (fd < 0) {
        say_debug("no valve yet: %s", hand_code_words((enum hand_code)outcome->code));
        return 0;
    }
    mine.ctx = h;
    hold_free(h->hold);
    h->hold = hold_new(fd, h->role->loop, &mine, h->now.hold_fails_open, &e);
    if (!h->hold)
        say("the valve can't be used: %s", e.text);
    return 0;
}

static int on_forget(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct addr who;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&who, body, sizeof(who));
    engine_forget(hunt_of(ctx)->engine, who);
    return 0;
}

static int on_allow(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hunt *h = hunt_of(ctx);
    struct link_allow a;
    uint32_t i = 0;

    (void)from;
    if (passed_on(h, m, body, fd))
        return 0;
    memcpy(&a, body, sizeof(a));
    while (i < h->allow_count && memcmp(&h->allow[i].net, &a.net, sizeof(a.net)) != 0)
        i++;
    if (i == ALLOW_MOST) {
        say("more than %d changes of the allow list: put them into the configuration", ALLOW_MOST);
        return 0;
    }
    h->allow[i] = a;
    if (i == h->allow_count)
        h->allow_count++;
    settings_in_force(h);
    engine_forget(h->engine, a.net.net); /* a host's findings are told anew when it is no longer allowed */
    return 0;
}

static const struct chan_op ops[] = {
    { HAND_FACT_LINK, "interface", sizeof(struct hand_link), sizeof(struct hand_link), false, on_link_fact },
    { HAND_FACT_LINKS_KNOWN, "interfaces known", 0, 0, false, on_links_known },
    { HAND_CAPTURE + HAND_ANSWER, "captured", sizeof(struct hand_captured), sizeof(struct hand_captured), true,
      on_captured },
    { HAND_HOLD + HAND_ANSWER, "valve", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true, on_valve },
    { LINK_FORGET, "forget", sizeof(struct addr), sizeof(struct addr), false, on_forget },
    { LINK_ALLOW, "allow", sizeof(struct link_allow), sizeof(struct link_allow), false, on_allow },
};

enum { READER_OPS = sizeof(ops) / sizeof(ops[0]) + 2 };

/* ---- one hunt, made and run ---- */

static void hunt_free(struct hunt *h)
{
    if (!h)
        return;
    loop_untimer(h->role->loop, h->evidence_timer);
    hold_free(h->hold);
    capture_free(h->capture);
    engine_free(h->engine);
    evidence_free(h->evidence);
    learn_free(h->learn);
    free(h);
}

/* Evidence, learning and the valve, as the settings in force say; -1 when memory is short. */
static int make_what_is_wanted(struct hunt *h, struct err *e)
{
    if (!h->now.evidence) {
        loop_untimer(h->role->loop, h->evidence_timer);
        h->evidence_timer = 0;
        evidence_free(h->evidence);
        h->evidence = NULL;
    }
    if (h->now.mode != HUNT_LEARN) {
        learn_free(h->learn);
        h->learn = NULL;
    }
    if (h->now.mode != HUNT_HOLD) {
        hold_free(h->hold);
        h->hold = NULL;
    }
    if (h->now.evidence && !h->evidence)
        h->evidence = evidence_new(EVIDENCE_LOG_BYTES, h->now.evidence_bytes, e);
    if (h->now.mode == HUNT_LEARN && !h->learn)
        h->learn = learn_new(e);
    return (h->now.evidence && !h->evidence) || (h->now.mode == HUNT_LEARN && !h->learn) ? -1 : 0;
}

/* One that works: the only one there is, or a reader's. */
static struct hunt *worker_new(struct role *r, struct fan_share share, struct err *e)
{
    struct hunt *h = calloc(1, sizeof(*h));
    struct engine_calls engine_calls = { .ctx = h, .event = on_event, .mail = on_mail, .packet = on_packet };
    struct capture_calls capture_calls = { .ctx = h, .frame = on_frame, .ask = ask_capture, .event = on_capture_event };

    if (!h) {
        (void)err_set(e, ENOMEM, "hunt");
        return NULL;
    }
    h->role = r;
    h->share = share;
    h->learn_in_s = LEARN_EVERY_S;
    h->capture = capture_new(r->loop, &capture_calls, share.seed, e);
    if (!h->capture)
        goto fail;
    settings_in_force(h);
    capture_set(h->capture, &h->now);
    h->engine = engine_new(&h->now, share.seed, &engine_calls, e);
    if (h->engine)
        engine_number_from(h->engine, (uint64_t)share.own << READER_SHIFT);
    if (h->engine && make_what_is_wanted(h, e) == 0)
        return h;
fail:
    hunt_free(h);
    return NULL;
}

static int worker_run(struct hunt *h, struct err *e)
{
    loop_before_sleep(h->role->loop, before_sleep, h);
    if (loop_timer(h->role->loop, SECOND_US, SECOND_US, each_second, h) == 0)
        return err_set(e, 0, "no timer is left");
    ask_valve(h);
    return 0;
}

static void worker_reload(struct hunt *h)
{
    struct err e = { 0 };

    settings_in_force(h);
    capture_set(h->capture, &h->now);
    if (make_what_is_wanted(h, &e) < 0)
        say("%s", e.text);
}

/* ---- a reader's thread: a role whose core is the main thread ---- */

static int on_reader_settings(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct role *r = ctx;
    const void *fresh = NULL;
    struct err e;

    (void)from;
    (void)m;
    (void)body;
    if (memfile_map(fd, r->settings_size, &fresh, &e) < 0) {
        say("new settings are unusable, the old ones stay: %s", e.text);
    } else {
        memfile_unmap(r->settings, r->settings_size);
        r->settings = fresh;
        worker_reload(r->own);
    }
    memfile_close(fd);
    return 0;
}

static int on_reader_stop(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct role *r = ctx;
    struct hunt *h = r->own;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    if (h->learn)
        learn_round(h);
    loop_stop(r->loop);
    return 0;
}

static void on_main_gone(void *ctx, struct chan *c, const char *why)
{
    (void)c;
    (void)why;
    loop_stop(((struct role *)ctx)->loop);
}

static int reader_start(struct role *r, struct fan_reader reader, struct chan_op *table, struct err *e)
{
    static const struct chan_op own[] = {
        { LINK_SETTINGS, "settings", 0, 0, true, on_reader_settings },
        { LINK_STOP, "stop", 0, 0, false, on_reader_stop },
    };

    memcpy(table, own, sizeof(own));
    memcpy(table + sizeof(own) / sizeof(own[0]), ops, sizeof(ops));
    r->loop = loop_new(e);
    r->core = chan_new(reader.link, "main thread", table, READER_OPS, r, e); /* closes it if it can't */
    if (!r->loop || !r->core || memfile_map(reader.settings, r->settings_size, &r->settings, e) < 0 ||
        chan_attach(r->core, r->loop, on_main_gone, e) < 0)
        return -1;
    r->own = worker_new(r, reader.share, e);
    return r->own ? worker_run(r->own, e) : -1;
}

static void reader_body(struct fan_reader reader)
{
    struct role r = { .part = &sense_hunt, .settings_size = sizeof(struct hunt_settings) };
    struct chan_op table[READER_OPS];
    struct err e = { 0 };

    if (reader_start(&r, reader, table, &e) < 0 || loop_run(r.loop, &e) < 0)
        say("reader %u ends: %s", reader.share.own, e.text);
    hunt_free(r.own);
    chan_free(r.core); /* the main thread hears of it */
    loop_free(r.loop);
    memfile_unmap(r.settings, r.settings_size);
    memfile_close(reader.settings);
}

/* ---- the part ---- */

static int hunt_open(struct role *r, struct err *e)
{
    const struct hunt_settings *s = r->settings;
    struct fan_share all = { .own = 0, .of = 1 };
    struct hunt *h;

    if (getrandom(&all.seed, sizeof(all.seed), 0) != (ssize_t)sizeof(all.seed))
        return err_set(e, errno, "getrandom");
    if (s->threads < 2 || s->mode == HUNT_HOLD) { /* the valve asks one engine */
        r->own = worker_new(r, all, e);
        return r->own ? 0 : -1;
    }
    r->own = h = calloc(1, sizeof(*h)); /* lives as long as the process */
    if (!h)
        return err_set(e, ENOMEM, "hunt");
    h->role = r;
    h->fan = fan_new(r, (unsigned)s->threads, all.seed, reader_body, e);
    return h->fan ? 0 : -1;
}

static int hunt_run(struct role *r, struct err *e)
{
    struct hunt *h = r->own;

    return h->fan ? fan_start(h->fan, e) : worker_run(h, e);
}

static void hunt_reload(struct role *r)
{
    struct hunt *h = r->own;

    if (!h->fan) {
        worker_reload(h);
        return;
    }
    if (((const struct hunt_settings *)r->settings)->mode == HUNT_HOLD)
        say("hold mode has one reader: it begins with the next start");
    fan_reload(h->fan);
}

static void hunt_stop(struct role *r)
{
    struct hunt *h = r->own;

    if (h && h->fan)
        fan_stop(h->fan);
    else if (h && h->learn)
        learn_round(h);
    loop_stop(r->loop);
}

const struct part sense_hunt = {
    .name = "hunt",
    .what = "who inside sends mail to the outside",
    .user = "serviola-hunt",
    .keys = hunt_keys,
    .settings_size = sizeof(struct hunt_settings),
    .calls = JAIL_RING | JAIL_THREADS,
    .locked = true,
    .open = hunt_open,
    .run = hunt_run,
    .reload = hunt_reload,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
    .stop = hunt_stop,
};
