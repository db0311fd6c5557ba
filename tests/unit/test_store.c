/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store of lines and its reader. */
#include "store_world.h"

#include "journal/crc32c.h"
#include "sense/log/rotation.h"
#include "sense/log/seek.h"

static void what_was_kept_is_read_back_in_its_order(void **state)
{
    struct world *w = *state;

    world_open(w);
    for (uint64_t n = 1; n <= 30000; n++) {
        struct text_of t = line_text(n);

        assert_int_equal(keep(w->s, slice_text(t.text), n % 3 ? "10.1.0.2:514" : "10.1.0.3:514", now_us + (int64_t)n),
                         n);
    }
    world_close(w);
    assert_int_equal(assert_lines(w->folder), 30000);
    assert_whole(w->folder);
}

static void octets_are_not_changed_whatever_they_are(void **state)
{
    static const struct slice odd[] = {
        { (const uint8_t *)"a\nb\n<13>Jan  1 00:00:00 forged root: in", 39 },
        { (const uint8_t *)"\x1e"
                           "2026-11-22T18:28:03.123456Z tcp 10.9.9.9:1",
          43 },
        { (const uint8_t *)"nul\0inside", 10 },
        { (const uint8_t *)"\xff\xfe\x80", 3 },
        { (const uint8_t *)"\n", 1 },
        { (const uint8_t *)"\x1e", 1 },
    };
    const size_t count = sizeof(odd) / sizeof(odd[0]);
    struct world *w = *state;
    struct lines_room room = { 0 };
    struct lines_walk walk;
    struct log_line line;
    struct slice payload;
    struct err e = { 0 };
    struct lines *l;

    world_open(w);
    for (size_t i = 0; i < count; i++)
        (void)keep(w->s, odd[i], "10.1.0.2:514", now_us);
    world_close(w);
    l = lines_open(w->folder, &e);
    assert_non_null(l);
    assert_int_equal(lines_load(l, 0, &room, &payload, &e), 0);
    walk = lines_walk(payload, 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(lines_next(&walk, &line));
        assert_true(slice_eq(line.raw, odd[i]));
        assert_true(slice_eq(line.peer, SLICE("10.1.0.2:514")));
    }
    assert_false(lines_next(&walk, &line));
    lines_room_done(&room);
    lines_close(l);
}

static void a_rare_word_is_looked_for_in_few_blocks(void **state)
{
    struct world *w = *state;
    struct err e = { 0 };
    struct lines *l;
    size_t may = 0;
    size_t known = 0;

    w->limits.files.segment_bytes = 8 << 20;
    world_open(w);
    for (uint64_t n = 1; n <= 200000; n++) {
        struct text_of t = line_text(n);

        (void)keep(w->s, slice_text(t.text), "10.1.0.2:514", now_us + (int64_t)n);
    }
    settle(w->s);
    assert_true(store_seal(w->s, 20000000));
    l = lines_open(w->folder, &e);
    assert_non_null(l);
    for (size_t i = 0; i < lines_count(l); i++) {
        const struct lines_block *b = lines_block(l, i);
        bool there = b->first_seq <= 1234 && 1234 <= b->last_seq;
        bool perhaps = lines_may_hold(b, lines_token_key(SLICE("RARE1234")));

        known += b->known;
        may += b->known && perhaps;
        assert_true(perhaps || !there);
        if (b->known) {
            assert_true(lines_set_has(b->hosts, lines_bit(SLICE("host3"))));
            assert_int_equal(b->severities, 0xff);
        }
    }
    lines_close(l);
    assert_true(known > 10);
    assert_true(may <= known / 10 + 1);
    world_close(w);
}

#define TEXT_OF(literal)                                                                                               \
    {                                                                                                                  \
        (const uint8_t *)(literal), sizeof(literal) - 1                                                                \
    } /* in a table */

/* What a naive look at each line finds, block by block. */
static size_t found_in_all(const struct lines *l, const struct search_query *q)
{
    struct lines_room room = { 0 };
    struct search_hits hits = { 0 };
    struct slice payload;
    struct err e = { 0 };
    struct search *s = search_new(q, &e);
    struct search_scan *c = s ? search_scan_new(s, &e) : NULL;
    size_t found = 0;

    assert_non_null(c);
    for (size_t i = 0; i < lines_count(l); i++) {
        assert_int_equal(lines_load(l, i, &room, &payload, &e), 0);
        assert_int_equal(search_block(c, payload, lines_block(l, i)->first_seq, &hits, &e), 0);
        found += hits.count;
    }
    search_hits_done(&hits);
    search_scan_free(c);
    search_free(s);
    lines_room_done(&room);
    return found;
}

/* By `threads` threads, passing over blocks; all comes in order, with the lines it was found in. */
static size_t sought(const struct lines *l, const struct search_query *q, unsigned threads, bool oldest_first)
{
    const struct seek_settings set = { .threads = threads, .oldest_first = oldest_first };
    struct err e = { 0 };
    struct search *s = search_new(q, &e);
    struct seek *k = s ? seek_new(s, l, &set, &e) : NULL;
    struct seek_found f;
    uint64_t last = oldest_first ? 0 : UINT64_MAX;
    size_t found = 0;

    assert_non_null(k);
    while (seek_next(k, &f) > 0) {
        assert_null(f.unreadable);
        for (size_t n = 0; n < f.count; n++) {
            const struct log_line *line = &f.line[oldest_first ? n : f.count - 1 - n];
            struct text_of t = line_text(line->seq);

            assert_true(oldest_first ? line->seq > last : line->seq < last);
            assert_true(slice_eq(line->raw, slice_text(t.text)));
            assert_true(slice_eq(line->peer, SLICE("10.1.0.2:514")));
            last = line->seq;
        }
        found += f.count;
    }
    seek_free(k);
    search_free(s);
    return found;
}

static size_t passed_over(const struct lines *l, const struct search_query *q)
{
    struct err e = { 0 };
    struct search *s = search_new(q, &e);
    size_t passed = 0;

    assert_non_null(s);
    for (size_t i = 0; i < lines_count(l); i++)
        passed += !search_may_hold(s, lines_block(l, i));
    search_free(s);
    return passed;
}

static void passing_over_blocks_loses_no_line(void **state)
{
    static const struct search_query queries[] = {
        { TEXT_OF("rare1234"), SEARCH_WORD, .severity = LOG_UNKNOWN },
        { TEXT_OF("RARE77777"), SEARCH_WORD, .nocase = true, .severity = LOG_UNKNOWN },
        { TEXT_OF("number rare4321 of"), SEARCH_LITERAL, .severity = LOG_UNKNOWN },
        { TEXT_OF("are9999 "), SEARCH_LITERAL, .severity = LOG_UNKNOWN },
        { TEXT_OF("rare(11|22)33 "), SEARCH_REGEX, .severity = LOG_UNKNOWN },
        { TEXT_OF("message"), SEARCH_WORD, .host = TEXT_OF("HOST3"), .severity = LOG_UNKNOWN },
        { TEXT_OF("rare5"), SEARCH_LITERAL, .program = TEXT_OF("prog2"), .severity = 2 },
        { TEXT_OF("nowhere"), SEARCH_WORD, .severity = LOG_UNKNOWN },
        { TEXT_OF("rare12"), SEARCH_LITERAL, .host = TEXT_OF("nobody"), .severity = LOG_UNKNOWN },
    };
    struct world *w = *state;
    struct err e = { 0 };
    struct lines *l;
    size_t passed = 0;

    w->limits.files.segment_bytes = 2 << 20;
    world_open(w);
    for (uint64_t n = 1; n <= 60000; n++) {
        struct text_of t = line_text(n);

        (void)keep(w->s, slice_text(t.text), "10.1.0.2:514", now_us + (int64_t)n);
    }
    world_close(w);
    l = lines_open(w->folder, &e);
    assert_non_null(l);
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct search_query q = queries[i];
        size_t found;

        q.since_us = INT64_MIN;
        q.until_us = INT64_MAX;
        found = found_in_all(l, &q);
        assert_int_equal(sought(l, &q, 1, false), found);
        assert_int_equal(sought(l, &q, 4, i % 2 == 0), found);
        passed += passed_over(l, &q);
    }
    assert_true(passed > 0);
    lines_close(l);
}

static uint64_t bytes_of(const char *folder)
{
    struct folder_list list = { 0 };
    struct err e = { 0 };
    int dir = folder_open(folder, &e);
    uint64_t bytes = 0;

    assert_int_equal(folder_read_list(dir, &list, &e), 0);
    for (size_t i = 0; i < list.count; i++)
        bytes += list.at[i].zst ? list.at[i].bytes : 0;
    folder_list_free(&list);
    (void)close(dir);
    return bytes;
}

static void pack_again_and_look(struct world *w)
{
    struct search_query q = { TEXT_OF("rare4321"), SEARCH_WORD, .severity = LOG_UNKNOWN };
    struct err e = { 0 };
    struct lines *before;
    struct lines *l;
    uint64_t bytes;

    q.since_us = INT64_MIN;
    q.until_us = INT64_MAX;
    w->limits.files.segment_bytes = 2 << 20;
    world_open(w);
    for (uint64_t n = 1; n <= 60000; n++) {
        struct text_of t = line_text(n);

        (void)keep(w->s, slice_text(t.text), "10.1.0.2:514", now_us + (int64_t)n);
    }
    settle(w->s);
    assert_true(store_seal(w->s, 20000000));
    world_close(w);
    before = lines_open(w->folder, &e);
    bytes = bytes_of(w->folder);

    w->limits.again_us = 0;
    world_open(w);
    l = lines_open(w->folder, &e);
    for (int i = 0; i < 300 && lines_count(l) * 3 >= lines_count(before) * 2; i++) {
        wait_for(w->s);
        assert_int_equal(lines_refresh(l, &e), 0);
    }
    world_close(w);
    assert_int_equal(lines_refresh(l, &e), 0);
    assert_true(lines_count(l) * 3 < lines_count(before) * 2);
    assert_true(bytes_of(w->folder) < bytes);
    assert_true(w->limits.columns ? blocks_in_columns(w->folder) > 0 : blocks_in_columns(w->folder) == 0);
    assert_whole(w->folder);
    assert_int_equal(assert_lines(w->folder), 60000);

    /* All lines, in the new form, and still by who opened it before. */
    q.pattern = SLICE("");
    assert_int_equal(sought(l, &q, 2, true), 60000);
    assert_int_equal(sought(before, &q, 2, true), 60000);
    q.pattern = SLICE("rare4321");
    assert_int_equal(sought(l, &q, 2, true), 1);
    assert_true(passed_over(l, &q) > 0);
    lines_close(before);
    lines_close(l);
}

static void old_segments_are_packed_again_and_stay_what_they_were(void **state)
{
    pack_again_and_look(*state);
}

static void old_segments_are_packed_again_without_columns(void **state)
{
    struct world *w = *state;

    w->limits.columns = false;
    pack_again_and_look(w);
}

static void a_changed_byte_is_named_and_the_rest_is_read(void **state)
{
    struct world *w = *state;
    char words[300] = "";
    char path[128];
    struct verdict v;
    struct err e = { 0 };
    struct lines *l;
    int fd;

    world_open(w);
    for (uint64_t n = 1; n <= 20000; n++) {
        struct text_of t = line_text(n);

        (void)keep(w->s, slice_text(t.text), "10.1.0.2:514", now_us);
    }
    world_close(w);
    (void)snprintf(path, sizeof(path), "%s/0000000001.zst", w->folder);
    fd = open(path, O_WRONLY);
    if (fd < 0) /* not sealed before the end: the active one then */
        (void)snprintf(path, sizeof(path), "%s/0000000001.wal", w->folder), fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "X", 1, 5000), 1);
    close(fd);
    assert_int_equal(journal_verify(w->folder, NULL, NULL, nothing, words, &v, &e), 0);
    assert_true(v.faults > 0);
    assert_non_null(strstr(words, "0000000001"));
    l = lines_open(w->folder, &e);
    assert_non_null(l);
    assert_true(lines_count(l) > 0);
    lines_close(l);
}

/* Another payload under the true head, with right checksums: only what was sealed tells. */
static void a_block_that_was_made_anew_is_not_what_was_sealed(void **state)
{
    struct world *w = *state;
    char words[300] = "";
    char path[128];
    uint8_t head[512];
    struct verdict v;
    struct err e = { 0 };
    struct seg_scan scan;
    struct seg_element el;
    struct seg_block b;
    struct seg_out made = { 0 };
    uint8_t *bytes;
    size_t len;
    int dir;
    int fd;

    world_open(w);
    for (uint64_t n = 1; n <= 20000; n++) {
        struct text_of t = line_text(n);

        (void)keep(w->s, slice_text(t.text), "10.1.0.2:514", now_us);
    }
    settle(w->s);
    assert_true(store_seal(w->s, 20000000));
    world_close(w);
    assert_int_equal(journal_verify(w->folder, NULL, NULL, nothing, words, &v, &e), 0);
    assert_int_equal(v.faults, 0);
    assert_int_equal(v.events, 20000);
    memcpy(head, v.head, sizeof(v.head));
    assert_int_equal(journal_verify(w->folder, NULL, head, nothing, words, &v, &e), 0);
    assert_int_equal(v.faults, 0);

    dir = folder_open(w->folder, &e);
    assert_int_equal(folder_read(dir, "0000000001.zst", 1 << 30, &bytes, &len, &e), 0);
    assert_true(seg_scan_start(&scan, slice_of(bytes, len)));
    while (seg_next(&scan, &el) == SEG_GOT && !seg_read_block(&el, &b))
        continue;
    bytes[el.offset + el.size - 1] ^= 1;
    b.stored_crc = crc32c(0, el.stored.at, el.stored.len);
    memcpy(head, &b, sizeof(b));
    assert_true(el.body.len <= sizeof(head));
    memcpy(head + sizeof(b), el.body.at + sizeof(b), el.body.len - sizeof(b));
    assert_int_equal(
        seg_put(&made, scan.mark, SEG_BLOCK, el.content, slice_of(head, el.body.len), slice_of(NULL, 0), el.stored, &e),
        0);
    (void)snprintf(path, sizeof(path), "%s/0000000001.zst", w->folder);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, made.at, made.len, (off_t)el.offset), (ssize_t)made.len);
    close(fd);
    close(dir);
    seg_out_free(&made);
    free(bytes);
    assert_int_equal(journal_verify(w->folder, NULL, NULL, nothing, words, &v, &e), 0);
    assert_int_equal(v.faults, 1);
    assert_non_null(strstr(words, "not those that were sealed"));
}

static void a_store_without_room_says_so_and_takes_more_later(void **state)
{
    struct world *w = *state;
    struct log_line line = { .raw = SLICE("x"), .way = LOG_UDP, .at_us = now_us, .near_us = now_us };
    char *big = malloc(100000);

    memset(big, 'x', 100000);
    line.raw = slice_of(big, 100000);
    w->limits.memory_bytes = 1 << 20;
    world_open(w);
    while (store_append(w->s, &line, NULL) > 0)
        continue;
    assert_false(store_has_room(w->s));
    for (int i = 0; i < 1000 && !store_has_room(w->s); i++)
        wait_for(w->s);
    assert_true(store_has_room(w->s));
    assert_true(store_append(w->s, &line, NULL) > 0);
    world_close(w);
    free(big);
    assert_whole(w->folder);
}

/* ---- rotations ---- */

static void rotations_are_read_from_the_oldest_to_the_newest(void **state)
{
    static const char *const names[] = { "d/syslog",           "d/syslog.1",         "d/syslog.10.gz", "d/syslog.2.gz",
                                         "d/mail-20260102.gz", "d/mail-20260101.gz", "d/mail" };
    static const char *const order[] = { "d/mail-20260101.gz", "d/mail-20260102.gz", "d/mail",  "d/syslog.10.gz",
                                         "d/syslog.2.gz",      "d/syslog.1",         "d/syslog" };
    struct rotation all[7];

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        memset(&all[i], 0, sizeof(all[i]));
        (void)snprintf(all[i].path, sizeof(all[i].path), "%s", names[i]);
        rotation_read(&all[i]);
    }
    qsort(all, 7, sizeof(all[0]), rotation_order);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(all[i].path, order[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_read_back_in_its_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(octets_are_not_changed_whatever_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rare_word_is_looked_for_in_few_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passing_over_blocks_loses_no_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_block_that_was_made_anew_is_not_what_was_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_segments_are_packed_again_and_stay_what_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_segments_are_packed_again_without_columns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_byte_is_named_and_the_rest_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_without_room_says_so_and_takes_more_later, set_up, tear_down),
        cmocka_unit_test(rotations_are_read_from_the_oldest_to_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
