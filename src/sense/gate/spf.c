/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/spf.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/spf.h"

enum { LOOKUPS = 10, VOIDS = 2, DEPTH = LOOKUPS + 2, SERVERS = 10 };

struct level { /* a record that is being worked on; those that include it lie below */
    char domain[DNS_NAME];
    char *record;      /* owned; NULL until it is known */
    struct slice rest; /* of it */
    char included_as;  /* the qualifier of the include that led here */
    bool redirected;
    struct slice redirect;
};

struct spf_ask {
    struct dns *dns;
    struct dns_query *query;
    struct addr who;
    char sender[2 * DNS_NAME + 64], helo[DNS_NAME];
    struct level level[DEPTH];
    size_t levels; /* at least 1 */
    unsigned lookups, voids;
    struct spf_term term;
    char servers[SERVERS][DNS_NAME]; /* of an MX, still to be asked for */
    size_t servers_count;
    void (*take)(struct spf_ask *s, const struct dns_answer *a);
    bool running, over;
    enum spf_result result;
    bool *ended; /* told when it ends below spf_ask */
    void (*done)(void *ctx, enum spf_result r);
    void *ctx;
};

const char *spf_words(enum spf_result r)
{
    static const char *const words[] = { "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror" };

    return words[r];
}

static struct level *top(struct spf_ask *s)
{
    return &s->level[s->levels - 1];
}

static void finish(struct spf_ask *s, enum spf_result r)
{
    s->over = true;
    s->result = r;
}

static enum spf_result qualified(char qualifier)
{
    return qualifier == '+' ? SPF_PASS : qualifier == '-' ? SPF_FAIL : qualifier == '~' ? SPF_SOFTFAIL : SPF_NEUTRAL;
}

static void spf_free(struct spf_ask *s)
{
    for (size_t i = 0; i < DEPTH; i++)
        free(s->level[i].record);
    if (s->ended)
        *s->ended = true;
    free(s);
}

/* The record on top has come to a result: the last one's is the answer, another one's matters to its include alone. */
static void level_end(struct spf_ask *s, enum spf_result r)
{
    const struct level *l = top(s);
    char qualifier = l->included_as;

    if (r == SPF_NONE && (s->levels > 1 || l->redirected))
        r = SPF_PERMERROR;
    if (s->levels == 1 || r == SPF_TEMPERROR || r == SPF_PERMERROR) {
        finish(s, r);
        return;
    }
    free(top(s)->record);
    memset(top(s), 0, sizeof(*top(s)));
    s->levels--;
    if (r == SPF_PASS)
        level_end(s, qualified(qualifier));
}

static void run(struct spf_ask *s);

static void on_answer(void *ctx, const struct dns_answer *a)
{
    struct spf_ask *s = ctx;
    void (*take)(struct spf_ask *, const struct dns_answer *) = s->take;

    s->query = NULL;
    s->take = NULL;
    take(s, a);
    run(s);
}

static void ask(struct spf_ask *s, enum dns_kind kind, const char *name,
                void (*take)(struct spf_ask *s, const struct dns_answer *a))
{
    s->take = take;
    s->query = dns_ask(s->dns, kind, slice_text(name), on_answer, s);
}

/* False when the work is over: the answer failed, or too many were empty. */
static bool can_use(struct spf_ask *s, const struct dns_answer *a)
{
    if (a->code == DNS_FAILED)
        finish(s, SPF_TEMPERROR);
    else if (a->code != DNS_FOUND && ++s->voids > VOIDS)
        finish(s, SPF_PERMERROR);
    return !s->over;
}

/* --- records --- */

static void take_record(struct spf_ask *s, const struct dns_answer *a)
{
    struct level *l = top(s);
    const struct dns_record *found = NULL;
    struct slice terms;

    if (a->code == DNS_FAILED) {
        finish(s, SPF_TEMPERROR);
        return;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!spf_begin(a->at[i].text, &terms))
            continue;
        if (found) {
            level_end(s, SPF_PERMERROR);
            return;
        }
        found = &a->at[i];
    }
    if (!found) {
        level_end(s, SPF_NONE);
        return;
    }
    l->record = malloc(found->text.len);
    if (!l->record) {
        finish(s, SPF_TEMPERROR);
        return;
    }
    memcpy(l->record, found->text.at, found->text.len);
    (void)spf_begin(slice_of(l->record, found->text.len), &l->rest);
}

static bool spend(struct spf_ask *s)
{
    if (++s->lookups > LOOKUPS)
        finish(s, SPF_PERMERROR);
    return !s->over;
}

/* The domain of a term with its macros worked out; false when it is none. */
static bool term_domain(struct spf_ask *s, struct slice spec, char *buffer, size_t size)
{
    struct spf_facts f = {
        .sender = slice_text(s->sender),
        .domain = slice_text(top(s)->domain),
        .helo = slice_text(s->helo),
        .who = s->who,
    };

    return spec.len > 0 ? spf_expand(spec, &f, buffer, size) : text_cstr(buffer, size, f.domain);
}

static void include(struct spf_ask *s, const char *domain)
{
    struct level *l;

    if (s->levels == DEPTH) {
        finish(s, SPF_PERMERROR);
        return;
    }
    l = &s->level[s->levels++];
    l->included_as = s->term.qualifier;
    (void)text_cstr(l->domain, sizeof(l->domain), slice_text(domain));
    ask(s, DNS_TXT, l->domain, take_record);
}

/* All terms were looked at without a match. */
static void record_end(struct spf_ask *s)
{
    struct level *l = top(s);
    char domain[DNS_NAME];

    if (l->redirect.len == 0) {
        level_end(s, SPF_NEUTRAL);
        return;
    }
    if (!spend(s))
        return;
    if (!term_domain(s, l->redirect, domain, sizeof(domain))) {
        finish(s, SPF_PERMERROR);
        return;
    }
    free(l->record);
    l->record = NULL;
    l->rest = l->redirect = slice_of(NULL, 0);
    l->redirected = true;
    memcpy(l->domain, domain, sizeof(domain));
    ask(s, DNS_TXT, l->domain, take_record);
}

/* --- terms --- */

static void match(struct spf_ask *s)
{
    level_end(s, qualified(s->term.qualifier));
}

static bool has_client(const struct spf_ask *s, const struct dns_answer *a)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (prefix_has(prefix_of(a->at[i].addr, s->who.family == 4 ? s->term.bits4 : s->term.bits6), s->who))
            return true;
    return false;
}

static void take_exists(struct spf_ask *s, const struct dns_answer *a)
{
    if (can_use(s, a) && a->code == DNS_FOUND)
        match(s);
}

static void take_a(struct spf_ask *s, const struct dns_answer *a)
{
    if (can_use(s, a) && has_client(s, a))
        match(s);
}

static enum dns_kind address_kind(const struct spf_ask *s)
{
    return s->who.family == 4 ? DNS_A : DNS_AAAA;
}

static void take_server(struct spf_ask *s, const struct dns_answer *a)
{
    if (a->code == DNS_FAILED)
        finish(s, SPF_TEMPERROR);
    else if (has_client(s, a)) {
        s->servers_count = 0;
        match(s);
    }
}

static void take_mx(struct spf_ask *s, const struct dns_answer *a)
{
    if (!can_use(s, a))
        return;
    if (a->count > SERVERS) {
        finish(s, SPF_PERMERROR);
        return;
    }
    for (uint32_t i = 0; i < a->count; i++)
        if (a->at[i].name.len > 0 && text_cstr(s->servers[s->servers_count], DNS_NAME, a->at[i].name))
            s->servers_count++;
}

static void ask_term(struct spf_ask *s)
{
    const struct spf_term *t = &s->term;
    char domain[DNS_NAME];

    if (!spend(s) || t->what == SPF_PTR)
        return;
    if (!term_domain(s, t->domain, domain, sizeof(domain))) {
        finish(s, SPF_PERMERROR);
        return;
    }
    if (t->what == SPF_INCLUDE)
        include(s, domain);
    else if (t->what == SPF_A)
        ask(s, address_kind(s), domain, take_a);
    else if (t->what == SPF_MX)
        ask(s, DNS_MX, domain, take_mx);
    else
        ask(s, DNS_A, domain, take_exists);
}

static void next_term(struct spf_ask *s)
{
    struct level *l = top(s);
    int got = spf_next(&l->rest, &s->term);

    if (got <= 0) {
        if (got < 0)
            finish(s, SPF_PERMERROR);
        else
            record_end(s);
        return;
    }
    switch (s->term.what) {
    case SPF_ALL:
        match(s);
        break;
    case SPF_IP:
        if (prefix_has(s->term.net, s->who))
            match(s);
        break;
    case SPF_REDIRECT:
        if (l->redirect.len > 0)
            finish(s, SPF_PERMERROR);
        l->redirect = s->term.domain;
        break;
    case SPF_OTHER:
        break;
    case SPF_INCLUDE:
    case SPF_A:
    case SPF_MX:
    case SPF_PTR:
    case SPF_EXISTS:
        ask_term(s);
        break;
    }
}

static void spf_end(struct spf_ask *s)
{
    void (*done)(void *, enum spf_result) = s->done;
    void *ctx = s->ctx;
    enum spf_result r = s->result;

    spf_free(s);
    done(ctx, r);
}

/* Until an answer has to be waited for.  An answer from the cache comes while this runs, and goes on here. */
static void run(struct spf_ask *s)
{
    if (s->running)
        return;
    s->running = true;
    while (!s->over && !s->query) {
        if (s->servers_count > 0)
            ask(s, address_kind(s), s->servers[--s->servers_count], take_server);
        else
            next_term(s);
    }
    s->running = false;
    if (s->over)
        spf_end(s);
}

struct spf_ask *spf_ask(struct dns *d, struct addr who, struct slice sender, struct slice helo,
                        void (*done)(void *ctx, enum spf_result r), void *ctx)
{
    struct spf_ask *s = calloc(1, sizeof(*s));
    struct text text;
    struct slice domain = helo;
    bool ended = false;

    if (!s) {
        done(ctx, SPF_TEMPERROR);
        return NULL;
    }
    for (size_t i = 0; i < sender.len; i++)
        if (sender.at[i] == '@')
            domain = slice_skip(sender, i + 1);
    text = TEXT_IN(s->sender);
    text_add(&text, sender.len > 0 ? sender : SLICE("postmaster@"));
    text_add(&text, sender.len > 0 ? slice_of(NULL, 0) : helo);
    if (text.cut || !dns_name_is_sound(domain) || !text_cstr(s->level[0].domain, DNS_NAME, domain)) {
        done(ctx, SPF_NONE);
        free(s);
        return NULL;
    }
    (void)text_cstr(s->helo, sizeof(s->helo), helo);
    s->dns = d;
    s->who = addr_ip(who);
    s->levels = 1;
    s->done = done;
    s->ctx = ctx;
    s->ended = &ended;
    s->running = true; /* an answer from the cache waits until all is set */
    ask(s, DNS_TXT, s->level[0].domain, take_record);
    s->running = false;
    run(s);
    if (ended)
        return NULL;
    s->ended = NULL;
    return s;
}

void spf_drop(struct spf_ask *s)
{
    if (!s)
        return;
    dns_drop(s->query);
    spf_free(s);
}
