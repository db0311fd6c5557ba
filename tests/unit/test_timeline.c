/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timeline: lines of hosts whose clocks are wrong, in the order in which things happened. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/log/store.h"
#include "sense/log/timeline.h"
#include "wire/syslog.h"

static const int64_t start_us = (int64_t)1196879280 * 1000000; /* 2007-12-05 18:28 */
enum { SECOND = 1000000 };

struct world {
    char folder[64];
    struct store *s;
    struct lines *lines;
    struct timeline t;
};

static int set_up(void **state)
{
    const struct store_limits limits = store_default_limits();
    const struct store_calls calls = { 0 };
    struct world *w = calloc(1, sizeof(*w));
    struct journal_opened found;
    struct err e = { 0 };

    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_timeline.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->s = store_open(w->folder, &limits, &calls, start_us, &found, &e);
    if (!w->s || store_start(w->s, &e) < 0)
        fail_msg("%s", e.text);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    DIR *d = opendir(w->folder);
    const struct dirent *entry;

    timeline_done(&w->t);
    lines_close(w->lines);
    while (d && (entry = readdir(d)))
        (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

/* A line that arrived at `at_us`, stamped `stamp_us`; both from start_us on.  Its text is its name. */
static void arrives(struct world *w, const char *host, int64_t at_us, int64_t stamp_us, const char *name)
{
    char stamp[SYSLOG_STAMP_BYTES];
    char peer[64];
    char raw[200];
    struct log_line line = { .way = LOG_TCP, .at_us = start_us + at_us, .near_us = start_us + at_us };

    syslog_stamp_write(start_us + stamp_us, stamp);
    (void)snprintf(peer, sizeof(peer), "%s:514", host);
    (void)snprintf(raw, sizeof(raw), "<13>1 %.*s %s app - - - %s", (int)sizeof(stamp), stamp, host, name);
    line.raw = slice_text(raw);
    line.peer = slice_text(peer);
    assert_true(store_append(w->s, &line, NULL) > 0);
}

static void look(struct world *w, int64_t from_us, int64_t to_us)
{
    struct timeline_wish wish = { .from_us = start_us + from_us, .to_us = start_us + to_us, .most = 100000 };
    struct err e = { 0 };

    while (store_synced(w->s) < store_last(w->s)) {
        struct pollfd p = { .fd = store_fd(w->s), .events = POLLIN };

        (void)store_push(w->s, 0, true);
        (void)poll(&p, 1, 100);
        store_turn(w->s);
    }
    store_close(w->s, 0);
    w->lines = lines_open(w->folder, &e);
    if (!w->lines || timeline_make(&w->t, w->lines, &wish, &e) < 0)
        fail_msg("%s", e.text);
}

static void a_clock_that_is_ahead_is_put_back(void **state)
{
    struct world *w = *state;

    for (int64_t i = 0; i < 100; i++) { /* web1 is 420 s ahead; what it says happened 0.3 s before db1's line */
        arrives(w, "web1", i * SECOND, i * SECOND + 420 * (int64_t)SECOND, "w");
        arrives(w, "db1", i * SECOND + 300000, i * SECOND + 300000, "d");
    }
    look(w, 0, 200 * (int64_t)SECOND);
    assert_int_equal(w->t.count, 200);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(w->t.at[i].seq, i + 1);
        assert_int_equal(w->t.at[i].offset_us, i % 2 == 0 ? 420 * (int64_t)SECOND : 0);
        assert_int_equal(w->t.at[i].at_us, start_us + (int64_t)(i / 2) * SECOND + (i % 2 == 0 ? 0 : 300000));
    }
}

static void a_clock_that_jumps_leaves_the_order_alone(void **state)
{
    struct world *w = *state;

    for (int64_t i = 0; i < 90; i++)
        arrives(w, "fw02", i * 10 * SECOND, (i * 10 - (i >= 30 && i < 60 ? 3600 : 0)) * SECOND, "x");
    look(w, 0, 3000 * (int64_t)SECOND);
    assert_int_equal(w->t.count, 90);
    for (size_t i = 0; i < 90; i++) {
        assert_int_equal(w->t.at[i].seq, i + 1);
        assert_int_equal(w->t.at[i].at_us, start_us + (int64_t)i * 10 * SECOND);
    }
}

static void lines_that_came_late_stand_where_they_happened(void **state)
{
    struct world *w = *state;

    for (int64_t i = 0; i < 60; i++)
        arrives(w, "app1", i * 10 * SECOND, i * 10 * SECOND, "in time");
    for (int64_t i = 0; i < 60; i++) /* all that was said in ten minutes arrives at once, half an hour later */
        arrives(w, "app2", 2400 * (int64_t)SECOND + i * 1000, i * 10 * SECOND + 5 * SECOND, "late");
    look(w, 0, 700 * (int64_t)SECOND);
    assert_int_equal(w->t.count, 120);
    for (size_t i = 0; i < 120; i++)
        assert_int_equal(w->t.at[i].seq, i % 2 == 0 ? i / 2 + 1 : 61 + i / 2);
}

static void only_what_was_asked_for_is_shown(void **state)
{
    struct world *w = *state;

    for (int64_t i = 0; i < 100; i++)
        arrives(w, i % 2 ? "web1" : "db1", i * 60 * SECOND, i * 60 * SECOND, "x");
    look(w, 600 * (int64_t)SECOND, 1200 * (int64_t)SECOND);
    assert_int_equal(w->t.count, 11);
    assert_int_equal(w->t.at[0].seq, 11);
    assert_false(w->t.cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_clock_that_is_ahead_is_put_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_leaves_the_order_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_that_came_late_stand_where_they_happened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_was_asked_for_is_shown, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
