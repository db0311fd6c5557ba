/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log search --follow: a cursor on the store, which writers need not know of. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/log_search.h"
#include "sys/say.h"

enum { AT_LEAST_EVERY_MS = 1000, ROUND_MS = 20 };

struct follower {
    struct lines *lines;
    const struct search *search;
    struct search_scan *scan;
    struct search_hits hits;
    struct lines_room room;
    uint64_t last;
    void (*seen)(void *own, const struct log_line *line);
    void *own;
};

static void look(struct follower *f, size_t block)
{
    const struct lines_block *b = lines_block(f->lines, block);
    struct slice payload;
    struct err e;

    if (b->first_seq > f->last + 1 && f->last > 0)
        say(_("lines %llu to %llu left the store before they could be read"), (unsigned long long)f->last + 1,
            (unsigned long long)b->first_seq - 1);
    if (search_may_hold(f->search, b)) {
        if (lines_load(f->lines, block, &f->room, &payload, &e) < 0 ||
            search_block(f->scan, payload, b->first_seq, &f->hits, &e) < 0)
            say("%s", e.text);
        else
            for (size_t i = 0; i < f->hits.count; i++)
                if (f->hits.at[i].seq > f->last)
                    f->seen(f->own, &f->hits.at[i]);
    }
    f->last = b->last_seq;
}

/* False: nobody reads what we print. */
static bool wait_for_more(int watch)
{
    const struct timespec round = { .tv_nsec = ROUND_MS * 1000000L };
    struct pollfd p[2] = { { .fd = watch, .events = POLLIN }, { .fd = STDOUT_FILENO, .events = 0 } };
    char events[4096];

    (void)poll(p, 2, AT_LEAST_EVERY_MS);
    if (p[1].revents & (POLLERR | POLLHUP))
        return false;
    if (watch >= 0) {
        (void)nanosleep(&round, NULL); /* what comes together is read together */
        while (read(watch, events, sizeof(events)) > 0)
            continue;
    }
    return true;
}

static int follow(struct follower *f, int watch, struct err *e)
{
    do {
        if (lines_refresh(f->lines, e) < 0)
            return -1;
        for (size_t i = lines_find(f->lines, f->last + 1); i < lines_count(f->lines); i++)
            look(f, i);
    } while (fflush(stdout) == 0 && wait_for_more(watch));
    return 0;
}

int log_follow(struct lines *l, const struct search *s, uint64_t last,
               void (*seen)(void *own, const struct log_line *line), void *own, struct err *e)
{
    struct follower f = { .lines = l, .search = s, .last = last, .seen = seen, .own = own };
    int watch = lines_watch(l);
    int got = -1;

    f.scan = search_scan_new(s, e);
    if (f.scan)
        got = follow(&f, watch, e);
    search_scan_free(f.scan);
    search_hits_done(&f.hits);
    lines_room_done(&f.room);
    if (watch >= 0)
        (void)close(watch);
    return got;
}
