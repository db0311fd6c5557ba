/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sense/log/mask.h"
#include "sense/log/template.h"

/* The message masked, with <*> for a value. */
static const char *masked(const char *message)
{
    static char words[4 * TEMPLATE_BYTES];
    struct masked m;
    size_t n = 0;

    mask_message(slice_text(message), &m);
    for (size_t i = 0; i < m.len; i++)
        n += (size_t)sprintf(words + n, m.text[i] == TEMPLATE_MARK ? "<*>" : "%c", m.text[i]);
    words[n] = 0;
    return words;
}

static struct templates *fresh(void)
{
    struct err e;
    struct templates *t = templates_new(&template_usual, 42, &e);

    assert_non_null(t);
    return t;
}

static uint32_t learn(struct templates *t, const char *message)
{
    return templates_learn(t, slice_text(message));
}

static void values_are_masked_whatever_they_look_like(void **state)
{
    (void)state;
    assert_string_equal(masked("from 192.0.2.1:25 and [2001:db8::1]:587"), "from <*> and [<*>]<*>");
    assert_string_equal(masked("MAC=00:16:3e:aa:bb:cc then de:ad:be:ef:ca:fe"), "MAC=<*> then <*>");
    assert_string_equal(masked("id 6ba7b810-9dad-11d1-80b4-00c04fd430c8 at 0xdeadbeef, deadbeef"),
                        "id <*> at <*>, <*>");
    assert_string_equal(masked("4BC1D2F003A: removed"), "<*>: removed");
    assert_string_equal(masked("ABCDEF: removed"), "<*>: removed");
    assert_string_equal(masked("open /etc/passwd and ./configure"), "open <*> and <*>");
    assert_string_equal(masked("to=<ann@example.org>, relay=mx.example.org[192.0.2.1]:25"),
                        "to=<<*>>, relay=<*>[<*>]<*>");
    assert_string_equal(masked("at Fri Jun 17 07:07:00 2005"), "at <*>");
}

static void names_stay(void **state)
{
    (void)state;
    assert_string_equal(masked("EXT4-fs error (device sda1)"), "EXT4-fs error (device <*>)");
    assert_string_equal(masked("jk2_init() Found child"), "jk2_init() Found child");
    assert_string_equal(masked("generating core.1234"), "generating core.<*>");
    assert_string_equal(masked("java.io.IOException: read/write"), "java.io.IOException: read/write");
    assert_string_equal(masked("Mar Gonzales may come"), "Mar Gonzales may come");
    assert_string_equal(masked("status=bounced"), "status=bounced");
}

static void a_unit_belongs_to_its_number(void **state)
{
    (void)state;
    assert_string_equal(masked("lifetime <1 sec"), "lifetime <*>");
    assert_string_equal(masked("lifetime 01:30"), "lifetime <*>");
    assert_string_equal(masked("4042 bytes (3.94 KB) received"), "<*> bytes received");
    assert_string_equal(masked("403 bytes received"), "<*> bytes received");
    assert_string_equal(masked("message <20071126@host> kept"), "message <<*>> kept");
}

static void names_that_differ_where_a_name_stands_are_one_template(void **state)
{
    struct templates *t = fresh();
    uint32_t first = learn(t, "Failed password for root from 192.0.2.1 port 4242 ssh2");
    uint64_t lines;

    (void)state;
    assert_int_equal(learn(t, "Failed password for ann from 192.0.2.7 port 1 ssh2"), first);
    assert_int_equal(learn(t, "Failed password for test1 from 192.0.2.7 port 1 ssh2"), first);
    assert_int_not_equal(learn(t, "Failed none for ann from 192.0.2.7 port 1 ssh2"), first);
    assert_int_equal(learn(t, "auth failure; tty=ssh user=root"), learn(t, "auth failure; tty=ssh user=ann"));
    assert_int_not_equal(learn(t, "mail x, status=sent"), learn(t, "mail x, status=bounced"));
    assert_memory_equal(template_words(t, first, &lines).at, "Failed password for \2 from \2 port \2", 33);
    assert_int_equal(lines, 3);
    templates_free(t);
}

static void a_message_can_t_write_a_mark_of_its_own(void **state)
{
    struct templates *t = fresh();

    (void)state;
    assert_int_not_equal(learn(t, "job \2 done"), learn(t, "job 7 done"));
    assert_int_equal(learn(t, ""), learn(t, " \t\x01"));
    templates_free(t);
}

static void every_cap_holds_and_is_told(void **state)
{
    static const struct template_caps caps = { .templates = 3, .children = 2, .spellings = 4 };
    struct err e;
    struct templates *t = templates_new(&caps, 1, &e);
    char endless[3000];

    (void)state;
    assert_int_equal(learn(t, "disk broke"), 1);
    assert_int_equal(learn(t, "disk burns"), 2);
    assert_int_equal(learn(t, "disk fled"), 0);
    assert_int_equal(templates_told(t).no_child, 1);
    assert_int_equal(learn(t, "fan broke"), 3);
    assert_int_equal(learn(t, "cpu broke"), 0);
    assert_int_equal(learn(t, "ram broke"), 0);
    assert_int_equal(templates_told(t).no_room, 2);
    assert_int_equal(learn(t, "disk broke"), 1);
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = 0;
    (void)learn(t, endless);
    for (size_t i = 1; i < sizeof(endless) - 1; i += 2)
        endless[i] = ' ';
    (void)learn(t, endless);
    assert_int_equal(templates_told(t).cut, 2);
    templates_free(t);
}

static void forgotten_spellings_find_their_template_again(void **state)
{
    static const struct template_caps caps = { .templates = 10, .children = 10, .spellings = 2 };
    struct err e;
    struct templates *t = templates_new(&caps, 1, &e);
    char line[64];

    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(line, sizeof(line), "session closed for user %c%c", 'a' + i % 26, 'a' + i / 26);
        assert_int_equal(learn(t, line), 1);
    }
    templates_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_masked_whatever_they_look_like),
        cmocka_unit_test(names_stay),
        cmocka_unit_test(a_unit_belongs_to_its_number),
        cmocka_unit_test(names_that_differ_where_a_name_stands_are_one_template),
        cmocka_unit_test(a_message_can_t_write_a_mark_of_its_own),
        cmocka_unit_test(every_cap_holds_and_is_told),
        cmocka_unit_test(forgotten_spellings_find_their_template_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
