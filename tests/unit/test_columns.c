/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "journal/columns.h"

static uint8_t text[SEG_RAW_MAX];
static uint8_t back[SEG_RAW_MAX];
static size_t len;

static void add(const void *at, size_t n)
{
    memcpy(text + len, at, n);
    len += n;
}

static void add_line(const char *line)
{
    add(line, strlen(line));
    add("\n", 1);
}

/* What was written comes back, also by way of zstd; the bytes of the body. */
static size_t there_and_back(void)
{
    struct seg_out body = { 0 };
    struct seg_out stored = { 0 };
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    struct err e = { 0 };
    size_t bytes;

    assert_int_equal(columns_write(slice_of(text, len), &body, &e), 0);
    memset(back, 0xaa, sizeof(back));
    if (columns_read(slice_of(body.at, body.len), back, len, &e) < 0)
        fail_msg("%s", e.text);
    assert_memory_equal(back, text, len);
    assert_true(len == sizeof(back) || back[len] == 0xaa);

    assert_int_equal(columns_pack(slice_of(text, len), 3, &stored, &e), 0);
    memset(back, 0, len);
    assert_int_equal(columns_unpack(zstd, slice_of(stored.at, stored.len), back, len, &e), 0);
    assert_memory_equal(back, text, len);
    bytes = body.len;
    ZSTD_freeDCtx(zstd);
    seg_out_free(&stored);
    seg_out_free(&body);
    return bytes;
}

static int empty(void **state)
{
    (void)state;
    len = 0;
    return 0;
}

static void lines_of_a_log_come_back_from_a_third_of_their_bytes(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4000; n++) {
        char line[200];

        (void)snprintf(line, sizeof(line),
                       "Dec %2u %02u:%02u:%02u mx1 postfix/smtpd[%u]: connect from unknown[10.%u.0.%u]", 1 + n / 500,
                       n / 200 % 24, n / 60 % 60, n % 60, 2000 + n / 10, n % 7, n % 250);
        add_line(line);
    }
    assert_true(there_and_back() < len / 3);
}

static void stamps_come_back_as_they_were_written(void **state)
{
    static const char *const lines[] = {
        "Dec  5 18:28:03",
        "Dec 5 18:28:03",
        "Dec 15 18:28:03",
        "Dec 05 18:28:03",
        "Feb 31 00:00:00",
        "Jan  1 23:59:59",
        "Dec  0 18:28:03",
        "Dec 32 18:28:03",
        "Dec  5 24:28:03",
        "Dec  5 18:60:03",
        "Dec  5 18:28:60",
        "Dec  5 18:28:0",
        "Dec 5 18:28:0",
        "dec  5 18:28:03",
        "Dez  5 18:28:03",
        "May  5  8:28:03",
        "2026-11-22T18:28:03",
        "2026-11-22T18:28:03.123456Z",
        "2026-11-22T18:28:03.12345",
        "2026-11-22T18:28:03.123456789+01:00",
        "2026-13-22T18:28:03",
        "2026-00-22T18:28:03",
        "2026-11-00T18:28:03",
        "2026-11-22 18:28:03",
        "0000-01-01T00:00:00",
        "9999-12-31T23:59:59.999999",
        "<13>1 2026-11-22T18:28:03.000001Z h p - - -",
        "\x1e 2026-11-22T18:28:03.123456Z tcp 1:2",
    };

    (void)state;
    for (size_t i = 0; i < 3 * sizeof(lines) / sizeof(lines[0]); i++)
        add_line(lines[i * 7 % (sizeof(lines) / sizeof(lines[0]))]);
    (void)there_and_back();
}

static void numbers_come_back_with_their_zeros(void **state)
{
    (void)state;
    add_line("n 0");
    add_line("n 00");
    add_line("n 007");
    add_line("n 7");
    add_line("n 99999999999999999");
    add_line("n 1");
    add_line("n 100000000000000000");
    add_line("n 18446744073709551616");
    add_line("n -1 +1 1.5 1e5 0x7f 10.1.0.2 fe80::1");
    (void)there_and_back();
}

static void hostile_lines_come_back(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned c = 0; c < 256; c++) {
            const uint8_t some[] = { (uint8_t)c, 'x', (uint8_t)c, '1', (uint8_t)c, (uint8_t)c };

            add(some, sizeof(some));
            add(some, round);
        }
        add("\n\n\n", 3);
        add("\x17", 1);
        add("\n\x17\x17\n\x17\x12\n\x12\n", 9);
        add("\xff\xfe\xc3\x28 \xe2\x82 1\n", 9);
        memset(text + len, 'a' + (int)round, 65536); /* one long word, ... */
        len += 65536;
        add("\n", 1);
        for (unsigned i = 0; i < 16384; i++) /* ... many short ones, ... */
            add("1 x,", 4);
        memset(text + len, 0, 65536); /* ... and none */
        len += 65536;
        add("\n", 1);
    }
    (void)there_and_back();
    len = 5; /* no newline at the end */
    (void)there_and_back();
    len = 1;
    (void)there_and_back();
    text[0] = '\n';
    (void)there_and_back();
}

static void more_templates_than_there_is_room_for_come_back(void **state)
{
    (void)state;
    for (int n = 0; n < 20000; n++) {
        char line[80];

        (void)snprintf(line, sizeof(line), "%c%c%c%c user%d: 1 2 3 4 5 6 7 8 9", 'a' + n % 26, 'a' + n / 26 % 26,
                       'a' + n / 676 % 26, 'a' + n / 17576 % 26, n);
        add_line(line);
    }
    (void)there_and_back();
}

static void a_full_block_comes_back_and_more_is_refused(void **state)
{
    static uint8_t more[SEG_RAW_MAX + 1];
    struct seg_out body = { 0 };

    (void)state;
    while (len + 16 <= sizeof(text))
        add("connect from 17\n", 16);
    assert_int_equal(len, sizeof(text));
    (void)there_and_back();
    assert_int_equal(columns_write(slice_of(more, sizeof(more)), &body, NULL), 1);
    assert_int_equal(columns_write(slice_of(more, 0), &body, NULL), 1);
    seg_out_free(&body);
}

static void a_cut_or_changed_body_is_refused_or_gives_other_lines(void **state)
{
    struct seg_out body = { 0 };
    uint8_t *copy;

    (void)state;
    for (unsigned n = 0; n < 30; n++) {
        char line[80];

        (void)snprintf(line, sizeof(line), "Dec  5 18:28:%02u h%u sshd[%u]: port %u", n, n % 3, 2000 + n, n * 7);
        add_line(line);
    }
    assert_int_equal(columns_write(slice_of(text, len), &body, NULL), 0);
    assert_int_equal(columns_read(slice_of(body.at, body.len), back, len - 1, NULL), -1);
    assert_int_equal(columns_read(slice_of(body.at, body.len), back, len + 1, NULL), -1);
    for (size_t cut = 0; cut < body.len; cut++) {
        copy = calloc(1, cut + COLUMNS_BEHIND); /* a reader that goes too far is seen by the sanitizer */
        assert_non_null(copy);
        memcpy(copy, body.at, cut);
        assert_int_equal(columns_read(slice_of(copy, cut), back, len, NULL), -1);
        free(copy);
    }
    for (size_t at = 0; at < body.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *room = malloc(len);

            assert_non_null(room);
            body.at[at] = (uint8_t)(body.at[at] ^ 1u << bit);
            if (columns_read(slice_of(body.at, body.len), room, len, NULL) == 0)
                assert_true(memcmp(room, text, len) != 0 || at < 16);
            body.at[at] = (uint8_t)(body.at[at] ^ 1u << bit);
            free(room);
        }
    seg_out_free(&body);
}

static void what_is_no_frame_of_columns_is_refused(void **state)
{
    struct seg_out stored = { 0 };
    ZSTD_DCtx *zstd = ZSTD_createDCtx();

    (void)state;
    add_line("connect from 10.1.0.2 port 17");
    assert_int_equal(columns_pack(slice_of(text, len), 3, &stored, NULL), 0);
    for (size_t cut = 0; cut < stored.len; cut++)
        assert_int_equal(columns_unpack(zstd, slice_of(stored.at, cut), back, len, NULL), -1);
    assert_int_equal(columns_unpack(zstd, slice_of(stored.at + 1, stored.len - 1), back, len, NULL), -1);
    assert_int_equal(columns_unpack(zstd, slice_of(stored.at, stored.len), back, len - 1, NULL), -1);
    ZSTD_freeDCtx(zstd);
    seg_out_free(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_of_a_log_come_back_from_a_third_of_their_bytes, empty),
        cmocka_unit_test_setup(stamps_come_back_as_they_were_written, empty),
        cmocka_unit_test_setup(numbers_come_back_with_their_zeros, empty),
        cmocka_unit_test_setup(hostile_lines_come_back, empty),
        cmocka_unit_test_setup(more_templates_than_there_is_room_for_come_back, empty),
        cmocka_unit_test_setup(a_full_block_comes_back_and_more_is_refused, empty),
        cmocka_unit_test_setup(a_cut_or_changed_body_is_refused_or_gives_other_lines, empty),
        cmocka_unit_test_setup(what_is_no_frame_of_columns_is_refused, empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
