/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/gate/listcompile.h"
#include "sense/gate/lists.h"

static struct gate_list list(const char *name, enum gate_list_what what, enum gate_list_means means)
{
    struct gate_list l = { .what = (int)what, .means = (int)means };

    (void)snprintf(l.name, sizeof(l.name), "%s", name);
    (void)snprintf(l.file, sizeof(l.file), "/etc/serviola/%s", name);
    return l;
}

static void add(struct listcompile *c, const struct gate_list *l, const char *text)
{
    struct err e = { 0 };

    if (listcompile_add(c, l, slice_text(text), &e) < 0)
        fail_msg("%s", e.text);
}

static struct lists *finish(struct listcompile *c)
{
    struct err e = { 0 };
    int fd = listcompile_finish(c, &e);
    struct lists *l = fd < 0 ? NULL : lists_map(fd, &e);

    if (!l)
        fail_msg("%s", e.text);
    listcompile_free(c);
    (void)close(fd);
    return l;
}

static struct lists *one(enum gate_list_what what, const char *text)
{
    struct listcompile *c = listcompile_new(NULL);
    struct gate_list l = list("black", what, GATE_LIST_REFUSE);

    add(c, &l, text);
    return finish(c);
}

static struct addr addr(const char *text)
{
    struct addr a;

    assert_true(addr_read(slice_text(text), &a));
    return a;
}

static uint32_t line_of(const struct lists *l, const char *text)
{
    struct list_hit h;

    return lists_addr(l, addr(text), &h) ? h.line : 0;
}

static uint32_t name_line(const struct lists *l, enum gate_list_what what, const char *name)
{
    struct list_hit h;

    return lists_name(l, what, slice_text(name), &h) ? h.line : 0;
}

static void the_longest_prefix_counts(void **state)
{
    struct lists *l = one(GATE_LIST_ADDRESSES, "10.0.0.0/8\n"
                                               "10.1.0.0/16 # a comment\n"
                                               "\n"
                                               "10.1.2.3\n"
                                               "10.1.2.0/24 ; SBL123\n"
                                               "2001:db8::/32\n"
                                               "2001:db8:1::/48\r\n"
                                               "255.255.255.255\n"
                                               "0.0.0.0/32\n");

    (void)state;
    assert_int_equal(line_of(l, "10.200.0.1"), 1);
    assert_int_equal(line_of(l, "10.1.200.1"), 2);
    assert_int_equal(line_of(l, "10.1.2.3"), 4);
    assert_int_equal(line_of(l, "10.1.2.2"), 5);
    assert_int_equal(line_of(l, "10.1.2.4"), 5);
    assert_int_equal(line_of(l, "10.1.3.0"), 2);
    assert_int_equal(line_of(l, "10.255.255.255"), 1);
    assert_int_equal(line_of(l, "11.0.0.0"), 0);
    assert_int_equal(line_of(l, "9.255.255.255"), 0);
    assert_int_equal(line_of(l, "255.255.255.255"), 8);
    assert_int_equal(line_of(l, "0.0.0.0"), 9);
    assert_int_equal(line_of(l, "0.0.0.1"), 0);
    assert_int_equal(line_of(l, "2001:db8:1::7"), 7);
    assert_int_equal(line_of(l, "2001:db8:2::"), 6);
    assert_int_equal(line_of(l, "2001:db9::"), 0);
    assert_int_equal(lists_count(l), 8);
    lists_free(l);
}

static void everything_of_one_family_says_nothing_of_the_other(void **state)
{
    struct lists *six = one(GATE_LIST_ADDRESSES, "::/0\n");
    struct lists *four = one(GATE_LIST_ADDRESSES, "0.0.0.0/0\n");

    (void)state;
    assert_int_equal(line_of(six, "192.0.2.1"), 0);
    assert_int_equal(line_of(six, "::"), 1);
    assert_int_equal(line_of(six, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1);
    assert_int_equal(line_of(six, "::1:0:0:1"), 1);
    assert_int_equal(line_of(four, "192.0.2.1"), 1);
    assert_int_equal(line_of(four, "255.255.255.255"), 1);
    assert_int_equal(line_of(four, "::1"), 0);
    assert_int_equal(line_of(four, "2001:db8::"), 0);
    lists_free(six);
    lists_free(four);
}

static void an_allow_wins_over_others_of_the_same_length(void **state)
{
    struct listcompile *c = listcompile_new(NULL);
    struct gate_list black = list("black", GATE_LIST_ADDRESSES, GATE_LIST_REFUSE);
    struct gate_list white = list("white", GATE_LIST_ADDRESSES, GATE_LIST_ALLOW);
    struct list_hit h;
    struct lists *l;

    (void)state;
    add(c, &black, "192.0.2.0/24\n198.51.100.7\n");
    add(c, &white, "\n192.0.2.0/24\n198.51.100.0/24\n");
    l = finish(c);
    assert_true(lists_addr(l, addr("192.0.2.9"), &h));
    assert_string_equal(h.list, "white");
    assert_int_equal(h.means, GATE_LIST_ALLOW);
    assert_int_equal(h.line, 2);
    assert_true(lists_addr(l, addr("198.51.100.7"), &h));
    assert_string_equal(h.list, "black");
    assert_int_equal(h.line, 2);
    lists_free(l);
}

/* Against a list that is read from the top: a prefix of random length around few bytes, so that many overlap. */
static void it_agrees_with_a_slow_reader(void **state)
{
    enum { LINES = 2000, ASKED = 20000 };
    struct prefix *all = calloc(LINES, sizeof(*all));
    char *text = malloc((size_t)LINES * 64);
    struct lists *l;
    size_t used = 0;

    (void)state;
    srandom(42);
    for (size_t i = 0; i < LINES; i++) {
        uint8_t ip[16] = { 0x20, 0x01 };
        bool six = random() % 2;

        for (size_t k = 2; k < 16; k++)
            ip[k] = (uint8_t)(random() % 3 * 0x55);
        all[i] = six ? prefix_of(addr_from_ip(6, ip, 0), (unsigned)(random() % 129))
                     : prefix_of(addr_from_ip(4, ip + 4, 0), (unsigned)(random() % 33));
        used += (size_t)sprintf(text + used, "%s\n", prefix_text(all[i]).text);
    }
    l = one(GATE_LIST_ADDRESSES, text);
    for (size_t i = 0; i < ASKED; i++) {
        uint8_t ip[16] = { 0x20, 0x01 };
        struct addr who;
        int best = -1;
        uint32_t line;

        for (size_t k = 2; k < 16; k++)
            ip[k] = (uint8_t)(random() % 3 * 0x55 + (random() % 16 == 0));
        who = random() % 2 ? addr_from_ip(6, ip, 0) : addr_from_ip(4, ip + 4, 0);
        line = line_of(l, addr_ip_text(who).text);
        for (size_t k = 0; k < LINES; k++)
            if (prefix_has(all[k], who) && all[k].bits > best)
                best = all[k].bits;
        if (best < 0) {
            assert_int_equal(line, 0);
        } else {
            assert_in_range(line, 1, LINES);
            assert_true(prefix_has(all[line - 1], who));
            assert_int_equal(all[line - 1].bits, best);
        }
    }
    lists_free(l);
    free(all);
    free(text);
}

/* So many that there is a top: each second /32 of some /16s, and a /8 around them. */
static void many_are_found_as_few_are(void **state)
{
    enum { NETS = 4, HALF = 32768 };
    char *text = malloc((size_t)NETS * HALF * 20 + 64);
    size_t used = (size_t)sprintf(text, "10.0.0.0/8\n");
    struct lists *l;

    (void)state;
    for (unsigned n = 0; n < NETS; n++)
        for (unsigned i = 0; i < HALF; i++)
            used += (size_t)sprintf(text + used, "10.%u.%u.%u\n", n * 85, i / 128, i % 128 * 2);
    (void)sprintf(text + used, "255.255.255.255\n203.0.113.0/24\n");
    l = one(GATE_LIST_ADDRESSES, text);
    for (unsigned n = 0; n < NETS; n++)
        for (unsigned i = 0; i < HALF; i += 7) {
            uint8_t ip[4] = { 10, (uint8_t)(n * 85), (uint8_t)(i / 128), (uint8_t)(i % 128 * 2) };

            assert_int_equal(line_of(l, addr_ip_text(addr_from_ip(4, ip, 0)).text), 2 + n * HALF + i);
            ip[3]++;
            assert_int_equal(line_of(l, addr_ip_text(addr_from_ip(4, ip, 0)).text), 1);
        }
    assert_int_equal(line_of(l, "9.255.255.255"), 0);
    assert_int_equal(line_of(l, "10.1.0.0"), 1);
    assert_int_equal(line_of(l, "11.0.0.0"), 0);
    assert_int_equal(line_of(l, "0.0.0.0"), 0);
    assert_int_equal(line_of(l, "203.0.112.255"), 0);
    assert_int_equal(line_of(l, "203.0.113.0"), 3 + NETS * HALF);
    assert_int_equal(line_of(l, "203.0.114.0"), 0);
    assert_int_equal(line_of(l, "255.255.255.254"), 0);
    assert_int_equal(line_of(l, "255.255.255.255"), 2 + NETS * HALF);
    lists_free(l);
    free(text);
}

static void names_match_by_their_longest_suffix(void **state)
{
    struct lists *l = one(GATE_LIST_RDNS, "example.net\n"
                                          ".Example.ORG\n"
                                          "*.dyn.example.net # a comment\n"
                                          "good.dyn.example.net.\n");

    (void)state;
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "example.net"), 1);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "MX.Example.Net."), 1);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "notexample.net"), 0);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "example.org"), 0);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "a.example.org"), 2);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "dyn.example.net"), 1);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "p1.dyn.example.net"), 3);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "good.dyn.example.net"), 4);
    assert_int_equal(name_line(l, GATE_LIST_HELO, "example.net"), 0); /* another kind */
    assert_int_equal(name_line(l, GATE_LIST_RDNS, ""), 0);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "....."), 0);
    lists_free(l);
}

static void patterns_are_asked_when_no_name_fits(void **state)
{
    struct lists *l = one(GATE_LIST_HELO, "/^(ylmf-pc|user)$/\n"
                                          "/^a\\/b # no comment/   # but this is\n"
                                          "user.example.net\n"
                                          "/^user\\./\n");

    (void)state;
    assert_int_equal(name_line(l, GATE_LIST_HELO, "YLMF-PC"), 1);
    assert_int_equal(name_line(l, GATE_LIST_HELO, "a/b # no comment"), 2);
    assert_int_equal(name_line(l, GATE_LIST_HELO, "user.example.net"), 3);
    assert_int_equal(name_line(l, GATE_LIST_HELO, "user.example.com"), 4);
    assert_int_equal(name_line(l, GATE_LIST_HELO, "mx.example.com"), 0);
    lists_free(l);
}

static void a_pattern_that_would_run_for_ever_matches_nothing(void **state)
{
    struct lists *l = one(GATE_LIST_HELO, "/^(a+)+$/\n");
    char name[200];

    (void)state;
    memset(name, 'a', sizeof(name));
    name[198] = '!';
    name[199] = '\0';
    assert_int_equal(name_line(l, GATE_LIST_HELO, name), 0);
    assert_int_equal(name_line(l, GATE_LIST_HELO, "aaaa"), 1);
    lists_free(l);
}

static void a_bad_line_names_file_line_and_column(void **state)
{
    static const struct {
        enum gate_list_what what;
        const char *text, *says;
    } bad[] = {
        { GATE_LIST_ADDRESSES, "192.0.2.1\n  192.0.2.1/24\n", "/etc/serviola/black:2:3: " },
        { GATE_LIST_ADDRESSES, "example.net", ":1:1: this is no address" },
        { GATE_LIST_ADDRESSES, "192.0.2.0/33", ":1:1: " },
        { GATE_LIST_RDNS, "two names", ":1:4: " },
        { GATE_LIST_RDNS, ".", ":1:1: a name has" },
        { GATE_LIST_RDNS, "\n\na.*.b", ":3:3: " },
        { GATE_LIST_HELO, "/abc", ":1:1: a pattern stands" },
        { GATE_LIST_HELO, "/abc/ def", ":1:1: a pattern stands" },
        { GATE_LIST_HELO, "\n/a(b/", ":2:" },
        { GATE_LIST_HELO, "//", ":1:2: a pattern has" },
        { GATE_LIST_RDNS, "exa\033mple.net", ":1:4: " },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct listcompile *c = listcompile_new(NULL);
        struct gate_list l = list("black", bad[i].what, GATE_LIST_REFUSE);
        struct err e = { 0 };

        assert_int_equal(listcompile_add(c, &l, slice_text(bad[i].text), &e), -1);
        if (!strstr(e.text, bad[i].says))
            fail_msg("\"%s\" does not say \"%s\"", e.text, bad[i].says);
        listcompile_free(c);
    }
}

static void empty_lists_hold_nobody(void **state)
{
    struct lists *l = one(GATE_LIST_ADDRESSES, "# nothing\n\n");
    struct list_hit h;

    (void)state;
    assert_int_equal(line_of(l, "192.0.2.1"), 0);
    assert_int_equal(name_line(l, GATE_LIST_RDNS, "a.b"), 0);
    assert_false(lists_have(l, GATE_LIST_ADDRESSES));
    assert_false(lists_addr(NULL, addr("192.0.2.1"), &h));
    assert_int_equal(lists_count(NULL), 0);
    lists_free(l);
}

/* ---- countries ---- */

static struct lists *countries(const char *text, struct err *e)
{
    struct listcompile *c = listcompile_new(NULL);
    struct lists *l = NULL;
    int fd;

    assert_non_null(c);
    if (listcompile_countries(c, "/etc/countries", slice_text(text), e) == 0) {
        fd = listcompile_finish(c, NULL);
        l = lists_map(fd, NULL);
        assert_non_null(l);
        (void)close(fd);
    }
    listcompile_free(c);
    return l;
}

static void assert_country(const struct lists *l, const char *who, const char *country)
{
    struct addr a;

    assert_true(addr_read(slice_text(who), &a));
    assert_int_equal(lists_country(l, a), country ? country[0] << 8 | country[1] : 0);
}

static void a_country_is_found_by_the_longest_prefix_in_three_forms(void **state)
{
    struct lists *l = countries("# pairs\n192.0.2.0/24 ES\n192.0.2.128/25\tpt ; a part\n2001:db8::/32 DE\n"
                                "198.51.100.0/24,FR,FR-75,Paris,\n10.0.0.0/8,,,,\n"
                                "2|ripencc|1700000000|4|19830705|20231115|+0100\nripencc|*|ipv4|*|2|summary\n"
                                "ripencc|RO|ipv4|203.0.113.0|192|20100101|allocated|x\n"
                                "ripencc|RO|asn|64500|1|20100101|allocated|x\nripencc||ipv4|10.0.0.0|256||available|\n"
                                "ripencc|IT|ipv6|2001:db8:7::|48|20100101|assigned|x\n",
                                NULL);

    (void)state;
    assert_non_null(l);
    assert_country(l, "192.0.2.1", "ES");
    assert_country(l, "192.0.2.200", "PT");
    assert_country(l, "2001:db8::1", "DE");
    assert_country(l, "2001:db8:7::1", "IT");
    assert_country(l, "198.51.100.9", "FR");
    assert_country(l, "203.0.113.191", "RO");
    assert_country(l, "203.0.113.192", NULL);
    assert_country(l, "10.0.0.1", NULL);
    assert_country(NULL, "192.0.2.1", NULL);
    lists_free(l);
}

static void a_bad_line_of_countries_is_named(void **state)
{
    static const char *const bad[][2] = {
        { "192.0.2.0/24 ES\n192.0.2.0/24 Spain\n", "/etc/countries:2:14: a country has two letters" },
        { "192.0.2.1/24 ES", "/etc/countries:1:1: this is no address and no prefix" },
        { "192.0.2.0/24", "/etc/countries:1:1: the country is missing" },
        { "\n\nx,ES", "/etc/countries:3:1: this is no address" },
        { "ripencc|ES|ipv4|255.255.255.0|257|2010|allocated", "/etc/countries:1:31: there are not so many" },
        { "ripencc|ES|ipv6|2001:db8::|129|2010|allocated", "/etc/countries:1:28: this is no length" },
        { "ripencc|ES|ipv4|192.0.2.0", "/etc/countries:1:1: a registry's line has seven fields" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err e = { 0 };

        assert_null(countries(bad[i][0], &e));
        if (strncmp(e.text, bad[i][1], strlen(bad[i][1])) != 0)
            fail_msg("%s", e.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_country_is_found_by_the_longest_prefix_in_three_forms),
        cmocka_unit_test(a_bad_line_of_countries_is_named),
        cmocka_unit_test(the_longest_prefix_counts),
        cmocka_unit_test(everything_of_one_family_says_nothing_of_the_other),
        cmocka_unit_test(an_allow_wins_over_others_of_the_same_length),
        cmocka_unit_test(it_agrees_with_a_slow_reader),
        cmocka_unit_test(many_are_found_as_few_are),
        cmocka_unit_test(names_match_by_their_longest_suffix),
        cmocka_unit_test(patterns_are_asked_when_no_name_fits),
        cmocka_unit_test(a_pattern_that_would_run_for_ever_matches_nothing),
        cmocka_unit_test(a_bad_line_names_file_line_and_column),
        cmocka_unit_test(empty_lists_hold_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
