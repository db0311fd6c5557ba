/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "journal/tail.h"
#include "part/control.h"
#include "part/link.h"
#include "sys/say.h"
#include "view/line.h"
#include "view/mode.h"
#include "view/number.h"
#include "view/paint.h"
#include "view/status.h"

enum {
    TICK_US = 1000000,
    TOTALS_TICKS = 10,     /* between two totals on a terminal, when something has changed */
    PATIENCE_TICKS = 3,    /* then the head is printed although no interface has answered */
    LAST_WORDS_US = 40000, /* how long the last totals are waited for */
    BURST = 200,           /* events printed at a time; more are counted, and the journal has them */
};

struct console {
    struct role *role;
    struct tail *tail; /* NULL until it comes */
    uint64_t next;     /* the number that is shown next */
    uint64_t start_up; /* notes below this number are told by the head */
    bool terminal, colour;
    bool headed; /* the head was printed */
    bool asking; /* a status is under way */
    bool stopping;
    unsigned ticks;
    struct ctl_status last; /* as the totals showed it */
};

static void ask_status(struct console *c)
{
    if (!c->asking)
        c->asking = chan_send(c->role->core, CTL_STATUS, 1, 0, NULL, 0, -1) == 0;
}

/* ---- the head: what it listens on, what it would do, what to type ---- */

static void print_links(const struct ctl_status *s)
{
    unsigned shown = 0;

    (void)fputs(_("  listens on  "), stdout);
    for (uint32_t i = 0; i < s->links_count && i < CTL_LINKS; i++)
        if (s->links[i].captured) {
            char name[80];
            struct text t = TEXT_IN(name);

            text_visible(&t, slice_of(s->links[i].name, strnlen(s->links[i].name, sizeof(s->links[i].name))));
            (void)printf("%s%s", shown++ ? ", " : "", name);
        }
    (void)fputs(shown ? "\n" : _("no interface yet\n"), stdout);
}

static void print_head(struct console *c, const struct ctl_status *s)
{
    const char *bold = paint_on(c->colour, PAINT_BOLD);
    const char *off = paint_off(c->colour);

    (void)printf("%sserviola %.*s%s\n", bold, (int)strnlen(s->version, sizeof(s->version)), s->version, off);
    print_links(s);
    (void)printf(_("  mode        %s%s%s: %s\n"), bold, mode_name(s->mode), off, mode_what(s->mode));
    if (!mode_blocks(s->mode))
        (void)printf(
            _("  to block    %sserviola run --mode block%s, or `mode: block` below `hunt:` in the configuration\n"),
            bold, off);
    (void)puts(_("  elsewhere   serviola why last, serviola blocks, serviola status; Ctrl-C ends"));
    (void)fflush(stdout);
    c->headed = true;
    c->start_up = s->next_seq;
    c->next = c->tail ? tail_oldest(c->tail) : 0;
}

/* ---- events ---- */

static void print_event(struct console *c, const struct event *ev)
{
    char line[LINE_TEXT];
    struct text t = TEXT_IN(line);

    line_short(&t, ev, c->colour);
    (void)puts(line);
}

/* What the head has told, and what the journal says to itself, is for `serviola events`. */
static bool is_shown(const struct console *c, const struct event *ev)
{
    if (ev->seq < c->start_up && ev->grade == GRADE_NOTE)
        return false;
    return ev->kind != EV_ACT_BLOCK_KEPT && ev->kind != EV_JOURNAL_CHECKPOINT;
}

static void show_news(struct console *c)
{
    unsigned shown = 0;
    uint64_t skipped = 0;
    struct event ev;
    enum tail_got got;

    if (!c->tail || !c->headed)
        return;
    while ((got = tail_get(c->tail, c->next, &ev)) != TAIL_NOT_YET) {
        if (got == TAIL_GONE) {
            uint64_t oldest = tail_oldest(c->tail);

            skipped += oldest > c->next ? oldest - c->next : 0;
            c->next = oldest > c->next ? oldest : c->next + 1;
            continue;
        }
        c->next++;
        if (!is_shown(c, &ev))
            continue;
        if (shown < BURST)
            print_event(c, &ev);
        skipped += shown++ >= BURST;
    }
    if (skipped > 0)
        (void)printf(words_many("  ... and %s more event; serviola events shows it\n",
                                "  ... and %s more events; serviola events shows them all\n", skipped),
                     number_words(skipped).text);
    (void)fflush(stdout);
}

/* ---- totals ---- */

static bool has_changed(const struct ctl_status *a, const struct ctl_status *b)
{
    return a->mails != b->mails || a->findings != b->findings || a->blocks != b->blocks ||
           status_sums(a).lost != status_sums(b).lost;
}

static void print_totals(struct console *c, const struct ctl_status *s)
{
    char words[256];
    struct text t = TEXT_IN(words);

    status_totals(&t, s);
    (void)printf("%s%s%s\n", paint_on(c->colour, PAINT_DIM), words, paint_off(c->colour));
    (void)fflush(stdout);
}

static bool is_ready(const struct ctl_status *s)
{
    bool hears = s->mode == MODE_OFF;

    for (uint32_t i = 0; i < s->links_count && i < CTL_LINKS; i++)
        hears = hears || s->links[i].captured;
    return s->up && hears;
}

static void end(void *ctx)
{
    struct console *c = ctx;

    show_news(c);
    if (c->headed)
        print_totals(c, &c->last);
    loop_stop(c->role->loop);
}

static int on_status(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct console *c = ((struct role *)ctx)->own;
    struct ctl_status s;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&s, body, sizeof(s));
    c->asking = false;
    if (c->stopping) {
        c->last = s;
        end(c);
    } else if (!c->headed && (is_ready(&s) || c->ticks > PATIENCE_TICKS)) {
        print_head(c, &s);
        c->last = s;
        show_news(c);
    } else if (c->headed && c->terminal && has_changed(&c->last, &s)) {
        print_totals(c, &s);
        c->last = s;
    }
    return 0;
}

/* ---- the part ---- */

static int on_tail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct console *c = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    return role_take_tail(&c->tail, fd);
}

static int on_more(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct console *c = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    if (!c->headed)
        ask_status(c);
    show_news(c);
    return 0;
}

static const struct chan_op ops[] = {
    { LINK_TAIL, "tail", 0, 0, true, on_tail },
    { LINK_MORE, "more", sizeof(struct link_seq), sizeof(struct link_seq), false, on_more },
    { CTL_ANSWER, "status", sizeof(struct ctl_status), sizeof(struct ctl_status), false, on_status },
};

static void on_tick(void *ctx)
{
    struct console *c = ctx;

    c->ticks++;
    if (!c->headed || (c->terminal && c->ticks % TOTALS_TICKS == 0))
        ask_status(c);
}

static int console_open(struct role *r, struct err *e)
{
    struct console *c = calloc(1, sizeof(*c));

    if (!c)
        return err_set(e, 0, _("no memory for the console"));
    r->own = c;
    c->role = r;
    c->terminal = isatty(STDOUT_FILENO) == 1;
    c->colour = paint_wanted(STDOUT_FILENO);
    tzset(); /* reads a file: not possible later */
    return 0;
}

static int console_run(struct role *r, struct err *e)
{
    struct console *c = r->own;

    if (loop_timer(r->loop, TICK_US, TICK_US, on_tick, c) == 0)
        return err_set(e, 0, _("no room for a timer"));
    ask_status(c);
    return 0;
}

/* Asks for the last totals; called again when the core is gone. */
static void console_stop(struct role *r)
{
    struct console *c = r->own;

    if (!c->stopping && loop_timer(r->loop, LAST_WORDS_US, 0, end, c) != 0) {
        c->stopping = true;
        c->asking = false;
        ask_status(c);
        if (c->asking)
            return;
    }
    end(c);
}

const struct part view_console = {
    .name = "console",
    .what = "shows events as they come",
    .user = "serviola-console",
    .open = console_open,
    .run = console_run,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
    .stop = console_stop,
};
