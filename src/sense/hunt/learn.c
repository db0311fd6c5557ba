/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/learn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

#define DAY_US INT64_C(86400000000)

struct learn {
    struct learn_host host[LEARN_HOSTS]; /* sorted by address, the free ones behind */
    size_t count;
};

static const char *const words[LEARN_VERDICTS] = {
    [LEARN_SERVER] = "looks like a mail server",
    [LEARN_TOO_FEW] = "sent too few messages to tell",
    [LEARN_TOO_SHORT] = "was seen for too short a time to tell",
    [LEARN_MANY_NAMES] = "keeps changing its HELO name",
    [LEARN_MANY_DOMAINS] = "sends in the name of too many domains",
    [LEARN_REFUSED] = "has too many recipients refused",
};

const char *learn_words(enum learn_verdict v)
{
    return v < LEARN_VERDICTS ? words[v] : "?";
}

struct learn *learn_new(struct err *e)
{
    struct learn *l = calloc(1, sizeof(*l));

    if (!l)
        (void)err_set(e, ENOMEM, "memory for learning");
    return l;
}

void learn_free(struct learn *l)
{
    free(l);
}

/* Where it is, or would stand. */
static size_t place_of(const struct learn *l, struct addr who, bool *there)
{
    size_t low = 0;
    size_t high = l->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(&l->host[middle].who, &who, sizeof(who));

        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = false;
    return low;
}

static void forget_silent(struct learn *l)
{
    size_t silent = 0;

    for (size_t i = 1; i < l->count; i++)
        if (l->host[i].last_us < l->host[silent].last_us)
            silent = i;
    l->count--;
    memmove(&l->host[silent], &l->host[silent + 1], (l->count - silent) * sizeof(l->host[0]));
}

static struct learn_host *host_of(struct learn *l, struct addr who, int64_t now_us)
{
    bool there;
    size_t at = place_of(l, who, &there);

    if (there)
        return &l->host[at];
    if (l->count == LEARN_HOSTS) {
        forget_silent(l);
        at = place_of(l, who, &there);
    }
    memmove(&l->host[at + 1], &l->host[at], (l->count - at) * sizeof(l->host[0]));
    l->count++;
    l->host[at] = (struct learn_host){ .who = who, .first_us = now_us, .last_us = now_us, .days = 1 };
    return &l->host[at];
}

static void see(struct learn_host *h, int64_t at_us)
{
    int64_t days = at_us / DAY_US - h->last_us / DAY_US;

    if (days > 0)
        h->days = days < LEARN_DAYS ? h->days << days : 0;
    if (days >= 0)
        h->days |= 1;
    if (at_us > h->last_us)
        h->last_us = at_us;
    if (at_us < h->first_us)
        h->first_us = at_us;
}

static void add_domain(struct learn_host *h, struct slice domain)
{
    char name[LEARN_DOMAIN_BYTES];
    struct text t = TEXT_IN(name);
    uint64_t hash;

    text_ascii(&t, domain);
    for (size_t i = 0; i < t.len; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (char)(name[i] - 'A' + 'a');
    hash = hash_bytes(name, t.len, 0);
    for (uint64_t i = 0; i < h->domains; i++)
        if (h->hash[i] == hash)
            return;
    if (h->domains == LEARN_HASHES || t.len == 0)
        return;
    h->hash[h->domains++] = hash;
    if (h->named < LEARN_DOMAINS)
        memcpy(h->domain[h->named++], name, sizeof(name));
}

/* What is distinct begins anew with each window of the engine's; the most that was ever seen counts. */
static void count(struct learn_host *h, const struct engine_source *s)
{
    h->recipients = s->recipients;
    h->refusals = s->refusals;
    h->servers = s->servers > h->servers ? s->servers : h->servers;
    h->helos = s->helos > h->helos ? s->helos : h->helos;
}

void learn_mail(struct learn *l, const struct mail_row *row, const struct engine_source *s)
{
    struct learn_host *h;
    struct slice rest = row->text;
    struct slice domain = { 0 };

    if (row->verb != MAIL_FROM || !row->confirmed || !s->inside || s->allowed)
        return;
    h = host_of(l, addr_ip(row->client), row->at_us);
    see(h, row->at_us);
    count(h, s);
    h->mails++;
    while (rest.len > 0) /* a quoted local part may hold an '@': the last one counts */
        domain = slice_until(rest, '@', &rest);
    if (domain.len < row->text.len)
        add_domain(h, domain);
}

void learn_source(struct learn *l, const struct engine_source *s)
{
    bool there;
    size_t at = place_of(l, addr_ip(s->who), &there);
    struct learn_host *h = &l->host[at];

    if (!there)
        return;
    if (!s->inside || s->allowed) { /* the configuration changed: nothing is left to propose */
        l->count--;
        memmove(h, h + 1, (l->count - at) * sizeof(*h));
        return;
    }
    count(h, s);
}

static bool one_source(void *ctx, const struct engine_source *s)
{
    learn_source(ctx, s);
    return true;
}

void learn_sources(struct learn *l, struct engine *g)
{
    engine_sources(g, one_source, l);
}

enum learn_verdict learn_judge(const struct learn_host *h)
{
    if (h->mails < LEARN_MAILS)
        return LEARN_TOO_FEW;
    if (h->helos > LEARN_HELOS)
        return LEARN_MANY_NAMES;
    if (h->domains > LEARN_SENDER_DOMAINS)
        return LEARN_MANY_DOMAINS;
    if (h->refusals * 100 > h->recipients * LEARN_REFUSED_PERCENT)
        return LEARN_REFUSED;
    if (h->last_us - h->first_us < LEARN_SPAN_US)
        return LEARN_TOO_SHORT;
    return LEARN_SERVER;
}

unsigned learn_days(const struct learn_host *h)
{
    return (unsigned)__builtin_popcountll(h->days);
}

void learn_each(struct learn *l, bool (*each)(void *ctx, struct learn_host *h), void *ctx)
{
    for (size_t i = 0; i < l->count; i++)
        if (!each(ctx, &l->host[i]))
            return;
}

static void add_domains(const struct learn_host *h, struct text *t)
{
    for (uint32_t i = 0; i < h->named; i++)
        text_addf(t, "%s%s", i ? " " : "", h->domain[i]);
    if (h->domains > h->named)
        text_word(t, " and others");
}

struct event learn_event(const struct learn_host *h)
{
    struct event ev = event_new(EV_HUNT_ALLOW_PROPOSED);
    char domains[LEARN_DOMAINS * LEARN_DOMAIN_BYTES + 16];
    char prefix[sizeof(struct addr_words) + 4];
    struct text t = TEXT_IN(domains);
    struct text p = TEXT_IN(prefix);

    ev.src = h->who;
    text_addf(&p, "%s/%d", addr_ip_text(h->who).text, h->who.family == 4 ? 32 : 128);
    event_add_words(&ev, F_PREFIX, prefix);
    event_add_number(&ev, F_COUNT, h->mails);
    event_add_number(&ev, F_SPAN, (uint64_t)(h->last_us - h->first_us));
    add_domains(h, &t);
    if (t.len > 0)
        event_add_words(&ev, F_DOMAIN, domains);
    return ev;
}

static void print_host(const struct learn_host *h, FILE *to)
{
    char domains[LEARN_DOMAINS * LEARN_DOMAIN_BYTES + 16];
    struct text t = TEXT_IN(domains);

    add_domains(h, &t);
    (void)fprintf(to, "# %s %s: %" PRIu64 " messages on %u days, %" PRIu64 " recipients (%" PRIu64 " refused), ",
                  addr_ip_text(h->who).text, learn_words(learn_judge(h)), h->mails, learn_days(h), h->recipients,
                  h->refusals);
    (void)fprintf(to, "%" PRIu64 " names in HELO, %" PRIu64 "%s sender domains%s%s\n", h->helos, h->domains,
                  h->domains == LEARN_HASHES ? " or more" : "", t.len ? ": " : "", domains);
}

void learn_print(const struct learn *l, FILE *to)
{
    const char *between = "";

    (void)fputs("# Who looks like a mail server of the house.  Read it before you copy it into the configuration.\n",
                to);
    for (size_t i = 0; i < l->count; i++)
        print_host(&l->host[i], to);
    (void)fputs("hunt:\n  allow: [", to);
    for (size_t i = 0; i < l->count; i++) {
        const char *quote = l->host[i].who.family == 6 ? "\"" : ""; /* a colon may mean something to YAML */

        if (learn_judge(&l->host[i]) != LEARN_SERVER)
            continue;
        (void)fprintf(to, "%s%s%s%s", between, quote, addr_ip_text(l->host[i].who).text, quote);
        between = ", ";
    }
    (void)fputs("]\n", to);
}
