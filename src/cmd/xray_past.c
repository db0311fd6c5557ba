/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/xray_past.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/settings.h"
#include "journal/query.h"
#include "sys/clock.h"

enum { PATIENCE_MS = 1000 };

static bool is_of_this_host(const struct snap *s)
{
    struct utsname u;

    return uname(&u) == 0 && slice_eq(snap_host(s)->name, slice_text(u.nodename));
}

struct telling {
    const struct snap *s;
    int to;
    size_t told;
};

static bool tell_one(void *own, const struct event *ev)
{
    struct telling *t = own;

    if (!explain_past_wants(t->s, ev))
        return true;
    return write(t->to, ev, sizeof(*ev)) == (ssize_t)sizeof(*ev) && ++t->told < EXPLAIN_PAST_MOST;
}

/* In the child: the disk may hang. */
static void read_journal(const struct snap *s, const struct common_options *o, int to)
{
    struct house_settings *conf = calloc(1, sizeof(*conf));
    struct conf_faults *faults = calloc(1, sizeof(*faults));
    struct query q = { .since_us = snap_host(s)->begun_us - EXPLAIN_BEFORE_US,
                       .until_us = snap_host(s)->ended_us + EXPLAIN_AFTER_US };
    struct telling t = { .s = s, .to = to };
    struct reader *r;
    struct err e;

    if (!conf || !faults)
        return;
    (void)settings_read(settings_path(o->conf), conf, faults);
    r = reader_open(conf->journal.folder, &e);
    if (r)
        (void)reader_query(r, &q, tell_one, &t, NULL, &e);
    reader_close(r);
    free(conf);
    free(faults);
}

static size_t hear(int from, struct event *at)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)PATIENCE_MS * 1000;
    struct pollfd p = { .fd = from, .events = POLLIN };
    size_t len = 0;

    while (len < EXPLAIN_PAST_MOST * sizeof(*at)) {
        int64_t left_ms = (deadline_us - clock_mono_us()) / 1000;
        ssize_t n;

        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            break;
        n = read(from, (uint8_t *)at + len, EXPLAIN_PAST_MOST * sizeof(*at) - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    return len / sizeof(*at);
}

void xray_past_read(struct xray_past *p, const struct snap *s, const struct common_options *o)
{
    int ends[2];
    pid_t child;

    *p = (struct xray_past){ .room = NULL };
    if (!is_of_this_host(s) || pipe2(ends, O_CLOEXEC) < 0)
        return;
    p->room = calloc(EXPLAIN_PAST_MOST, sizeof(*p->room));
    child = p->room ? fork() : -1;
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        read_journal(s, o, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    if (child > 0) {
        p->past = (struct explain_past){ p->room, hear(ends[0], p->room) };
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, WNOHANG); /* in state D it dies when the disk lets it */
    }
    close(ends[0]);
}

void xray_past_done(struct xray_past *p)
{
    free(p->room);
}
