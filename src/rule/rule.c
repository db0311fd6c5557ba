/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rule/rule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "rule/window.h"

struct rules {
    struct rule_settings at[RULE_CAP];
    uint32_t count;
    uint8_t first[EV_KINDS]; /* 1 + the first rule that waits for this kind; 0: none does */
    uint8_t next[RULE_CAP];  /* 1 + the next one of the same kind */
    struct windows *windows; /* owned; NULL while every rule fires at the first event */
};

_Static_assert(RULE_CAP < 256, "a rule's number fits in a byte");

/* The kernel gives each process 16 random bytes; the first 8 guard the stack. */
static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    const char *bytes = (const char *)getauxval(AT_RANDOM); /* NOLINT: an address, given as a number */

    if (bytes)
        memcpy(&seed, bytes + 8, sizeof(seed));
    return seed;
}

static void add_rule(struct rules *r, const struct rule_settings *s, int64_t default_span_us)
{
    uint32_t i = r->count++;
    uint8_t *at;

    r->at[i] = *s;
    if (r->at[i].span_us == 0)
        r->at[i].span_us = default_span_us;
    assert(s->on >= 0 && s->on + 1 < EV_KINDS);
    for (at = &r->first[s->on + 1]; *at; at = &r->next[*at - 1])
        continue;
    *at = (uint8_t)(i + 1);
}

struct rules *rules_new(const struct rules_settings *rules, const struct block_settings *block, struct err *e)
{
    struct rules *r = calloc(1, sizeof(*r));
    uint32_t times = 1;

    if (!r) {
        (void)err_set(e, 0, "no memory for the rules");
        return NULL;
    }
    for (uint32_t i = 0; i < rules->count && i < RULE_CAP; i++) {
        add_rule(r, &rules->at[i], block->span_us);
        if (rules->at[i].times > times)
            times = (uint32_t)rules->at[i].times;
    }
    if (times == 1)
        return r;
    r->windows = windows_new(block->windows, times, random_seed(), e);
    if (r->windows)
        return r;
    rules_free(r);
    return NULL;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    windows_free(r->windows);
    free(r);
}

size_t rules_match(struct rules *r, const struct event *ev, int64_t now_us, struct rule_hit *hits, size_t cap)
{
    struct addr src = addr_ip(ev->src);
    size_t n = 0;

    if (ev->kind >= EV_KINDS)
        return 0;
    for (uint32_t at = r->first[ev->kind]; at && n < cap; at = r->next[at - 1]) {
        const struct rule_settings *s = &r->at[at - 1];

        if (s->act == RULE_BLOCK && src.family == 0)
            continue; /* nobody in particular did it: there is nobody to block */
        if (s->times > 1 && !windows_count(r->windows, at, src, (uint32_t)s->times, s->within_us, now_us))
            continue;
        hits[n++] =
            (struct rule_hit){ .src = src, .act = (enum rule_act)s->act, .span_us = s->span_us, .rule = s->name };
    }
    return n;
}

void rules_forget(struct rules *r, struct addr src)
{
    if (r->windows)
        windows_forget(r->windows, addr_ip(src));
}

uint64_t rules_lost(const struct rules *r)
{
    return r->windows ? windows_lost(r->windows) : 0;
}
