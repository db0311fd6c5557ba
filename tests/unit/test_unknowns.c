/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that no rule knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "sense/log/unknowns.h"

#define HOUR_US (3600 * (int64_t)1000000)
enum { AN_HOUR = 3 };

static char folder[] = "/tmp/serviola-unknowns-XXXXXX";
static int dir;
static unsigned kinds, sums;
static uint64_t counted;
static char why[200];
static struct err e;

static void on_tell(void *ctx, const struct event *ev)
{
    struct slice words = { 0 };
    struct slice count;

    (void)ctx;
    kinds += ev->kind == EV_LOG_UNKNOWN;
    sums += ev->kind == EV_LOG_UNKNOWN_COUNTED;
    if (ev->kind == EV_LOG_UNKNOWN_COUNTED && event_get(ev, F_COUNT, &count))
        assert_true(event_number(count, &counted));
    assert_true(event_get(ev, F_WHY, &words));
    assert_true(words.len < sizeof(why));
    memcpy(why, words.at, words.len);
    why[words.len] = '\0';
}

static struct unknowns *begin(void)
{
    const struct unknowns_way way = { .tell = on_tell };
    struct unknowns *u = unknowns_new(dir, &way, 7, &e);

    assert_non_null(u);
    kinds = sums = 0;
    return u;
}

static void come(struct unknowns *u, const char *text, int64_t at_us)
{
    const struct unknown_line l = { .at_us = at_us, .host = "web1", .text = slice_text(text) };

    unknowns_line(u, &l, AN_HOUR);
}

static void a_new_kind_is_told_once_and_not_after_a_restart_either(void **state)
{
    struct unknowns *u = begin();

    (void)state;
    come(u, "app[7]: the pump 17 lost pressure", HOUR_US);
    assert_int_equal(kinds, 1);
    assert_string_equal(why, "app[7]: the pump 17 lost pressure");
    come(u, "app[9]: the pump 18 lost pressure", HOUR_US);
    assert_int_equal(kinds, 1);
    unknowns_free(u);
    u = begin();
    come(u, "app[11]: the pump 2 lost pressure", HOUR_US);
    assert_int_equal(kinds, 0);
    unknowns_free(u);
}

static void a_flood_of_new_kinds_is_a_few_events_and_a_sum(void **state)
{
    static const char *const words[] = { "alder", "birch", "cedar", "dogwood", "elm", "fir", "gorse", "hazel" };
    struct unknowns *u = begin();

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "%s: stands by itself", words[i]);
        for (int k = 0; k < 100; k++)
            come(u, text, HOUR_US + k);
    }
    assert_int_equal(kinds, AN_HOUR);
    unknowns_tick(u, HOUR_US + HOUR_US / 2);
    assert_int_equal(sums, 0);
    unknowns_tick(u, 2 * HOUR_US);
    assert_int_equal(sums, 1);
    assert_int_equal(counted, 800);
    assert_string_equal(why, "new kinds: 8, told one by one: 3");
    unknowns_tick(u, 3 * HOUR_US); /* nothing came */
    assert_int_equal(sums, 1);
    come(u, "ivy: climbs", 3 * HOUR_US);
    assert_int_equal(kinds, AN_HOUR + 1);
    unknowns_free(u);
}

static void a_file_that_is_damaged_is_not_taken(void **state)
{
    struct unknowns *u;
    int fd = openat(dir, "unknown-kinds", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    (void)state;
    assert_int_equal(write(fd, "nonsense", 8), 8);
    (void)close(fd);
    u = begin();
    come(u, "app[7]: the pump 17 lost pressure", HOUR_US);
    assert_int_equal(kinds, 1);
    unknowns_free(u);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    return dir < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlinkat(dir, "unknown-kinds", 0);
    (void)close(dir);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_kind_is_told_once_and_not_after_a_restart_either),
        cmocka_unit_test(a_flood_of_new_kinds_is_a_few_events_and_a_sum),
        cmocka_unit_test(a_file_that_is_damaged_is_not_taken),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
