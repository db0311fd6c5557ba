/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed_world - a store of sealed segments with some thousand lines each, in a folder of its own. */
#ifndef SERVIOLA_TESTS_FEED_WORLD_H
#define SERVIOLA_TESTS_FEED_WORLD_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "journal/feed.h"
#include "journal/folder.h"
#include "journal/verify.h"
#include "sense/log/payload.h"
#include "sense/log/shelf.h"

enum { LINES = 3000 }; /* of one commit; a segment has four */
static const int64_t now_us = 1700000000000000;
static char faults[2000];

static inline int world_gone(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void world_remove(const char *folder)
{
    (void)nftw(folder, world_gone, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void world_put(struct journal *j, const char *word)
{
    static uint8_t room[SEG_RAW_MAX];
    struct payload p = { .at = room, .cap = sizeof(room) };
    struct feed_block block = {
        .first_seq = journal_last(j) + 1, .records = LINES, .min_us = now_us, .max_us = now_us
    };
    struct err e;

    for (uint64_t n = 0; n < LINES; n++) {
        char text[64];
        struct log_line line = { .peer = SLICE("10.1.0.2:514"), .way = LOG_TCP, .at_us = now_us, .near_us = now_us };

        (void)snprintf(text, sizeof(text), "<13>app[7]: %s %llu", word, (unsigned long long)(block.first_seq + n));
        line.raw = slice_text(text);
        assert_true(payload_put(&p, &line, NULL));
    }
    block.payload = slice_of(room, p.len);
    assert_int_equal(feed_append(j, &block, 1, &e), 0);
}

static inline struct journal *world_store(const char *folder)
{
    static struct shelf_how how = { .level = 1 };
    const struct feed_kind kind = {
        .content = SEG_LINES, .pack = shelf_pack, .pack_again = shelf_pack_again, .own = &how
    };
    const struct journal_limits limits = journal_default_limits();
    struct journal_opened found;
    struct err e;
    struct journal *j = feed_open(folder, &limits, &kind, now_us, &found, &e);

    if (!j)
        fail_msg("%s", e.text);
    return j;
}

/* So many more sealed segments. */
static inline void world_fill(const char *folder, int segments, const char *word)
{
    struct journal *j = world_store(folder);
    struct journal_sealed sealed;
    struct err e;

    for (int i = 0; i < segments; i++) {
        for (int part = 0; part < 4; part++)
            world_put(j, word);
        assert_int_equal(feed_begin(j, now_us, &e), 0);
        assert_int_equal(feed_pack(j, now_us, &sealed, &e), 0);
    }
    journal_close(j);
}

static inline void world_note(void *own, const struct finding *f)
{
    struct text t = text_in(faults + strlen(faults), sizeof(faults) - strlen(faults));

    if (f->fault != FAULT_NONE || own)
        text_addf(&t, "%s: %s\n", f->file, f->text);
}

/* What is wrong, and, if `notes`, what is to be said besides, stands in `faults` then. */
static inline struct verdict world_verify(const char *folder, const struct verify_wish *wish, bool notes)
{
    struct verdict v;
    struct err e;

    faults[0] = 0;
    if (journal_verify_as(folder, wish, world_note, notes ? faults : NULL, &v, &e) < 0)
        fail_msg("%s", e.text);
    return v;
}
#endif
