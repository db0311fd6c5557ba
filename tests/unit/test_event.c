/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/event.h"
#include "journal/json.h"
#include "journal/replay.h"

static struct event mail_seen(void)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);

    ev.seq = 812;
    ev.cause = 811;
    ev.at_us = 1795371483123456;
    ev.src = addr_v4(0x0a010002, 40112);
    ev.dst = addr_v4(0x0a020002, 25);
    event_add_words(&ev, F_PATH, "john.doe@mail.com");
    return ev;
}

static const char *json_of(const struct event *ev)
{
    static char buffer[EVENT_JSON_BYTES];
    struct text t = TEXT_IN(buffer);

    event_json(ev, &t);
    assert_false(t.cut);
    return buffer;
}

static void what_was_added_is_there(void **state)
{
    static const uint64_t numbers[] = { 0, 1, 255, 256, 65535, 1ull << 40, UINT64_MAX };
    struct event ev = mail_seen();
    struct slice value;
    uint64_t n;

    (void)state;
    assert_true(event_get(&ev, F_PATH, &value));
    assert_int_equal(value.len, 17);
    assert_memory_equal(value.at, "john.doe@mail.com", 17);
    assert_false(event_get(&ev, F_HELO, &value));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        ev = event_new(EV_HUNT_GAP);
        event_add_number(&ev, F_COUNT, numbers[i]);
        assert_true(event_get_number(&ev, F_COUNT, &n));
        assert_int_equal(n, numbers[i]);
        assert_true(event_is_sound(&ev));
    }
}

static void a_long_text_is_cut_and_says_so(void **state)
{
    char text[400];
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);
    struct slice value;

    (void)state;
    memset(text, 'x', sizeof(text));
    event_add_text(&ev, F_PATH, slice_of(text, sizeof(text)));
    assert_int_equal(ev.cut, 1);
    assert_int_equal(ev.len, EVENT_BODY);
    assert_true(event_get(&ev, F_PATH, &value));
    assert_int_equal(value.len, EVENT_BODY - 2);
    event_add_number(&ev, F_COUNT, 3);
    assert_false(event_get(&ev, F_COUNT, &value));
    assert_true(event_is_sound(&ev));
}

static void a_field_stands_once(void **state)
{
    struct event ev = mail_seen();
    struct slice value;

    (void)state;
    event_add_words(&ev, F_PATH, "second@mail.com");
    assert_int_equal(ev.fields, 1);
    assert_int_equal(ev.cut, 1);
    assert_true(event_get(&ev, F_PATH, &value));
    assert_int_equal(value.len, 17);
}

static void a_forged_event_is_not_sound(void **state)
{
    struct event ev;

    (void)state;
    ev = mail_seen();
    assert_true(event_is_sound(&ev));
    ev.len = EVENT_BODY + 1;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.body[1] = 200;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.fields = 2;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.grade = 9;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.src.family = 5;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.src.ip[9] = 1;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.body[EVENT_BODY - 1] = 1;
    assert_false(event_is_sound(&ev));
    ev = mail_seen();
    ev.kind = EV_KINDS;
    assert_false(event_is_sound(&ev));
    assert_true(event_is_whole(&ev));
}

static void names_lead_back_to_kinds(void **state)
{
    (void)state;
    for (unsigned k = EV_NONE + 1; k < EV_KINDS; k++) {
        const char *name = event_name((enum event_kind)k);

        assert_int_equal(event_kind_of(slice_text(name)), k);
        assert_non_null(strchr(name, '.'));
    }
    assert_int_equal(event_kind_of(SLICE("hunt.mail_sent")), EV_NONE);
    assert_string_equal(event_name((enum event_kind)60000), "event.unknown");
}

static void no_field_has_the_name_of_a_common_key(void **state)
{
    static const char *const common[] = { "seq",   "at",  "kind",  "grade", "host", "src",
                                          "sport", "dst", "dport", "cause", "cut" };

    (void)state;
    for (unsigned f = F_NONE + 1; f < F_FIELDS; f++) {
        for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
            assert_string_not_equal(field_name((enum field)f), common[i]);
        for (unsigned g = f + 1; g < F_FIELDS; g++)
            assert_string_not_equal(field_name((enum field)f), field_name((enum field)g));
    }
}

static void json_says_what_the_event_says(void **state)
{
    struct event ev = mail_seen();

    (void)state;
    assert_string_equal(json_of(&ev), "{\"seq\":812,\"at\":\"2026-11-22T18:18:03.123456Z\",\"kind\":\"hunt.mail_seen\","
                                      "\"grade\":\"warn\",\"src\":\"10.1.0.2\",\"sport\":40112,\"dst\":\"10.2.0.2\","
                                      "\"dport\":25,\"cause\":811,\"path\":\"john.doe@mail.com\"}");
    ev = event_new(EV_ACT_BLOCKED);
    event_add_number(&ev, F_SPAN, 3600500000);
    event_add_number(&ev, F_UNTIL, 1795371483000000);
    event_add_bytes(&ev, F_DIGEST, "\x00\xff", 2);
    assert_string_equal(json_of(&ev),
                        "{\"seq\":0,\"at\":\"1970-01-01T00:00:00.000000Z\",\"kind\":\"act.blocked\","
                        "\"grade\":\"warn\",\"span\":3600.500000,\"until\":\"2026-11-22T18:18:03.000000Z\","
                        "\"digest\":\"00ff\"}");
}

static void bytes_from_outside_do_not_forge_json(void **state)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);

    (void)state;
    event_add_words(&ev, F_PATH, "a\"b\\c\x1b[2J\r\n\xff\xc2\x9b");
    assert_non_null(strstr(json_of(&ev), "\"path\":\"a\\\"b\\\\c\\u001b[2J\\u000d\\u000a\\u00ff"));
    for (const char *at = json_of(&ev); *at; at++)
        assert_true((uint8_t)*at >= 0x20 && (uint8_t)*at < 0x7f);
}

static void the_largest_event_fits(void **state)
{
    struct event ev = event_new(EV_HUNT_MAIL_SEEN);
    char text[EVENT_BODY];

    (void)state;
    memset(text, 1, sizeof(text));
    event_add_text(&ev, F_PATH, slice_of(text, sizeof(text)));
    (void)json_of(&ev);
    ev = event_new(EV_HUNT_MAIL_SEEN);
    for (unsigned f = F_NONE + 1; f < F_FIELDS; f++)
        event_add_number(&ev, (enum field)f, 255);
    (void)json_of(&ev);
}

static char *printed(void (*print)(FILE *to))
{
    char *at = NULL;
    size_t len;
    FILE *f = open_memstream(&at, &len);

    print(f);
    (void)fclose(f);
    return at;
}

static void schema_and_page_name_every_kind_and_field(void **state)
{
    char *schema = printed(event_print_schema);
    char *page = printed(event_print_mdoc);
    char word[80];

    (void)state;
    for (unsigned k = EV_NONE + 1; k < EV_KINDS; k++) {
        (void)snprintf(word, sizeof(word), "\"%s\"", event_name((enum event_kind)k));
        assert_non_null(strstr(schema, word));
        (void)snprintf(word, sizeof(word), ".It Sy %s ", event_name((enum event_kind)k));
        assert_non_null(strstr(page, word));
    }
    for (unsigned f = F_NONE + 1; f < F_FIELDS; f++) {
        (void)snprintf(word, sizeof(word), "\n\"%s\":{", field_name((enum field)f));
        assert_non_null(strstr(schema, word));
    }
    free(schema);
    free(page);
}

static void a_checkpoint_counts_when_all_of_it_came(void **state)
{
    struct checkpoint c = { 0 };
    struct event mark = event_new(EV_JOURNAL_CHECKPOINT);
    struct event kept = event_new(EV_ACT_BLOCK_KEPT);

    (void)state;
    mark.seq = 10;
    event_add_number(&mark, F_COUNT, 2);
    kept.cause = 10;
    kept.seq = 11;
    checkpoint_see(&c, &mark);
    checkpoint_see(&c, &kept);
    assert_int_equal(c.seq, 0);
    kept.seq = 12;
    checkpoint_see(&c, &kept);
    assert_int_equal(c.seq, 10);
    mark = event_new(EV_JOURNAL_CHECKPOINT);
    mark.seq = 13;
    event_add_number(&mark, F_COUNT, 0);
    checkpoint_see(&c, &mark);
    assert_int_equal(c.seq, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_there),
        cmocka_unit_test(a_long_text_is_cut_and_says_so),
        cmocka_unit_test(a_field_stands_once),
        cmocka_unit_test(a_forged_event_is_not_sound),
        cmocka_unit_test(names_lead_back_to_kinds),
        cmocka_unit_test(no_field_has_the_name_of_a_common_key),
        cmocka_unit_test(json_says_what_the_event_says),
        cmocka_unit_test(bytes_from_outside_do_not_forge_json),
        cmocka_unit_test(the_largest_event_fits),
        cmocka_unit_test(schema_and_page_name_every_kind_and_field),
        cmocka_unit_test(a_checkpoint_counts_when_all_of_it_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
