/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of iptables-legacy, as the kernel copies them: struct ipt_entry, matches, target, and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
/* after the C library's, which has the same types */
#include <linux/netfilter/xt_LOG.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include "wire/xtables.h"

enum { ROOM = 4096, RULES = 16 };

struct table {
    uint8_t at[ROOM];
    size_t len;
    struct xtables_heads heads;
};

static void add(struct table *t, const void *from, size_t len)
{
    memcpy(t->at + t->len, from, len);
    t->len += len;
}

/* What stands before and after matches and a target; the lengths are filled in by `end`. */
static size_t begin(struct table *t, const char *source)
{
    struct {
        struct ipt_ip ip;
        unsigned cache;
        uint16_t target, next;
        unsigned from;
        struct xt_counters counters;
    } e = { .counters = { .pcnt = 7, .bcnt = 420 } };
    size_t at = t->len;

    if (source) {
        assert_int_equal(inet_pton(AF_INET, source, &e.ip.src), 1);
        e.ip.smsk.s_addr = htonl(0xffffff00);
    }
    assert_int_equal(sizeof(e), offsetof(struct ipt_entry, elems));
    add(t, &e, sizeof(e));
    return at;
}

static void extension(struct table *t, const char *name, const void *data, size_t len)
{
    struct {
        uint16_t size;
        char name[XT_EXTENSION_MAXNAMELEN];
        uint8_t revision;
    } head = { .size = (uint16_t)(32 + XT_ALIGN(len)) };
    static const uint8_t zeros[8];

    strcpy(head.name, name);
    add(t, &head, sizeof(head));
    add(t, data, len);
    add(t, zeros, XT_ALIGN(len) - len);
}

static void end(struct table *t, size_t at, const char *target, const void *data, size_t len)
{
    uint16_t offset = (uint16_t)(t->len - at);

    memcpy(t->at + at + offsetof(struct ipt_entry, target_offset), &offset, sizeof(offset));
    extension(t, target, data, len);
    offset = (uint16_t)(t->len - at);
    memcpy(t->at + at + offsetof(struct ipt_entry, next_offset), &offset, sizeof(offset));
}

static void verdict(struct table *t, size_t at, int verdict)
{
    end(t, at, "", &verdict, sizeof(verdict));
}

/* INPUT with a policy and three rules, and a chain that one of them jumps to. */
static void filter(struct table *t)
{
    static const char chain[XT_FUNCTION_MAXNAMELEN] = "worms";
    static const char last[XT_FUNCTION_MAXNAMELEN] = "ERROR";
    struct xt_tcp smtp = { .spts = { 0, 65535 }, .dpts = { 25, 25 } };
    struct xt_log_info log = { .prefix = "a \"worm\"" };
    size_t rule;
    size_t jump;
    int to;

    t->heads = (struct xtables_heads){ .hooks = 1 << 1, .entry = { [1] = 0 } };
    rule = begin(t, "192.0.2.0");
    extension(t, "tcp", &smtp, sizeof(smtp));
    end(t, rule, "LOG", &log, sizeof(log));
    jump = begin(t, NULL);
    verdict(t, jump, 0);
    rule = begin(t, NULL);
    extension(t, "nobody knows", "x", 1);
    verdict(t, rule, -NF_ACCEPT - 1);
    t->heads.policy[1] = (uint32_t)t->len;
    verdict(t, begin(t, NULL), -NF_DROP - 1);
    end(t, begin(t, NULL), XT_ERROR_TARGET, chain, sizeof(chain));
    to = (int)t->len;
    memcpy(t->at + jump + offsetof(struct ipt_entry, elems) + 32, &to, sizeof(to));
    verdict(t, begin(t, "198.51.100.0"), -NF_DROP - 1);
    verdict(t, begin(t, NULL), XT_RETURN);
    end(t, begin(t, NULL), XT_ERROR_TARGET, last, sizeof(last));
}

struct seen {
    char at[RULES][160];
    size_t count;
};

static void note(void *own, const struct xtables_rule *r)
{
    struct seen *s = own;
    struct text t = TEXT_IN(s->at[s->count]);

    assert_true(s->count < RULES);
    text_addf(&t, "%.*s ", (int)r->chain.len, (const char *)r->chain.at);
    text_addf(&t, "%llu ", (unsigned long long)r->packets);
    if (r->hook)
        text_addf(&t, "%s %s", r->hook, r->drops ? "drops" : "accepts");
    text_add(&t, r->text);
    s->count++;
}

static void each_rule_is_told_in_its_chain(void **state)
{
    static const char *const expected[] = {
        "INPUT 7 input drops",
        "INPUT 7 -s 192.0.2.0/24 -m tcp --dport 25 -j LOG --log-prefix \"a \\\"worm\\\"\"",
        "INPUT 7 -j worms",
        "INPUT 7 -m nobody knows -j ACCEPT",
        "worms 7 -s 198.51.100.0/24 -j DROP",
    };
    struct table t = { .len = 0 };
    struct seen s = { .count = 0 };

    (void)state;
    filter(&t);
    assert_true(xtables_read(4, &t.heads, slice_of(t.at, t.len), note, &s));
    assert_int_equal(s.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < s.count; i++)
        assert_string_equal(s.at[i], expected[i]);
}

static bool ends_at(const struct table *t, size_t len)
{
    size_t at = 0;
    uint16_t next;

    while (at < len) {
        memcpy(&next, t->at + at + offsetof(struct ipt_entry, next_offset), sizeof(next));
        at += next;
    }
    return at == len;
}

/* Each on the heap, for the sanitizer to see who reads past its end. */
static void a_table_that_is_cut_is_said_to_be(void **state)
{
    struct table t = { .len = 0 };

    (void)state;
    filter(&t);
    for (size_t len = 1; len < t.len; len++) {
        struct seen s = { .count = 0 };
        uint8_t *at = malloc(len);

        assert_non_null(at);
        memcpy(at, t.at, len);
        assert_int_equal(xtables_read(4, &t.heads, slice_of(at, len), note, &s),
                         ends_at(&t, len) && len > t.heads.policy[1]);
        free(at);
    }
}

static void sizes_that_lead_nowhere_end_it(void **state)
{
    static const struct {
        size_t offset;
        uint16_t value;
    } lies[] = { { offsetof(struct ipt_entry, next_offset), 0 },
                 { offsetof(struct ipt_entry, next_offset), 0xffff },
                 { offsetof(struct ipt_entry, target_offset), 0 },
                 { offsetof(struct ipt_entry, target_offset), 0xfff0 },
                 { offsetof(struct ipt_entry, elems), 0 }, /* the first match's size */
                 { offsetof(struct ipt_entry, elems), 0x7fff } };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct table t = { .len = 0 };
        struct seen s = { .count = 0 };

        filter(&t);
        memcpy(t.at + lies[i].offset, &lies[i].value, sizeof(lies[i].value));
        assert_false(xtables_read(4, &t.heads, slice_of(t.at, t.len), note, &s));
    }
}

/* A policy that stands outside, a chain that begins in the middle. */
static void heads_that_lie_read_nothing_outside(void **state)
{
    struct table t = { .len = 0 };
    struct seen s = { .count = 0 };

    (void)state;
    filter(&t);
    t.heads.policy[1] = 1U << 30;
    assert_false(xtables_read(4, &t.heads, slice_of(t.at, t.len), note, &s));
    t.heads.hooks = 0;
    assert_true(xtables_read(4, &t.heads, slice_of(t.at, t.len), note, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_told_in_its_chain),
        cmocka_unit_test(a_table_that_is_cut_is_said_to_be),
        cmocka_unit_test(sizes_that_lead_nowhere_end_it),
        cmocka_unit_test(heads_that_lie_read_nothing_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
