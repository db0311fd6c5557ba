/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/act.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "hand/capture.h"
#include "hand/cuts.h"
#include "hand/cutter.h"
#include "hand/facts.h"
#include "hand/inherit.h"
#include "hand/lend.h"
#include "hand/never.h"
#include "hand/op.h"
#include "hand/settings.h"
#include "hand/wall.h"
#include "sys/clock.h"
#include "sys/memfile.h"
#include "sys/say.h"

enum {
    COMPARE_US = 60000000,
    RESTORE_PAUSE_US = 100000, /* between two restores: who deletes our table in a loop does not keep us busy */
    RETRY_US = 1000000,        /* after one that failed */
    ROUTES_PAUSE_US = 1000000, /* routers change their routes all day */
    QUEUE_BYTES = 8 << 20,
};

struct act {
    struct loop *loop;
    struct chan *core, *cutter;      /* own */
    const struct hand_settings *set; /* own mapping */
    struct never never;
    struct facts facts;
    struct wall wall;
    struct cuts cuts;
    struct lent lent;
    struct inherit inherit;
    uint32_t cut_timer;
    struct hand_link *told; /* own; what the core knows, FACTS_LINKS of them */
    size_t told_count;
    uint32_t restore_timer, routes_timer;
    int64_t restored_us;
    struct hand_outcome lifted[HAND_BATCH];
    struct hand_entry listed[HAND_BATCH];
    size_t batch;    /* used of one of them, within one call */
    bool counting;   /* what the kernel counted is being read */
    bool list_waits; /* for it to end */
    uint32_t list_id;
};

static void answer(struct act *a, const struct msg *m, const void *body, size_t len, int fd)
{
    (void)chan_send(a->core, (uint16_t)(m->op + HAND_ANSWER), m->id, m->cause, body, len, fd);
}

/* ---- the table ---- */

static void tell_table(struct act *a, int64_t took_us)
{
    struct hand_table t = {
        .whole = a->wall.whole,
        .owned = wall_is_owned(&a->wall),
        .persists = 1, /* a plain table stays as well */
        .blocks = (uint32_t)a->wall.bans.count,
        .took_us = took_us,
    };

    (void)chan_send(a->core, HAND_FACT_TABLE, 0, 0, &t, sizeof(t), -1);
}

static void restore_later(struct act *a, int64_t delay_us);

static void restore(void *ctx)
{
    struct act *a = ctx;
    int64_t from = clock_mono_us();
    struct err e;

    a->restore_timer = 0;
    if (!a->set->acts)
        return;
    a->restored_us = from;
    if (wall_restore(&a->wall, from, &e) == 0) {
        tell_table(a, clock_mono_us() - from);
        return;
    }
    say("the firewall table could not be put back, trying again: %s", e.text);
    restore_later(a, RETRY_US);
}

static void restore_later(struct act *a, int64_t delay_us)
{
    if (a->restore_timer != 0)
        return;
    if (delay_us <= 0)
        restore(a);
    else
        a->restore_timer = loop_timer(a->loop, delay_us, 0, restore, a);
}

static void damaged(struct act *a)
{
    if (!a->set->acts)
        return;
    a->wall.whole = false;
    tell_table(a, 0);
    restore_later(a, a->restored_us + RESTORE_PAUSE_US - clock_mono_us());
}

static void on_table_news(void *ctx, int fd, int events)
{
    struct act *a = ctx;

    (void)fd;
    (void)events;
    if (wall_news(&a->wall))
        damaged(a);
}

/* ---- the list, with what the kernel counted: read in portions, as blocks come first ---- */

static void flush_listed(struct act *a)
{
    (void)chan_send(a->core, HAND_LIST + HAND_ANSWER, a->list_id, 0, a->listed, a->batch * sizeof(a->listed[0]), -1);
    a->batch = 0;
}

static void on_entry(void *ctx, const struct hand_entry *entry)
{
    struct act *a = ctx;

    a->listed[a->batch++] = *entry;
    if (a->batch == HAND_BATCH)
        flush_listed(a);
}

static void tell_list(struct act *a)
{
    a->list_waits = false;
    wall_list(&a->wall, clock_mono_us(), on_entry, a);
    if (a->batch > 0)
        flush_listed(a);
    flush_listed(a); /* the empty one */
}

static void counted(struct act *a)
{
    a->counting = false;
    if (a->list_waits)
        tell_list(a);
}

static void begin_count(struct act *a)
{
    if (a->counting)
        return;
    a->counting = a->set->acts && wall_count(&a->wall, clock_mono_us()) == 0;
    if (!a->counting)
        counted(a);
}

static void on_counts(void *ctx, int fd, int events)
{
    struct act *a = ctx;

    (void)fd;
    (void)events;
    if (wall_count_step(&a->wall) != 1)
        counted(a);
}

/* Every minute; more rarely where the list is so long that it would cost more than half a percent of our time. */
static void on_compare(void *ctx)
{
    struct act *a = ctx;
    int64_t from = clock_mono_us();
    int64_t pause_us;
    struct err e;
    int differs = 0;

    if (a->set->acts && a->restore_timer == 0)
        differs = wall_compare(&a->wall, from, &e);
    if (differs < 0)
        say("the firewall table could not be looked at: %s", e.text);
    else if (differs > 0)
        damaged(a);
    begin_count(a);
    pause_us = (clock_mono_us() - from) * 200;
    (void)loop_timer(a->loop, pause_us > COMPARE_US ? pause_us : COMPARE_US, 0, on_compare, a);
}

/* After a change that may have mended the table on the way. */
static void tell_mended(struct act *a)
{
    if (!a->wall.mended)
        return;
    a->wall.mended = false;
    a->wall.whole = false;
    tell_table(a, 0);
    a->wall.whole = true;
    tell_table(a, 0);
}

/* ---- blocks that end because the facts or lists changed ---- */

static void flush_lifted(struct act *a)
{
    if (a->batch > 0)
        (void)chan_send(a->core, HAND_FACT_LIFTED, 0, 0, a->lifted, a->batch * sizeof(a->lifted[0]), -1);
    a->batch = 0;
}

static void on_lifted(void *ctx, const struct hand_outcome *lifted)
{
    struct act *a = ctx;

    a->lifted[a->batch++] = *lifted;
    if (a->batch == HAND_BATCH)
        flush_lifted(a);
}

static void lift(struct act *a)
{
    wall_lift(&a->wall, clock_mono_us(), on_lifted, a);
    flush_lifted(a);
    if (a->set->acts && a->set->hold) /* the table's own lists changed too */
        restore_later(a, a->restored_us + RESTORE_PAUSE_US - clock_mono_us());
}

/* ---- interfaces ---- */

static void tell_link(struct act *a, const struct hand_link *now)
{
    size_t i = 0;

    while (i < a->told_count && a->told[i].ifindex != now->ifindex)
        i++;
    if (i < a->told_count && memcmp(&a->told[i], now, sizeof(*now)) == 0)
        return;
    if (i == a->told_count)
        a->told_count++; /* never more than FACTS_LINKS: those that are gone were taken out before */
    a->told[i] = *now;
    (void)chan_send(a->core, HAND_FACT_LINK, 0, 0, now, sizeof(*now), -1);
}

static void tell_links(struct act *a)
{
    struct hand_link link;

    for (size_t i = 0; i < a->told_count;) {
        size_t f = 0;

        while (f < a->facts.links_count && a->facts.links[f].ifindex != a->told[i].ifindex)
            f++;
        if (f < a->facts.links_count) {
            i++;
            continue;
        }
        a->told[i].gone = 1;
        a->told[i].up = 0;
        (void)chan_send(a->core, HAND_FACT_LINK, 0, 0, &a->told[i], sizeof(a->told[i]), -1);
        a->told[i] = a->told[--a->told_count];
    }
    for (size_t i = 0; i < a->facts.links_count; i++) {
        facts_link_of(&a->facts, i, &link);
        tell_link(a, &link);
    }
}

static void read_facts(void *ctx)
{
    struct act *a = ctx;
    struct err e;

    a->routes_timer = 0;
    if (facts_read(&a->facts, &e) < 0) {
        say("%s; nobody is blocked until it works", e.text);
        a->never.facts.known = false;
        a->routes_timer = loop_timer(a->loop, RETRY_US, 0, read_facts, a);
        return;
    }
    facts_tell(&a->facts, &a->never.facts);
    never_sort(&a->never);
    tell_links(a);
}

static void on_routes(void *ctx)
{
    read_facts(ctx);
    lift(ctx);
}

static void on_facts(void *ctx, int fd, int events)
{
    struct act *a = ctx;
    unsigned news = facts_news(&a->facts);

    (void)fd;
    (void)events;
    if (news & FACTS_ADDRESSES)
        on_routes(a); /* at once: a new address of ours is protected from now on */
    else if (news && a->routes_timer == 0)
        a->routes_timer = loop_timer(a->loop, ROUTES_PAUSE_US, 0, on_routes, a);
}

/* ---- running connections ---- */

static void order_cuts(struct act *a)
{
    _Alignas(16) char order[sizeof(struct cut_order) + CUTTER_HOSTS * sizeof(struct cut_host)];
    struct cut_order head = { .ports_count = a->set->ports_count, .doors_count = a->set->doors_count };
    struct cut_host *hosts = (struct cut_host *)(void *)(order + sizeof(head));
    size_t count = cuts_take(&a->cuts, CUTTER_HOSTS);

    memcpy(head.ports, a->set->ports, sizeof(head.ports));
    memcpy(head.doors, a->set->doors, sizeof(head.doors));
    memcpy(order, &head, sizeof(head));
    for (size_t i = 0; i < count; i++)
        hosts[i] = (struct cut_host){ .who = a->cuts.at[i].who, .local = never_is_own(&a->never, a->cuts.at[i].who) };
    (void)chan_send(a->cutter, CUTTER_ORDER, 0, 0, order, sizeof(head) + count * sizeof(hosts[0]), -1);
}

static void cut_in_time(void *ctx)
{
    struct act *a = ctx;
    int64_t due_us = cuts_due_us(&a->cuts);
    int64_t left_us = due_us - clock_mono_us();

    a->cut_timer = 0;
    if (due_us == CUTS_NEVER)
        return;
    if (left_us > 0)
        a->cut_timer = loop_timer(a->loop, left_us, 0, cut_in_time, a);
    else
        order_cuts(a);
}

static int on_kill(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct hand_killed out = { .error = EPERM }; /* only who is blocked is cut */
    struct cut one = { .id = m->id, .cause = m->cause };
    int64_t now_us = clock_mono_us();

    (void)from;
    (void)fd;
    memcpy(&one.who, body, sizeof(one.who));
    if (a->set->acts && one.who.port == 0 && bans_find(&a->wall.bans, one.who, now_us))
        out.error = cuts_add(&a->cuts, &one, now_us) ? 0 : ENOBUFS;
    if (out.error != 0)
        answer(a, m, &out, sizeof(out), -1);
    else if (a->cut_timer == 0)
        cut_in_time(a);
    return 0;
}

static int on_report(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    const struct cut_report *report = body;
    const struct hand_killed *killed = (const struct hand_killed *)(report + 1);

    (void)from;
    (void)fd;
    if (m->len != sizeof(*report) + a->cuts.out * sizeof(*killed))
        return -1;
    for (size_t i = 0; i < a->cuts.out; i++)
        (void)chan_send(a->core, HAND_KILL + HAND_ANSWER, a->cuts.at[i].id, a->cuts.at[i].cause, &killed[i],
                        sizeof(killed[i]), -1);
    cuts_back(&a->cuts, clock_mono_us(), report->took_us);
    if (a->cut_timer == 0)
        cut_in_time(a);
    return 0;
}

/* ---- asks ---- */

static int on_block(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct hand_outcome out[HAND_BATCH];
    size_t count = m->len / sizeof(struct hand_block);

    (void)from;
    (void)fd;
    if (m->len % sizeof(struct hand_block) != 0)
        return -1;
    wall_block(&a->wall, body, count, out, clock_mono_us());
    answer(a, m, out, count * sizeof(out[0]), -1);
    tell_mended(a);
    return 0;
}

static int on_unblock(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct hand_outcome out[HAND_BATCH];
    size_t count = m->len / sizeof(struct addr);

    (void)from;
    (void)fd;
    if (m->len % sizeof(struct addr) != 0)
        return -1;
    wall_unblock(&a->wall, body, count, out, clock_mono_us());
    answer(a, m, out, count * sizeof(out[0]), -1);
    tell_mended(a);
    return 0;
}

static int on_list(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;

    (void)from;
    (void)body;
    (void)fd;
    if (a->list_waits) /* that one gets what is known */
        tell_list(a);
    a->list_id = m->id;
    a->list_waits = true;
    begin_count(a);
    return 0;
}

static bool may_capture(const struct act *a, const struct facts_link *link)
{
    if (a->set->ifs_count == 0)
        return link->routed;
    for (uint32_t i = 0; i < a->set->ifs_count; i++)
        if (memcmp(a->set->ifs[i], link->name, HAND_NAME) == 0)
            return true;
    return false;
}

static int on_capture(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    const struct hand_capture *ask = body;
    const struct facts_link *link = facts_find(&a->facts, ask->name);
    struct hand_captured out = { .code = HAND_NOT_THERE };
    struct err e = { 0 };
    int socket = -1;

    (void)from;
    (void)fd;
    memcpy(out.name, ask->name, sizeof(out.name));
    if (link) {
        out.code = HAND_NOT_NAMED;
        out.ifindex = link->ifindex;
        out.link_type = link->link_type;
    }
    if (link && may_capture(a, link)) {
        socket = capture_open(link->ifindex, &out.link_type, a->set->ports, a->set->ports_count, &e);
        out.code = socket < 0 ? HAND_FAILED : HAND_OK;
        out.error = e.code;
    }
    answer(a, m, &out, sizeof(out), socket);
    if (socket >= 0)
        (void)close(socket);
    return 0;
}

/* `socket` is -1 unless the code is HAND_OK. */
static void answer_lent(struct act *a, const struct msg *m, struct addr at, enum hand_code code, int socket,
                        const struct err *e)
{
    struct hand_outcome out = { .who = at, .code = (int32_t)code };

    if (code == HAND_OK && socket < 0) {
        out.code = HAND_FAILED;
        out.error = e->code;
    }
    answer(a, m, &out, sizeof(out), socket);
}

static int on_listen(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct hand_listen ask;
    enum hand_code code;
    struct err e = { 0 };
    int socket = -1;

    (void)from;
    (void)fd;
    memcpy(&ask, body, sizeof(ask));
    code = lend_may_listen(a->set, &ask);
    if (code == HAND_OK)
        socket = ask.tenant == HAND_FOR_LOG ? lend_listen(&ask, &e) : lent_listen(&a->lent, &ask, &e);
    answer_lent(a, m, ask.at, code, socket, &e);
    if (socket >= 0 && ask.tenant == HAND_FOR_LOG)
        (void)close(socket);
    return 0;
}

static int on_let_go(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hand_listen which;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&which, body, sizeof(which));
    lent_let_go(&((struct act *)ctx)->lent, &which);
    return 0;
}

static int on_borrow(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct addr who;
    enum hand_code code;
    struct err e = { 0 };
    int socket = -1;

    (void)from;
    (void)fd;
    memcpy(&who, body, sizeof(who));
    code = lend_may_borrow(&a->never, who);
    if (code == HAND_OK)
        socket = lend_borrow(who, &e);
    answer_lent(a, m, who, code, socket, &e);
    if (socket >= 0)
        (void)close(socket);
    return 0;
}

static int on_allow(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct hand_allow ask;
    struct hand_outcome out = { 0 };

    (void)from;
    (void)fd;
    memcpy(&ask, body, sizeof(ask));
    out.who = ask.net.net;
    out.code = (int32_t)never_allow(&a->never, ask.net, ask.add != 0);
    answer(a, m, &out, sizeof(out), -1);
    if (out.code == HAND_OK)
        lift(a);
    return 0;
}

static int take_settings(struct act *a, int fd, struct err *e)
{
    const struct hand_settings *old = a->set;
    const void *fresh = NULL;

    if (memfile_map(fd, sizeof(*a->set), &fresh, e) < 0)
        return -1;
    if (settings_check(fresh, e) < 0 || wall_settings(&a->wall, fresh, clock_mono_us(), e) < 0) {
        memfile_unmap(fresh, sizeof(*a->set));
        return -1;
    }
    a->set = a->never.set = fresh;
    memfile_unmap(old, sizeof(*old));
    lent_sift(&a->lent, a->set);
    lift(a);
    if (a->set->acts)
        restore(a);
    return 0;
}

static int on_conf(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    struct hand_outcome out = { .code = HAND_WRONG };
    struct err e = { 0 };

    (void)from;
    (void)body;
    if (fd >= 0 && take_settings(a, fd, &e) == 0)
        out.code = HAND_OK;
    else
        say("new settings are unusable, the old ones stay: %s", e.text);
    out.error = e.code;
    answer(a, m, &out, sizeof(out), -1);
    if (fd >= 0)
        (void)close(fd);
    return 0;
}

void act_stop(struct act *a)
{
    wall_end(&a->wall, false, clock_mono_us());
    loop_stop(a->loop);
}

static int on_stop(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct act *a = ctx;
    const struct hand_stop *ask = body;

    (void)from;
    (void)m;
    (void)fd;
    wall_end(&a->wall, ask->clear != 0, clock_mono_us());
    loop_stop(a->loop);
    return 0;
}

#define SIZE(type)  sizeof(type), sizeof(type)
#define SIZES(type) sizeof(type), HAND_BATCH * sizeof(type)
static const struct chan_op asks[] = {
    { HAND_BLOCK, "block", SIZES(struct hand_block), false, on_block },
    { HAND_UNBLOCK, "unblock", SIZES(struct addr), false, on_unblock },
    { HAND_LIST, "list", 0, 0, false, on_list },
    { HAND_KILL, "kill", SIZE(struct addr), false, on_kill },
    { HAND_CAPTURE, "capture", SIZE(struct hand_capture), false, on_capture },
    { HAND_ALLOW, "allow", SIZE(struct hand_allow), false, on_allow },
    { HAND_CONF, "settings", 0, 0, true, on_conf },
    { HAND_STOP, "stop", SIZE(struct hand_stop), false, on_stop },
    { HAND_LISTEN, "listen", SIZE(struct hand_listen), false, on_listen },
    { HAND_BORROW, "borrow", SIZE(struct addr), false, on_borrow },
    { HAND_LET_GO, "let go", SIZE(struct hand_listen), false, on_let_go },
};

static const struct chan_op reports[] = {
    { CUTTER_REPORT, "report", sizeof(struct cut_report),
      sizeof(struct cut_report) + CUTTER_HOSTS * sizeof(struct hand_killed), false, on_report },
};

/* The supervisor starts both anew; blocks stay meanwhile. */
static void on_cutter_gone(void *ctx, struct chan *c, const char *why)
{
    (void)c;
    say("the cutter has ended: %s", why);
    act_stop(ctx);
}

static void on_core_gone(void *ctx, struct chan *c, const char *why)
{
    (void)c;
    say_debug("link to the core: %s", why);
    act_stop(ctx);
}

/* ---- start and end ---- */

struct act *act_new(struct loop *l, int link, int cutter, const struct hand_settings *settings, struct err *e)
{
    struct act *a = calloc(1, sizeof(*a));
    uint64_t seed = 0;

    if (!a) {
        (void)err_set(e, ENOMEM, "the hand");
        return NULL;
    }
    a->loop = l;
    a->set = settings;
    a->cuts.busy = true;
    never_init(&a->never, settings);
    a->told = calloc(FACTS_LINKS, sizeof(*a->told));
    if (!a->told) {
        (void)err_set(e, ENOMEM, "the hand");
        goto fail;
    }
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
        (void)err_set(e, errno, "getrandom");
        goto fail;
    }
    a->core = chan_new(link, "core", asks, sizeof(asks) / sizeof(asks[0]), a, e);
    a->cutter = chan_new(cutter, "cutter", reports, sizeof(reports) / sizeof(reports[0]), a, e);
    if (!a->core || !a->cutter || facts_open(&a->facts, e) < 0 || wall_open(&a->wall, settings, &a->never, seed, e) < 0)
        goto fail;
    chan_limit(a->core, QUEUE_BYTES + settings->total * sizeof(struct hand_entry));
    return a;
fail:
    act_free(a);
    return NULL;
}

int act_inherit(struct act *a, int stock, struct err *e)
{
    return inherit_open(&a->inherit, a->loop, stock, &a->lent, a->set, e);
}

void act_free(struct act *a)
{
    if (!a)
        return;
    lent_close(&a->lent);
    inherit_close(&a->inherit);
    wall_close(&a->wall);
    facts_close(&a->facts);
    chan_free(a->cutter);
    chan_free(a->core);
    free(a->told);
    memfile_unmap(a->set, sizeof(*a->set));
    free(a);
}

int act_begin(struct act *a, unsigned gaps, struct err *e)
{
    struct hand_ready ready = { .gaps = (uint8_t)gaps };

    if (chan_attach(a->core, a->loop, on_core_gone, e) < 0 || chan_attach(a->cutter, a->loop, on_cutter_gone, e) < 0 ||
        loop_watch(a->loop, facts_fd(&a->facts), LOOP_IN, on_facts, a, e) < 0 ||
        loop_watch(a->loop, wall_watch_fd(&a->wall), LOOP_IN, on_table_news, a, e) < 0 ||
        loop_watch(a->loop, counts_fd(&a->wall.counts), LOOP_IN, on_counts, a, e) < 0)
        return -1;
    if (loop_timer(a->loop, COMPARE_US, 0, on_compare, a) == 0)
        return err_set(e, 0, "no timer left");
    (void)chan_send(a->core, HAND_FACT_READY, 0, 0, &ready, sizeof(ready), -1);
    read_facts(a);
    if (a->set->acts) {
        if (wall_begin(&a->wall, clock_mono_us(), e) < 0) {
            if (e->code == EBUSY)
                return -1;
            say("the firewall table could not be put up, trying again: %s", e->text);
            restore_later(a, RETRY_US);
        }
        tell_table(a, 0);
    }
    (void)chan_send(a->core, HAND_FACT_LINKS_KNOWN, 0, 0, NULL, 0, -1);
    return 0;
}
