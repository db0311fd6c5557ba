/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "cmd/command.h"
#include "cmd/options.h"

struct test_options {
    struct common_options common;
    bool follow;
    const char *why;
    uint64_t limit;
    int64_t span_us;
    int64_t since_us;
    struct addr who;
    struct prefix net;
    int mode;
};

static const char *const modes[] = { "observe", "block", NULL };
static const struct option_row rows[] = {
    { "follow", 'f', OPTION_FLAG, offsetof(struct test_options, follow), NULL, "go on", NULL },
    { "why", 0, OPTION_TEXT, offsetof(struct test_options, why), "TEXT", "the reason", NULL },
    { "limit", 'n', OPTION_NUMBER, offsetof(struct test_options, limit), "N", "how many", NULL },
    { "for", 0, OPTION_SPAN, offsetof(struct test_options, span_us), "SPAN", "how long", NULL },
    { "since", 0, OPTION_TIME, offsetof(struct test_options, since_us), "T", "from when", NULL },
    { "who", 0, OPTION_ADDR, offsetof(struct test_options, who), "ADDR", "whom", NULL },
    { "net", 0, OPTION_NET, offsetof(struct test_options, net), "NET", "where", NULL },
    { "mode", 'm', OPTION_WORD, offsetof(struct test_options, mode), "MODE", "how", modes },
    { 0 },
};
static const struct usage usage = { .name = "test",
                                    .what = "A test.",
                                    .synopsis = "[WORD]",
                                    .rows = rows,
                                    .most = 1,
                                    .examples = "serviola test|shows it" };

enum { WORDS = 24 };

/* What the shell would have made of the line; `said` is what came on standard error. */
static bool read_line(const char *line, struct test_options *o, int *code, char said[512])
{
    static char copy[256]; /* `o` keeps pointing into both */
    static char *argv[WORDS + 1];
    int argc = 0;
    int pipe_fds[2];
    int kept = dup(STDERR_FILENO);
    ssize_t n;
    bool ok;

    assert_true(strlen(line) < sizeof(copy));
    memcpy(copy, line, strlen(line) + 1);
    memset(argv, 0, sizeof(argv));
    for (char *word = strtok(copy, " "); word && argc < WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    assert_int_equal(pipe(pipe_fds), 0);
    assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
    ok = options_read(&usage, argc, argv, o, code);
    (void)fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    (void)close(pipe_fds[1]);
    n = read(pipe_fds[0], said, 511);
    said[n > 0 ? n : 0] = '\0';
    (void)close(pipe_fds[0]);
    return ok;
}

static struct test_options reads(const char *line)
{
    struct test_options o = { .mode = -1 };
    char said[512];
    int code = -1;

    if (!read_line(line, &o, &code, said))
        fail_msg("%s: %s", line, said);
    assert_string_equal(said, "");
    return o;
}

static void refuses(const char *line, const char *words)
{
    struct test_options o = { .mode = -1 };
    char said[512];
    int code = -1;

    assert_false(read_line(line, &o, &code, said));
    assert_int_equal(code, EXIT_USAGE);
    if (!strstr(said, words))
        fail_msg("%s: \"%s\" is not in: %s", line, words, said);
}

static void each_type_is_read_into_its_place(void **state)
{
    struct test_options o = reads(
        "test --follow --why because -n 3 --for 1h30min --who 2001:db8::7 --net 10.1.0.0/16 -m block -c x.conf --json");

    (void)state;
    assert_true(o.follow);
    assert_string_equal(o.why, "because");
    assert_int_equal(o.limit, 3);
    assert_int_equal(o.span_us, 5400000000LL);
    assert_int_equal(o.who.family, 6);
    assert_int_equal(o.net.bits, 16);
    assert_int_equal(o.mode, 1);
    assert_string_equal(o.common.conf, "x.conf");
    assert_true(o.common.json);
    assert_int_equal(o.common.count, 0);
}

static void words_may_stand_before_and_behind_options(void **state)
{
    struct test_options o = reads("test 10.1.0.2 --why because");

    (void)state;
    assert_int_equal(o.common.count, 1);
    assert_string_equal(o.common.words[0], "10.1.0.2");
    assert_string_equal(o.why, "because");
    o = reads("test -- --why");
    assert_string_equal(o.common.words[0], "--why");
}

static void what_was_not_given_keeps_its_default(void **state)
{
    struct test_options o = reads("test");

    (void)state;
    assert_int_equal(o.mode, -1);
    assert_null(o.common.conf);
}

static void an_unknown_option_names_the_nearest(void **state)
{
    (void)state;
    refuses("test --folow", "there is no option --folow; did you mean --follow?");
    refuses("test --sinc=2h --jsn", "did you mean --json?");
    refuses("test -z", "there is no option -z");
    refuses("test --xyzzy", "there is no option --xyzzy\n");
}

static void a_wrong_value_says_what_would_be_right(void **state)
{
    (void)state;
    refuses("test --limit many", "--limit: \"many\" is not a number");
    refuses("test --for soon", "30s, 5min, 2h");
    refuses("test --for 0s", "30s, 5min, 2h");
    refuses("test --for 5m", "--for: \"5m\" is not a span of time: m could be minutes or months; write 5min");
    refuses("test --for 1h5m", "write 5min");
    refuses("test --for 5m30s", "write 5min");
    refuses("test --for 5msec", "30s, 5min, 2h");
    refuses("test --since whenever", "2026-11-22T18:28:03Z");
    refuses("test --who pc1", "192.0.2.7");
    refuses("test --net 10.1.0.7/16", "192.0.2.0/24");
    refuses("test --mode hunt", "is not one of: observe, block");
    refuses("test --limit", "--limit needs something behind it");
}

static void a_value_is_given_once_and_a_flag_as_often_as_one_likes(void **state)
{
    (void)state;
    refuses("test --why a --why b", "--why stands twice; it takes one value");
    refuses("test -n 3 --limit=3", "--limit stands twice");
    refuses("test -c a.conf --config b.conf", "--config stands twice");
    assert_true(reads("test --follow -f --json --json").follow);
}

static void too_many_words_are_named(void **state)
{
    (void)state;
    refuses("test a b", "\"b\" is one word too many");
}

static void a_wrong_word_can_not_write_on_the_terminal(void **state)
{
    (void)state;
    refuses("test --limit \033[2J", "\"\\x1b[2J\"");
    refuses("test --\033[2J", "\\x1b[2J");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_read_into_its_place),
        cmocka_unit_test(words_may_stand_before_and_behind_options),
        cmocka_unit_test(what_was_not_given_keeps_its_default),
        cmocka_unit_test(an_unknown_option_names_the_nearest),
        cmocka_unit_test(a_wrong_value_says_what_would_be_right),
        cmocka_unit_test(a_value_is_given_once_and_a_flag_as_often_as_one_likes),
        cmocka_unit_test(too_many_words_are_named),
        cmocka_unit_test(a_wrong_word_can_not_write_on_the_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
