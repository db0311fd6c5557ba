/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_world - a store of lines in a folder of its own, whose octets and numbers can be told from their place. */
#ifndef SERVIOLA_TESTS_STORE_WORLD_H
#define SERVIOLA_TESTS_STORE_WORLD_H
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
#include <poll.h>
#include <unistd.h>

#include "journal/folder.h"
#include "journal/segment.h"
#include "journal/verify.h"
#include "sense/log/lines.h"
#include "sense/log/store.h"

static const int64_t now_us = (int64_t)1196879280 * 1000000;

struct world {
    char folder[64];
    struct store_limits limits;
    struct store *s;
};

static inline void wait_for(struct store *s)
{
    struct pollfd p = { .fd = store_fd(s), .events = POLLIN };

    (void)poll(&p, 1, 100);
    store_turn(s);
}

static inline void world_open(struct world *w)
{
    const struct store_calls calls = { 0 };
    struct journal_opened found;
    struct err e = { 0 };

    w->s = store_open(w->folder, &w->limits, &calls, now_us, &found, &e);
    if (!w->s || store_start(w->s, &e) < 0)
        fail_msg("%s", e.text);
}

static inline uint64_t keep(struct store *s, struct slice raw, const char *peer, int64_t at_us)
{
    struct log_line line = { .raw = raw, .peer = slice_text(peer), .way = LOG_TCP, .at_us = at_us, .near_us = at_us };
    uint64_t seq;

    while ((seq = store_append(s, &line, NULL)) == 0)
        wait_for(s);
    return seq;
}

static inline void settle(struct store *s)
{
    while (store_synced(s) < store_last(s)) {
        (void)store_push(s, 0, true);
        wait_for(s);
    }
}

static inline void world_close(struct world *w)
{
    settle(w->s);
    store_close(w->s, 0);
    w->s = NULL;
}

static inline int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->limits = store_default_limits();
    w->limits.files.segment_bytes = 256 << 10;
    w->limits.files.reserve_bytes = 0;
    w->limits.again_us = INT64_MAX;
    *state = w;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *w = *state;
    DIR *d = opendir(w->folder);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

struct text_of {
    char text[160];
};
static inline struct text_of line_text(uint64_t n)
{
    struct text_of t;

    (void)snprintf(t.text, sizeof(t.text),
                   "<%llu>Dec  5 18:28:%02llu host%llu prog%llu[%llu]: message number rare%llu of many",
                   (unsigned long long)(8 + n % 8), (unsigned long long)(n % 60), (unsigned long long)(n % 5),
                   (unsigned long long)(n % 3), (unsigned long long)(n % 30000), (unsigned long long)n);
    return t;
}

static inline void nothing(void *own, const struct finding *f)
{
    if (f->fault != FAULT_NONE)
        (void)snprintf(own, 300, "%s: %s", f->file, f->text);
}

static inline void assert_whole(const char *folder)
{
    char words[300] = "";
    struct verdict v;
    struct err e = { 0 };

    if (journal_verify(folder, NULL, NULL, nothing, words, &v, &e) < 0)
        fail_msg("%s", e.text);
    if (v.faults > 0)
        fail_msg("%s", words);
}

/* All lines of the store: their numbers have no gap, their octets are those of line_text; the newest number. */
static inline uint64_t assert_lines(const char *folder)
{
    struct lines_room room = { 0 };
    struct err e = { 0 };
    struct lines *l = lines_open(folder, &e);
    uint64_t next = 1;

    if (!l)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < lines_count(l); i++) {
        struct lines_walk w;
        struct log_line line;
        struct slice payload;

        if (lines_load(l, i, &room, &payload, &e) < 0)
            fail_msg("%s", e.text);
        for (w = lines_walk(payload, lines_block(l, i)->first_seq); lines_next(&w, &line); next++) {
            struct text_of t = line_text(next);

            assert_int_equal(line.seq, next);
            assert_true(slice_eq(line.raw, slice_text(t.text)));
        }
        assert_int_equal(next, lines_block(l, i)->last_seq + 1);
    }
    lines_room_done(&room);
    lines_close(l);
    return next - 1;
}

/* Blocks of the first segment that are in columns. */
static inline size_t blocks_in_columns(const char *folder)
{
    struct seg_scan scan;
    struct seg_element el;
    struct err e = { 0 };
    int dir = folder_open(folder, &e);
    size_t blocks = 0;
    uint8_t *bytes;
    size_t len;

    assert_int_equal(folder_read(dir, "0000000001.zst", 64 << 20, &bytes, &len, &e), 0);
    assert_true(seg_scan_start(&scan, slice_of(bytes, len)));
    while (seg_next(&scan, &el) == SEG_GOT)
        blocks += el.type == SEG_COLUMNS;
    free(bytes);
    (void)close(dir);
    return blocks;
}
#endif
