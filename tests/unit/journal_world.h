/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal_world - a journal in a folder of its own, for tests: made, filled, looked at, damaged, removed.
 */
#ifndef SERVIOLA_TEST_JOURNAL_WORLD_H
#define SERVIOLA_TEST_JOURNAL_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal.h"
#include "journal/query.h"
#include "journal/verify.h"

enum { START_S = 1196879280 }; /* 2007-12-05T18:28:00Z */
static const int64_t start_us = (int64_t)START_S * 1000000;

struct world {
    char folder[64];
    struct journal_limits limits;
    struct journal *j;
    struct journal_opened found;
    uint64_t seq; /* of the last event that was appended */
    int64_t now_us;
};

static inline struct event world_event(uint64_t seq)
{
    struct event ev = event_new(seq % 100 == 0 ? EV_HUNT_HELO_CHANGED : EV_HUNT_MAIL_SEEN);
    char path[64];

    ev.seq = seq;
    ev.cause = seq > 3 ? seq - 3 : 0;
    ev.at_us = start_us + (int64_t)seq * 1000;
    ev.mono_us = (int64_t)seq * 1000;
    ev.src = addr_v4(0x0a010000u + (uint32_t)(seq % 500), (uint16_t)(1024 + seq % 50000));
    ev.dst = addr_v4(0xc0000201u + (uint32_t)(seq % 7), 25);
    (void)snprintf(path, sizeof(path), "john.doe.%llu@mail.com", (unsigned long long)seq);
    event_add_words(&ev, F_PATH, path);
    event_add_number(&ev, F_COUNT, seq);
    return ev;
}

static inline void world_open(struct world *w)
{
    struct err e = { 0 };

    w->j = journal_open(w->folder, &w->limits, w->now_us, &w->found, &e);
    if (!w->j)
        fail_msg("%s", e.text);
    w->seq = w->found.last_seq;
}

static inline void world_close(struct world *w)
{
    journal_close(w->j);
    w->j = NULL;
}

static inline void world_reopen(struct world *w)
{
    world_close(w);
    world_open(w);
}

static inline int world_make(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)snprintf(w->folder, sizeof(w->folder), "%s/serviola-journal-XXXXXX", P_tmpdir);
    if (!mkdtemp(w->folder))
        return -1;
    w->limits = journal_default_limits();
    w->now_us = start_us;
    world_open(w);
    *state = w;
    return 0;
}

static inline void world_remove(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *entry;

    while (d && (entry = readdir(d)))
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
    (void)rmdir(folder);
}

static inline int world_end(void **state)
{
    struct world *w = *state;

    world_close(w);
    world_remove(w->folder);
    free(w);
    return 0;
}

static inline void world_append(struct world *w, const struct event *events, size_t count)
{
    struct err e = { 0 };

    if (journal_append(w->j, events, count, &e) < 0 || journal_sync(w->j, &e) < 0)
        fail_msg("%s", e.text);
    w->seq = events[count - 1].seq;
}

/* `commits` group commits of `each` events. */
static inline void world_fill(struct world *w, unsigned commits, unsigned each)
{
    struct event *events = calloc(each, sizeof(*events));

    while (commits-- > 0) {
        for (unsigned i = 0; i < each; i++)
            events[i] = world_event(w->seq + 1 + i);
        world_append(w, events, each);
    }
    free(events);
}

static inline void world_rotate(struct world *w)
{
    struct journal_sealed sealed;
    struct err e = { 0 };

    if (journal_rotate(w->j, w->now_us, &sealed, &e) < 0)
        fail_msg("%s", e.text);
}

struct world_seen {
    uint64_t count, first, last;
    bool in_order, as_written;
};
static inline bool world_see(void *own, const struct event *ev)
{
    struct world_seen *s = own;
    struct event expected = world_event(ev->seq);

    if (s->count++ == 0) {
        s->first = ev->seq;
        s->in_order = s->as_written = true;
    } else if (ev->seq <= s->last)
        s->in_order = false;
    s->last = ev->seq;
    if (memcmp(ev, &expected, sizeof(expected)) != 0)
        s->as_written = false;
    return true;
}

static inline struct world_seen world_query(const struct world *w, const struct query *q, struct query_told *told)
{
    struct world_seen seen = { 0 };
    struct err e = { 0 };
    struct reader *r = reader_open(w->folder, &e);

    if (!r || reader_query(r, q, world_see, &seen, told, &e) < 0)
        fail_msg("%s", e.text);
    reader_close(r);
    return seen;
}

static inline void world_expect_all(const struct world *w, uint64_t first, uint64_t last)
{
    struct world_seen seen = world_query(w, &(struct query){ 0 }, NULL);

    assert_int_equal(seen.first, first);
    assert_int_equal(seen.last, last);
    assert_int_equal(seen.count, last - first + 1);
    assert_true(seen.in_order);
    assert_true(seen.as_written);
}

enum { FINDINGS = 32 };
struct world_findings {
    struct verdict verdict;
    struct finding at[FINDINGS];
    unsigned count;
};
static inline void world_find(void *own, const struct finding *f)
{
    struct world_findings *all = own;

    if (all->count < FINDINGS)
        all->at[all->count++] = *f;
}

static inline struct world_findings world_verify(const struct world *w, const uint8_t *id, const uint8_t *head)
{
    struct world_findings all = { 0 };
    struct err e = { 0 };

    if (journal_verify(w->folder, id, head, world_find, &all, &all.verdict, &e) < 0)
        fail_msg("%s", e.text);
    return all;
}

static inline const struct finding *world_fault(const struct world_findings *all, enum fault fault)
{
    for (unsigned i = 0; i < all->count; i++)
        if (all->at[i].fault == fault)
            return &all->at[i];
    return NULL;
}

static inline void world_expect_whole(const struct world *w)
{
    struct world_findings all = world_verify(w, NULL, NULL);

    if (all.verdict.faults > 0)
        for (unsigned i = 0; i < all.count; i++)
            print_message("%s: %s: %s\n", all.at[i].file, fault_name(all.at[i].fault), all.at[i].text);
    assert_int_equal(all.verdict.faults, 0);
}

static inline int world_file(const struct world *w, const char *name, int flags)
{
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    fd = open(path, flags, 0640);
    if (fd < 0)
        fail_msg("%s can't be opened", path);
    return fd;
}

static inline bool world_has(const struct world *w, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    return access(path, F_OK) == 0;
}

static inline off_t world_size(const struct world *w, const char *name)
{
    int fd = world_file(w, name, O_RDONLY);
    off_t size = lseek(fd, 0, SEEK_END);

    close(fd);
    return size;
}

static inline void world_flip(const struct world *w, const char *name, off_t at)
{
    int fd = world_file(w, name, O_RDWR);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static inline void world_cut(const struct world *w, const char *name, off_t size)
{
    int fd = world_file(w, name, O_RDWR);

    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static inline void world_rename(const struct world *w, const char *from, const char *to)
{
    char a[128];
    char b[128];

    (void)snprintf(a, sizeof(a), "%s/%s", w->folder, from);
    (void)snprintf(b, sizeof(b), "%s/%s", w->folder, to);
    assert_int_equal(rename(a, b), 0);
}
#endif
