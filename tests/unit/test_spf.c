/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nameserver.h"
#include "sense/gate/spf.h"
#include "wire/spf.h"

/* --- the record and its macros --- */

static void terms_are_read_one_by_one(void **state)
{
    static const char record[] = "v=SPF1 a +mx:m.example/24//64 ip4:192.0.2.0/24 ?ip6:2001:db8::/32 ~include:i.example "
                                 "exists:%{i}.x.example ptr redirect=r.example exp=e.example un-known_1.x=y -all";
    static const struct {
        enum spf_what what;
        char qualifier;
        const char *domain;
    } terms[] = {
        { SPF_A, '+', "" },
        { SPF_MX, '+', "m.example" },
        { SPF_IP, '+', "" },
        { SPF_IP, '?', "" },
        { SPF_INCLUDE, '~', "i.example" },
        { SPF_EXISTS, '+', "%{i}.x.example" },
        { SPF_PTR, '+', "" },
        { SPF_REDIRECT, '+', "r.example" },
        { SPF_OTHER, '+', "" },
        { SPF_OTHER, '+', "" },
        { SPF_ALL, '-', "" },
    };
    struct slice rest;
    struct spf_term t;

    (void)state;
    assert_true(spf_begin(slice_text(record), &rest));
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
        assert_int_equal(spf_next(&rest, &t), 1);
        assert_int_equal(t.what, terms[i].what);
        assert_int_equal(t.qualifier, terms[i].qualifier);
        assert_true(slice_eq(t.domain, slice_text(terms[i].domain)));
        if (t.what == SPF_MX) {
            assert_int_equal(t.bits4, 24);
            assert_int_equal(t.bits6, 64);
        }
    }
    assert_int_equal(spf_next(&rest, &t), 0);
    assert_false(spf_begin(SLICE("v=spf10 all"), &rest));
    assert_false(spf_begin(SLICE(" v=spf1 all"), &rest));
    assert_true(spf_begin(SLICE("v=spf1"), &rest));
}

static void malformed_terms_are_no_terms(void **state)
{
    static const char *const bad[] = {
        "all:x",         "include", "include:", "ip4:",   "ip4:1.2.3", "ip4:1.2.3.4/33", "ip4:2001:db8::1",
        "ip6:192.0.2.1", "a:",      "a/33",     "a//129", "a/",        "mx:x//",         "nothing",
        "redirect=",     "1x=y",    "=",        "-",      "+:",        "exists"
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slice rest = slice_text(bad[i]);
        struct spf_term t;

        if (spf_next(&rest, &t) != -1)
            fail_msg("%s was taken", bad[i]);
    }
}

/* The examples of RFC 7208 section 7.4. */
static void macros_become_what_the_rfc_says(void **state)
{
    static const struct {
        const char *spec, *name;
    } cases[] = {
        { "%{s}", "strong-bad@email.example.com" },
        { "%{o}", "email.example.com" },
        { "%{d}", "email.example.com" },
        { "%{d4}", "email.example.com" },
        { "%{d2}", "example.com" },
        { "%{dr}", "com.example.email" },
        { "%{d2r}", "example.email" },
        { "%{l}", "strong-bad" },
        { "%{l-}", "strong.bad" },
        { "%{lr-}", "bad.strong" },
        { "%{l1r-}", "strong" },
        { "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
        { "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
        { "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com" },
        { "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net" },
        { "%{", NULL },
        { "%{x}", NULL },
        { "%", NULL },
        { "%a", NULL },
        { "%{d0}", NULL },
        { "%{d2x}", NULL },
        { "%{}", NULL },
        { "a%_b.example", NULL },
        { "", NULL },
    };
    struct spf_facts f = { .sender = SLICE("strong-bad@email.example.com"),
                           .domain = SLICE("email.example.com"),
                           .who = addr_v4(0xc0000203, 0) };
    char name[DNS_NAME];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool good = spf_expand(slice_text(cases[i].spec), &f, name, sizeof(name));

        assert_int_equal(good, cases[i].name != NULL);
        if (good)
            assert_string_equal(name, cases[i].name);
    }
    assert_true(addr_read(SLICE("2001:db8::cb01"), &f.who));
    assert_true(spf_expand(SLICE("%{ir}.%{v}"), &f, name, sizeof(name)));
    assert_string_equal(name, "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6");
}

/* --- with a name server --- */

struct world {
    struct loop *loop;
    struct ns *ns;
    struct gate_settings *set;
    struct dns *dns;
    bool over;
    unsigned times;
    enum spf_result result;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new(NULL);
    w->ns = ns_new(w->loop);
    w->set = ns_settings(w->ns);
    w->dns = dns_new(w->loop, w->set, NULL, NULL, NULL);
    assert_non_null(w->dns);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    dns_free(w->dns);
    ns_free(w->ns);
    loop_free(w->loop);
    free(w->set);
    free(w);
    return 0;
}

static void on_result(void *ctx, enum spf_result r)
{
    struct world *w = ctx;

    w->over = true;
    w->times++;
    w->result = r;
}

static void expect(struct world *w, const char *who, const char *sender, enum spf_result r)
{
    struct addr a = { 0 };

    assert_true(addr_read(slice_text(who), &a));
    for (int i = 0; i < 2; i++) { /* the second time from the cache */
        w->over = false;
        w->times = 0;
        (void)spf_ask(w->dns, a, slice_text(sender), SLICE("helo.example"), on_result, w);
        ns_run_until(w->loop, &w->over);
        assert_int_equal(w->times, 1);
        if (w->result != r)
            fail_msg("%s for %s: %s", who, sender, spf_words(w->result));
    }
}

static void a_record_says_who_may_send(void **state)
{
    struct world *w = *state;

    ns_add(w->ns, "d.example", DNS_TXT, "some other text");
    ns_add(w->ns, "d.example", DNS_TXT, "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8:1::/48 a:web.example mx -all");
    ns_add(w->ns, "web.example", DNS_A, "198.51.100.1");
    ns_add(w->ns, "web.example", DNS_AAAA, "2001:db8:2::1");
    ns_add(w->ns, "d.example", DNS_MX, "m1.example");
    ns_add(w->ns, "d.example", DNS_MX, "m2.example");
    ns_add(w->ns, "m1.example", DNS_A, "198.51.100.2");
    ns_add(w->ns, "m2.example", DNS_A, "198.51.100.3");
    expect(w, "192.0.2.77", "a@d.example", SPF_PASS);
    expect(w, "2001:db8:1:9::1", "a@d.example", SPF_PASS);
    expect(w, "198.51.100.1", "a@d.example", SPF_PASS);
    expect(w, "2001:db8:2::1", "a@d.example", SPF_PASS);
    expect(w, "198.51.100.3", "a@d.example", SPF_PASS);
    expect(w, "198.51.100.4", "a@d.example", SPF_FAIL);
    expect(w, "192.0.2.77", "a@nobody.example", SPF_NONE);
    ns_add(w->ns, "helo.example", DNS_TXT, "v=spf1 ip4:203.0.113.1 ?all");
    expect(w, "203.0.113.1", "", SPF_PASS);
    expect(w, "203.0.113.2", "", SPF_NEUTRAL);
}

static void includes_and_redirects_lead_on(void **state)
{
    struct world *w = *state;

    ns_add(w->ns, "d.example", DNS_TXT, "v=spf1 include:one.example include:two.example ~all");
    ns_add(w->ns, "one.example", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all");
    ns_add(w->ns, "two.example", DNS_TXT, "v=spf1 redirect=three.example");
    ns_add(w->ns, "three.example", DNS_TXT, "v=spf1 exists:%{ir}.%{l}.x.example -all");
    ns_add(w->ns, "2.2.0.192.a.x.example", DNS_A, "127.0.0.2");
    expect(w, "192.0.2.1", "a@d.example", SPF_PASS);
    expect(w, "192.0.2.2", "a@d.example", SPF_PASS);
    expect(w, "192.0.2.2", "b@d.example", SPF_SOFTFAIL);
    ns_add(w->ns, "lost.example", DNS_TXT, "v=spf1 include:nobody.example +all");
    expect(w, "192.0.2.1", "a@lost.example", SPF_PERMERROR);
    ns_add(w->ns, "gone.example", DNS_TXT, "v=spf1 redirect=nobody.example");
    expect(w, "192.0.2.1", "a@gone.example", SPF_PERMERROR);
    ns_manner_set(w->ns, "broken.example", NS_SERVFAIL);
    expect(w, "192.0.2.1", "a@broken.example", SPF_TEMPERROR);
    ns_add(w->ns, "shaky.example", DNS_TXT, "v=spf1 include:broken.example +all");
    expect(w, "192.0.2.1", "a@shaky.example", SPF_TEMPERROR);
}

static void questions_are_bounded(void **state)
{
    static char names[20][32], records[20][64];
    struct world *w = *state;

    ns_add(w->ns, "round.example", DNS_TXT, "v=spf1 include:round.example -all");
    expect(w, "192.0.2.1", "a@round.example", SPF_PERMERROR);
    ns_add(w->ns, "turn.example", DNS_TXT, "v=spf1 redirect=turn.example");
    expect(w, "192.0.2.1", "a@turn.example", SPF_PERMERROR);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "c%d.example", i);
        (void)snprintf(records[i], sizeof(records[i]), "v=spf1 include:c%d.example", i + 1);
        ns_add(w->ns, names[i], DNS_TXT, records[i]);
    }
    w->ns->asked = 0;
    expect(w, "192.0.2.1", "a@c0.example", SPF_PERMERROR);
    assert_true(w->ns->asked <= 11);
    ns_add(w->ns, "void.example", DNS_TXT, "v=spf1 a:v1.example a:v2.example a:v3.example +all");
    expect(w, "192.0.2.1", "a@void.example", SPF_PERMERROR);
    ns_add(w->ns, "two.example", DNS_TXT, "v=spf1 -all");
    ns_add(w->ns, "two.example", DNS_TXT, "v=spf1 +all");
    expect(w, "192.0.2.1", "a@two.example", SPF_PERMERROR);
}

static void who_asked_may_leave(void **state)
{
    struct world *w = *state;
    struct spf_ask *s;

    w->ns->dead = true;
    s = spf_ask(w->dns, addr_v4(0xc0000201, 0), SLICE("a@d.example"), SLICE("x"), on_result, w);
    assert_non_null(s);
    spf_drop(s);
    spf_drop(NULL);
    assert_false(w->over);
}

int main(void)
{
#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_read_one_by_one),
        cmocka_unit_test(malformed_terms_are_no_terms),
        cmocka_unit_test(macros_become_what_the_rfc_says),
        IN_A_WORLD(a_record_says_who_may_send),
        IN_A_WORLD(includes_and_redirects_lead_on),
        IN_A_WORLD(questions_are_bounded),
        IN_A_WORLD(who_asked_may_leave),
    };

    return cmocka_run_group_tests_name("spf", tests, NULL, NULL);
}
