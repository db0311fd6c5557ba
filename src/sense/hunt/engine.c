/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sense/hunt/inner.h"

enum { FULL_TOLD_US = 60000000 };

static void set_ports(struct engine *g)
{
    memset(&g->mail, 0, sizeof(g->mail));
    for (uint32_t i = 0; i < g->settings->ports.count && i < KEY_PORT_CAP; i++) {
        port_add(&g->mail, g->settings->ports.at[i]);
        port_add(&g->watched, g->settings->ports.at[i]);
    }
}

struct engine *engine_new(const struct hunt_settings *settings, uint64_t seed, const struct engine_calls *calls,
                          struct err *e)
{
    struct engine *g = calloc(1, sizeof(*g));

    if (!g) {
        (void)err_set(e, ENOMEM, "hunt");
        return NULL;
    }
    g->settings = settings;
    g->calls = *calls;
    g->budget = (struct stream_budget){ .per_stream = settings->reorder_bytes, .total = settings->reorder_total };
    g->history_slots = settings->flows < HISTORY_SLOTS ? (uint32_t)settings->flows : HISTORY_SLOTS;
    g->history = calloc(g->history_slots, sizeof(*g->history));
    g->knocks = knocks_new(settings->half_open, seed, e);
    g->sources = sources_new(settings->sources, seed ^ 0x5bd1e995, settings, e);
    g->frags = frags_new(settings->fragments_bytes, seed, e);
    if (!g->history || !g->knocks || !g->sources || !g->frags ||
        flow_table_init(&g->flows, settings->flows, seed, e) < 0) {
        (void)err_wrap(e, "hunt");
        engine_free(g);
        return NULL;
    }
    g->detect.sources = g->sources;
    g->detect.calls = &g->calls;
    g->detect.counts = &g->counts;
    g->detect.generation = 1;
    g->detect.findings = settings->findings;
    g->detect.seed = seed;
    set_ports(g);
    return g;
}

void engine_free(struct engine *g)
{
    if (!g)
        return;
    for (int l = 0; g->flows.at && l < FLOW_LISTS; l++)
        for (struct flow *f = flow_oldest(&g->flows, (enum flow_list)l); f;
             f = flow_oldest(&g->flows, (enum flow_list)l)) {
            session_done(&f->session);
            stream_done(&f->up, &g->budget);
            stream_done(&f->down, &g->budget);
            flow_remove(&g->flows, f);
        }
    flow_table_done(&g->flows);
    knocks_free(g->knocks);
    sources_free(g->sources);
    frags_free(g->frags);
    free(g->history);
    free(g);
}

void engine_set(struct engine *g, const struct hunt_settings *settings)
{
    g->settings = settings;
    g->detect.generation++;
    g->detect.findings = settings->findings;
    g->budget.per_stream = settings->reorder_bytes;
    g->budget.total = settings->reorder_total;
    memset(&g->watched, 0, sizeof(g->watched));
    sources_set(g->sources, settings);
    set_ports(g);
}

void engine_number_from(struct engine *g, uint64_t first)
{
    g->flows.numbers = first;
}

struct engine_verdict engine_frame(struct engine *g, const struct engine_frame *f)
{
    g->counts.frames++;
    g->counts.bytes += f->wire_len;
    return packet_read(g, f);
}

/* --- flows come and go --- */

static void tell_full(struct engine *g)
{
    uint64_t all = g->flows.evicted;

    if (all == g->full_told || (g->full_told != 0 && g->at_us - g->full_told_us < FULL_TOLD_US))
        return;
    g->full_told = all;
    g->full_told_us = g->at_us;
    detect_table_full(&g->detect, "flows", all, g->flows.cap, g->at_us);
}

struct flow *engine_begin_flow(struct engine *g, const struct flow_key *key, enum flow_list list)
{
    struct flow *f = flow_new(&g->flows, key, list, g->at_us);

    if (!f) {
        engine_end_flow(g, flow_victim(&g->flows));
        g->flows.evicted++;
        tell_full(g);
        f = flow_new(&g->flows, key, list, g->at_us);
    }
    g->counts.flows++;
    return f;
}

void engine_end_flow(struct engine *g, struct flow *f)
{
    detect_bytes(&g->detect, f, f->last_us);
    if (!f->confirmed && (f->mails > 0 || f->spoke || f->peeked) && !(f->midstream && f->mails > 0))
        detect_unconfirmed(&g->detect, f, f->last_us);
    session_done(&f->session);
    stream_done(&f->up, &g->budget);
    stream_done(&f->down, &g->budget);
    flow_remove(&g->flows, f);
}

static void end_older(struct engine *g, enum flow_list list, int64_t now_us, int64_t patience_us)
{
    struct flow *f;

    while ((f = flow_oldest(&g->flows, list)) && now_us - f->last_us > patience_us)
        engine_end_flow(g, f);
}

void engine_tick(struct engine *g, int64_t now_us)
{
    end_older(g, FLOW_CLOSING, now_us, g->settings->closed_us);
    end_older(g, FLOW_UNPROVEN, now_us, g->settings->idle_us);
    end_older(g, FLOW_PROVEN, now_us, g->settings->idle_us);
    frags_tick(g->frags, now_us);
    detect_tick(&g->detect, now_us);
}

/* --- what was said lately --- */

void engine_history_add(struct engine *g, struct flow *f, struct slice bytes, uint32_t seq)
{
    struct history *h;
    uint32_t end = seq + (uint32_t)bytes.len;

    if (f->history == 0 || g->history[f->history - 1].flow != f->number) {
        f->history = g->history_next + 1;
        g->history_next = (g->history_next + 1) % g->history_slots;
        h = &g->history[f->history - 1];
        h->flow = f->number;
        h->len = 0;
        h->end = seq;
    }
    h = &g->history[f->history - 1];
    if (h->end != seq)
        h->len = 0; /* a gap lies between */
    if (bytes.len > HISTORY_BYTES) {
        seq += (uint32_t)bytes.len - HISTORY_BYTES;
        bytes = slice_skip(bytes, bytes.len - HISTORY_BYTES);
    }
    for (size_t done = 0; done < bytes.len;) {
        size_t at = (seq + (uint32_t)done) % HISTORY_BYTES;
        size_t n = HISTORY_BYTES - at < bytes.len - done ? HISTORY_BYTES - at : bytes.len - done;

        memcpy(h->bytes + at, bytes.at + done, n);
        done += n;
    }
    h->end = end;
    h->len = h->len + bytes.len > HISTORY_BYTES ? HISTORY_BYTES : h->len + (uint32_t)bytes.len;
}

bool engine_history_differs(struct engine *g, const struct flow *f, struct slice bytes, uint32_t seq)
{
    const struct history *h;

    if (f->history == 0 || g->history[f->history - 1].flow != f->number)
        return false;
    h = &g->history[f->history - 1];
    for (size_t i = 0; i < bytes.len; i++) {
        uint32_t n = seq + (uint32_t)i;
        int32_t before_end = tcp_distance(h->end, n);

        if (before_end <= 0)
            return false;
        if ((uint32_t)before_end <= h->len && h->bytes[n % HISTORY_BYTES] != bytes.at[i])
            return true;
    }
    return false;
}

/* --- what others may ask --- */

static void show(struct engine *g, const struct source *s, struct engine_source *out)
{
    *out = (struct engine_source){ .who = s->who,
                                   .inside = sources_inside(g->sources, s->who),
                                   .allowed = sources_allows(g->sources, s->who),
                                   .found = (s->told & TOLD_FINDINGS) != 0,
                                   .first_us = s->first_us,
                                   .last_us = s->last_us,
                                   .window_us = s->window_at_us,
                                   .connections = s->connections,
                                   .mails = s->mails,
                                   .recipients = s->recipients,
                                   .refusals = s->refusals,
                                   .tls = s->tls,
                                   .auths = s->auths,
                                   .bytes = s->bytes,
                                   .unconfirmed = s->unconfirmed,
                                   .servers = s->servers.count,
                                   .senders = s->senders.count,
                                   .domains = s->domains.count,
                                   .helos = s->helos.count };
}

bool engine_source(struct engine *g, struct addr who, struct engine_source *out)
{
    const struct source *s = sources_look(g->sources, who);

    if (s)
        show(g, s, out);
    return s != NULL;
}

struct each {
    struct engine *g;
    bool (*each)(void *ctx, const struct engine_source *s);
    void *ctx;
};

static bool show_one(void *ctx, const struct source *s)
{
    struct each *x = ctx;
    struct engine_source out;

    show(x->g, s, &out);
    return x->each(x->ctx, &out);
}

void engine_sources(struct engine *g, bool (*each)(void *ctx, const struct engine_source *s), void *ctx)
{
    sources_each(g->sources, show_one, &(struct each){ g, each, ctx });
}

void engine_forget(struct engine *g, struct addr who)
{
    sources_forget(g->sources, who);
}

void engine_count(const struct engine *g, struct engine_counts *c)
{
    *c = g->counts;
    for (int l = 0; l < FLOW_LISTS; l++)
        c->flows_now += g->flows.count[l];
    c->half_open_now = knocks_count(g->knocks);
    c->evicted_half_open = knocks_evicted(g->knocks);
    c->evicted_flows = g->flows.evicted;
    c->evicted_sources = sources_evicted(g->sources);
    c->fragments_dropped = frags_dropped(g->frags);
    c->reorder_now = g->budget.used;
    c->reorder_dropped = g->budget.dropped;
}
