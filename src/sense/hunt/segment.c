/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "sense/hunt/inner.h"
#include "wire/smtp.h"

enum {
    NEAR = 1 << 20, /* farther from what is expected: not of this connection's present */
    TTL_SLACK = 4,  /* a client's own segments come by one way */
    BYTES_TOLD = 16384
};

static const struct engine_verdict no_mail;

bool segment_greets(struct slice payload)
{
    struct slice after;
    struct slice line;

    if (payload.len < 8 || memcmp(payload.at, "220", 3) != 0 || (payload.at[3] != ' ' && payload.at[3] != '-'))
        return false;
    line = slice_until(slice_first(payload, 512), '\n', &after);
    for (; line.len >= 4; line = slice_skip(line, 1))
        if (slice_starts_nocase(line, SLICE("SMTP")))
            return true;
    return false;
}

/* --- what the client and the server say, in order --- */

static void on_said(void *ctx, enum said what, struct slice text, struct slice user)
{
    struct engine *g = ctx;
    struct flow *f = g->flow;
    static const enum mail_verb verbs[] = {
        [SAID_MAIL] = MAIL_FROM, [SAID_RCPT] = MAIL_RCPT, [SAID_TLS] = MAIL_SNI, [SAID_AUTH] = MAIL_AUTH
    };
    bool row = what == SAID_MAIL || what == SAID_RCPT || what == SAID_AUTH || (what == SAID_TLS && text.len > 0);

    g->counts.mails += what == SAID_MAIL;
    g->counts.recipients += what == SAID_RCPT;
    g->counts.hellos += what == SAID_TLS;
    if (row && g->calls.mail) {
        struct mail_row r = { .flow = f->number,
                              .at_us = g->at_us,
                              .client = flow_client(f),
                              .server = flow_server(f),
                              .verb = verbs[what],
                              .text = text,
                              .user = user,
                              .confirmed = f->confirmed,
                              .midstream = f->midstream };

        g->calls.mail(g->calls.ctx, &r);
    }
    detect_said(&g->detect, f, what, text, user, g->at_us);
}

/* Bytes that stand in the frame in hand: its evidence must not show them. */
static void on_secret(void *ctx, struct slice bytes)
{
    struct engine *g = ctx;
    struct slice all = g->frame->bytes;
    size_t from;

    if (bytes.at < all.at || bytes.at >= all.at + all.len)
        return;
    from = (size_t)(bytes.at - all.at);
    if (g->secret_from == g->secret_to)
        g->secret_from = from;
    g->secret_to = from + bytes.len;
}

static const struct session_talk *talk(struct engine *g, struct session_talk *t)
{
    *t = (struct session_talk){ .ctx = g, .said = on_said, .secret = on_secret };
    return t;
}

static void client_bytes(void *ctx, struct slice bytes, uint32_t seq)
{
    struct engine *g = ctx;
    struct session_talk t;

    engine_history_add(g, g->flow, bytes, seq);
    g->flow->bytes += (uint32_t)bytes.len;
    session_client(&g->flow->session, bytes, (size_t)g->settings->line_bytes, talk(g, &t));
}

static void client_gap(void *ctx, uint32_t len)
{
    struct engine *g = ctx;
    struct session_talk t;

    g->counts.gaps++;
    session_client_gap(&g->flow->session, len, talk(g, &t));
    detect_oddity(&g->detect, g->flow, EV_HUNT_GAP, len, g->at_us);
}

static void overlap(void *ctx)
{
    struct engine *g = ctx;

    g->counts.overlaps++;
    detect_oddity(&g->detect, g->flow, EV_HUNT_OVERLAP, 0, g->at_us);
}

static void server_bytes(void *ctx, struct slice bytes, uint32_t seq)
{
    struct engine *g = ctx;
    struct session_talk t;

    (void)seq;
    session_server(&g->flow->session, bytes, talk(g, &t));
}

static void server_gap(void *ctx, uint32_t len)
{
    struct engine *g = ctx;

    (void)len;
    session_server_gap(&g->flow->session);
}

static void server_conflict(void *ctx)
{
    (void)ctx; /* what a server says twice leads to no finding */
}

static struct stream_out up_out(struct engine *g)
{
    return (struct stream_out){ g, client_bytes, client_gap, overlap };
}

static struct stream_out down_out(struct engine *g)
{
    return (struct stream_out){ g, server_bytes, server_gap, server_conflict };
}

/* --- the beginning --- */

static bool is_near(uint32_t a, uint32_t b)
{
    int32_t d = tcp_distance(a, b);

    return d > -NEAR && d < NEAR;
}

static void count_sum(struct knock *k, size_t side, const struct seen_segment *s)
{
    uint8_t *count = s->sum_good ? &k->good_sums[side] : &k->bad_sums[side];

    if (s->sum_known && *count < UINT8_MAX)
        (*count)++;
}

static void on_syn(struct engine *g, const struct flow_key *key, const struct seen_segment *s)
{
    struct knock *k = knocks_put(g->knocks, key, g->at_us, g->settings->half_open_us);

    count_sum(k, 0, s);
    if ((k->seen & KNOCK_SYN) && k->client_isn[0] != s->tcp->seq)
        k->client_isn[1] = k->client_isn[0];
    else if (!(k->seen & KNOCK_SYN) && (k->seen & KNOCK_REPLY) && k->client_isn[0] != s->tcp->seq)
        return; /* the answer came first, and to another one */
    k->client_isn[0] = s->tcp->seq;
    k->seen |= KNOCK_SYN;
    k->ttl = s->ip->ttl;
    k->client_scale = s->tcp->scale;
    k->client_way = (uint8_t)g->frame->way;
}

static void on_syn_reply(struct engine *g, const struct flow_key *key, const struct seen_segment *s)
{
    struct knock *k = knocks_put(g->knocks, key, g->at_us, g->settings->half_open_us);
    uint32_t isn = s->tcp->ack - 1;

    count_sum(k, 1, s);
    if ((k->seen & KNOCK_SYN) && isn != k->client_isn[0]) {
        if (isn != k->client_isn[1])
            return; /* answers no SYN of this client */
        k->client_isn[1] = k->client_isn[0];
    }
    k->client_isn[0] = isn;
    k->server_isn = s->tcp->seq;
    k->server_scale = s->tcp->scale;
    k->server_window = s->tcp->window;
    k->seen |= KNOCK_REPLY;
}

static void keep_mac(struct flow *f, const struct seen_segment *s)
{
    if (!s->link->mac || f->has_mac)
        return;
    memcpy(f->mac, s->link->mac, sizeof(f->mac));
    f->has_mac = true;
}

static void keep_sums(struct stream *s, const struct knock *k, size_t side)
{
    s->good_sums = k->good_sums[side];
    s->bad_sums = k->bad_sums[side];
}

/* The client's ACK shows that it has read the server's number: the flow begins. */
static struct flow *on_knock_done(struct engine *g, struct knock *k, struct flow *old)
{
    struct flow *f;
    uint32_t up = k->client_isn[0] + 1;
    uint32_t down = k->server_isn + 1;

    if (old && old->handshake && old->up_first == up && old->down_first == down) {
        knocks_remove(g->knocks, k); /* the same handshake, captured twice */
        return old;
    }
    if (old)
        engine_end_flow(g, old);
    f = engine_begin_flow(g, &k->key, FLOW_PROVEN);
    session_init(&f->session, false);
    stream_start(&f->up, up);
    stream_start(&f->down, down);
    f->up_first = up;
    f->down_first = down;
    f->up.ttl = k->ttl;
    f->up.scale = k->client_scale;
    f->down.scale = k->server_scale;
    f->up.window = k->server_window;
    keep_sums(&f->up, k, 0);
    keep_sums(&f->down, k, 1);
    f->client_way = k->client_way;
    f->suspect = k->key.inner;
    f->handshake = true;
    knocks_remove(g->knocks, k);
    return f;
}

/* Picked up after its start, or on a port where only the greeting gave it away. */
static struct flow *begin_midstream(struct engine *g, const struct flow_key *key, const struct seen_segment *s,
                                    bool from_client)
{
    struct flow *f;
    const struct tcp_segment *t = s->tcp;
    bool greeting = !from_client && segment_greets(t->payload);

    if (!(t->flags & TCP_ACK) || t->wire_len == 0)
        return NULL;
    f = engine_begin_flow(g, key, FLOW_UNPROVEN);
    session_init(&f->session, !greeting);
    stream_start(&f->up, from_client ? t->seq : t->ack);
    stream_start(&f->down, from_client ? t->ack : t->seq);
    f->up_first = f->up.next;
    f->down_first = f->down.next;
    f->up.ttl = from_client ? s->ip->ttl : 0;
    f->gate = greeting ? GATE_ACK : GATE_ANSWER;
    f->midstream = true;
    f->suspect = key->inner;
    if (greeting)
        port_add(&g->watched, t->sport);
    return f;
}

/* --- proof --- */

static void confirm(struct engine *g, struct flow *f)
{
    if (f->confirmed || !f->handshake)
        return;
    if (f->suspect)
        return;
    f->confirmed = true;
    g->counts.confirmed++;
    detect_confirmed(&g->detect, f, g->at_us);
}

/* The server acknowledged bytes that the client sent. */
static void prove(struct engine *g, struct flow *f, uint32_t ack)
{
    if (f->confirmed || !f->handshake || tcp_distance(ack, f->up_first) <= 0 ||
        tcp_distance(f->up.next, f->up_first) <= 0)
        return;
    confirm(g, f);
}

/* --- the client's segments --- */

static bool looks_like_mail(struct slice s)
{
    return slice_starts_nocase(s, SLICE("MAIL ")) || slice_starts_nocase(s, SLICE("EHLO ")) ||
           slice_starts_nocase(s, SLICE("HELO "));
}

/* Would the receiver take it?  What is in doubt waits for the server's acknowledgement. */
static bool in_doubt(const struct flow *f, const struct seen_segment *s)
{
    if (f->gate != GATE_OPEN || f->reset || s->sum_doubted)
        return true;
    if (f->up.fin_seen && tcp_distance(s->tcp->seq + (uint32_t)s->tcp->wire_len, f->up.fin) > 0)
        return true;
    return f->up.ttl != 0 && s->ip->ttl + TTL_SLACK < f->up.ttl;
}

static void client_fin(struct flow *f, const struct tcp_segment *t)
{
    uint32_t at = t->seq + (uint32_t)t->wire_len;
    int32_t ahead = tcp_distance(at, f->up.next);

    if (ahead < 0 || ahead > NEAR || f->up.ended)
        return;
    f->up.fin_seen = true;
    f->up.fin = at;
}

static void take_client_data(struct engine *g, struct flow *f, const struct seen_segment *s)
{
    const struct tcp_segment *t = s->tcp;
    struct stream_out out = up_out(g);
    int32_t old = tcp_distance(f->up.next, t->seq);
    bool keepalive = old == 1 && t->wire_len == 1;

    if (f->up.ended && tcp_distance(t->seq + (uint32_t)t->wire_len, f->up.fin) > 0)
        return; /* behind a FIN that the server acknowledged */
    if (f->gate != GATE_OPEN && !f->peeked)
        f->peeked = looks_like_mail(t->payload);
    if (old > 0 && !keepalive && engine_history_differs(g, f, t->payload, t->seq))
        overlap(g);
    stream_put(&f->up, &g->budget, t->seq, t->payload, (uint32_t)t->wire_len, in_doubt(f, s), &out);
    if (f->bytes > BYTES_TOLD)
        detect_bytes(&g->detect, f, g->at_us);
}

/* Bytes of a client's frame that were not read in place may hold a secret: the hook gets none of them. */
static void hide_unread(struct engine *g, const struct seen_segment *s, bool read)
{
    const struct tcp_segment *t = s->tcp;
    struct slice all = g->frame->bytes;

    if (read || t->payload.len == 0 || t->payload.at < all.at || t->payload.at >= all.at + all.len)
        return;
    g->secret_from = (size_t)(t->payload.at - all.at);
    g->secret_to = g->secret_from + t->payload.len;
}

/*
 * An asymmetric route: only the client is seen.  Each time that its
 * acknowledgements move on, the server has answered what went before.  That is
 * no proof (anybody can invent both), but enough to read on.
 */
static void one_sided(struct engine *g, struct flow *f, const struct tcp_segment *t)
{
    struct stream_out out = up_out(g);

    if (!f->midstream || tcp_distance(t->ack, f->down_first) <= 0)
        return;
    f->down_first = t->ack;
    if (f->moves < UINT8_MAX)
        f->moves++;
    if (f->moves < 2)
        return;
    f->gate = GATE_ACK;
    stream_ack(&f->up, &g->budget, t->seq, &out);
}

static void on_client(struct engine *g, struct flow *f, const struct seen_segment *s)
{
    const struct tcp_segment *t = s->tcp;
    uint32_t end = t->seq + (uint32_t)t->wire_len;
    bool in_place = t->seq == f->up.next;

    keep_mac(f, s);
    if (f->up.ttl == 0)
        f->up.ttl = s->ip->ttl;
    if (t->flags & TCP_RST) {
        if (s->sum_doubted)
            return;
        if (t->seq == f->up.next || (f->up.acked_known && t->seq == f->up.acked))
            f->reset = true;
        return;
    }
    if (t->wire_len > 0)
        take_client_data(g, f, s);
    hide_unread(g, s, in_place && f->up.next == end);
    if (s->sum_doubted)
        return;
    if (t->flags & TCP_FIN)
        client_fin(f, t);
    if (!f->heard && (t->flags & TCP_ACK))
        one_sided(g, f, t);
    if ((t->flags & TCP_ACK) && is_near(t->ack, f->down.next) && is_near(t->seq, f->up.next)) {
        struct stream_out out = down_out(g);

        f->down.window = (uint32_t)t->window << (f->up.scale > 0 && f->down.scale >= 0 ? f->up.scale : 0);
        stream_ack(&f->down, &g->budget, t->ack, &out);
    }
}

/* --- the server's segments --- */

/* The first answer tells where in the dialogue we are: a body's end was said, or a command. */
static void open_gate(struct engine *g, struct flow *f, const struct tcp_segment *t)
{
    unsigned code;
    bool last;

    if (f->gate != GATE_ANSWER || !smtp_reply_read(slice_first(t->payload, 4), &code, &last))
        return;
    f->gate = GATE_ACK;
    if (stream_ends_body(&f->up))
        stream_skip(&f->up, &g->budget, t->ack);
}

static void on_server_ack(struct engine *g, struct flow *f, const struct tcp_segment *t)
{
    struct stream_out out = up_out(g);

    f->up.window = (uint32_t)t->window << (f->down.scale > 0 && f->up.scale >= 0 ? f->down.scale : 0);
    if (f->gate == GATE_ANSWER || !is_near(t->ack, f->up.next))
        return;
    if (f->up.fin_seen && !f->up.ended) {
        int32_t beyond = tcp_distance(t->ack, f->up.fin + 1);

        if (beyond == 0)
            f->up.ended = true;
        else if (beyond > 0)
            f->up.fin_seen = false; /* it has bytes from behind it: the FIN never arrived there */
    }
    if (f->up.ended && tcp_distance(t->ack, f->up.fin) >= 0) {
        stream_ack(&f->up, &g->budget, f->up.fin, &out);
        prove(g, f, f->up.fin);
        return;
    }
    stream_ack(&f->up, &g->budget, t->ack, &out);
    prove(g, f, t->ack);
}

static void on_server(struct engine *g, struct flow *f, const struct seen_segment *s)
{
    const struct tcp_segment *t = s->tcp;
    struct stream_out out = down_out(g);

    f->heard = true;
    if (!is_near(t->seq, f->down.next))
        return;
    if (f->client_way != WAY_UNKNOWN && g->frame->way == (enum engine_way)f->client_way)
        f->suspect = true;
    if (t->flags & TCP_RST) {
        if (s->sum_doubted)
            return;
        if (t->seq == f->down.next || (f->down.acked_known && t->seq == f->down.acked))
            f->reset = true;
        return;
    }
    if (t->seq == f->down.next)
        open_gate(g, f, t);
    if ((t->flags & TCP_ACK) && !s->sum_doubted)
        on_server_ack(g, f, t);
    if (t->wire_len > 0)
        stream_put(&f->down, &g->budget, t->seq, t->payload, (uint32_t)t->wire_len, s->sum_doubted, &out);
    if ((t->flags & TCP_FIN) && !f->down.fin_seen) {
        f->down.fin_seen = true;
        f->down.fin = t->seq + (uint32_t)t->wire_len;
    }
}

/* --- a segment finds its flow --- */

struct place {
    struct flow_key key;
    struct flow *flow;
    bool from_client;
};

static bool from_client(struct engine *g, const struct tcp_segment *t)
{
    bool to_mail = port_in(&g->mail, t->dport);
    bool by_mail = port_in(&g->mail, t->sport);
    unsigned code;
    bool last;

    if (to_mail != by_mail)
        return to_mail;
    if (!to_mail) /* found by its greeting */
        return !segment_greets(t->payload);
    return !smtp_reply_read(slice_first(t->payload, 4), &code, &last);
}

static struct place find_place(struct engine *g, const struct seen_segment *s)
{
    struct place p = { .key = flow_key_of(s->link, s->ip, s->tcp, s->inner) };
    struct flow_key turned = flow_key_turned(p.key);

    p.from_client = port_in(&g->mail, s->tcp->dport) || !port_in(&g->mail, s->tcp->sport); /* as a rule */
    p.flow = flow_find(&g->flows, p.from_client ? &p.key : &turned);
    if (!p.flow) {
        p.flow = flow_find(&g->flows, p.from_client ? &turned : &p.key);
        p.from_client = p.flow ? !p.from_client : from_client(g, s->tcp);
    }
    if (!p.from_client)
        p.key = turned;
    return p;
}

/* The knock of this client that this ACK completes; *forged: there is one, and the ACK is wrong. */
static struct knock *find_knock(struct engine *g, const struct flow_key *key, const struct seen_segment *s,
                                bool *forged)
{
    const struct tcp_segment *t = s->tcp;
    struct knock *k = knocks_find(g->knocks, key, g->at_us, g->settings->half_open_us);
    int32_t ahead;

    if (!k || k->seen != (KNOCK_SYN | KNOCK_REPLY))
        return NULL;
    ahead = tcp_distance(t->seq, k->client_isn[0] + 1);
    if ((t->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && t->ack == k->server_isn + 1 && ahead >= 0 && ahead < 65536) {
        count_sum(k, 0, s);
        return k;
    }
    *forged = true;
    return NULL;
}

static struct engine_verdict verdict(struct engine *g, struct flow *f, bool by_client)
{
    struct engine_verdict v = { .flow = f->number,
                                .from_client = by_client,
                                .handshake = f->handshake,
                                .confirmed = f->confirmed,
                                .spoke_mail = f->spoke,
                                .allowed = detect_exempt(&g->detect, f) };

    if (f->confirmed && !v.allowed) {
        const struct source *s = sources_at(g->sources, flow_client(f), &f->source);

        v.found = s && (s->told & (TOLD_FINDINGS | TOLD_CAPPED)) != 0;
    }
    return v;
}

static void hook(struct engine *g, struct flow *f, bool by_client)
{
    struct engine_packet p = { .flow = f->number,
                               .from_client = by_client,
                               .frame = g->frame,
                               .secret_at = g->secret_from,
                               .secret_len = g->secret_to - g->secret_from };

    g->calls.packet(g->calls.ctx, &p);
}

static enum flow_list list_of(const struct flow *f)
{
    if (f->reset || (f->up.ended && f->down.fin_seen))
        return FLOW_CLOSING;
    return f->handshake ? FLOW_PROVEN : FLOW_UNPROVEN;
}

struct engine_verdict segment_read(struct engine *g, struct seen_segment *s)
{
    const struct tcp_segment *t = s->tcp;
    struct place p = find_place(g, s);
    bool forged = false;

    if (t->flags & TCP_SYN) {
        struct flow_key key = flow_key_of(s->link, s->ip, t, s->inner);
        struct flow_key turned = flow_key_turned(key);

        if (!(t->flags & TCP_ACK) && port_in(&g->mail, t->dport))
            on_syn(g, &key, s);
        else if ((t->flags & TCP_ACK) && port_in(&g->mail, t->sport))
            on_syn_reply(g, &turned, s);
        return no_mail;
    }
    if (p.from_client) {
        struct knock *k = find_knock(g, &p.key, s, &forged);

        if (k)
            p.flow = on_knock_done(g, k, p.flow);
    }
    if (!p.flow && !forged)
        p.flow = begin_midstream(g, &p.key, s, p.from_client);
    if (!p.flow)
        return no_mail;
    if (s->sum_known && !stream_sum(p.from_client ? &p.flow->up : &p.flow->down, s->sum_good)) {
        g->counts.bad_sums++;
        s->sum_doubted = true;
    }
    g->flow = p.flow;
    g->secret_from = g->secret_to = 0;
    if (p.from_client)
        on_client(g, p.flow, s);
    else
        on_server(g, p.flow, s);
    if (g->frame->held && p.flow->spoke)
        confirm(g, p.flow);
    if (g->calls.packet && !detect_exempt(&g->detect, p.flow))
        hook(g, p.flow, p.from_client);
    flow_touch(&g->flows, p.flow, list_of(p.flow), g->at_us);
    return verdict(g, p.flow, p.from_client);
}
