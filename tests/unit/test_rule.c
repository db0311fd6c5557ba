/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/read.h"
#include "rule/rule.h"
#include "rule/window.h"

#define SECOND 1000000LL
#define PC     addr_v4(0x0a010002, 0) /* 10.1.0.2 */
#define OTHER  addr_v4(0x0a010003, 0)

struct house {
    struct rules_settings rules;
    struct block_settings block;
};

static const struct section sections[] = {
    { "rules", "which event leads to which act", rules_keys, sizeof(struct rules_settings) },
    { "block", "how a host is blocked", block_keys, sizeof(struct block_settings) },
    { NULL, NULL, NULL, 0 },
};

static struct conf_faults faults;

static int configure(struct house *h, const char *yaml)
{
    void *const settings[] = { &h->rules, &h->block };

    memset(h, 0, sizeof(*h));
    return conf_read(slice_text(yaml), "test", sections, settings, &faults);
}

static struct rules *rules_from(const char *yaml)
{
    static struct house h;
    struct rules *r;

    assert_int_equal(configure(&h, yaml), 0);
    r = rules_new(&h.rules, &h.block, NULL);
    assert_non_null(r);
    memset(&h, 0xff, sizeof(h)); /* nothing of it is kept */
    return r;
}

static size_t happens(struct rules *r, enum event_kind kind, struct addr src, int64_t now_us, struct rule_hit *hits)
{
    struct event ev = event_new(kind);

    ev.src = src;
    return rules_match(r, &ev, now_us, hits, RULE_HITS);
}

static void every_finding_of_the_hunt_blocks_at_once_by_default(void **state)
{
    static const enum event_kind findings[] = {
        EV_HUNT_MAIL_SEEN,       EV_HUNT_TLS_SEEN,         EV_HUNT_RATE_CROSSED,
        EV_HUNT_SERVERS_CROSSED, EV_HUNT_SENDERS_CROSSED,  EV_HUNT_DOMAINS_CROSSED,
        EV_HUNT_HELO_CHANGED,    EV_HUNT_REFUSALS_CROSSED, EV_HUNT_VOLUME_CROSSED,
    };
    struct rules *r = rules_from("");
    struct rule_hit hits[RULE_HITS];
    struct addr with_port = addr_v4(0x0a010002, 40000);

    (void)state;
    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
        assert_int_equal(happens(r, findings[i], with_port, 1, hits), 1);
        assert_int_equal(hits[0].act, RULE_BLOCK);
        assert_int_equal(hits[0].span_us, 3600 * SECOND);
        assert_true(addr_eq(hits[0].src, PC)); /* the host, whatever its port */
        assert_string_equal(hits[0].rule, strchr(event_name(findings[i]), '.') + 1);
    }
    assert_int_equal(happens(r, EV_HUNT_INBOUND_SEEN, PC, 1, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_UNCONFIRMED, PC, 1, hits), 0);
    rules_free(r);
}

static void a_rule_fires_at_the_number_and_not_before_and_then_begins_anew(void **state)
{
    struct rules *r = rules_from("rules: { worm: { on: hunt.mail_seen, times: 3, within: 10s, for: 2h } }");
    struct rule_hit hits[RULE_HITS];

    (void)state;
    for (int64_t round = 0; round < 3; round++) {
        int64_t at = round * 3 * SECOND;

        assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, at, hits), 0);
        assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, at + SECOND, hits), 0);
        assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, OTHER, at + SECOND, hits), round == 2);
        assert_int_equal(happens(r, EV_HUNT_RATE_CROSSED, PC, at + SECOND, hits), 0);
        assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, at + 2 * SECOND, hits), 1);
        assert_string_equal(hits[0].rule, "worm");
        assert_int_equal(hits[0].span_us, 7200 * SECOND);
    }
    rules_free(r);
}

static void a_window_slides_and_does_not_start_over_at_full_minutes(void **state)
{
    struct rules *r = rules_from("rules: { worm: { on: hunt.mail_seen, times: 3, within: 10s } }");
    struct rule_hit hits[RULE_HITS];

    (void)state;
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 0, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 9 * SECOND, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 10 * SECOND + 1, hits), 0); /* the first is out */
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 19 * SECOND, hits), 1);     /* 9, 10 and 19: just inside */
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 20 * SECOND, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 500 * SECOND, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 501 * SECOND, hits), 0);
    rules_free(r);
}

static void several_rules_may_wait_for_one_event_in_the_order_of_the_file(void **state)
{
    struct rules *r = rules_from("rules:\n"
                                 "  slow: { on: hunt.mail_seen, times: 2 }\n"
                                 "  seen: { on: hunt.mail_seen, do: note }\n"
                                 "  rate: { on: hunt.rate_crossed }\n"
                                 "  fast: { on: hunt.mail_seen, for: 1min }\n");
    struct rule_hit hits[RULE_HITS];

    (void)state;
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 1, hits), 2);
    assert_string_equal(hits[0].rule, "seen");
    assert_int_equal(hits[0].act, RULE_NOTE);
    assert_string_equal(hits[1].rule, "fast");
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 2, hits), 3);
    assert_string_equal(hits[0].rule, "slow");
    rules_free(r);
}

static void nobody_in_particular_is_never_blocked(void **state)
{
    struct rules *r = rules_from("rules: { a: { on: scribe.stuck }, b: { on: scribe.stuck, do: note } }");
    struct rule_hit hits[RULE_HITS];

    (void)state;
    assert_int_equal(happens(r, EV_SCRIBE_STUCK, (struct addr){ 0 }, 1, hits), 1);
    assert_string_equal(hits[0].rule, "b");
    rules_free(r);
}

static void a_host_that_was_unblocked_starts_from_nothing(void **state)
{
    struct rules *r = rules_from("rules: { worm: { on: hunt.mail_seen, times: 2 } }");
    struct rule_hit hits[RULE_HITS];

    (void)state;
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 1, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, OTHER, 1, hits), 0);
    rules_forget(r, PC);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 2, hits), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, OTHER, 2, hits), 1);
    rules_free(r);
}

static void a_full_table_says_what_it_forgot(void **state)
{
    struct rules *r =
        rules_from("rules: { worm: { on: hunt.mail_seen, times: 2, within: 10s } }\nblock: { windows: 16 }");
    struct rule_hit hits[RULE_HITS];

    (void)state;
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, addr_v4(0x0a000000 + i, 0), i, hits), 0);
    assert_int_equal(rules_lost(r), 0);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, PC, 16, hits), 0); /* 10.0.0.0 leaves */
    assert_int_equal(rules_lost(r), 1);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, addr_v4(0x0a000001, 0), 17, hits), 1);
    assert_int_equal(happens(r, EV_HUNT_MAIL_SEEN, addr_v4(0x0a000000, 0), 18, hits), 0);
    assert_int_equal(rules_lost(r), 1); /* the one that had fired gave its place */
    for (uint32_t i = 0; i < 16; i++)
        (void)happens(r, EV_HUNT_MAIL_SEEN, addr_v4(0x0b000000 + i, 0), 60 * SECOND, hits);
    assert_int_equal(rules_lost(r), 1); /* windows that had closed by themselves are no loss */
    rules_free(r);
}

/* Against a plain list of what happened: the same answers for a long random life. */
static void the_table_counts_as_a_plain_list_would(void **state)
{
    enum { HOSTS = 40, TIMES = 5, STEPS = 20000 };
    static int64_t seen[HOSTS][TIMES];
    static unsigned count[HOSTS];
    struct windows *w = windows_new(HOSTS, TIMES, 7, NULL);
    uint32_t random = 1;
    int64_t now_us = 0;

    (void)state;
    assert_non_null(w);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned host;

        random = random * 1664525 + 1013904223;
        host = (random >> 24) % HOSTS;
        now_us += (random >> 8) % 1000;
        while (count[host] > 0 && now_us - seen[host][0] > 50000)
            memmove(seen[host], seen[host] + 1, --count[host] * sizeof(int64_t));
        seen[host][count[host]++] = now_us;
        assert_int_equal(windows_count(w, host % 3, addr_v4(host, 0), TIMES, 50000, now_us), count[host] == TIMES);
        if (count[host] == TIMES)
            count[host] = 0;
    }
    assert_int_equal(windows_lost(w), 0);
    windows_free(w);
}

static void the_tables_of_both_sections_are_sound(void **state)
{
    struct err e = { 0 };

    (void)state;
    if (schema_check(sections, &e) != 0)
        fail_msg("%s", e.text);
}

static void a_rule_for_an_event_that_does_not_exist_is_refused_with_the_nearest(void **state)
{
    struct house h;

    (void)state;
    assert_int_equal(configure(&h, "rules: { worm: { on: hunt.mail_sen } }"), -1);
    assert_string_equal(faults.at[0].text,
                        "rules.worm.on can't be \"hunt.mail_sen\"; did you mean \"hunt.mail_seen\"?");
    assert_int_equal(configure(&h, "rules: { worm: { on: everything } }"), -1);
    assert_string_equal(faults.at[0].text,
                        "rules.worm.on must be the name of an event, as in serviola-events(7), not \"everything\"");
    assert_int_equal(configure(&h, "rules: { worm: { times: 3 } }"), -1);
    assert_string_equal(faults.at[0].text, "rules.worm.on is missing; it has no default");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_of_the_hunt_blocks_at_once_by_default),
        cmocka_unit_test(a_rule_fires_at_the_number_and_not_before_and_then_begins_anew),
        cmocka_unit_test(a_window_slides_and_does_not_start_over_at_full_minutes),
        cmocka_unit_test(several_rules_may_wait_for_one_event_in_the_order_of_the_file),
        cmocka_unit_test(nobody_in_particular_is_never_blocked),
        cmocka_unit_test(a_host_that_was_unblocked_starts_from_nothing),
        cmocka_unit_test(a_full_table_says_what_it_forgot),
        cmocka_unit_test(the_table_counts_as_a_plain_list_would),
        cmocka_unit_test(the_tables_of_both_sections_are_sound),
        cmocka_unit_test(a_rule_for_an_event_that_does_not_exist_is_refused_with_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
