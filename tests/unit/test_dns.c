/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nameserver.h"
#include "sense/gate/dns.h"
#include "sense/gate/dns_cache.h"

struct world {
    struct loop *loop;
    struct ns *ns;
    struct gate_settings *set;
    struct dns *dns;
    unsigned downs, backs;
    struct dns_facts last;
    bool down, back;
};

static void on_changed(void *ctx, struct dns_facts f)
{
    struct world *w = ctx;

    w->last = f;
    w->downs += f.down;
    w->backs += !f.down;
    w->down = f.down;
    w->back = !f.down;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new(NULL);
    w->ns = ns_new(w->loop);
    w->set = ns_settings(w->ns);
    w->dns = dns_new(w->loop, w->set, on_changed, w, NULL);
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

struct heard {
    bool over;
    unsigned times;
    enum dns_code code;
    uint32_t count;
    bool more;
    uint16_t preference;
    char name[DNS_NAME], text[300];
    struct addr addr;
    int64_t at_us;
};

static void on_heard(void *ctx, const struct dns_answer *a)
{
    struct heard *h = ctx;

    h->over = true;
    h->times++;
    h->code = a->code;
    h->count = a->count;
    h->more = a->more;
    h->at_us = clock_mono_us();
    if (a->count == 0)
        return;
    h->preference = a->at[0].preference;
    h->addr = a->at[0].addr;
    assert_true(text_cstr(h->name, sizeof(h->name), a->at[0].name));
    assert_true(text_cstr(h->text, sizeof(h->text), slice_first(a->at[0].text, 299)));
}

static struct heard ask(struct world *w, enum dns_kind kind, const char *name)
{
    struct heard h = { 0 };

    (void)dns_ask(w->dns, kind, slice_text(name), on_heard, &h);
    ns_run_until(w->loop, &h.over);
    assert_int_equal(h.times, 1);
    return h;
}

static void each_kind_of_record_is_read(void **state)
{
    struct world *w = *state;
    struct heard h;
    struct addr a;

    ns_add(w->ns, "host.example", DNS_A, "192.0.2.7");
    ns_add(w->ns, "host.example", DNS_AAAA, "2001:db8::7");
    ns_add(w->ns, "host.example", DNS_TXT, "v=spf1 -all");
    ns_add_slice(w->ns, "host.example", dns_type(DNS_MX), 20, SLICE("far.example"));
    ns_add_slice(w->ns, "host.example", dns_type(DNS_MX), 5, SLICE("near.example"));
    ns_add(w->ns, "7.2.0.192.in-addr.arpa", DNS_PTR, "host.example");

    h = ask(w, DNS_A, "HOST.example.");
    assert_true(addr_read(SLICE("192.0.2.7"), &a));
    assert_int_equal(h.code, DNS_FOUND);
    assert_true(addr_eq(h.addr, a));
    h = ask(w, DNS_AAAA, "host.example");
    assert_true(addr_read(SLICE("2001:db8::7"), &a));
    assert_true(addr_eq(h.addr, a));
    assert_string_equal(ask(w, DNS_TXT, "host.example").text, "v=spf1 -all");
    h = ask(w, DNS_MX, "host.example");
    assert_int_equal(h.count, 2);
    assert_int_equal(h.preference, 5);
    assert_string_equal(h.name, "near.example");
    assert_int_equal(ask(w, DNS_PTR, "host.example").code, DNS_NOTHING);
    assert_int_equal(ask(w, DNS_A, "nobody.example").code, DNS_NO_NAME);

    h = (struct heard){ 0 };
    (void)dns_ask_ptr(w->dns, addr_v4(0xc0000207, 25), on_heard, &h);
    ns_run_until(w->loop, &h.over);
    assert_string_equal(h.name, "host.example");
}

static void aliases_are_followed(void **state)
{
    struct world *w = *state;

    ns_alias(w->ns, "7.2.0.192.in-addr.arpa", "7.0-15.2.0.192.in-addr.arpa"); /* RFC 2317 */
    ns_add(w->ns, "7.0-15.2.0.192.in-addr.arpa", DNS_PTR, "host.example");
    assert_string_equal(ask(w, DNS_PTR, "7.2.0.192.in-addr.arpa").name, "host.example");
    ns_alias(w->ns, "round.example", "round.example");
    w->ns->record[w->ns->count - 1].value = SLICE("about.example");
    ns_alias(w->ns, "about.example", "nowhere.example");
    assert_int_equal(ask(w, DNS_A, "round.example").code, DNS_NOTHING);
}

static void an_answer_is_kept_and_equal_questions_share_one(void **state)
{
    struct world *w = *state;
    struct heard h[3] = { { 0 } };
    struct heard dropped = { 0 };
    struct dns_query *q;

    ns_add(w->ns, "host.example", DNS_A, "192.0.2.7");
    for (int i = 0; i < 3; i++)
        assert_non_null(dns_ask(w->dns, DNS_A, SLICE("host.example"), on_heard, &h[i]));
    q = dns_ask(w->dns, DNS_A, SLICE("host.EXAMPLE"), on_heard, &dropped);
    dns_drop(q);
    assert_int_equal(dns_in_flight(w->dns), 1);
    for (int i = 0; i < 3; i++)
        ns_run_until(w->loop, &h[i].over);
    assert_false(dropped.over);
    assert_int_equal(w->ns->asked, 1);
    assert_null(dns_ask(w->dns, DNS_A, SLICE("host.example"), on_heard, &h[0]));
    assert_int_equal(h[0].times, 2);
    assert_int_equal(ask(w, DNS_A, "nobody.example").code, DNS_NO_NAME);
    assert_int_equal(ask(w, DNS_A, "nobody.example").code, DNS_NO_NAME);
    assert_int_equal(w->ns->asked, 2);
}

static void a_forged_answer_is_ignored(void **state)
{
    static const enum ns_manner manners[] = { NS_WRONG_ID, NS_WRONG_QUESTION, NS_OTHER_PORT };
    static const char *const names[] = { "id.example", "question.example", "port.example" };
    struct world *w = *state;

    for (size_t i = 0; i < 3; i++) {
        ns_add(w->ns, names[i], DNS_A, "192.0.2.66");
        ns_manner_set(w->ns, names[i], manners[i]);
        assert_int_equal(ask(w, DNS_A, names[i]).code, DNS_FAILED);
    }
}

static void nonsense_is_a_failure_an_old_server_is_asked_plainly_and_a_cut_answer_comes_over_tcp(void **state)
{
    struct world *w = *state;
    struct heard h;

    ns_manner_set(w->ns, "loop.example", NS_LOOP);
    assert_int_equal(ask(w, DNS_A, "loop.example").code, DNS_FAILED);
    ns_manner_set(w->ns, "broken.example", NS_SERVFAIL);
    assert_int_equal(ask(w, DNS_A, "broken.example").code, DNS_FAILED);
    ns_add(w->ns, "old.example", DNS_A, "192.0.2.7");
    ns_manner_set(w->ns, "old.example", NS_OLD);
    assert_int_equal(ask(w, DNS_A, "old.example").code, DNS_FOUND);
    ns_add(w->ns, "cut.example", DNS_A, "192.0.2.7");
    ns_manner_set(w->ns, "cut.example", NS_CUT);
    assert_int_equal(ask(w, DNS_A, "cut.example").code, DNS_FOUND);
    assert_int_equal(w->ns->asked_tcp, 1);
    ns_add(w->ns, "large.example", DNS_A, "192.0.2.7");
    ns_manner_set(w->ns, "large.example", NS_STUFFED);
    h = ask(w, DNS_A, "large.example");
    assert_int_equal(h.code, DNS_FOUND);
    assert_int_equal(h.count, DNS_RECORDS);
    assert_true(h.more);
}

static void a_thousand_names_and_names_with_control_bytes_are_bounded(void **state)
{
    static const char evil[] = "a\r\nb\x1b[2J.c d.e\\f.example";
    static char names[1000][32];
    struct world *w = *state;
    struct heard h;

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "h%d.example", i);
        ns_add(w->ns, "1.2.0.192.in-addr.arpa", DNS_PTR, names[i]);
    }
    h = ask(w, DNS_PTR, "1.2.0.192.in-addr.arpa");
    assert_int_equal(h.count, DNS_RECORDS);
    assert_true(h.more);
    ns_add(w->ns, "2.2.0.192.in-addr.arpa", DNS_PTR, evil);
    assert_string_equal(ask(w, DNS_PTR, "2.2.0.192.in-addr.arpa").name, "a??b?[2J.c?d.e?f.example");
}

static void what_is_no_name_is_never_asked_for(void **state)
{
    static const char *const names[] = { "", ".", "a..b", "a b", "a\nb", "a\\b", ".a" };
    struct world *w = *state;
    struct heard h;
    char label[80];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(ask(w, DNS_A, names[i]).code, DNS_NO_NAME);
    memset(label, 'a', sizeof(label));
    (void)dns_ask(w->dns, DNS_A, slice_of(label, sizeof(label)), on_heard, (h = (struct heard){ 0 }, &h));
    assert_int_equal(h.code, DNS_NO_NAME);
    assert_int_equal(w->ns->asked, 0);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct world *w = *state;
    int64_t began_us = clock_mono_us();
    struct heard h;

    w->set->dns.tries = 10;
    assert_int_equal(dns_set(w->dns, w->set, NULL), 0);
    ns_manner_set(w->ns, "silent.example", NS_SILENT);
    h = ask(w, DNS_A, "silent.example");
    assert_int_equal(h.code, DNS_FAILED);
    assert_in_range(h.at_us - began_us, 240000, 3000000);
}

static void questions_in_flight_are_bounded(void **state)
{
    struct world *w = *state;
    struct heard h[40] = { { 0 } };

    w->ns->dead = true;
    for (unsigned i = 0; i < 40; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "n%u.example", i);
        (void)dns_ask(w->dns, DNS_A, slice_text(name), on_heard, &h[i]);
        assert_int_equal(h[i].over, i >= 32);
    }
    assert_int_equal(dns_in_flight(w->dns), 32);
    ns_run_until(w->loop, &h[31].over);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(h[i].code, DNS_FAILED);
}

/* Asks for ever new names until the servers are said to be down. */
static void let_it_die(struct world *w)
{
    w->ns->dead = true;
    for (unsigned i = 0; i < 100 && !w->down; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "dead%u.example", i);
        assert_int_equal(ask(w, DNS_A, name).code, DNS_FAILED);
    }
    assert_true(w->down);
}

static void dead_servers_are_said_once_and_so_is_their_return(void **state)
{
    struct world *w = *state;
    unsigned asked;
    int64_t began_us;

    ns_add(w->ns, "host.example", DNS_A, "192.0.2.7");
    let_it_die(w);
    assert_int_equal(ask(w, DNS_A, "host.example").code, DNS_FAILED); /* those in flight are over now */
    asked = w->ns->asked;
    began_us = clock_mono_us();
    for (unsigned i = 0; i < 2000; i++) {
        struct heard h = { 0 };
        char name[32];

        (void)snprintf(name, sizeof(name), "x%u.example", i);
        assert_null(dns_ask(w->dns, DNS_A, slice_text(name), on_heard, &h));
        assert_int_equal(h.code, DNS_FAILED);
    }
    assert_true(clock_mono_us() - began_us < 1000000);
    w->ns->dead = false;
    began_us = clock_mono_us();
    ns_run_until(w->loop, &w->back);
    assert_true(clock_mono_us() - began_us < 2000000);
    assert_true(w->ns->asked - asked < 20);
    assert_true(w->last.failed >= 2000);
    assert_int_equal(ask(w, DNS_A, "host.example").code, DNS_FOUND);
    assert_int_equal(w->downs, 1);
    assert_int_equal(w->backs, 1);
}

static void one_silent_domain_is_no_dead_server(void **state)
{
    static char names[8][32];
    struct world *w = *state;

    ns_add(w->ns, "localhost", DNS_A, "127.0.0.1");
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%u.evil.example", i);
        ns_manner_set(w->ns, names[i], NS_SILENT);
        assert_int_equal(ask(w, DNS_A, names[i]).code, DNS_FAILED);
    }
    assert_int_equal(w->downs, 0);
}

static void on_rested(void *ctx)
{
    *(bool *)ctx = true;
}

static void servers_that_fail_every_question_are_told_and_asked_on(void **state)
{
    struct world *w = *state;
    char name[32];

    ns_add(w->ns, "host.example", DNS_A, "192.0.2.7");
    ns_add(w->ns, "localhost", DNS_A, "127.0.0.1");
    w->ns->fails = true;
    for (unsigned i = 0; i < 20; i++) { /* not often enough, not long enough */
        (void)snprintf(name, sizeof(name), "n%u.example", i);
        assert_int_equal(ask(w, DNS_A, name).code, DNS_FAILED);
    }
    assert_int_equal(w->downs, 0);
    for (unsigned i = 20; w->downs == 0 && i < 400; i++) {
        bool rested = false;

        (void)snprintf(name, sizeof(name), "n%u.example", i);
        assert_int_equal(ask(w, DNS_A, name).code, DNS_FAILED);
        (void)loop_timer(w->loop, 50000, 0, on_rested, &rested);
        ns_run_until(w->loop, &rested);
    }
    assert_int_equal(w->downs, 1);
    assert_true(w->last.answers);
    assert_true(w->last.failed >= 30);
    w->ns->fails = false;
    assert_int_equal(ask(w, DNS_A, "host.example").code, DNS_FOUND);
    assert_int_equal(w->backs, 1);
    assert_int_equal(w->downs, 1);
}

static void a_dead_first_server_is_passed_over(void **state)
{
    struct world *w = *state;
    struct ns *second = ns_new(w->loop);

    w->ns->dead = true;
    ns_add(second, "host.example", DNS_A, "192.0.2.7");
    w->set->dns.servers.at[w->set->dns.servers.count++] = second->at;
    assert_int_equal(dns_set(w->dns, w->set, NULL), 0);
    assert_int_equal(ask(w, DNS_A, "host.example").code, DNS_FOUND);
    dns_free(w->dns); /* its sockets are watched by the loop that both servers use */
    w->dns = dns_new(w->loop, w->set, on_changed, w, NULL);
    ns_free(second);
}

struct chain {
    struct world *w;
    struct heard last;
    unsigned steps;
    struct dns_query *victim;
};

static void on_step(void *ctx, const struct dns_answer *a)
{
    struct chain *c = ctx;
    char name[32];

    assert_int_equal(a->code, DNS_NO_NAME);
    dns_drop(c->victim); /* of the same question as the first step */
    c->victim = NULL;
    (void)snprintf(name, sizeof(name), "step%u.example", ++c->steps);
    (void)dns_ask(c->w->dns, DNS_A, slice_text(name), c->steps < 300 ? on_step : on_heard,
                  c->steps < 300 ? (void *)c : (void *)&c->last);
}

static void an_answer_may_lead_to_the_next_question(void **state)
{
    struct world *w = *state;
    struct chain c = { .w = w };
    struct heard victim = { 0 };

    c.victim = dns_ask(w->dns, DNS_A, SLICE("step0.example"), on_heard, &victim);
    (void)dns_ask(w->dns, DNS_A, SLICE("step0.example"), on_step, &c);
    ns_run_until(w->loop, &c.last.over); /* more than one pipe's worth of questions */
    assert_int_equal(c.steps, 300);
    assert_false(victim.over);
}

static void the_end_may_come_while_questions_are_out(void **state)
{
    struct world *w = *state;
    struct heard h[3] = { { 0 } };

    w->ns->dead = true;
    for (unsigned i = 0; i < 3; i++)
        (void)dns_ask(w->dns, DNS_A, i < 2 ? SLICE("one.example") : SLICE("two.example"), on_heard, &h[i]);
    dns_free(w->dns);
    w->dns = NULL;
    for (unsigned i = 0; i < 3; i++)
        assert_false(h[i].over);
}

/* --- the cache: the test is the clock --- */

static void an_answer_leaves_with_its_time_and_large_ones_make_room(void **state)
{
    struct dns_cache *c = dns_cache_new(4, 1, NULL);
    struct dns_record r = { .text = { (const uint8_t *)"0123456789", 10 } };
    struct dns_answer a = { .code = DNS_FOUND, .count = 1, .at = &r };
    struct dns_question q[6];
    char name[] = "0.example";
    struct dns_kept *k;
    char large[1500] = { 0 };

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        name[0] = (char)('0' + i);
        assert_true(dns_question_set(&q[i], DNS_TXT, slice_text(name)));
        k = dns_kept_new(&a, 1000 + i);
        dns_cache_put(c, &q[i], k);
        dns_kept_let_go(k);
    }
    assert_null(dns_cache_find(c, &q[0], 5)); /* of four places the oldest were given away */
    k = dns_cache_find(c, &q[5], 5);
    assert_int_equal(k->answer.at[0].text.len, 10);
    assert_null(dns_cache_find(c, &q[5], 1005)); /* over, and yet what is held stays whole */
    assert_memory_equal(k->answer.at[0].text.at, "0123456789", 10);
    dns_kept_let_go(k);
    r.text = slice_of(large, sizeof(large));
    k = dns_kept_new(&a, 1000);
    dns_cache_put(c, &q[0], k);
    dns_kept_let_go(k);
    assert_true(dns_cache_bytes(c) <= 4 * 512);
    dns_cache_free(c);
}

int main(void)
{
#define IN_A_WORLD(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(each_kind_of_record_is_read),
        IN_A_WORLD(aliases_are_followed),
        IN_A_WORLD(an_answer_is_kept_and_equal_questions_share_one),
        IN_A_WORLD(a_forged_answer_is_ignored),
        IN_A_WORLD(nonsense_is_a_failure_an_old_server_is_asked_plainly_and_a_cut_answer_comes_over_tcp),
        IN_A_WORLD(a_thousand_names_and_names_with_control_bytes_are_bounded),
        IN_A_WORLD(what_is_no_name_is_never_asked_for),
        IN_A_WORLD(silence_ends_at_the_deadline),
        IN_A_WORLD(questions_in_flight_are_bounded),
        IN_A_WORLD(dead_servers_are_said_once_and_so_is_their_return),
        IN_A_WORLD(one_silent_domain_is_no_dead_server),
        IN_A_WORLD(servers_that_fail_every_question_are_told_and_asked_on),
        IN_A_WORLD(a_dead_first_server_is_passed_over),
        IN_A_WORLD(an_answer_may_lead_to_the_next_question),
        IN_A_WORLD(the_end_may_come_while_questions_are_out),
        cmocka_unit_test(an_answer_leaves_with_its_time_and_large_ones_make_room),
    };

    return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
