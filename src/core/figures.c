/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "act/metrics/page.h"
#include "act/metrics/server.h"
#include "act/metrics/settings.h"
#include "hand/op.h"
#include "journal/tail.h"
#include "part/control.h"
#include "part/link.h"
#include "sense/watch/board.h"
#include "sense/watch/indicator.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { SECOND_US = 1000000, AGAIN_US = 10 * SECOND_US, OLD_US = 10 * SECOND_US, END_ROOM = 512, FAMILY = 160 };

struct figures {
    struct role *role;
    struct server *server;
    bool asked, open; /* for the listening socket */
    struct tail *tail;
    uint64_t next;
    uint64_t events[EV_KINDS]; /* since this part began */
    struct board *board;       /* the watch's; NULL: it does not run, or not yet */
    bool status_known;
    struct ctl_status status;
};

static const struct page_label no_label;

static struct page_label label(const char *name, const char *value)
{
    return (struct page_label){ name, value };
}

/* ---- the page ---- */

static void one(struct page *p, const char *name, enum page_type type, const char *help, double value)
{
    page_family(p, name, type, help);
    page_value(p, value);
}

static double seconds(int64_t us)
{
    return (double)us / SECOND_US;
}

static void put_house(struct page *p, const struct ctl_status *s)
{
    page_family(p, "serviola_build_info", PAGE_GAUGE, "Always 1; which serviola this is.");
    page_sample(p, label("version", SERVIOLA_VERSION), no_label, 1);
    one(p, "serviola_up", PAGE_GAUGE, "1 when the journal was read back and the hand is there.", s->up);
    one(p, "serviola_start_time_seconds", PAGE_GAUGE, "When serviola began, in seconds since 1970.",
        seconds(s->started_us));
    one(p, "serviola_journal_events_total", PAGE_COUNTER, "Events in the journal, since its beginning.",
        (double)(s->next_seq ? s->next_seq - 1 : 0));
    one(p, "serviola_journal_unsynced_events", PAGE_GAUGE, "Events that the disk does not have yet.",
        (double)(s->next_seq > s->synced_seq + 1 ? s->next_seq - s->synced_seq - 1 : 0));
    one(p, "serviola_journal_behind_seconds", PAGE_GAUGE, "How long the journal's disk has not answered.",
        seconds(s->scribe_behind_us));
    one(p, "serviola_findings_total", PAGE_COUNTER, "Events of grade warn and alarm.", (double)s->findings);
    one(p, "serviola_blocked_hosts", PAGE_GAUGE, "Hosts that are blocked.", s->blocks);
    one(p, "serviola_blocked_hosts_limit", PAGE_GAUGE, "Most hosts that may be blocked.", s->blocks_cap);
    one(p, "serviola_hunt_mail_commands_total", PAGE_COUNTER, "Mail commands that the hunt saw.", (double)s->mails);
}

enum part_figure { PART_UP, PART_RESTARTS, PART_EVENTS, PART_LOST, PART_FIGURES };

static void put_parts(struct page *p, const struct ctl_status *s)
{
    static const struct {
        const char *name, *help;
        enum page_type type;
    } families[PART_FIGURES] = {
        [PART_UP] = { "serviola_part_up", "1 when this part runs.", PAGE_GAUGE },
        [PART_RESTARTS] = { "serviola_part_restarts_total", "How often this part was started again.", PAGE_COUNTER },
        [PART_EVENTS] = { "serviola_part_events_total", "Events that this part reported since it started.",
                          PAGE_COUNTER },
        [PART_LOST] = { "serviola_part_messages_lost_total", "Messages that its link refused.", PAGE_COUNTER },
    };

    for (unsigned f = 0; f < PART_FIGURES; f++) {
        page_family(p, families[f].name, families[f].type, families[f].help);
        for (uint32_t i = 0; i < s->parts_count && i < CTL_PARTS; i++) {
            const struct ctl_part *part = &s->parts[i];
            const double values[PART_FIGURES] = { part->up, part->restarts, (double)part->events, (double)part->lost };

            page_sample(p, label("part", part->name), no_label, values[f]);
        }
    }
}

static void put_links(struct page *p, const struct ctl_status *s)
{
    for (unsigned lost = 0; lost < 2; lost++) {
        page_family(p, lost ? "serviola_hunt_packets_lost_total" : "serviola_hunt_packets_total", PAGE_COUNTER,
                    lost ? "Packets that found no place in the capture ring." : "Packets that the hunt looked at.");
        for (uint32_t i = 0; i < s->links_count && i < CTL_LINKS; i++)
            if (s->links[i].captured)
                page_sample(p, label("interface", s->links[i].name), no_label,
                            (double)(lost ? s->links[i].lost : s->links[i].packets));
    }
}

static void put_doors(struct page *p, const struct ctl_status *s)
{
    page_family(p, "serviola_gate_sessions_total", PAGE_COUNTER, "Sessions that are over, by how they ended.");
    for (uint32_t i = 0; i < s->doors_count && i < CTL_DOORS; i++) {
        struct page_label at = label("listener", s->doors[i].name);

        page_sample(p, at, label("outcome", "passed"), (double)s->doors[i].passed);
        page_sample(p, at, label("outcome", "refused"), (double)s->doors[i].refused);
        page_sample(p, at, label("outcome", "deferred"), (double)s->doors[i].deferred);
        page_sample(p, at, label("outcome", "ended"), (double)s->doors[i].ended);
    }
    page_family(p, "serviola_gate_open", PAGE_GAUGE, "1 when this listener takes connections.");
    for (uint32_t i = 0; i < s->doors_count && i < CTL_DOORS; i++)
        page_sample(p, label("listener", s->doors[i].name), no_label, s->doors[i].open);
    page_family(p, "serviola_gate_server_up", PAGE_GAUGE,
                "0 when the mail server behind this listener does not answer.");
    for (uint32_t i = 0; i < s->doors_count && i < CTL_DOORS; i++)
        page_sample(p, label("listener", s->doors[i].name), no_label, !s->doors[i].down);
    one(p, "serviola_gate_full", PAGE_GAUGE, "1 when every place of the gate is taken.", s->doors_full != 0);
}

/* As many kinds as there are in events.def, and only those that happened. */
static void put_events(struct page *p, const struct figures *f)
{
    page_family(p, "serviola_events_total", PAGE_COUNTER, "Events since this part began, by kind.");
    for (int k = EV_NONE + 1; k < EV_KINDS; k++)
        if (f->events[k] > 0)
            page_sample(p, label("kind", event_name((enum event_kind)k)),
                        label("grade", grade_name(event_grade((enum event_kind)k))), (double)f->events[k]);
}

/* ---- the watch's values ---- */

struct measure {
    char family[FAMILY];
    char name[VALUE_NAME]; /* what stands for NAME; "": nothing */
    const char *help;
    double number;
};

static int by_family(const void *a, const void *b)
{
    const struct measure *x = a;
    const struct measure *y = b;
    int order = strcmp(x->family, y->family);

    return order ? order : strcmp(x->name, y->name);
}

/* What of "disk.latency.vda" stands for NAME in "disk.latency.NAME". */
static void name_of(const char *row, const char *value, char name[VALUE_NAME])
{
    size_t front = strcspn(row, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    size_t behind = strlen(row + front + strspn(row + front, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    size_t len = strlen(value);

    if (row[front] && len >= front + behind)
        (void)text_cstr(name, VALUE_NAME, slice_of(value + front, len - front - behind));
}

/* A value that nobody described keeps its whole name as a label. */
static void make_measure(struct measure *m, const struct value *v)
{
    const struct indicator_help *h = indicator_help_of(v->name);
    struct text family = TEXT_IN(m->family);

    memset(m->name, 0, sizeof(m->name));
    page_name(&family, h ? h->name : "value.NAME", h ? h->unit : "");
    m->help = h ? h->help : "Measured by another part; the name tells what.";
    m->number = v->number;
    if (h)
        name_of(h->name, v->name, m->name);
    else
        (void)text_cstr(m->name, sizeof(m->name), slice_text(v->name));
    if (h && strcmp(h->unit, "%") == 0)
        m->number /= 100;
    if (h && strcmp(h->unit, "days") == 0)
        m->number *= 86400;
}

static void put_values(struct page *p, const struct figures *f)
{
    struct value *values = calloc(VALUES_MOST, sizeof(*values));
    struct measure *m = calloc(VALUES_MOST, sizeof(*m));
    int64_t at_us = 0;
    uint32_t known = 0;
    uint32_t count = values && m && f->board ? board_read(f->board, values, &at_us) : 0;

    one(p, "serviola_watch_time_seconds", PAGE_GAUGE, "When the watch measured last, in seconds since 1970; 0: never.",
        seconds(at_us));
    if (clock_wall_us() - at_us > OLD_US)
        count = 0; /* what was true then is not what is */
    for (uint32_t i = 0; i < count; i++)
        if (!isnan(values[i].number) && memchr(values[i].name, '\0', VALUE_NAME))
            make_measure(&m[known++], &values[i]);
    if (known > 0)
        qsort(m, known, sizeof(*m), by_family);
    for (uint32_t i = 0; i < known; i++) {
        if (i == 0 || strcmp(m[i].family, m[i - 1].family) != 0)
            page_family(p, m[i].family, PAGE_GAUGE, m[i].help);
        page_sample(p, m[i].name[0] ? label("name", m[i].name) : no_label, no_label, m[i].number);
    }
    free(values);
    free(m);
}

static void make(void *ctx, struct text *text)
{
    struct figures *f = ctx;
    struct page p = { .text = text_in(text->at, text->cap - END_ROOM) };

    if (f->status_known) {
        put_house(&p, &f->status);
        put_parts(&p, &f->status);
        put_links(&p, &f->status);
        put_doors(&p, &f->status);
    }
    put_events(&p, f);
    put_values(&p, f);
    page_end(&p);
    text->len = p.text.len;
}

/* ---- what the core says ---- */

static struct figures *own(void *role)
{
    return ((struct role *)role)->own;
}

static int on_status(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct figures *f = own(ctx);

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&f->status, body, sizeof(f->status));
    for (unsigned i = 0; i < CTL_PARTS; i++)
        f->status.parts[i].name[sizeof(f->status.parts[i].name) - 1] = '\0';
    for (unsigned i = 0; i < CTL_LINKS; i++)
        f->status.links[i].name[sizeof(f->status.links[i].name) - 1] = '\0';
    for (unsigned i = 0; i < CTL_DOORS; i++)
        f->status.doors[i].name[sizeof(f->status.doors[i].name) - 1] = '\0';
    f->status_known = true;
    return 0;
}

static int on_board(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct figures *f = own(ctx);
    struct err e;

    (void)from;
    (void)m;
    (void)body;
    if (fd < 0)
        return 0;
    board_free(f->board);
    f->board = board_open(fd, &e);
    if (!f->board)
        say("%s", e.text);
    (void)close(fd);
    return 0;
}

static int on_tail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct figures *f = own(ctx);

    (void)from;
    (void)m;
    (void)body;
    if (role_take_tail(&f->tail, fd) < 0)
        return -1;
    f->next = tail_oldest(f->tail);
    return 0;
}

static int on_more(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct figures *f = own(ctx);
    struct event ev;
    enum tail_got got;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    while (f->tail && (got = tail_get(f->tail, f->next, &ev)) != TAIL_NOT_YET) {
        uint64_t oldest = tail_oldest(f->tail);

        f->next = got == TAIL_GONE && oldest > f->next ? oldest : f->next + 1;
        if (got == TAIL_GOT && ev.kind < EV_KINDS)
            f->events[ev.kind]++;
    }
    return 0;
}

/* ---- the door ---- */

static struct addr address(const struct figures *f)
{
    return ((const struct metrics_settings *)f->role->settings)->listen;
}

static void tell_open(struct figures *f)
{
    struct event ev = event_new(EV_METRICS_STARTED);
    struct addr at = address(f);
    char words[96];
    struct text t = TEXT_IN(words);

    text_addf(&t, "http://%s/metrics", addr_socket_text(at).text);
    event_add_words(&ev, F_NAME, words);
    (void)role_emit(f->role, &ev, 0);
    if (!addr_is_loopback(at))
        say("metrics are shown at %s, to whoever reaches it; let a firewall see to who does",
            addr_socket_text(at).text);
}

static void knock(void *ctx)
{
    struct figures *f = ctx;
    struct hand_listen ask = { .at = address(f), .v6only = address(f).family == 6 };

    if (!f->open && !f->asked)
        f->asked = chan_send(f->role->core, HAND_LISTEN, 1, 0, &ask, sizeof(ask), -1) == 0;
}

static int on_lent(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    const struct hand_outcome *o = body;
    struct figures *f = own(ctx);
    struct err e;

    (void)from;
    (void)m;
    f->asked = false;
    if (fd < 0) {
        if (o->error != EAGAIN) /* the hand is not there yet */
            say("the hand does not open %s: %s; it is tried again", addr_socket_text(address(f)).text,
                o->error ? strerror(o->error) : hand_code_words((enum hand_code)o->code));
        (void)loop_timer(f->role->loop, o->error == EAGAIN ? SECOND_US / 4 : AGAIN_US, 0, knock, f);
        return 0;
    }
    if (metrics_server_open(f->server, fd, &e) < 0) {
        say("%s", e.text);
        return 0;
    }
    f->open = true;
    tell_open(f);
    return 0;
}

static const struct chan_op ops[] = {
    { LINK_TAIL, "tail", 0, 0, true, on_tail },
    { LINK_MORE, "more", sizeof(struct link_seq), sizeof(struct link_seq), false, on_more },
    { LINK_BOARD, "values", 0, 0, true, on_board },
    { CTL_ANSWER, "status", sizeof(struct ctl_status), sizeof(struct ctl_status), false, on_status },
    { HAND_LISTEN + HAND_ANSWER, "listening", sizeof(struct hand_outcome), sizeof(struct hand_outcome), true, on_lent },
};

/* ---- start ---- */

static void each_second(void *ctx)
{
    (void)chan_send(((struct figures *)ctx)->role->core, CTL_STATUS, 1, 0, NULL, 0, -1);
}

static int figures_open(struct role *r, struct err *e)
{
    struct figures *f = calloc(1, sizeof(*f));

    if (!f)
        return err_set(e, ENOMEM, "metrics");
    r->own = f;
    f->role = r;
    f->server = metrics_server_new(r->loop, make, f, e);
    return f->server ? 0 : -1;
}

static int figures_run(struct role *r, struct err *e)
{
    each_second(r->own);
    knock(r->own);
    return loop_timer(r->loop, SECOND_US, SECOND_US, each_second, r->own) ? 0 : err_set(e, 0, "no room for a timer");
}

const struct part core_figures = {
    .name = "metrics",
    .what = "shows figures to Prometheus",
    .user = "serviola-metrics",
    .keys = metrics_keys,
    .settings_size = sizeof(struct metrics_settings),
    .calls = JAIL_ACCEPT,
    .open = figures_open,
    .run = figures_run,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
};
