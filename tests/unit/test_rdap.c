/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a registry says of a domain, and which questions can be asked at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "sense/watch/services/target.h"
#include "wire/rdap.h"

#define AUGUST_2027 1819598400000000LL /* the 30th, 04:00 UTC */

static const char org[] =
    "{\"rdapConformance\":[\"rdap_level_0\"],\"notices\":[{\"links\":[{\"href\":\"https:\\/\\/icann.org\\/epp\"}]}],"
    "\"ldhName\":\"EXAMPLE.ORG\",\"nameservers\":[{\"ldhName\":\"A.IANA-SERVERS.NET\",\"status\":[\"redemption "
    "period\"]}],"
    "\"secureDNS\":{\"delegationSigned\":true,\"dsData\":[{\"keyTag\":370}]},\"entities\":[{\"vcardArray\":[\"vcard\","
    "[[\"fn\",{},\"text\",\"ICANN \\\"]}\\\\\"]]],\"events\":[{\"eventAction\":\"expiration\",\"eventDate\":"
    "\"1999-01-01T00:00:00Z\"}]}],\"status\":[\"server delete prohibited\"],\n \"events\" : [ {\"eventAction\":"
    "\"registration\",\"eventDate\":\"1995-08-31T04:00:00Z\"}, {\"eventAction\":\"expiration\",\"eventDate\":"
    "\"2027-08-30T04:00:00Z\"} ],\"objectClassName\":\"domain\"}\r\n";

static bool reads(const char *text, struct rdap *r)
{
    return rdap_read(slice_text(text), r);
}

static void the_end_of_the_domain_is_found_and_not_that_of_its_registrar(void **state)
{
    struct rdap r;

    (void)state;
    assert_true(reads(org, &r));
    assert_true(slice_eq(r.name, SLICE("EXAMPLE.ORG")));
    assert_true(r.ends);
    assert_int_equal(r.ends_us, AUGUST_2027);
    assert_false(r.to_be_deleted); /* that was a name server's */
}

static void a_part_of_an_answer_is_none(void **state)
{
    struct rdap r;

    (void)state;
    for (size_t n = 0; n < sizeof(org) - 3; n++)
        assert_false(rdap_read(slice_of(org, n), &r));
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const none[] = {
        "",          "[]",    "null",      "{",   "{}x",   "{\"a\"}",       "{\"a\":}",       "{\"a\":1,}",
        "{\"a\" 1}", "{a:1}", "{\"a\":]}", "{,}", "{} {}", "<html></html>", "{\"events\":[}", "{\"events\":[{]}"
    };
    struct rdap r;

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (reads(none[i], &r))
            fail_msg("%s", none[i]);
    assert_false(rdap_read(SLICE("{}\0"), &r));
    assert_true(reads(" { } ", &r));
    assert_true(reads("{\"a\":-1.5e3,\"b\":true,\"c\":null,\"events\":null,\"status\":7,\"ldhName\":{}}", &r));
    assert_false(r.ends);
    assert_int_equal(r.name.len, 0);
}

static void dates_are_taken_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *date;
        bool good;
    } dates[] = { { "2027-08-30T04:00:00Z", true },
                  { "2027-08-30T04:00:00.000Z", true },
                  { "2027-08-30T06:00:00+02:00", true },
                  { "2027-08-30T04:00:00Zjunk", false },
                  { "2027-13-30T04:00:00Z", false },
                  { "soon", false },
                  { "", false },
                  { "Aug 30 04:00:00", false } };
    struct rdap r;

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[200] = "{\"events\":[{\"eventAction\":\"Expiration\",\"eventDate\":\"";

        strcat(strcat(text, dates[i].date), "\"}]}");
        assert_true(reads(text, &r));
        if (r.ends != dates[i].good || (r.ends && r.ends_us != AUGUST_2027))
            fail_msg("%s", dates[i].date);
    }
}

static void a_domain_that_is_about_to_be_deleted_says_so(void **state)
{
    struct rdap r;

    (void)state;
    assert_true(reads("{\"status\":[\"client hold\",\"pending delete\"]}", &r));
    assert_true(r.to_be_deleted);
    assert_true(reads("{\"status\":[\"active\",[],{}]}", &r));
    assert_false(r.to_be_deleted);
}

static void depth_costs_nothing(void **state)
{
    static char deep[200000];
    struct rdap r;

    (void)state;
    memcpy(deep, "{\"a\":", 5);
    memset(deep + 5, '[', 90000);
    memset(deep + 90005, ']', 90000);
    deep[180005] = '}';
    assert_true(reads(deep, &r));
    deep[180004] = ' ';
    assert_false(reads(deep, &r));
}

static bool can_be_asked(const char *name, const char *domain, const char *rdap)
{
    struct watched_domain d = { 0 };
    struct service s;
    struct target t;
    struct err e;

    strcpy(d.name, name);
    strcpy(d.domain, domain);
    strcpy(d.rdap, rdap);
    return watched_domain_service(&d, &s, &e) && target_read(&s, &t, &e);
}

static void only_a_domain_and_a_url_can_be_asked(void **state)
{
    (void)state;
    assert_true(can_be_asked("example.org", "", "https://rdap.org/domain/"));
    assert_true(can_be_asked("ours", "example.org", "https://rdap.org:8443/domain"));
    assert_true(can_be_asked("xn--bcher-kva.example", "", "http://127.0.0.1:8080/"));
    assert_false(can_be_asked("ours", "", "https://rdap.org/domain/"));
    assert_false(can_be_asked("../example.org", "", "https://rdap.org/domain/"));
    assert_false(can_be_asked("example.org?x=y", "", "https://rdap.org/domain/"));
    assert_false(can_be_asked("example.org", "", "rdap.org/domain/"));
    assert_false(can_be_asked("example.org", "", "ftp://rdap.org/"));
    assert_false(can_be_asked("example.org", "", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_the_domain_is_found_and_not_that_of_its_registrar),
        cmocka_unit_test(a_part_of_an_answer_is_none),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(dates_are_taken_whole_or_not_at_all),
        cmocka_unit_test(a_domain_that_is_about_to_be_deleted_says_so),
        cmocka_unit_test(depth_costs_nothing),
        cmocka_unit_test(only_a_domain_and_a_url_can_be_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
