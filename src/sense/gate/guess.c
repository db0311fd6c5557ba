/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/guess.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/rate.h"
#include "base/table.h"
#include "base/text.h"

enum { MARKS = 8, BITS = 64, TOLD_MOST = 100, TOLD_EACH_US = 100000 };

struct source {
    struct rate_window wrong;
    uint32_t mark[MARKS]; /* of the newest guesses */
    uint8_t next;
    uint64_t accounts; /* that were tried, a bit each by their hash */
    int64_t until_us;  /* refused so long; told once in that time */
    int64_t good_us;   /* of an address: the last right password; 0: none */
};

struct guesses {
    const struct gate_accounts *set;
    uint64_t seed;
    struct table *addresses, *networks; /* struct addr without a port -> struct source */
    void (*tell)(void *ctx, struct event *ev);
    void *ctx;
    struct rate_bucket told;
};

struct guesses *guesses_new(const struct gate_accounts *set, uint64_t seed, void (*tell)(void *ctx, struct event *ev),
                            void *ctx, struct err *e)
{
    struct guesses *g = calloc(1, sizeof(*g));

    if (!g) {
        (void)err_set(e, 0, "accounts: out of memory");
        return NULL;
    }
    g->set = set;
    g->seed = seed;
    g->tell = tell;
    g->ctx = ctx;
    g->addresses = table_new(GUESS_SOURCES, sizeof(struct addr), sizeof(struct source), seed, e);
    g->networks = table_new(GUESS_SOURCES, sizeof(struct addr), sizeof(struct source), seed, e);
    if (!g->addresses || !g->networks) {
        guesses_free(g);
        return NULL;
    }
    return g;
}

void guesses_free(struct guesses *g)
{
    if (!g)
        return;
    table_free(g->addresses);
    table_free(g->networks);
    free(g);
}

uint64_t guesses_mark(const struct guesses *g, struct slice secret)
{
    return hash_bytes(secret.at, secret.len, g->seed) | 1;
}

static struct prefix network_of(struct addr client)
{
    return prefix_of(client, client.family == 4 ? 24 : 64);
}

static bool is_ours(const struct guesses *g, struct addr client)
{
    if (addr_is_loopback(client) || addr_is_private(client) || addr_is_link_local(client))
        return true;
    for (uint32_t i = 0; i < g->set->own.count; i++)
        if (prefix_has(g->set->own.at[i], client))
            return true;
    return false;
}

/* ---- counting ---- */

static uint64_t bit_of(const struct guesses *g, struct slice user)
{
    uint8_t small[64];
    size_t n = user.len < sizeof(small) ? user.len : sizeof(small);

    for (size_t i = 0; i < n; i++)
        small[i] = user.at[i] >= 'A' && user.at[i] <= 'Z' ? user.at[i] | 0x20 : user.at[i];
    return (uint64_t)1 << hash_bytes(small, n, g->seed) % BITS;
}

static unsigned accounts_of(const struct source *s)
{
    return (unsigned)__builtin_popcountll(s->accounts);
}

/* False: this very guess was counted before. */
static bool is_new(struct source *s, uint32_t mark)
{
    for (int i = 0; i < MARKS; i++)
        if (s->mark[i] == mark)
            return false;
    s->mark[s->next] = mark;
    s->next = (uint8_t)((s->next + 1) % MARKS);
    return true;
}

/* One more; how many they are now.  Those of an earlier time are forgotten with their accounts. */
static uint64_t count(struct guesses *g, struct source *s, struct slice user, uint64_t mark, int64_t now_us)
{
    const int64_t within_us = g->set->guessing.within_us;
    uint64_t bit = bit_of(g, user);
    uint64_t before = rate_count(&s->wrong, within_us, now_us);

    if (before == 0) {
        s->accounts = 0;
        for (int i = 0; i < MARKS; i++)
            s->mark[i] = 0;
    }
    if (mark != 0 && !is_new(s, (uint32_t)((mark ^ bit) >> 16) | 1))
        return before;
    s->accounts |= bit;
    return rate_add(&s->wrong, within_us, now_us, 1);
}

/* ---- telling ---- */

static void condemn(struct guesses *g, struct source *s, struct addr client, bool network, uint64_t wrong,
                    int64_t now_us)
{
    const struct gate_guessing *set = &g->set->guessing;
    bool ours = is_ours(g, client);
    bool blocks = set->response == GATE_GUESSING_BLOCK && !ours;
    struct event ev = event_new(blocks ? EV_GATE_PASSWORD_GUESSER : EV_GATE_PASSWORD_GUESSING);
    char words[100];

    s->until_us = now_us + set->for_us;
    if (!rate_take(&g->told, TOLD_MOST, TOLD_EACH_US, now_us))
        return;
    ev.src = client;
    if (network)
        event_add_words(&ev, F_PREFIX, prefix_text(network_of(client)).text);
    event_add_number(&ev, F_COUNT, wrong);
    if (set->response != GATE_GUESSING_NOTE && !ours)
        event_add_number(&ev, F_UNTIL, (uint64_t)s->until_us);
    (void)snprintf(words, sizeof(words), "%llu wrong passwords for %u%s account%s%s", (unsigned long long)wrong,
                   accounts_of(s), accounts_of(s) > 40 ? " or more" : "", accounts_of(s) == 1 ? "" : "s",
                   ours ? ", from a network of our own" : "");
    event_add_words(&ev, F_WHY, words);
    g->tell(g->ctx, &ev);
}

void guesses_failed(struct guesses *g, struct addr client, struct slice user, uint64_t mark, bool home, int64_t now_us)
{
    const struct gate_guessing *set = &g->set->guessing;
    uint64_t limit = home ? set->wrong * GUESS_AT_HOME : set->wrong;
    struct source *of_address;
    struct source *of_network;
    struct addr net;
    uint64_t wrong;
    uint64_t there;

    client = addr_ip(client);
    if (set->response == GATE_GUESSING_OFF || client.family == 0)
        return;
    net = network_of(client).net;
    of_address = table_add(g->addresses, &client, NULL, NULL, NULL);
    of_network = table_add(g->networks, &net, NULL, NULL, NULL);
    wrong = count(g, of_address, user, mark, now_us);
    there = count(g, of_network, user, mark, now_us);
    if (of_network->until_us <= now_us && there >= set->wrong * GUESS_NETWORK &&
        accounts_of(of_network) >= GUESS_ACCOUNTS && there > wrong)
        condemn(g, of_network, client, true, there, now_us);
    else if (of_address->until_us <= now_us && (wrong >= limit || (!home && of_network->until_us > now_us)))
        condemn(g, of_address, client, false, wrong, now_us);
}

void guesses_passed(struct guesses *g, struct addr client, struct slice user, int64_t now_us)
{
    struct source *s;

    client = addr_ip(client);
    if (g->set->guessing.response == GATE_GUESSING_OFF || client.family == 0)
        return;
    s = table_add(g->addresses, &client, NULL, NULL, NULL);
    if (s->until_us <= now_us && s->accounts == bit_of(g, user)) /* it was this user, and nobody else's account */
        *s = (struct source){ .until_us = 0 };
    s->good_us = now_us;
}

int64_t guesses_refuse(const struct guesses *g, struct addr client, int64_t now_us)
{
    struct addr net;
    const struct source *s;

    if (g->set->guessing.response < GATE_GUESSING_REFUSE)
        return 0;
    client = addr_ip(client);
    if (client.family == 0 || is_ours(g, client))
        return 0;
    s = table_find(g->addresses, &client);
    if (s && s->until_us > now_us)
        return s->until_us;
    if (s && s->good_us > 0)
        return 0; /* a user among thieves */
    net = network_of(client).net;
    s = table_find(g->networks, &net);
    return s && s->until_us > now_us ? s->until_us : 0;
}
