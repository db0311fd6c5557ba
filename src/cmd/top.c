/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola top: who is busy, now or at a moment that is gone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/recorded.h"
#include "sys/say.h"
#include "view/paint.h"
#include "view/when.h"

enum { LINES = 20, SECOND_US = 1000000 };

struct top_options {
    struct common_options common;
    int64_t at_us, play_us;
    uint64_t lines;
};

static const struct option_row rows[] = {
    { "at", 'a', OPTION_TIME, offsetof(struct top_options, at_us), "T", N_("at this moment of the past"), NULL },
    { "play", 'p', OPTION_SPAN, offsetof(struct top_options, play_us), "SPAN",
      N_("from there on, as it went, for so long"), NULL },
    { "lines", 'n', OPTION_NUMBER, offsetof(struct top_options, lines), "N", N_("processes that are shown (20)"),
      NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "top",
    .what = N_("Shows who is busy: now, each second anew on a terminal; or, from the recorder, at a moment that is\n"
               "gone.  Tasks that wait for a disk (D) come first, then those that took most of the CPU."),
    .synopsis = "[--at T [--play SPAN]] [--lines N] [--json]",
    .rows = rows,
    .examples = N_("serviola top|now\n"
                   "serviola top --at 18:27:55|as it was then\n"
                   "serviola top --at 18:27:50 --play 30s|half a minute of it, as it went"),
};

/* ---- one picture ---- */

static const struct reel_picture *sorting; /* whose processes are compared */

static int busier(const void *a, const void *b)
{
    const struct reel_process *x = &sorting->processes[*(const uint32_t *)a];
    const struct reel_process *y = &sorting->processes[*(const uint32_t *)b];

    if ((x->is.state == 'D') != (y->is.state == 'D'))
        return x->is.state == 'D' ? -1 : 1;
    if (x->step_ticks != y->step_ticks)
        return x->step_ticks > y->step_ticks ? -1 : 1;
    if (x->is.rss_pages != y->is.rss_pages)
        return x->is.rss_pages > y->is.rss_pages ? -1 : 1;
    return x->is.pid < y->is.pid ? -1 : 1;
}

static double cpu_percent(const struct reel_picture *p, const struct reel_process *r)
{
    double hz = (double)sysconf(_SC_CLK_TCK);

    return p->step_us > 0 ? 100 * ((double)r->step_ticks / hz) / ((double)p->step_us / 1e6) : 0;
}

static void print_process(const struct reel_picture *p, const struct reel_process *r, bool json, bool colour)
{
    double mib = (double)r->is.rss_pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
    struct slice comm = slice_of(r->is.comm, strnlen(r->is.comm, FACT_COMM));
    char words[FACT_COMM * 8];
    struct text t = TEXT_IN(words);

    if (json) {
        text_json(&t, comm);
        (void)printf("{\"pid\":%d,\"parent\":%d,\"state\":\"%c\",\"cpu\":%.1f,\"rss_mib\":%.1f,\"threads\":%u,"
                     "\"comm\":\"%s\"}\n",
                     r->is.pid, r->is.parent, r->is.state, cpu_percent(p, r), mib, r->is.threads, words);
        return;
    }
    text_visible(&t, comm);
    (void)printf("%s%7d %7d  %c  %6.1f %9.1f %7u  %s%s\n",
                 r->is.state == 'D' && colour ? paint_on(true, PAINT_RED) : "", r->is.pid, r->is.parent,
                 r->is.state > 0x20 && r->is.state < 0x7f ? r->is.state : '?', cpu_percent(p, r), mib, r->is.threads,
                 words, r->is.state == 'D' && colour ? paint_off(true) : "");
}

static void print_value(const struct reel_picture *p, const char *label, const char *name, const char *unit)
{
    double number = values_get(&p->values, name);

    if (!isnan(number))
        (void)printf("  %s %.4g%s", label, number, unit);
}

static void print_head(const struct reel_picture *p)
{
    (void)printf("%s", when_full(p->at_us).text);
    print_value(p, _("load"), "load.one", "");
    print_value(p, "cpu", "cpu.busy", "%");
    print_value(p, _("memory left"), "mem.available", "%");
    print_value(p, "D", "dstate.tasks", "");
    print_value(p, _("disk"), "disk.latency", " s");
    print_value(p, "psi io", "psi.io", "%");
    print_value(p, _("connections"), "net.connections", "");
    print_value(p, _("mail queue"), "mail.queue", "");
    (void)printf("\n\n    PID  PARENT  S    CPU%%       MiB THREADS  NAME\n");
}

static int print_picture(const struct reel_picture *p, const struct top_options *o, bool colour)
{
    uint32_t *order = calloc(p->processes_room + 1, sizeof(*order));
    uint32_t count = 0;

    if (!order)
        return EXIT_CANNOT;
    for (uint32_t i = 0; i < p->processes_room; i++)
        if (p->processes[i].is.state)
            order[count++] = i;
    sorting = p;
    qsort(order, count, sizeof(*order), busier);
    if (!o->common.json)
        print_head(p);
    for (uint32_t i = 0; i < count && i < o->lines; i++)
        print_process(p, &p->processes[order[i]], o->common.json, colour);
    free(order);
    return EXIT_FINE;
}

/* ---- the past, played ---- */

struct player {
    const struct top_options *o;
    bool screen; /* each picture in the place of the one before */
    int64_t last_us;
};

static void pause_us(int64_t us)
{
    struct timespec t = { .tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000 };

    (void)nanosleep(&t, NULL);
}

static bool play_one(void *ctx, const struct reel_picture *p)
{
    struct player *player = ctx;
    int64_t since_us = player->last_us ? p->at_us - player->last_us : 0;

    if (player->screen) {
        if (since_us > 0)
            pause_us(since_us < SECOND_US ? since_us : SECOND_US); /* what was thinned is played fast */
        (void)printf("\033[H\033[2J");
    }
    player->last_us = p->at_us;
    (void)print_picture(p, player->o, player->screen);
    (void)puts("");
    (void)fflush(stdout);
    return !ferror(stdout);
}

static int show_past(const struct top_options *o, struct sight *s)
{
    struct past *past;
    struct player player = { .o = o, .screen = isatty(STDOUT_FILENO) && !o->common.json };
    const struct reel_picture *p;
    struct err e;
    int code = EXIT_CANNOT;

    past = recorded_open(s, &e);
    p = past ? past_at(past, o->at_us, &e) : NULL;
    if (!p)
        say("%s", e.text);
    else if (o->play_us == 0)
        code = print_picture(p, o, paint_wanted(STDOUT_FILENO));
    else if (past_each(past, p->at_us, o->at_us + o->play_us, play_one, &player, &e) >= 0)
        code = EXIT_FINE;
    past_close(past);
    return code;
}

/* ---- now ---- */

static int show_now(const struct top_options *o, struct sight *s, bool screen)
{
    struct err e;
    struct past *past = recorded_live(s, &e);
    const struct reel_picture *p = past ? past_at(past, past_newest_us(past), &e) : NULL;
    int code = EXIT_CANNOT;

    if (screen && p)
        (void)printf("\033[H\033[2J");
    if (p)
        code = print_picture(p, o, paint_wanted(STDOUT_FILENO));
    else
        say("%s", e.text);
    past_close(past);
    return fflush(stdout) == 0 ? code : EXIT_CANNOT;
}

static int follow(const struct top_options *o, struct sight *s)
{
    bool screen = isatty(STDOUT_FILENO) && !o->common.json;
    int code;

    while ((code = show_now(o, s, screen)) == EXIT_FINE && screen)
        pause_us(SECOND_US);
    return code;
}

static uint64_t lines_of_terminal(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 10 ? size.ws_row - 5u : LINES;
}

int cmd_top(int argc, char **argv)
{
    struct top_options o = { 0 };
    struct sight s = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.play_us && !o.at_us)
        return options_wrong(&usage, _("--play wants --at T"));
    o.lines = o.lines ? o.lines : lines_of_terminal();
    code = sight_configure(&s, &o.common);
    if (code == EXIT_FINE)
        code = o.at_us ? show_past(&o, &s) : follow(&o, &s);
    sight_close(&s);
    return code;
}
