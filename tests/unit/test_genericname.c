/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/genericname.h"

struct example {
    const char *address, *name;
};

static enum generic judge(struct example x, struct generic_hit *hit)
{
    struct addr who;

    assert_true(addr_read(slice_text(x.address), &who));
    return generic_name(slice_text(x.name), who, hit);
}

static void expect_all(const struct example *at, size_t count, enum generic kind)
{
    for (size_t i = 0; i < count; i++) {
        struct generic_hit hit;

        if (judge(at[i], &hit) != kind)
            fail_msg("%s of %s is judged %d", at[i].name, at[i].address, judge(at[i], &hit));
    }
}
#define EXPECT_ALL(examples, kind) expect_all(examples, sizeof(examples) / sizeof(examples[0]), kind)

static void an_address_in_the_name_is_seen_however_it_is_spelt(void **state)
{
    static const struct example made[] = {
        { "1.2.3.4", "4-3-2-1.dsl.isp.test" },       { "1.2.3.4", "1.2.3.4.dyn" },
        { "1.2.3.4", "c-1-2-3-4.isp.test" },         { "1.2.3.4", "host1x2x3x4.isp.test" },
        { "1.2.3.4", "ip_4_3_2_1.isp.test" },        { "1.2.3.4", "001-002-003-004.isp.test" },
        { "1.2.3.4", "H001002003004.isp.test" },     { "1.2.3.4", "n004003002001.isp.test" },
        { "192.0.2.77", "host192-0.2-77.isp.test" }, { "192.10.2.77", "a19210277.isp.test" },
        { "1.2.3.4", "x01020304.isp.test" },         { "192.0.2.171", "C00002AB.isp.test" },
        { "192.0.2.171", "ab0200c0.isp.test" },      { "192.0.2.171", "3221226155.isp.test" },
        { "192.0.2.171", "2869035200.isp.test" },
    };
    (void)state;
    EXPECT_ALL(made, GENERIC_YES);
}

static void a_part_of_it_counts_beside_a_word_of_home_lines(void **state)
{
    static const struct example made[] = {
        { "192.0.2.7", "2-7.adsl.isp.test" },       { "192.0.2.7", "pool-7-2.isp.test" },
        { "192.0.2.7", "dhcp-002-007.isp.test" },   { "192.0.12.7", "ppp3079.isp.test" },
        { "192.0.2.7", "ppp-12345.east.isp.test" },
    };
    static const struct example not [] = {
        { "192.0.1.2", "mail-1-2.esp.test" },
        { "192.0.1.2", "a1-2.smtp-out.esp.test" },
        { "192.0.1.2", "h1-2.esp.test" },
        { "192.0.1.2", "pool.example.test" },
    };
    (void)state;
    EXPECT_ALL(made, GENERIC_YES);
    EXPECT_ALL(not, GENERIC_NOT);
}

static void names_that_somebody_chose_pass(void **state)
{
    static const struct example not [] = {
        { "192.0.2.4", "mx4.example" },
        { "192.0.2.2", "generaldynamics.com" },
        { "192.0.2.2", "mail2.generaldynamics.com" },
        { "192.0.2.25", "dynamic-duo.test" },
        { "192.0.2.25", "mail.home.test" },
        { "192.0.2.25", "mail-wm1-f25.provider.test" },
        { "40.107.22.83", "mail-am6eur05on2083.outbound.protection.provider.test" },
        { "192.0.2.25", "o1.email.test" },
        { "192.0.2.25", "cable-tv-news.test" },
        { "192.0.2.25", "" },
        { "192.0.2.25", "-" },
        { "2001:db8::19", "mail.example.test" },
        { "2001:db8::25", "mx25.example.test" },
        { "2001:db8::25", "0025.example.test" },
    };
    (void)state;
    EXPECT_ALL(not, GENERIC_NOT);
}

static void a_fixed_address_or_a_mail_server_may_be_named_so(void **state)
{
    static const struct example owned[] = {
        { "192.0.2.7", "static-192-0-2-7.isp.test" },
        { "192.0.2.7", "7-2-0-192.static.dsl.isp.test" },
        { "192.0.2.7", "mta-192-0-2-7.esp.test" },
        { "192.0.2.7", "192-0-2-7.fixed.isp.test" },
    };
    static const struct example made[] = {
        { "192.0.2.7", "mail.192-0-2-7.dyn.isp.test" },
        { "192.0.2.7", "static-192-0-2-7.pool.isp.test" },
        { "192.0.2.7", "mail-192-0-2-7.cable.isp.test" },
    };
    (void)state;
    EXPECT_ALL(owned, GENERIC_OWNED);
    EXPECT_ALL(made, GENERIC_YES);
}

static void so_is_an_address_of_ipv6(void **state)
{
    static const struct example made[] = {
        { "2001:db8:1:2:a00:27ff:fe12:3456", "2001-db8-1-2-a00-27ff-fe12-3456.isp.test" },
        { "2001:db8:1:2:a00:27ff:fe12:3456", "2001-0db8-0001-0002-0a00-27ff-fe12-3456.isp.test" },
        { "2001:db8:1:2:a00:27ff:fe12:3456", "20010db8000100020a0027fffe123456.isp.test" },
        { "2001:db8:1:2:a00:27ff:fe12:3456",
          "6.5.4.3.2.1.e.f.f.f.7.2.0.0.a.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.isp.test" },
        { "2001:db8:1:2:a00:27ff:fe12:3456", "host-0a0027fffe123456.isp.test" },
        { "2001:db8:1:2:a00:27ff:fe12:3456", "a00-27ff-fe12-3456.isp.test" },
        { "2001:db8::7:8", "2001-db8--7-8.isp.test" },
        { "2001:db8::7", "2001-db8-0-0-0-0-0-7.isp.test" },
    };
    (void)state;
    EXPECT_ALL(made, GENERIC_YES);
}

static void the_verdict_says_what_it_saw(void **state)
{
    struct generic_hit hit;

    (void)state;
    assert_int_equal(judge((struct example){ "1.2.3.4", "4-3-2-1.DSL.isp.test" }, &hit), GENERIC_YES);
    assert_string_equal(hit.how, "its address reversed");
    assert_int_equal(hit.word.len, 3);
    assert_memory_equal(hit.word.at, "DSL", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_in_the_name_is_seen_however_it_is_spelt),
        cmocka_unit_test(a_part_of_it_counts_beside_a_word_of_home_lines),
        cmocka_unit_test(names_that_somebody_chose_pass),
        cmocka_unit_test(a_fixed_address_or_a_mail_server_may_be_named_so),
        cmocka_unit_test(so_is_an_address_of_ipv6),
        cmocka_unit_test(the_verdict_says_what_it_saw),
    };

    return cmocka_run_group_tests_name("genericname", tests, NULL, NULL);
}
