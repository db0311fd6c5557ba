/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nameserver.h"
#include "sense/gate/check.h"
#include "sense/gate/dns.h"
#include "sense/gate/organisation.h"
#include "sense/gate/verdict.h"

struct world {
    struct loop *loop;
    struct ns *ns;
    struct gate_settings *set;
    struct gate_means means;
    struct self self;
    struct addr own;
    struct visit *visit;
    struct verdict verdict;
    bool over;
    unsigned told;
    uint16_t told_kind;
};

static void on_tell(void *ctx, struct event *ev, const struct visit *v)
{
    struct world *w = ctx;

    (void)v;
    w->told++;
    w->told_kind = ev->kind;
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return clock_mono_us();
}

static struct addr addr_of(const char *text)
{
    struct addr a = { 0 };

    assert_true(addr_read(slice_text(text), &a));
    return a;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new(NULL);
    w->ns = ns_new(w->loop);
    w->set = ns_settings(w->ns);
    w->set->listeners_count = 1;
    w->set->listeners[0].listen = (struct key_addrs){ .count = 1, .at = { { .family = 4, .port = 25 } } };
    w->set->listeners[0].checks = (struct gate_policy){ .helo = GATE_REFUSE,
                                                        .rdns = GATE_REFUSE,
                                                        .confirmed = GATE_REFUSE,
                                                        .generic = GATE_REFUSE,
                                                        .dnsbl = GATE_REFUSE,
                                                        .bogus_mx = GATE_REFUSE };
    w->own = addr_of("198.18.0.1");
    w->self = (struct self){ .own = &w->own, .count = 1 };
    w->means = (struct gate_means){ .set = w->set,
                                    .self = &w->self,
                                    .loop = w->loop,
                                    .name = "mx.house.example",
                                    .now_us = now,
                                    .wall_us = now,
                                    .tell = on_tell,
                                    .ctx = w };
    w->means.dns = dns_new(w->loop, w->set, NULL, NULL, NULL);
    assert_non_null(w->means.dns);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    visit_free(w->visit);
    dns_free(w->means.dns);
    ns_free(w->ns);
    loop_free(w->loop);
    free(w->set);
    free(w);
    return 0;
}

static void on_verdict(struct visit *v, const struct verdict *r)
{
    struct world *w = v->means->ctx;

    w->verdict = *r;
    w->over = true;
}

static struct visit *come(struct world *w, const char *peer)
{
    visit_free(w->visit);
    w->visit = visit_new(&w->means, &w->set->listeners[0], addr_of(peer), addr_of("198.18.0.1"));
    return w->visit;
}

/* The verdict at RCPT of a client that says this; NULL: a plain name, a sender of a domain that is good. */
static enum verdict_act go_on(struct world *w, const char *helo, const char *sender)
{
    struct visit *v = w->visit;

    v->helo = strdup(helo ? helo : "client.example");
    v->sender = strdup(sender ? sender : "");
    v->recipient = strdup("somebody@house.example");
    w->over = false;
    verdict_ask(v, STAGE_RCPT, on_verdict);
    ns_run_until(w->loop, &w->over);
    return w->verdict.act;
}

static void expect_words(const struct world *w, enum check_id id, const char *words)
{
    char reason[VISIT_REASON];

    assert_true(text_cstr(reason, sizeof(reason), visit_reason(w->visit, id)));
    assert_string_equal(reason, words);
}

/* A name that leads back, so that only what a test is about decides. */
static void name_client(struct world *w, const char *reverse, const char *name, const char *address)
{
    ns_add(w->ns, reverse, DNS_PTR, name);
    ns_add(w->ns, name, strchr(address, ':') ? DNS_AAAA : DNS_A, address);
}

static void good_client(struct world *w)
{
    name_client(w, "9.9.51.198.in-addr.arpa", "mx.esp.example.com", "198.51.9.9");
    (void)come(w, "198.51.9.9");
}

/* --- self --- */

static void both_ends_tell_a_loop(void **state)
{
    static const struct {
        const char *peer, *local;
        enum found found;
    } cases[] = {
        { "127.0.1.50", "127.0.1.50", FOUND_HIT },        { "127.0.0.1", "127.0.1.50", FOUND_HIT },
        { "198.51.9.9", "127.0.1.50", FOUND_HIT },        { "198.18.0.1", "198.18.0.1", FOUND_HIT },
        { "0.0.0.0", "198.18.0.1", FOUND_HIT },           { "::1", "::1", FOUND_HIT },
        { "::ffff:127.0.1.50", "198.18.0.1", FOUND_HIT }, { "203.0.113.9", "198.18.0.1", FOUND_HIT },
        { "198.51.9.9", "198.18.0.1", FOUND_NOTHING },
    };
    struct world *w = *state;

    w->set->own.count = 1; /* behind a translator */
    assert_true(prefix_read(SLICE("203.0.113.8/31"), &w->set->own.at[0]));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct visit *v = come(w, cases[i].peer);

        v->local = addr_of(cases[i].local);
        w->told = 0;
        check_self.start(v);
        assert_int_equal(v->found[CHECK_SELF], cases[i].found);
        assert_int_equal(w->told, cases[i].found == FOUND_HIT);
    }
    assert_int_equal(w->told_kind, EV_GATE_LOOP_FOUND);
    w->set->listeners[0].listen.at[0] = addr_of("127.0.0.1"); /* for this host's own programs */
    check_self.start(come(w, "127.0.0.1"));
    assert_int_equal(w->visit->found[CHECK_SELF], FOUND_NOTHING);
}

/* --- rdns, confirmed --- */

static void a_client_without_a_name_is_told_from_one_whose_name_is_not_known_now(void **state)
{
    struct world *w = *state;

    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_int_equal(w->visit->rdns, RDNS_NONE);
    expect_words(w, CHECK_RDNS, "198.51.9.1 has no name");

    ns_manner_set(w->ns, "2.9.51.198.in-addr.arpa", NS_SERVFAIL);
    (void)come(w, "198.51.9.2");
    assert_int_not_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_int_equal(w->visit->rdns, RDNS_UNSURE);
    assert_int_equal(w->visit->found[CHECK_RDNS], FOUND_UNSURE);

    ns_manner_set(w->ns, "3.9.51.198.in-addr.arpa", NS_SILENT);
    (void)come(w, "198.51.9.3");
    assert_int_not_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_int_equal(w->visit->found[CHECK_RDNS], FOUND_UNSURE);
    assert_int_equal(w->visit->found[CHECK_CONFIRMED], FOUND_UNSURE);
}

static void a_name_must_lead_back(void **state)
{
    struct world *w = *state;

    name_client(w, "1.9.51.198.in-addr.arpa", "liar.example.com", "198.51.9.200");
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_int_equal(w->visit->rdns, RDNS_UNCONFIRMED);
    expect_words(w, CHECK_CONFIRMED, "liar.example.com does not lead to 198.51.9.1");
    assert_null(w->visit->organisation);

    ns_add(w->ns, "2.9.51.198.in-addr.arpa", DNS_PTR, "slow.example.com");
    ns_manner_set(w->ns, "slow.example.com", NS_SERVFAIL);
    (void)come(w, "198.51.9.2");
    assert_int_not_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_int_equal(w->visit->rdns, RDNS_UNSURE);
}

static void one_of_fifty_addresses_is_enough_and_so_is_one_of_several_names(void **state)
{
    static char many[50][32];
    struct world *w = *state;

    ns_add(w->ns, "1.9.51.198.in-addr.arpa", DNS_PTR, "liar.example.com");
    ns_add(w->ns, "1.9.51.198.in-addr.arpa", DNS_PTR, "Farm.Example.CO.UK");
    for (int i = 0; i < 50; i++) {
        (void)snprintf(many[i], sizeof(many[i]), "198.51.9.%d", 50 - i);
        ns_add(w->ns, "farm.example.co.uk", DNS_A, many[i]);
    }
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
    assert_int_equal(w->visit->rdns, RDNS_CONFIRMED);
    assert_string_equal(w->visit->rdns_name, "Farm.Example.CO.UK");
    assert_string_equal(w->visit->organisation, "example.co.uk");
}

static void an_address_of_ipv6_is_confirmed_and_a_name_may_be_an_alias(void **state)
{
    struct world *w = *state;
    char reverse[DNS_NAME];

    assert_true(dns_reverse_name(addr_of("2a0a::19"), SLICE(""), reverse, sizeof(reverse)));
    name_client(w, reverse, "six.example.com", "2a0a::19");
    (void)come(w, "2a0a::19");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
    assert_string_equal(w->visit->organisation, "example.com");

    ns_alias(w->ns, "1.9.51.198.in-addr.arpa", "1.0-31.9.51.198.in-addr.arpa"); /* RFC 2317 */
    name_client(w, "1.0-31.9.51.198.in-addr.arpa", "alias.example.com", "198.51.9.1");
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
}

static void a_thousand_names_are_not_all_asked_for(void **state)
{
    static char names[1000][32];
    struct world *w = *state;

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "h%d.example.com", i);
        ns_add(w->ns, "1.9.51.198.in-addr.arpa", DNS_PTR, names[i]);
    }
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_true(w->ns->asked < 20);
}

static void control_bytes_of_a_name_reach_no_reason(void **state)
{
    struct world *w = *state;

    ns_add(w->ns, "1.9.51.198.in-addr.arpa", DNS_PTR, "a\r\n250 ok\x1b[2J.example.com");
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    expect_words(w, CHECK_CONFIRMED, "a??250?ok?[2J.example.com does not lead to 198.51.9.1");
}

static void a_client_may_leave_while_questions_are_out(void **state)
{
    struct world *w = *state;
    struct visit *v = come(w, "198.51.9.1");

    w->ns->dead = true;
    v->helo = strdup("x");
    v->sender = strdup("a@b.example");
    verdict_ask(v, STAGE_RCPT, on_verdict);
    visit_free(v);
    w->visit = NULL;
    assert_false(w->over);
    assert_true(dns_in_flight(w->means.dns) > 0);
}

/* --- generic --- */

static void a_generic_name_is_said_with_what_it_holds(void **state)
{
    struct world *w = *state;

    name_client(w, "1.9.51.198.in-addr.arpa", "1-9-51-198.dsl.isp.example.com", "198.51.9.1");
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    expect_words(w, CHECK_GENERIC, "1-9-51-198.dsl.isp.example.com holds its address reversed and says dsl");

    name_client(w, "2.9.51.198.in-addr.arpa", "static-198-51-9-2.isp.example.com", "198.51.9.2");
    (void)come(w, "198.51.9.2");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);

    w->set->generic_exempt.count = 1;
    assert_true(prefix_read(SLICE("198.51.9.0/24"), &w->set->generic_exempt.at[0]));
    (void)come(w, "198.51.9.1");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
}

/* --- dnsbl --- */

static void add_list(struct world *w, const char *zone, int64_t weight)
{
    struct gate_dnsbl *l = &w->set->dnsbls[w->set->dnsbls_count++];

    l->weight = (uint64_t)(weight < 0 ? -weight : weight);
    l->good = weight < 0;
    assert_true(text_cstr(l->zone, sizeof(l->zone), slice_text(zone)));
    w->set->dnsbl_from = 100;
}

static void lists_are_weighed(void **state)
{
    struct world *w = *state;

    add_list(w, "black.example", 60);
    add_list(w, "grey.example", 50);
    add_list(w, "white.example", -200);
    ns_add(w->ns, "9.9.51.198.black.example", DNS_A, "127.0.0.2");
    good_client(w);
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
    assert_int_equal(w->visit->found[CHECK_DNSBL], FOUND_NOTHING);

    name_client(w, "8.9.51.198.in-addr.arpa", "m8.esp.example.com", "198.51.9.8");
    ns_add(w->ns, "8.9.51.198.black.example", DNS_A, "127.0.0.2");
    ns_add(w->ns, "8.9.51.198.grey.example", DNS_A, "127.0.0.4");
    (void)come(w, "198.51.9.8");
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_REFUSE);
    assert_int_equal(w->verdict.by, CHECK_DNSBL);

    ns_add(w->ns, "7.9.51.198.black.example", DNS_A, "127.0.0.2");
    ns_add(w->ns, "7.9.51.198.white.example", DNS_A, "127.0.9.3");
    (void)come(w, "198.51.9.7");
    (void)go_on(w, NULL, NULL);
    assert_int_equal(w->visit->found[CHECK_DNSBL], FOUND_GOOD);
}

static void answers_that_are_no_listing_do_not_count(void **state)
{
    struct world *w = *state;

    add_list(w, "black.example", 100);
    add_list(w, "some.example", 100);
    w->set->dnsbls[1].is.count = 1;
    assert_true(prefix_read(SLICE("127.0.0.2/32"), &w->set->dnsbls[1].is.at[0]));
    ns_add(w->ns, "9.9.51.198.black.example", DNS_A, "127.255.255.254"); /* "you ask through a public resolver" */
    ns_add(w->ns, "9.9.51.198.black.example", DNS_A, "203.0.113.80");    /* the domain was sold */
    ns_add(w->ns, "9.9.51.198.some.example", DNS_A, "127.0.0.10");
    good_client(w);
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
    ns_manner_set(w->ns, "9.9.51.198.dead.example", NS_SERVFAIL);
    add_list(w, "dead.example", 100);
    good_client(w);
    assert_int_equal(go_on(w, NULL, NULL), VERDICT_PASS);
    expect_words(w, CHECK_DNSBL, "dead.example does not answer");
}

/* --- helo --- */

static void our_name_and_our_address_are_not_the_clients(void **state)
{
    static const struct {
        const char *helo;
        enum found found;
    } cases[] = {
        { "MX.house.example.", FOUND_HIT },
        { "[198.18.0.1]", FOUND_HIT },
        { "198.18.0.1", FOUND_HIT },
        { "[127.0.1.50]", FOUND_HIT },
        { "[IPv6:::1]", FOUND_HIT },
        { "[IPv6:::ffff:198.18.0.1]", FOUND_HIT },
        { "mx.house.example.com", FOUND_NOTHING },
        { "[198.51.9.9]", FOUND_NOTHING },
        { "no host\tname", FOUND_NOTHING },
        { "", FOUND_NOTHING },
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        good_client(w);
        assert_int_equal(go_on(w, cases[i].helo, NULL), cases[i].found == FOUND_HIT ? VERDICT_REFUSE : VERDICT_PASS);
        assert_int_equal(w->visit->found[CHECK_HELO], cases[i].found);
    }
}

/* --- bogus_mx: cases 5, 6, 7 --- */

static enum verdict_act send_from(struct world *w, const char *sender)
{
    good_client(w);
    return go_on(w, NULL, sender);
}

static void mail_whose_bounce_would_come_to_ourselves_is_refused(void **state)
{
    static const char *const bad[] = {
        "127.0.1.50",       "127.255.255.254", "10.1.2.3",    "172.16.0.1", "192.168.1.1",
        "100.64.0.1",       "0.0.0.0",         "169.254.1.1", "224.0.0.1",  "192.0.2.1",
        "255.255.255.255",  "240.0.0.1",       "198.18.0.1",  "::1",        "::",
        "::ffff:127.0.0.1", "fe80::1",         "fc00::1",     "ff02::1",    "2001:db8::1",
        "64:ff9b::7f00:1",  "2002:7f00:1::1",  "::127.0.0.1"
    };
    static char domains[64][32], servers[64][32];
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char sender[64];
        enum dns_kind kind = strchr(bad[i], ':') ? DNS_AAAA : DNS_A;

        (void)snprintf(domains[i], 32, "evil%zu.example", i);
        (void)snprintf(servers[i], 32, "mx.evil%zu.example", i);
        ns_add(w->ns, domains[i], DNS_MX, servers[i]);
        ns_add(w->ns, servers[i], kind, bad[i]);
        (void)snprintf(sender, sizeof(sender), "x@%s", domains[i]);
        if (send_from(w, sender) != VERDICT_REFUSE)
            fail_msg("%s was let through", bad[i]);
        assert_int_equal(w->verdict.by, CHECK_BOGUS_MX);
        assert_int_equal(w->verdict.code, 550);
        (void)snprintf(sender, sizeof(sender), "x@%s", servers[i]); /* without an MX: the domain's own address */
        assert_int_equal(send_from(w, sender), VERDICT_REFUSE);
    }
    assert_int_equal(w->told_kind, EV_GATE_BOGUS_MX);
    (void)send_from(w, "x@evil0.example");
    expect_words(w, CHECK_BOGUS_MX, "the mail server of evil0.example, mx.evil0.example, is at 127.0.1.50, loopback");
    assert_non_null(strstr(w->verdict.text, "127.0.1.50"));
}

static void neither_an_alias_nor_a_literal_nor_a_number_hides_it(void **state)
{
    static const char *const bad[] = {
        "x@alias.example", "x@numbers.example",    "x@[127.0.0.1]", "x@[IPv6:::1]", "x@[10.0.0.1]", "x@[what]", "x@",
        "x@a..b",          "\"a@b\"@alias.example"
    };
    struct world *w = *state;

    ns_add(w->ns, "alias.example", DNS_MX, "hop.example");
    ns_alias(w->ns, "hop.example", "end.example");
    ns_add(w->ns, "end.example", DNS_A, "127.0.0.1");
    ns_add(w->ns, "numbers.example", DNS_MX, "127.0.1.50");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (send_from(w, bad[i]) != VERDICT_REFUSE)
            fail_msg("%s was let through", bad[i]);
    assert_int_equal(send_from(w, "x@[198.51.9.9]"), VERDICT_PASS);
}

static void a_good_place_is_enough(void **state)
{
    struct world *w = *state;

    ns_add(w->ns, "half.example", DNS_MX, "bad.example");
    ns_add(w->ns, "half.example", DNS_MX, "good.example");
    ns_add(w->ns, "bad.example", DNS_A, "127.0.0.1");
    ns_add(w->ns, "good.example", DNS_AAAA, "2a0a::25");
    assert_int_equal(send_from(w, "x@half.example"), VERDICT_PASS);
    expect_words(w, CHECK_BOGUS_MX,
                 "the mail server of half.example, bad.example, is at 127.0.0.1, loopback; others are good");
    assert_int_equal(send_from(w, "x@good.example"), VERDICT_PASS);
    assert_int_equal(send_from(w, ""), VERDICT_PASS);
    assert_int_equal(send_from(w, "postmaster"), VERDICT_PASS);
}

static void our_own_domain_passes_whatever_our_name_resolves_to(void **state)
{
    struct world *w = *state;

    ns_add(w->ns, "house.example", DNS_MX, "MX.House.example");
    ns_add(w->ns, "mx.house.example", DNS_A, "127.0.1.1");
    assert_int_equal(send_from(w, "x@house.example"), VERDICT_PASS);
    assert_int_equal(send_from(w, "x@mx.house.example"), VERDICT_PASS);
    ns_add(w->ns, "evil.example", DNS_MX, "other.evil.example");
    ns_add(w->ns, "other.evil.example", DNS_A, "198.18.0.1");
    assert_int_equal(send_from(w, "x@evil.example"), VERDICT_REFUSE);
}

static void an_error_defers_and_nothing_at_all_refuses(void **state)
{
    struct world *w = *state;

    ns_manner_set(w->ns, "broken.example", NS_SERVFAIL);
    ns_manner_set(w->ns, "silent.example", NS_SILENT);
    assert_int_equal(send_from(w, "x@broken.example"), VERDICT_DEFER);
    assert_int_equal(w->verdict.code, 451);
    assert_int_equal(send_from(w, "x@silent.example"), VERDICT_DEFER);
    assert_int_equal(send_from(w, "x@nobody.example"), VERDICT_REFUSE);
    expect_words(w, CHECK_BOGUS_MX, "no such domain: nobody.example");
    ns_add_slice(w->ns, "null.example", dns_type(DNS_MX), 0, SLICE(""));
    assert_int_equal(send_from(w, "x@null.example"), VERDICT_REFUSE);
    expect_words(w, CHECK_BOGUS_MX, "null.example says that it takes no mail (null MX)");
    ns_add(w->ns, "lost.example", DNS_MX, "nowhere.example");
    assert_int_equal(send_from(w, "x@lost.example"), VERDICT_REFUSE);
    ns_add(w->ns, "shaky.example", DNS_MX, "bad.example");
    ns_add(w->ns, "shaky.example", DNS_MX, "broken.example");
    ns_add(w->ns, "bad.example", DNS_A, "127.0.0.1");
    assert_int_equal(send_from(w, "x@shaky.example"), VERDICT_DEFER);
}

static void organisations_are_those_that_somebody_registered(void **state)
{
    static const struct {
        const char *name, *organisation;
    } cases[] = {
        { "mx1.mail.example.co.uk", "example.co.uk" },
        { "Example.COM.", "example.com" },
        { "com", NULL },
        { "co.uk", NULL },
        { "", NULL },
        { "a..b", NULL },
        { "a\x1b.com", NULL },
    };
    char buffer[DNS_NAME];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool there = organisation_of(slice_text(cases[i].name), buffer, sizeof(buffer));

        assert_int_equal(there, cases[i].organisation != NULL);
        if (there)
            assert_string_equal(buffer, cases[i].organisation);
    }
}

int main(void)
{
#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(both_ends_tell_a_loop),
        IN_A_WORLD(a_client_without_a_name_is_told_from_one_whose_name_is_not_known_now),
        IN_A_WORLD(a_name_must_lead_back),
        IN_A_WORLD(one_of_fifty_addresses_is_enough_and_so_is_one_of_several_names),
        IN_A_WORLD(an_address_of_ipv6_is_confirmed_and_a_name_may_be_an_alias),
        IN_A_WORLD(a_thousand_names_are_not_all_asked_for),
        IN_A_WORLD(control_bytes_of_a_name_reach_no_reason),
        IN_A_WORLD(a_client_may_leave_while_questions_are_out),
        IN_A_WORLD(a_generic_name_is_said_with_what_it_holds),
        IN_A_WORLD(lists_are_weighed),
        IN_A_WORLD(answers_that_are_no_listing_do_not_count),
        IN_A_WORLD(our_name_and_our_address_are_not_the_clients),
        IN_A_WORLD(mail_whose_bounce_would_come_to_ourselves_is_refused),
        IN_A_WORLD(neither_an_alias_nor_a_literal_nor_a_number_hides_it),
        IN_A_WORLD(a_good_place_is_enough),
        IN_A_WORLD(our_own_domain_passes_whatever_our_name_resolves_to),
        IN_A_WORLD(an_error_defers_and_nothing_at_all_refuses),
        cmocka_unit_test(organisations_are_those_that_somebody_registered),
    };

    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
