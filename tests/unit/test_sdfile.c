/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of systemd's journal that was cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zstd.h>

#include "sense/log/sdfile.h"

enum { ENTRIES = 5, FILE_MOST = 8192, HEAD = 208, DATA_FRONT = 64, ENTRY_FRONT = 64 };

static uint8_t bytes[FILE_MOST];
static size_t len, ends[ENTRIES]; /* of the entries */
static struct sdfile f;

static void put(size_t at, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        bytes[at + (size_t)i] = (uint8_t)(n >> 8 * i);
}

static size_t put_object(uint8_t type, uint8_t flags, size_t front, const void *more, size_t more_len)
{
    size_t at = len;

    bytes[at] = type;
    bytes[at + 1] = flags;
    put(at + 8, front + more_len);
    memcpy(bytes + at + front, more, more_len);
    len = (at + front + more_len + 7) & ~(size_t)7;
    return at;
}

static void put_entry(unsigned number)
{
    uint8_t items[2 * 16] = { 0 };
    char words[64];
    uint8_t packed[256];
    size_t at[2];
    int n = snprintf(words, sizeof(words), "MESSAGE=number %u", number);

    at[0] = put_object(1, 0, DATA_FRONT, words, (size_t)n);
    n = snprintf(words, sizeof(words), "_HOSTNAME=web%u", number);
    at[1] = put_object(1, 4, DATA_FRONT, packed, ZSTD_compress(packed, sizeof(packed), words, (size_t)n, 1));
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 8; k++)
            items[16 * i + k] = (uint8_t)(at[i] >> 8 * k);
    at[0] = put_object(3, 0, ENTRY_FRONT, items, sizeof(items));
    put(at[0] + 16, number);
    put(at[0] + 24, 1000 * number);
    ends[number - 1] = len;
}

static int written(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, "LPKSHHRH", 8);
    memset(bytes + 24, 7, 16);
    len = HEAD;
    for (unsigned i = 1; i <= ENTRIES; i++)
        put_entry(i);
    put(88, HEAD);
    put(96, len - HEAD);
    return 0;
}

/* Entries of this much of it; each is what was written. */
static size_t read_first(size_t much)
{
    size_t count = 0;
    char words[32];

    if (!sdfile_begin(&f, slice_of(bytes, much)))
        return 0;
    while (sdfile_next(&f)) {
        struct slice value;

        count++;
        assert_int_equal(f.number, count);
        assert_int_equal(f.at_us, 1000 * count);
        (void)snprintf(words, sizeof(words), "number %zu", count);
        value = sdfile_value(&f, SLICE("MESSAGE"));
        assert_true(slice_eq(value, slice_text(words)));
        (void)snprintf(words, sizeof(words), "web%zu", count);
        value = sdfile_value(&f, SLICE("_HOSTNAME"));
        assert_true(slice_eq(value, slice_text(words)));
        assert_int_equal(sdfile_value(&f, SLICE("_PID")).len, 0);
    }
    return count;
}

static void wherever_it_is_cut_the_entries_before_are_read(void **state)
{
    (void)state;
    for (size_t much = 0; much <= len; much++) {
        size_t whole = 0;

        while (whole < ENTRIES && much >= ends[whole])
            whole++;
        assert_int_equal(read_first(much), whole);
        assert_int_equal(sdfile_is_cut(slice_of(bytes, HEAD), much), much < len);
    }
    assert_int_equal(f.id[3], 7);
}

static void changed_bytes_end_in_no_harm(void **state)
{
    uint8_t whole[FILE_MOST];

    (void)state;
    memcpy(whole, bytes, sizeof(whole));
    for (size_t i = 0; i < 40000; i++) {
        size_t at = (i * 2654435761u >> 7) % len;

        bytes[at] = (uint8_t)(bytes[at] + 1 + i % 251);
        if (sdfile_begin(&f, slice_of(bytes, len)))
            for (size_t n = 0; sdfile_next(&f); n++) {
                assert_true(n < len);
                (void)sdfile_value(&f, SLICE("MESSAGE"));
                (void)sdfile_value(&f, SLICE("_HOSTNAME"));
            }
        if (i % 16 == 15)
            memcpy(bytes, whole, sizeof(whole));
    }
}

static void a_field_that_was_packed_in_an_older_way_is_counted(void **state)
{
    (void)state;
    bytes[HEAD + 1] = 2;
    assert_true(sdfile_begin(&f, slice_of(bytes, len)));
    assert_true(sdfile_next(&f));
    assert_int_equal(sdfile_value(&f, SLICE("MESSAGE")).len, 0);
    assert_int_equal(f.packed_otherwise, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(wherever_it_is_cut_the_entries_before_are_read, written),
        cmocka_unit_test_setup(changed_bytes_end_in_no_harm, written),
        cmocka_unit_test_setup(a_field_that_was_packed_in_an_older_way_is_counted, written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
