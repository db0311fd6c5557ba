/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of scenes, kept in tests/pictures: what each must show, and what it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "snap/file.h"
#include "view/explain/explain.h"

static struct findings *findings_of(const char *name)
{
    const char *top = getenv("SOURCE_ROOT");
    struct findings *f;
    struct snap *s;
    struct err e;
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/tests/pictures/%s.xray", top ? top : ".", name);
    s = snap_read(path, &e);
    if (!s)
        print_error("%s: %s\n", path, e.text);
    assert_non_null(s);
    f = explain(s, &e);
    assert_non_null(f);
    snap_free(s);
    return f;
}

static void assert_shows(const struct findings *f, const char *id, const char *words)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->at[i].id, id) == 0 && strstr(f->at[i].text, words))
            return;
    fail_msg("no %s with \"%s\"", id, words);
}

static void assert_silent(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->at[i].id, id) == 0)
            fail_msg("%s: %s", id, f->at[i].text);
}

static void the_storys_loop_is_named_with_its_origin(void **state)
{
    struct findings *f = findings_of("loop");

    (void)state;
    assert_shows(f, "self_loop", "smtp-front (pid 17) is calling itself: 40 of 44 connections");
    assert_shows(f, "self_loop", "its own callback, by way of 127.0.1.50; it began with qmail-remote");
    assert_silent(f, "worm");
    assert_silent(f, "stuck_disk");
    free(f);
}

static void a_busy_proxy_is_nothing(void **state)
{
    struct findings *f = findings_of("proxy");

    (void)state;
    assert_int_equal(f->count, 0);
    free(f);
}

static void disguises_are_told_apart(void **state)
{
    struct findings *f = findings_of("disguises");

    (void)state;
    assert_shows(f, "memfd_executable", "never was a file");
    assert_shows(f, "kernel_thread_impostor", "[kworker/0:1H]");
    assert_shows(f, "false_name", "calls itself sshd");
    assert_shows(f, "deleted_executable", "updaterd (pid 13)");
    assert_shows(f, "upgraded_executable", "updaterd (pid 15)");
    assert_silent(f, "self_loop");
    assert_silent(f, "hidden_process");
    free(f);
}

static void one_log_is_silent_and_the_rotated_one_is_not(void **state)
{
    struct findings *f = findings_of("logs");

    (void)state;
    assert_shows(f, "log_silence", "1 log fell silent");
    assert_shows(f, "promiscuous", "d0 takes every packet");
    assert_silent(f, "deleted_executable");
    assert_silent(f, "false_name");
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_storys_loop_is_named_with_its_origin),
        cmocka_unit_test(a_busy_proxy_is_nothing),
        cmocka_unit_test(disguises_are_told_apart),
        cmocka_unit_test(one_log_is_silent_and_the_rotated_one_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
