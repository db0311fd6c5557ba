/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bogus_mx - where would a bounce for this sender go?
 *
 * To ourselves, to a network that mail can't be sent to, nowhere: then the
 * server must never come to have one.  One good place is enough to pass.
 * /etc/hosts is not asked (dns.h), and an MX that bears our own name is ours:
 * its address in there may well be 127.0.1.1.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/check.h"
#include "sense/gate/dns.h"
#include "sense/gate/ours.h"

enum { TARGETS = 10, KINDS = 2 };

struct places { /* of a sender's domain */
    struct visit *visit;
    unsigned open; /* questions, and one while they are being asked */
    unsigned good, bad, unsure;
    bool own;
    struct dns_query *mx;
    char why[VISIT_REASON]; /* about the first bad one */
    char domain[DNS_NAME];
    uint32_t count;
    struct target {
        char name[DNS_NAME];
        struct address {
            struct places *all;
            const char *name;
            struct dns_query *query;
        } asked[KINDS];
    } at[TARGETS];
};

static void bogus_stop(struct visit *v)
{
    void **own = visit_own(v, CHECK_BOGUS_MX);
    struct places *p = *own;

    if (!p)
        return;
    dns_drop(p->mx);
    for (uint32_t i = 0; i < p->count; i++)
        for (int k = 0; k < KINDS; k++)
            dns_drop(p->at[i].asked[k].query);
    free(p);
    *own = NULL;
}

static void found_bogus(struct visit *v, const char *domain, const char *why)
{
    struct event ev = event_new(EV_GATE_BOGUS_MX);

    event_add_words(&ev, F_PATH, v->sender);
    event_add_words(&ev, F_DOMAIN, domain);
    event_add_words(&ev, F_WHY, why);
    if (v->means->tell)
        v->means->tell(v->means->ctx, &ev, v);
    visit_found(v, CHECK_BOGUS_MX, FOUND_HIT, "%s", why);
}

static bool has(const char *prefix, struct addr a)
{
    struct prefix p;

    return prefix_read(slice_text(prefix), &p) && prefix_has(p, a);
}

/* The IPv4 address that such an IPv6 one leads to: NAT64, 6to4, "compatible". */
static bool inner_v4(struct addr a, struct addr *v4)
{
    size_t at = has("2002::/16", a) ? 2 : 12;

    if (at == 12 && !has("64:ff9b::/96", a) && !has("::/96", a))
        return false;
    *v4 = addr_from_ip(4, a.ip + at, 0);
    return true;
}

/* Why mail can't be sent there; NULL when it can. */
static const char *fault_of(const struct gate_means *m, struct addr a)
{
    struct addr v4;

    if (addr_is_loopback(a))
        return "loopback";
    if (addr_is_unspecified(a))
        return "this host";
    if (addr_is_private(a))
        return "private";
    if (addr_is_link_local(a))
        return "link-local";
    if (addr_is_multicast(a))
        return "multicast";
    if (addr_is_documentation(a))
        return "documentation";
    if (has("240.0.0.0/4", a) || has("192.0.0.0/24", a) || has("fec0::/10", a) || has("100::/64", a))
        return "reserved";
    if (ours_addr(m, a))
        return "our own";
    return inner_v4(a, &v4) ? fault_of(m, v4) : NULL;
}

static void judge(struct places *p, const char *name, struct addr a)
{
    const char *fault = fault_of(p->visit->means, a);
    struct text t;

    p->good += !fault;
    if (!fault || p->bad++ > 0)
        return;
    t = TEXT_IN(p->why);
    if (slice_eq_nocase(slice_text(name), slice_text(p->domain)))
        text_addf(&t, "%s is at %s, %s", name, addr_ip_text(a).text, fault);
    else
        text_addf(&t, "the mail server of %s, %s, is at %s, %s", p->domain, name, addr_ip_text(a).text, fault);
}

static void conclude(struct places *p)
{
    struct visit *v = p->visit;
    struct places was = *p;

    bogus_stop(v);
    if (was.own)
        visit_found(v, CHECK_BOGUS_MX, FOUND_NOTHING, "the mail of %s comes to us", was.domain);
    else if (was.good > 0)
        visit_found(v, CHECK_BOGUS_MX, FOUND_NOTHING, "%s%s", was.why, was.why[0] ? "; others are good" : "");
    else if (was.unsure > 0)
        visit_found(v, CHECK_BOGUS_MX, FOUND_UNSURE, "where the mail of %s goes could not be asked", was.domain);
    else if (was.bad > 0)
        found_bogus(v, was.domain, was.why);
    else {
        char why[VISIT_REASON];
        struct text t = TEXT_IN(why);

        text_addf(&t, "no mail server of %s has an address", was.domain);
        found_bogus(v, was.domain, why);
    }
}

static void on_addresses(void *ctx, const struct dns_answer *a)
{
    struct address *asked = ctx;
    struct places *p = asked->all;

    asked->query = NULL;
    p->unsure += a->code == DNS_FAILED;
    for (uint32_t i = 0; i < a->count; i++)
        judge(p, asked->name, a->at[i].addr);
    if (--p->open == 0)
        conclude(p);
}

static void add_target(struct places *p, struct slice name)
{
    static const enum dns_kind kinds[KINDS] = { DNS_A, DNS_AAAA };
    struct target *t = &p->at[p->count];
    struct addr a;

    if (p->count == TARGETS || !text_cstr(t->name, sizeof(t->name), name))
        return;
    p->count++;
    if (addr_read(name, &a)) { /* no name, but there are servers that would connect to it */
        judge(p, t->name, a);
        return;
    }
    for (int k = 0; k < KINDS; k++) {
        t->asked[k] = (struct address){ .all = p, .name = t->name };
        p->open++;
        t->asked[k].query = dns_ask(p->visit->means->dns, kinds[k], slice_text(t->name), on_addresses, &t->asked[k]);
    }
}

static void take_mx(struct places *p, const struct dns_answer *a)
{
    for (uint32_t i = 0; i < a->count && !p->own; i++)
        p->own = ours_name(p->visit->means, a->at[i].name);
    for (uint32_t i = 0; i < a->count && !p->own; i++)
        if (a->at[i].name.len > 0)
            add_target(p, a->at[i].name);
}

static void on_mx(void *ctx, const struct dns_answer *a)
{
    struct places *p = ctx;
    struct text t = TEXT_IN(p->why);

    p->mx = NULL;
    if (a->code == DNS_FAILED)
        p->unsure++;
    else if (a->code == DNS_NO_NAME) {
        p->bad++;
        text_addf(&t, "no such domain: %s", p->domain);
    } else if (a->code == DNS_NOTHING)
        add_target(p, slice_text(p->domain)); /* RFC 5321 section 5.1: the domain is its own mail server */
    else if (a->count == 1 && a->at[0].name.len == 0) {
        p->bad++;
        text_addf(&t, "%s says that it takes no mail (null MX)", p->domain);
    } else
        take_mx(p, a);
    if (--p->open == 0)
        conclude(p);
}

static void ask(struct visit *v, struct slice domain)
{
    struct places *p = calloc(1, sizeof(*p));

    *visit_own(v, CHECK_BOGUS_MX) = p;
    if (!p) {
        visit_found(v, CHECK_BOGUS_MX, FOUND_UNSURE, "no memory");
        return;
    }
    p->visit = v;
    p->open = 2;
    (void)text_cstr(p->domain, sizeof(p->domain), domain);
    p->mx = dns_ask(v->means->dns, DNS_MX, domain, on_mx, p);
    if (--p->open == 0)
        conclude(p);
}

static void judge_literal(struct visit *v, struct slice domain)
{
    struct slice inside = slice_of(domain.at + 1, domain.len - 1);
    char why[VISIT_REASON];
    struct text t = TEXT_IN(why);
    const char *fault = "no address";
    struct addr a;

    if (inside.len > 0 && inside.at[inside.len - 1] == ']')
        inside.len--;
    if (slice_starts_nocase(inside, SLICE("IPv6:")))
        inside = slice_skip(inside, 5);
    if (addr_read(inside, &a))
        fault = fault_of(v->means, a);
    if (!fault) {
        visit_found(v, CHECK_BOGUS_MX, FOUND_NOTHING, "%s", "");
        return;
    }
    text_add(&t, domain);
    text_addf(&t, " is %s", fault);
    found_bogus(v, "", why);
}

static void bogus_start(struct visit *v)
{
    const char *at = v->sender ? strrchr(v->sender, '@') : NULL;
    struct slice domain = slice_text(at ? at + 1 : NULL);

    bogus_stop(v);
    if (!at) /* the empty sender, and one of this house */
        visit_found(v, CHECK_BOGUS_MX, FOUND_NOTHING, "%s", "");
    else if (domain.len > 0 && domain.at[0] == '[')
        judge_literal(v, domain);
    else if (!dns_name_is_sound(domain))
        found_bogus(v, "", "no domain name behind the @");
    else if (ours_name(v->means, domain))
        visit_found(v, CHECK_BOGUS_MX, FOUND_NOTHING, "%s", "");
    else
        ask(v, domain);
}

const struct check check_bogus_mx = {
    .name = "bogus_mx",
    .starts = STAGE_MAIL,
    .due = STAGE_RCPT,
    .start = bogus_start,
    .stop = bogus_stop,
};
