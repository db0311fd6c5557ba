/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/detect.h"

#include <string.h>

#include "base/text.h"
#include "wire/smtp.h"

enum { PATH_TOLD = 64, NAME_TOLD = 40 }; /* so that all fields fit into one event */

static struct event begin(enum event_kind kind, const struct flow *f, int64_t now_us)
{
    struct event ev = event_new(kind);

    ev.at_us = now_us;
    ev.src = flow_client(f);
    ev.dst = flow_server(f);
    event_add_number(&ev, F_FLOW, f->number);
    return ev;
}

static void add_card(struct event *ev, const uint8_t mac[6])
{
    char words[18];
    struct text t = TEXT_IN(words);

    for (size_t i = 0; i < 6; i++)
        text_addf(&t, "%s%02x", i ? ":" : "", mac[i]);
    event_add_words(ev, F_MAC, words);
}

static void add_mac(struct event *ev, const struct flow *f)
{
    if (f->has_mac)
        add_card(ev, f->mac);
}

static void add_vlan(struct event *ev, const struct flow *f)
{
    char stack[24];
    struct text t = TEXT_IN(stack);

    for (size_t i = 0; i < f->key.vlans && i < LINK_TAGS; i++)
        text_addf(&t, "%s%u", i ? "." : "", f->key.vlan[i]);
    if (t.len > 0)
        event_add_words(ev, F_VLAN, stack);
}

static void add_text(struct event *ev, enum field f, struct slice s, size_t most)
{
    if (s.len > 0)
        event_add_text(ev, f, slice_first(s, most));
}

static void tell(struct detect *d, struct event *ev, const struct flow *f)
{
    d->calls->event(d->calls->ctx, ev, f->number);
}

static const char *proof(const struct flow *f)
{
    return f->confirmed ? "handshake and ACKs seen" : "no proof";
}

bool detect_exempt(struct detect *d, struct flow *f)
{
    if (f->generation != d->generation) {
        f->generation = d->generation;
        f->exempt = sources_allows(d->sources, flow_client(f)) || sources_allows(d->sources, flow_server(f)) ||
                    sources_own(d->sources, flow_server(f)) || !sources_inside(d->sources, flow_client(f));
    }
    return f->exempt;
}

/* True the first time in a window. */
static bool once(struct source *s, enum told what)
{
    if (s->told & (uint32_t)what)
        return false;
    s->told |= (uint32_t)what;
    return true;
}

/* Sources without proof and sources outside are as many as an attacker likes. */
static bool loose_room(struct detect *d, int64_t now_us)
{
    if (now_us - d->loose_since_us > DETECT_LOOSE_US || now_us < d->loose_since_us) {
        d->loose_since_us = now_us;
        d->loose = 0;
    }
    return d->loose++ < DETECT_LOOSE;
}

/* ---- room in a minute ---- */

/* What the minute that is over did not tell: in all, and of the mouth that said most. */
static void tell_capped(struct detect *d, int64_t now_us)
{
    struct event ev = event_new(EV_HUNT_FINDINGS_CAPPED);
    const struct mouth *loudest = &d->mouths.rest;
    uint64_t all = d->mouths.rest.untold;

    for (size_t i = 0; i < MOUTHS; i++) {
        all += d->mouths.at[i].untold;
        if (d->mouths.at[i].untold > loudest->untold)
            loudest = &d->mouths.at[i];
    }
    if (all == 0)
        return;
    ev.at_us = now_us;
    ev.src = loudest->last;
    event_add_number(&ev, F_COUNT, all);
    event_add_number(&ev, F_VALUE, loudest->untold);
    event_add_number(&ev, F_LIMIT, d->findings);
    event_add_number(&ev, F_SINCE, (uint64_t)d->mouths.since_us);
    if (loudest->name.kind == 6)
        add_card(&ev, loudest->name.bytes);
    d->calls->event(d->calls->ctx, &ev, 0);
}

static struct mouth *mouth_of(struct detect *d, const struct flow *f, int64_t now_us)
{
    if (mouths_over(&d->mouths, now_us))
        tell_capped(d, now_us);
    if (d->mouths.since_us == 0 || mouths_over(&d->mouths, now_us)) {
        mouths_begin(&d->mouths, now_us);
        d->told = 0;
    }
    return mouths_get(&d->mouths, mouth_name(f->has_mac ? f->mac : NULL, flow_client(f)), d->seed);
}

static bool has_room(const struct detect *d, const struct flow *f, const struct mouth *m, bool first)
{
    bool heard = m->told < DETECT_MOUTH || (first && f->key.family == 4);
    bool quiet = first && m->told < DETECT_FAIR;

    return heard && (d->told < d->findings || (quiet && d->told < d->findings * 2));
}

/* The source's doings from now on are summed up when they end. */
static void sum_up(struct detect *d, const struct source *s, int64_t now_us)
{
    if (d->sums_count < DETECT_SUMS)
        d->sums[d->sums_count++] =
            (struct detect_sum){ .who = s->who, .told = s->mails, .end_us = now_us + s->limits->window_us };
}

/* The first time in a window, while the minute has room. */
static bool may_tell(struct detect *d, const struct flow *f, struct source *s, enum told what, int64_t now_us)
{
    bool first = (what & TOLD_FINDINGS) && !(s->told & TOLD_FINDINGS);
    struct mouth *m;

    if (s->told & (uint32_t)what)
        return false;
    m = d->findings > 0 ? mouth_of(d, f, now_us) : NULL;
    if (!m || has_room(d, f, m, first)) {
        if (m)
            m->told++;
        d->told++;
        s->told |= (uint32_t)what;
        if (first)
            sum_up(d, s, now_us);
        return true;
    }
    if (!first || !(s->told & TOLD_CAPPED))
        m->untold++;
    m->last = s->who;
    s->told |= TOLD_CAPPED | (first ? 0 : (uint32_t)what); /* a first one is tried again: no block is lost */
    return false;
}

static void tell_sum(struct detect *d, const struct source *s)
{
    struct event ev = event_new(EV_HUNT_SOURCE_SUMMED);

    ev.at_us = s->last_us;
    ev.src = s->who;
    event_add_number(&ev, F_COUNT, s->mails);
    event_add_number(&ev, F_RECIPIENTS, s->recipients);
    event_add_number(&ev, F_CONNECTIONS, s->connections);
    event_add_number(&ev, F_SINCE, (uint64_t)s->first_us);
    event_add_number(&ev, F_UNTIL, (uint64_t)s->last_us);
    d->calls->event(d->calls->ctx, &ev, 0);
}

/* True: nothing more is to be said about it. */
static bool summed(struct detect *d, const struct detect_sum *sum, int64_t now_us)
{
    const struct source *s = sources_look(d->sources, sum->who);
    bool more = s && s->mails > sum->told;

    if (more && now_us < sum->end_us && now_us - s->last_us < DETECT_SILENT_US)
        return false;
    if (more)
        tell_sum(d, s);
    return more || !s || now_us >= sum->end_us;
}

void detect_tick(struct detect *d, int64_t now_us)
{
    if (mouths_over(&d->mouths, now_us)) {
        tell_capped(d, now_us);
        memset(&d->mouths, 0, sizeof(d->mouths));
        d->told = 0;
    }
    for (uint32_t i = 0; i < d->sums_count;)
        if (summed(d, &d->sums[i], now_us))
            d->sums[i] = d->sums[--d->sums_count];
        else
            i++;
}

/* ---- findings ---- */

struct finding {
    enum told bit;
    enum event_kind kind;
    uint64_t value, limit;
    enum field field; /* of the text that crossed it; F_NONE: none */
    struct slice text;
};

static void check(struct detect *d, struct flow *f, struct source *s, const struct finding *x, int64_t now_us)
{
    struct event ev;

    if (x->limit == 0 || x->value <= x->limit || detect_exempt(d, f) || !may_tell(d, f, s, x->bit, now_us))
        return;
    ev = begin(x->kind, f, now_us);
    event_add_number(&ev, F_VALUE, x->value);
    event_add_number(&ev, F_LIMIT, x->limit);
    event_add_number(&ev, F_SPAN, (uint64_t)s->limits->window_us);
    event_add_words(&ev, F_PROOF, proof(f));
    if (x->field != F_NONE)
        add_text(&ev, x->field, x->text, PATH_TOLD);
    add_mac(&ev, f);
    add_vlan(&ev, f);
    tell(d, &ev, f);
}

static struct slice flow_path(const struct flow *f)
{
    return slice_of(f->path, f->path_len);
}

static struct slice flow_helo(const struct flow *f)
{
    return slice_of(f->helo, f->helo_len);
}

static void tell_inbound(struct detect *d, struct flow *f, struct source *s, int64_t now_us)
{
    struct event ev;

    if ((s->inside && !sources_own(d->sources, flow_server(f))) || sources_allows(d->sources, flow_server(f)) ||
        !once(s, TOLD_INBOUND) || !loose_room(d, now_us))
        return;
    ev = begin(EV_HUNT_INBOUND_SEEN, f, now_us);
    add_text(&ev, F_PATH, flow_path(f), PATH_TOLD);
    add_text(&ev, F_HELO, flow_helo(f), NAME_TOLD);
    tell(d, &ev, f);
}

static void tell_mail(struct detect *d, struct flow *f, struct source *s, int64_t now_us)
{
    struct event ev;

    tell_inbound(d, f, s, now_us);
    if (!s->limits->any_mail || detect_exempt(d, f) || !may_tell(d, f, s, TOLD_MAIL, now_us))
        return;
    ev = begin(EV_HUNT_MAIL_SEEN, f, now_us);
    event_add_text(&ev, F_PATH, slice_first(flow_path(f), PATH_TOLD)); /* also when it is <> */
    add_text(&ev, F_HELO, flow_helo(f), NAME_TOLD);
    event_add_number(&ev, F_COUNT, s->mails);
    event_add_words(&ev, F_PROOF, proof(f));
    add_mac(&ev, f);
    add_vlan(&ev, f);
    tell(d, &ev, f);
}

static void on_mail(struct detect *d, struct flow *f, struct source *s, struct slice path, int64_t now_us)
{
    const struct hunt_limits *l = s->limits;
    struct slice domain = smtp_domain(path);
    struct finding senders = { TOLD_SENDERS, EV_HUNT_SENDERS_CROSSED, 0, l->senders, F_PATH, path };
    struct finding domains = { TOLD_DOMAINS, EV_HUNT_DOMAINS_CROSSED, 0, l->domains, F_DOMAIN, domain };

    tell_mail(d, f, s, now_us);
    if (path.len == 0)
        return; /* a bounce has no sender */
    senders.value = sources_distinct(d->sources, &s->senders, sources_hash(d->sources, path), l->senders);
    check(d, f, s, &senders, now_us);
    if (domain.len > 0)
        domains.value = sources_distinct(d->sources, &s->domains, sources_hash(d->sources, domain), l->domains);
    check(d, f, s, &domains, now_us);
}

static void on_helo(struct detect *d, struct flow *f, struct source *s, struct slice name, int64_t now_us)
{
    struct finding x = { TOLD_HELO, EV_HUNT_HELO_CHANGED, 0, s->limits->helos, F_HELO, name };

    x.value = sources_distinct(d->sources, &s->helos, sources_hash(d->sources, name), s->limits->helos);
    check(d, f, s, &x, now_us);
}

static void on_refusals(struct detect *d, struct flow *f, struct source *s, uint64_t n, int64_t now_us)
{
    s->refusals += n;
    s->refusals_now += n;
    check(d, f, s,
          &(struct finding){
              TOLD_REFUSALS, EV_HUNT_REFUSALS_CROSSED, s->refusals_now, s->limits->refusals, F_NONE, { 0 } },
          now_us);
}

static void on_auth(struct detect *d, struct flow *f, struct source *s, struct slice mechanism, struct slice user,
                    int64_t now_us)
{
    struct event ev;

    s->auths++;
    if (!may_tell(d, f, s, TOLD_AUTH, now_us))
        return;
    ev = begin(EV_HUNT_AUTH_SEEN, f, now_us);
    add_text(&ev, F_MECHANISM, mechanism, NAME_TOLD);
    add_text(&ev, F_USER, user, PATH_TOLD);
    tell(d, &ev, f);
}

static void on_tls(struct detect *d, struct flow *f, struct source *s, int64_t now_us)
{
    struct event ev;

    s->tls++;
    tell_inbound(d, f, s, now_us);
    if (!s->limits->any_mail || detect_exempt(d, f) || !may_tell(d, f, s, TOLD_TLS, now_us))
        return;
    ev = begin(EV_HUNT_TLS_SEEN, f, now_us);
    add_text(&ev, F_SNI, slice_of(f->sni, f->sni_len), PATH_TOLD);
    add_text(&ev, F_HELO, flow_helo(f), NAME_TOLD);
    event_add_words(&ev, F_PROOF, proof(f));
    add_mac(&ev, f);
    add_vlan(&ev, f);
    tell(d, &ev, f);
}

void detect_bytes(struct detect *d, struct flow *f, int64_t now_us)
{
    struct source *s;

    if (f->bytes == 0 || !f->confirmed)
        return;
    s = sources_get(d->sources, flow_client(f), true, now_us);
    s->bytes += f->bytes;
    s->bytes_now += f->bytes;
    f->bytes = 0;
    check(d, f, s,
          &(struct finding){ TOLD_VOLUME, EV_HUNT_VOLUME_CROSSED, s->bytes_now, s->limits->bytes, F_NONE, { 0 } },
          now_us);
}

void detect_confirmed(struct detect *d, struct flow *f, int64_t now_us)
{
    struct source *s = sources_get(d->sources, flow_client(f), true, now_us);
    struct addr server = addr_ip(flow_server(f));
    struct finding rate = {
        TOLD_RATE, EV_HUNT_RATE_CROSSED, ++s->connections_now, s->limits->connections, F_NONE, { 0 }
    };
    struct finding servers = { TOLD_SERVERS, EV_HUNT_SERVERS_CROSSED, 0, s->limits->servers, F_NONE, { 0 } };

    s->connections++;
    check(d, f, s, &rate, now_us);
    servers.value = sources_distinct(d->sources, &s->servers,
                                     sources_hash(d->sources, slice_of(&server, sizeof(server))), s->limits->servers);
    check(d, f, s, &servers, now_us);
    /* What was said before: the counts are exact, of the texts the first is kept. */
    s->mails += f->mails;
    s->recipients += f->recipients;
    if (f->helo_len > 0)
        on_helo(d, f, s, flow_helo(f), now_us);
    if (f->mails > 0)
        on_mail(d, f, s, flow_path(f), now_us);
    if (f->refusals > 0)
        on_refusals(d, f, s, f->refusals, now_us);
    if (f->tls)
        on_tls(d, f, s, now_us);
}

static void keep(uint8_t *to, uint8_t *len, size_t size, struct slice text)
{
    text = slice_first(text, size);
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    *len = (uint8_t)text.len;
}

/* Kept in the flow: the first path, the last name. */
static void remember(struct flow *f, enum said what, struct slice text)
{
    switch (what) {
    case SAID_MAIL:
        if (f->mails++ == 0)
            keep(f->path, &f->path_len, sizeof(f->path), text);
        f->spoke = true;
        break;
    case SAID_RCPT:
        f->recipients++;
        f->spoke = true;
        break;
    case SAID_HELO:
        keep(f->helo, &f->helo_len, sizeof(f->helo), text);
        break;
    case SAID_TLS:
        keep(f->sni, &f->sni_len, sizeof(f->sni), text);
        f->tls = true;
        f->spoke = true;
        break;
    case SAID_BODY:
        f->spoke = true;
        break;
    case SAID_REFUSED:
        f->refusals++;
        break;
    case SAID_AUTH:
    case SAID_LONG:
        break;
    }
}

void detect_said(struct detect *d, struct flow *f, enum said what, struct slice text, struct slice user, int64_t now_us)
{
    struct source *s;

    remember(f, what, text);
    if (what == SAID_LONG) {
        d->counts->long_lines++;
        detect_oddity(d, f, EV_HUNT_LINE_TOO_LONG, 0, now_us);
        return;
    }
    if (!f->confirmed) {
        if (f->midstream && what == SAID_MAIL)
            detect_unconfirmed(d, f, now_us);
        return;
    }
    s = sources_get(d->sources, flow_client(f), true, now_us);
    switch (what) {
    case SAID_MAIL:
        s->mails++;
        on_mail(d, f, s, text, now_us);
        break;
    case SAID_RCPT:
        s->recipients++;
        if (f->mails == 0)
            tell_mail(d, f, s, now_us); /* its MAIL was lost */
        break;
    case SAID_HELO:
        on_helo(d, f, s, text, now_us);
        break;
    case SAID_TLS:
        on_tls(d, f, s, now_us);
        break;
    case SAID_REFUSED:
        on_refusals(d, f, s, 1, now_us);
        break;
    case SAID_AUTH:
        on_auth(d, f, s, text, user, now_us);
        break;
    case SAID_BODY:
    case SAID_LONG:
        break;
    }
    detect_bytes(d, f, now_us);
}

void detect_unconfirmed(struct detect *d, struct flow *f, int64_t now_us)
{
    struct source *s = sources_get(d->sources, flow_client(f), false, now_us);
    struct event ev;

    s->unconfirmed++;
    d->counts->unconfirmed++;
    if (!once(s, TOLD_UNCONFIRMED) || !loose_room(d, now_us))
        return;
    ev = begin(EV_HUNT_UNCONFIRMED, f, now_us);
    add_text(&ev, F_PATH, flow_path(f), PATH_TOLD);
    event_add_number(&ev, F_COUNT, s->unconfirmed);
    event_add_words(&ev, F_WHY,
                    f->suspect     ? "the server's segments came the client's way or through a tunnel"
                    : f->handshake ? "the server never acknowledged the data"
                    : f->midstream ? "no handshake seen"
                                   : "no proof");
    add_mac(&ev, f);
    tell(d, &ev, f);
}

void detect_oddity(struct detect *d, struct flow *f, enum event_kind kind, uint64_t bytes, int64_t now_us)
{
    struct source *s = sources_get(d->sources, flow_client(f), f->confirmed, now_us);
    enum told bit = kind == EV_HUNT_OVERLAP ? TOLD_OVERLAP : kind == EV_HUNT_GAP ? TOLD_GAP : TOLD_LONG;
    struct event ev;

    if (f->confirmed ? !may_tell(d, f, s, bit, now_us) : !once(s, bit) || !loose_room(d, now_us))
        return;
    ev = begin(kind, f, now_us);
    if (bytes > 0)
        event_add_number(&ev, F_BYTES, bytes);
    add_mac(&ev, f);
    tell(d, &ev, f);
}

void detect_table_full(struct detect *d, const char *table, uint64_t evicted, uint64_t cap, int64_t now_us)
{
    struct event ev = event_new(EV_HUNT_TABLE_FULL);

    ev.at_us = now_us;
    event_add_words(&ev, F_NAME, table);
    event_add_number(&ev, F_COUNT, evicted);
    event_add_number(&ev, F_LIMIT, cap);
    d->calls->event(d->calls->ctx, &ev, 0);
}
