/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/index.h"
#include "journal/view.h"

bool query_matches(const struct query *q, const struct event *ev)
{
    bool kind = q->kinds_count == 0;

    if ((q->from_seq && ev->seq < q->from_seq) || (q->to_seq && ev->seq > q->to_seq) ||
        (q->since_us && ev->at_us < q->since_us) || (q->until_us && ev->at_us >= q->until_us) ||
        (q->grade && ev->grade < (unsigned)q->grade) || (q->cause && ev->cause != q->cause))
        return false;
    for (size_t i = 0; i < q->kinds_count && !kind; i++)
        kind = ev->kind == (unsigned)q->kinds[i];
    if (!kind)
        return false;
    if ((q->src.net.family && !prefix_has(q->src, ev->src)) || (q->dst.net.family && !prefix_has(q->dst, ev->dst)))
        return false;
    return !q->either.net.family || prefix_has(q->either, ev->src) || prefix_has(q->either, ev->dst);
}

static bool ranges_touch(const struct query *q, uint64_t first, uint64_t last, int64_t min_us, int64_t max_us)
{
    return !((q->from_seq && last < q->from_seq) || (q->to_seq && first > q->to_seq) ||
             (q->since_us && max_us < q->since_us) || (q->until_us && min_us >= q->until_us) ||
             (q->cause && last <= q->cause));
}

/* The filter knows whole addresses and one length of network; a shorter prefix can't be asked. */
static bool may_hold_prefix(const struct view *v, const struct index_entry *entry, struct prefix p,
                            enum index_role alone, enum index_role net)
{
    unsigned whole = p.net.family == 4 ? 32 : 128;
    unsigned bits = p.net.family == 4 ? INDEX_NET4 : INDEX_NET6;

    if (p.bits == whole)
        return index_may_hold(&v->index, entry, index_key_addr(alone, p.net));
    if (p.bits >= bits)
        return index_may_hold(&v->index, entry, index_key_addr(net, prefix_of(p.net, bits).net));
    return true;
}

static bool block_may_match(const struct query *q, const struct view *v, const struct index_entry *entry)
{
    bool kind = q->kinds_count == 0;

    if (!ranges_touch(q, entry->first_seq, entry->last_seq, entry->min_us, entry->max_us) ||
        (q->grade && entry->grades >> (unsigned)q->grade == 0))
        return false;
    for (size_t i = 0; i < q->kinds_count && !kind; i++)
        kind = entry->kinds[(unsigned)q->kinds[i] / 64 % 4] >> ((unsigned)q->kinds[i] % 64) & 1;
    if (!kind)
        return false;
    if (q->cause && !index_may_hold(&v->index, entry, index_key(INDEX_CAUSE, &q->cause, sizeof(q->cause))))
        return false;
    if ((q->src.net.family && !may_hold_prefix(v, entry, q->src, INDEX_SRC, INDEX_SRC_NET)) ||
        (q->dst.net.family && !may_hold_prefix(v, entry, q->dst, INDEX_DST, INDEX_DST_NET)))
        return false;
    return !q->either.net.family || may_hold_prefix(v, entry, q->either, INDEX_SRC, INDEX_SRC_NET) ||
           may_hold_prefix(v, entry, q->either, INDEX_DST, INDEX_DST_NET);
}

struct search { /* one query on its way */
    const struct query *q;
    bool (*seen)(void *own, const struct event *ev);
    void *own;
    struct query_told *told;
    bool enough;
};

static void tell_damage(struct query_told *told, const char *file, uint64_t first, uint64_t last, const char *what)
{
    if (told->damaged++ > 0)
        return;
    if (first > 0)
        (void)snprintf(told->damage, sizeof(told->damage), "%s: events %llu to %llu: %.160s", file,
                       (unsigned long long)first, (unsigned long long)last, what);
    else
        (void)snprintf(told->damage, sizeof(told->damage), "%s: %.200s", file, what);
}

static void search_events(struct search *s, struct slice raw)
{
    size_t count = raw.len / sizeof(struct event);

    for (size_t i = 0; i < count && !s->enough; i++) {
        struct event ev;

        memcpy(&ev, raw.at + (s->q->reverse ? count - 1 - i : i) * sizeof(ev), sizeof(ev));
        if (!query_matches(s->q, &ev) || !event_is_whole(&ev))
            continue;
        s->told->matched++;
        if (!s->seen(s->own, &ev) || s->told->matched == s->q->limit)
            s->enough = true;
    }
}

static void search_view(struct reader *r, struct search *s, struct view *v)
{
    for (size_t n = 0; n < v->count && !s->enough; n++) {
        struct index_entry entry = view_entry(v, s->q->reverse ? v->count - 1 - n : n);
        struct slice raw;
        struct err why = { 0 };

        s->told->blocks++;
        if (!block_may_match(s->q, v, &entry))
            s->told->blocks_skipped++;
        else if (reader_unpack(r, v, &entry, &raw, &why) < 0)
            tell_damage(s->told, v->name.text, entry.first_seq, entry.last_seq, why.text);
        else
            search_events(s, raw);
    }
}

static void search_segment(struct reader *r, struct search *s, struct segment_known *k)
{
    struct err why = { 0 };
    struct view *v;

    s->told->segments++;
    if (k->sealed && !ranges_touch(s->q, k->first_seq, k->last_seq, k->min_us, k->max_us)) {
        s->told->segments_skipped++;
        return;
    }
    v = reader_view(r, k, &why);
    if (!v) {
        tell_damage(s->told, folder_name(k->number, k->sealed ? "zst" : "wal").text, 0, 0, why.text);
        return;
    }
    if (v->damaged > 0) {
        tell_damage(s->told, v->name.text, 0, 0, v->damage);
        s->told->damaged += v->damaged - 1;
    }
    search_view(r, s, v);
}

int reader_query(struct reader *r, const struct query *q, bool (*seen)(void *own, const struct event *ev), void *own,
                 struct query_told *told, struct err *e)
{
    struct query_told unread;
    struct search s = { .q = q, .seen = seen, .own = own, .told = told ? told : &unread };

    *s.told = (struct query_told){ 0 };
    if (reader_refresh(r, e) < 0)
        return -1;
    for (size_t n = 0; n < r->count && !s.enough; n++)
        search_segment(r, &s, &r->known[q->reverse ? r->count - 1 - n : n]);
    return 0;
}

static bool copy_event(void *own, const struct event *ev)
{
    memcpy(own, ev, sizeof(*ev));
    return false;
}

int reader_find(struct reader *r, uint64_t seq, struct event *ev, struct err *e)
{
    struct query q = { .from_seq = seq, .to_seq = seq, .reverse = true, .limit = 1 };
    struct query_told told;

    if (seq == 0)
        return 0;
    if (reader_query(r, &q, copy_event, ev, &told, e) < 0)
        return -1;
    return told.matched > 0;
}

int reader_range(struct reader *r, uint64_t *first, uint64_t *last, struct err *e)
{
    struct query oldest = { .limit = 1 };
    struct query newest = { .limit = 1, .reverse = true };
    struct event ev = { 0 };
    struct query_told told;

    *first = *last = 0;
    if (reader_query(r, &oldest, copy_event, &ev, &told, e) < 0)
        return -1;
    if (told.matched == 0)
        return 0;
    *first = ev.seq;
    if (reader_query(r, &newest, copy_event, &ev, &told, e) < 0)
        return -1;
    *last = told.matched > 0 ? ev.seq : *first;
    return 0;
}
