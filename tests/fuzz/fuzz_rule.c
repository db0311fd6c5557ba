/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules and a life of events, both from the bytes: a rule fires only for its kind, and never before its number. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rule/rule.h"

enum { HOSTS = 24, FUZZ_RULES = 6 };

struct life {
    struct rules_settings rules;
    struct block_settings block;
    uint64_t since[FUZZ_RULES][HOSTS]; /* events of a rule's kind since it last fired for this host */
};

static uint8_t take(struct slice *s)
{
    uint8_t byte = s->len > 0 ? s->at[0] : 0;

    *s = slice_skip(*s, 1);
    return byte;
}

static void read_rules(struct life *l, struct slice *s)
{
    l->block.span_us = 1000000;
    l->block.windows = 16 + take(s) % 16u; /* fewer than there are hosts: entries leave */
    l->rules.count = 1 + take(s) % FUZZ_RULES;
    for (uint32_t i = 0; i < l->rules.count; i++) {
        struct rule_settings *r = &l->rules.at[i];

        r->name[0] = (char)('0' + i);
        r->on = take(s) % 4;
        r->act = take(s) % 2;
        r->times = 1 + take(s) % 9u;
        r->within_us = 1000 * (1 + take(s));
    }
}

static void check_hits(struct life *l, const struct event *ev, unsigned host, const struct rule_hit *hits, size_t n)
{
    int before = -1;

    for (uint32_t i = 0; i < l->rules.count; i++)
        l->since[i][host] += l->rules.at[i].on + 1 == ev->kind;
    for (size_t i = 0; i < n; i++) {
        int number = hits[i].rule[0] - '0';
        const struct rule_settings *r = &l->rules.at[number];

        assert(number > before && (uint32_t)number < l->rules.count);
        assert(r->on + 1 == ev->kind && (int)hits[i].act == r->act && hits[i].span_us > 0);
        assert(hits[i].act != RULE_BLOCK || hits[i].src.family != 0);
        assert(l->since[number][host] >= r->times);
        l->since[number][host] = 0;
        before = number;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = slice_of(data, size);
    struct life *l = calloc(1, sizeof(*l));
    struct rules *r;
    int64_t now_us = 0;

    assert(l);
    read_rules(l, &s);
    r = rules_new(&l->rules, &l->block, NULL);
    assert(r);
    while (s.len > 0) {
        struct rule_hit hits[RULE_HITS];
        struct event ev = event_new((enum event_kind)(take(&s) % 6));
        unsigned host = take(&s) % HOSTS;

        now_us += take(&s) * 100;
        if (host > 0)
            ev.src = addr_v4(host, take(&s));
        check_hits(l, &ev, host, hits, rules_match(r, &ev, now_us, hits, RULE_HITS));
        if (host % 16 == 7) {
            rules_forget(r, addr_v4(host, 0));
            for (uint32_t i = 0; i < FUZZ_RULES; i++)
                l->since[i][host] = 0;
        }
    }
    rules_free(r);
    free(l);
    return 0;
}
