/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/past.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal/query.h"
#include "sys/jail.h"
#include "sys/say.h"
#include "sys/whole.h"

enum { OUT_FD = 3 };

struct past {
    struct event *at; /* newest first */
    size_t count;
    bool ever;
};

static bool see_start(void *own, const struct event *ev)
{
    (void)ev;
    ((struct past *)own)->ever = true;
    return false;
}

static bool see(void *own, const struct event *ev)
{
    struct past *p = own;

    p->at[p->count++] = *ev;
    return p->count < PAST_MOST;
}

static void tell_one(const struct event *ev)
{
    if (whole_write(OUT_FD, ev, sizeof(*ev)) < 0)
        _exit(0); /* nobody hears it any more */
}

static int tell_past(const char *folder, const struct past_of *of, struct err *e)
{
    struct query first = { .kinds = &of->after, .kinds_count = 1, .reverse = true, .limit = 1 };
    struct query q = { .since_us = of->since_us, .kinds = of->kinds, .kinds_count = of->kinds_count, .reverse = true };
    struct past p = { .at = calloc(PAST_MOST, sizeof(struct event)), .ever = of->after == EV_NONE };
    struct reader *r = reader_open(folder, e);

    if (!r || !p.at || (!p.ever && reader_query(r, &first, see_start, &p, NULL, e) < 0))
        return -1;
    if (!p.ever)
        return 0;
    if (reader_query(r, &q, see, &p, NULL, e) < 0)
        return -1;
    while (p.count > 0)
        tell_one(&p.at[--p.count]);
    return 0;
}

static void be_reader(const char *folder, const struct past_of *of, const char *user, int out, pid_t parent)
{
    const char *const read_only[] = { folder, NULL };
    struct jail jail = { .user = user, .calls = JAIL_PROC, .read_only = read_only };
    unsigned gaps;
    struct err e;

    (void)prctl(PR_SET_NAME, "serviola-past", 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(out, OUT_FD) < 0 || close_range(OUT_FD + 1, ~0u, 0) < 0)
        _exit(1);
    if (jail_enter(&jail, &gaps, &e) < 0 || tell_past(folder, of, &e) < 0) {
        say("what was before is not known: %s", e.text);
        _exit(1);
    }
    _exit(0);
}

int past_start(const char *folder, const struct past_of *of, const char *user, struct err *e)
{
    pid_t self = getpid();
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(e, errno, "the past");
    pid = fork();
    if (pid == 0)
        be_reader(folder, of, user, ends[1], self);
    (void)close(ends[1]);
    if (pid > 0)
        return ends[0];
    (void)close(ends[0]);
    return err_set(e, errno, "the past");
}
