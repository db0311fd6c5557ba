/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Search in the blocks of a store: what it finds is what a naive look at each line finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sense/log/search.h"

static const char mark[] = "\x1e"
                           "2007-12-05T18:28:00.000000Z tcp 10.1.0.2:49152\n";
enum { LINES = 400, QUERIES = 300 };

static const char *const words[] = { "cciss0", "error",   "disk", "10.1.0.2",    "tcp",
                                     "Error",  "x_error", "ok",   "\xc3\xa9rror" };
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static struct search_query any(const char *pattern)
{
    return (struct search_query){
        .pattern = slice_text(pattern), .since_us = INT64_MIN, .until_us = INT64_MAX, .severity = LOG_UNKNOWN
    };
}

struct seen {
    uint64_t seq[LINES];
    size_t count;
};

static struct seen find(const struct search_query *q, const char *payload)
{
    struct search_hits hits = { 0 };
    struct search_scan *c;
    struct seen seen = { .count = 0 };
    struct err e = { 0 };
    struct search *s = search_new(q, &e);

    c = s ? search_scan_new(s, &e) : NULL;
    if (!c || search_block(c, slice_text(payload), 1, &hits, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(hits.count <= LINES);
    for (; seen.count < hits.count; seen.count++)
        seen.seq[seen.count] = hits.at[seen.count].seq;
    search_hits_done(&hits);
    search_scan_free(c);
    search_free(s);
    return seen;
}

static void finds_what_a_naive_scan_finds(void **state)
{
    static char lines[LINES][128], payload[LINES * 192];
    char *to = payload;

    (void)state;
    srand(7);
    for (size_t i = 0; i < LINES; i++) {
        (void)snprintf(lines[i], sizeof(lines[i]), "<%d>Dec  5 18:28:00 web1 app: %s %s %s", rand() % 8,
                       words[rand() % WORDS], words[rand() % WORDS], words[rand() % WORDS]);
        to += sprintf(to, "%s%s\n", rand() % 5 == 0 || i == 0 ? mark : "", lines[i]);
    }
    for (size_t n = 0; n < QUERIES; n++) {
        char pattern[64];
        struct search_query q = any(pattern);
        struct seen seen;
        size_t at = 0;

        (void)snprintf(pattern, sizeof(pattern), "%s%s%s", words[rand() % WORDS], rand() % 2 ? " " : "",
                       rand() % 2 ? words[rand() % WORDS] : "");
        q.pattern = slice_text(pattern);
        q.invert = rand() % 4 == 0;
        seen = find(&q, payload);
        for (size_t i = 0; i < LINES; i++)
            if (!strstr(lines[i], pattern) == q.invert) {
                assert_true(at < seen.count);
                assert_int_equal(seen.seq[at++], i + 1);
            }
        assert_int_equal(at, seen.count);
    }
}

static void a_word_is_not_found_within_a_longer_one(void **state)
{
    char payload[512];
    struct search_query q = any("error");

    (void)state;
    (void)snprintf(payload, sizeof(payload), "%serror\nx_error\n\xc3\xa9rror error\nerrors\nan error: x\nERROR\n",
                   mark);
    q.how = SEARCH_WORD;
    assert_int_equal(find(&q, payload).count, 3);
    q.nocase = true;
    assert_int_equal(find(&q, payload).count, 4);
}

static void filters_leave_out_other_hosts_programs_and_severities(void **state)
{
    char payload[512];
    struct search_query q = any("disk");

    (void)state;
    (void)snprintf(payload, sizeof(payload),
                   "%s<3>Dec  5 18:28:00 web1 app: disk\n<6>Dec  5 18:28:00 web1 app: disk\n"
                   "<3>Dec  5 18:28:00 web2 kernel: disk\n",
                   mark);
    q.severity = 3;
    assert_int_equal(find(&q, payload).count, 2);
    q.host = SLICE("WEB1");
    assert_int_equal(find(&q, payload).count, 1);
    q.program = SLICE("kernel");
    assert_int_equal(find(&q, payload).count, 0);
}

static void without_a_pattern_every_line_that_passes_is_found(void **state)
{
    char payload[512];
    struct search_query q = any("");

    (void)state;
    (void)snprintf(payload, sizeof(payload), "%sDec  5 18:28:00 web1 app: a\nDec  5 18:28:00 web2 app: b\n", mark);
    assert_int_equal(find(&q, payload).count, 2);
    q.host = SLICE("web2");
    assert_int_equal(find(&q, payload).count, 1);
}

/* The lines of one kind of message, whatever it names. */
static void a_template_finds_its_own_messages(void **state)
{
    struct search_query q = any("");
    struct bytes_out learned = { 0 };
    struct err e;
    struct templates *t = templates_new(&template_usual, 0, &e);
    char payload[512];
    uint32_t id;

    (void)state;
    id = templates_learn(t, SLICE("link eth0 is down after 12 seconds"));
    (void)templates_learn(t, SLICE("link is fine"));
    templates_save(t, &learned);
    templates_free(t);
    (void)snprintf(payload, sizeof(payload),
                   "%sDec  5 18:28:00 web1 app: link eth7 is down after 9 seconds\n"
                   "Dec  5 18:28:00 web1 app: link is fine\n"
                   "Dec  5 18:28:00 web2 app: link eth1 is down after 100 seconds\n",
                   mark);
    q.template = id;
    q.templates = slice_of(learned.at, learned.len);
    assert_int_equal(find(&q, payload).count, 2);
    q.host = SLICE("web2");
    assert_int_equal(find(&q, payload).count, 1);
    q.template = 9;
    assert_null(search_new(&q, &e));
    bytes_done(&learned);
}

static void a_faulty_expression_is_refused(void **state)
{
    struct search_query q = any("(");
    struct err e = { 0 };

    (void)state;
    q.how = SEARCH_REGEX;
    assert_null(search_new(&q, &e));
    q.pattern = SLICE("a\nb");
    assert_null(search_new(&q, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_naive_scan_finds),
        cmocka_unit_test(a_word_is_not_found_within_a_longer_one),
        cmocka_unit_test(filters_leave_out_other_hosts_programs_and_severities),
        cmocka_unit_test(without_a_pattern_every_line_that_passes_is_found),
        cmocka_unit_test(a_template_finds_its_own_messages),
        cmocka_unit_test(a_faulty_expression_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
