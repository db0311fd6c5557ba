/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "act/metrics/page.h"
#include "sense/watch/board.h"

static void a_label_can_hold_anything(void **state)
{
    char bytes[1024];
    struct page p = { .text = TEXT_IN(bytes) };

    (void)state;
    page_family(&p, "serviola_x", PAGE_GAUGE, "What it\nis, with a \\ in it.");
    page_sample(&p, (struct page_label){ "name", "a\"b\\c\nd\x1b\xff" }, (struct page_label){ 0 }, 1.5);
    assert_string_equal(bytes, "# HELP serviola_x What it\\\\x0ais, with a \\\\\\\\ in it.\n"
                               "# TYPE serviola_x gauge\n"
                               "serviola_x{name=\"a\\\"b\\\\\\\\c\\\\x0ad\\\\x1b\\\\xff\"} 1.5\n");
}

static void numbers_are_written_as_prometheus_reads_them(void **state)
{
    char bytes[1024];
    struct page p = { .text = TEXT_IN(bytes) };

    (void)state;
    page_family(&p, "serviola_x_total", PAGE_COUNTER, "x");
    page_value(&p, NAN);
    page_value(&p, -INFINITY);
    page_value(&p, 12345678901234567.0);
    assert_non_null(strstr(bytes, "serviola_x_total NaN\nserviola_x_total -Inf\nserviola_x_total 12345678901234568\n"));
}

static void what_does_not_fit_is_left_out_by_lines_and_said(void **state)
{
    char bytes[700];
    struct page p = { .text = text_in(bytes, 400) };

    (void)state;
    page_family(&p, "serviola_x", PAGE_GAUGE, "x");
    for (unsigned i = 0; i < 100; i++)
        page_value(&p, i);
    page_end(&p);
    assert_true(p.left_out > 0);
    assert_int_equal(bytes[p.text.len - 1], '\n');
    assert_non_null(strstr(bytes, "\nserviola_metrics_left_out "));
    assert_true(p.text.len < sizeof(bytes));
}

static void names_end_in_their_base_unit(void **state)
{
    static const struct {
        const char *measure, *unit, *name;
    } rows[] = {
        { "disk.latency", "s", "serviola_watch_disk_latency_seconds" },
        { "disk.latency.NAME", "s", "serviola_watch_disk_latency_each_seconds" },
        { "fs.used", "%", "serviola_watch_fs_used_ratio" },
        { "mem.available_bytes", "B", "serviola_watch_mem_available_bytes" },
        { "log.NAME.silent", "s", "serviola_watch_log_each_silent_seconds" },
        { "load.one", "", "serviola_watch_load_one" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char words[160];
        struct text t = TEXT_IN(words);

        page_name(&t, rows[i].measure, rows[i].unit);
        assert_string_equal(words, rows[i].name);
    }
}

static void a_board_is_read_as_it_was_written(void **state)
{
    static struct values v;
    static struct value read[VALUES_MOST];
    struct err e;
    struct board *writes = board_new(&e);
    struct board *reads = board_open(board_fd(writes), &e);
    int64_t at_us;

    (void)state;
    assert_non_null(reads);
    assert_int_equal(board_read(reads, read, &at_us), 0);
    assert_true(values_set(&v, "disk.latency", 0.25));
    assert_true(values_set(&v, "load.one", 3));
    board_write(writes, &v, 77);
    assert_int_equal(board_read(reads, read, &at_us), 2);
    assert_int_equal(at_us, 77);
    assert_string_equal(read[0].name, "disk.latency");
    assert_true(read[1].number == 3);
    board_free(reads);
    board_free(writes);
    assert_null(board_open(0, &e)); /* no such file */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_can_hold_anything),
        cmocka_unit_test(numbers_are_written_as_prometheus_reads_them),
        cmocka_unit_test(what_does_not_fit_is_left_out_by_lines_and_said),
        cmocka_unit_test(names_end_in_their_base_unit),
        cmocka_unit_test(a_board_is_read_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
