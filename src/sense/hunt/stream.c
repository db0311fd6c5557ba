/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/stream.h"

#include <stdlib.h>
#include <string.h>

#include "wire/tcp.h"

struct stream_piece {
    struct stream_piece *next;
    uint32_t seq;
    uint32_t len;  /* bytes here */
    uint32_t lost; /* bytes behind them that the capture cut off */
    uint32_t size; /* bytes charged */
    bool held;
    uint8_t bytes[];
};

enum { WINDOW_UNKNOWN = 1 << 20, WINDOW_SLACK = 65536 };

void stream_start(struct stream *s, uint32_t next)
{
    s->next = next;
    s->started = true;
}

static void piece_free(struct stream *s, struct stream_budget *b, struct stream_piece *p)
{
    b->used -= p->size;
    s->stored -= p->size;
    if (p->held)
        b->held -= p->size;
    explicit_bzero(p->bytes, p->size);
    free(p);
}

void stream_done(struct stream *s, struct stream_budget *b)
{
    while (s->pieces) {
        struct stream_piece *p = s->pieces;

        s->pieces = p->next;
        piece_free(s, b, p);
    }
}

static void give(struct stream *s, struct slice bytes, uint32_t lost, const struct stream_out *out)
{
    uint32_t seq = s->next;

    s->next += (uint32_t)bytes.len + lost;
    if (bytes.len > 0)
        out->bytes(out->ctx, bytes, seq);
    if (lost > 0)
        out->gap(out->ctx, lost);
}

/* How much of `len` bytes and `lost` behind them stands before s->next. */
static void cut_front(const struct stream *s, uint32_t seq, struct slice *bytes, uint32_t *lost)
{
    uint32_t old = (uint32_t)tcp_distance(s->next, seq);

    if (old > bytes->len) {
        uint32_t more = old - (uint32_t)bytes->len;

        *lost -= more < *lost ? more : *lost;
        *bytes = slice_skip(*bytes, bytes->len);
    } else
        *bytes = slice_skip(*bytes, old);
}

static bool piece_may_go(const struct stream *s, const struct stream_piece *p)
{
    return !p->held || (s->acked_known && tcp_distance(s->acked, p->seq + p->len + p->lost) >= 0);
}

static void drain(struct stream *s, struct stream_budget *b, const struct stream_out *out)
{
    while (s->pieces && tcp_distance(s->pieces->seq, s->next) <= 0) {
        struct stream_piece *p = s->pieces;
        struct slice bytes = slice_of(p->bytes, p->len);
        uint32_t lost = p->lost;

        if (tcp_distance(p->seq + p->len + p->lost, s->next) > 0) {
            if (!piece_may_go(s, p))
                return;
            s->pieces = p->next;
            cut_front(s, p->seq, &bytes, &lost);
            give(s, bytes, lost, out);
        } else
            s->pieces = p->next;
        piece_free(s, b, p);
    }
}

/* The receiver has what we have not: it was sent, and the capture lost it. */
static void skip_lost(struct stream *s, struct stream_budget *b, const struct stream_out *out)
{
    while (s->pieces && s->acked_known && tcp_distance(s->pieces->seq, s->next) > 0 &&
           tcp_distance(s->acked, s->pieces->seq) >= 0) {
        give(s, slice_of(NULL, 0), s->pieces->seq - s->next, out);
        drain(s, b, out);
        if (s->pieces && tcp_distance(s->pieces->seq, s->next) <= 0)
            return; /* held */
    }
}

static bool differ(const struct stream_piece *p, uint32_t seq, struct slice bytes)
{
    int32_t from = tcp_distance(seq, p->seq);
    size_t mine = from < 0 ? (size_t)-from : 0;
    size_t its = from > 0 ? (size_t)from : 0;
    size_t n;

    if (mine >= bytes.len || its >= p->len)
        return false;
    n = bytes.len - mine < p->len - its ? bytes.len - mine : p->len - its;
    return memcmp(bytes.at + mine, p->bytes + its, n) != 0;
}

static void compare(const struct stream *s, uint32_t seq, struct slice bytes, const struct stream_out *out)
{
    for (const struct stream_piece *p = s->pieces; p; p = p->next)
        if (differ(p, seq, bytes)) {
            out->conflict(out->ctx);
            return;
        }
}

/* Linux' tcp_data_queue_ofo: who keeps the place is decided in the header's comment. */
static void insert(struct stream *s, struct stream_budget *b, struct stream_piece *fresh)
{
    struct stream_piece **at = &s->pieces;
    uint32_t end = fresh->seq + fresh->len + fresh->lost;

    while (*at && tcp_distance((*at)->seq, fresh->seq) < 0)
        at = &(*at)->next;
    while (*at) {
        struct stream_piece *p = *at;
        int32_t tail = tcp_distance(p->seq + p->len + p->lost, end);

        if (tcp_distance(p->seq, end) >= 0 || tail > 0 || (p->held == fresh->held && tail == 0 && p->seq == fresh->seq))
            break;
        if (!p->held && fresh->held)
            break;
        *at = p->next; /* covered */
        piece_free(s, b, p);
    }
    fresh->next = *at;
    *at = fresh;
}

static bool covered(const struct stream *s, const struct stream_piece *fresh)
{
    for (const struct stream_piece *p = s->pieces; p; p = p->next)
        if (tcp_distance(p->seq, fresh->seq) <= 0 && (!p->held || fresh->held) &&
            tcp_distance(p->seq + p->len + p->lost, fresh->seq + fresh->len + fresh->lost) >= 0)
            return true;
    return false;
}

static bool store(struct stream *s, struct stream_budget *b, uint32_t seq, struct slice bytes, uint32_t lost, bool hold)
{
    struct stream_piece *p;
    uint32_t size = (uint32_t)bytes.len;

    if (s->stored + size > b->per_stream || b->used + size > b->total || (hold && b->held + size > b->total / 4)) {
        b->dropped++;
        return false;
    }
    p = malloc(sizeof(*p) + size);
    if (!p)
        return false;
    *p = (struct stream_piece){ .seq = seq, .len = size, .lost = lost, .size = size, .held = hold };
    if (size > 0)
        memcpy(p->bytes, bytes.at, size);
    b->used += size;
    s->stored += size;
    if (hold)
        b->held += size;
    if (covered(s, p))
        piece_free(s, b, p);
    else
        insert(s, b, p);
    return true;
}

void stream_put(struct stream *s, struct stream_budget *b, uint32_t seq, struct slice bytes, uint32_t wire_len,
                bool hold, const struct stream_out *out)
{
    int32_t ahead = tcp_distance(seq, s->next);
    uint32_t window = s->window ? s->window + WINDOW_SLACK : WINDOW_UNKNOWN;
    uint32_t lost = wire_len - (uint32_t)bytes.len;

    if (wire_len == 0 || tcp_distance(seq + wire_len, s->next) <= 0)
        return;
    if (ahead > 0 && (uint32_t)ahead > window)
        return;
    if (ahead < 0) {
        cut_front(s, seq, &bytes, &lost);
        seq = s->next;
    }
    if (s->pieces)
        compare(s, seq, bytes, out);
    if (ahead <= 0 && !hold)
        give(s, bytes, lost, out);
    else if (!store(s, b, seq, bytes, lost, hold) && !hold && s->pieces) {
        /* No room: what is missing is given up. */
        if (tcp_distance(s->pieces->seq, s->next) > 0)
            give(s, slice_of(NULL, 0), s->pieces->seq - s->next, out);
        drain(s, b, out);
        if (tcp_distance(seq, s->next) >= 0)
            (void)store(s, b, seq, bytes, lost, hold);
    }
    drain(s, b, out);
    skip_lost(s, b, out);
}

void stream_ack(struct stream *s, struct stream_budget *b, uint32_t ack, const struct stream_out *out)
{
    if (s->acked_known && tcp_distance(ack, s->acked) <= 0)
        return;
    s->acked = ack;
    s->acked_known = true;
    drain(s, b, out);
    skip_lost(s, b, out);
}

bool stream_ends_body(const struct stream *s)
{
    const struct stream_piece *p = s->pieces;
    struct slice end;

    while (p && p->next)
        p = p->next;
    if (!p || p->lost > 0)
        return false;
    end = slice_of(p->bytes, p->len);
    if (end.len > 5)
        end = slice_skip(end, end.len - 5);
    return slice_eq(end, SLICE("\r\n.\r\n")) || slice_eq(end, SLICE(".\r\n")) ||
           (end.len >= 3 && slice_eq(slice_skip(end, end.len - 3), SLICE("\n.\n")));
}

void stream_skip(struct stream *s, struct stream_budget *b, uint32_t to)
{
    while (s->pieces && tcp_distance(s->pieces->seq, to) < 0) {
        struct stream_piece *p = s->pieces;

        s->pieces = p->next;
        piece_free(s, b, p);
    }
    if (tcp_distance(to, s->next) > 0)
        s->next = to;
}

bool stream_sum(struct stream *s, bool good)
{
    if (good) {
        if (s->good_sums < UINT8_MAX)
            s->good_sums++;
        return true;
    }
    if (s->good_sums > 1 || (s->good_sums == 1 && s->bad_sums == 0))
        return false;
    if (s->bad_sums < UINT8_MAX)
        s->bad_sums++;
    return true;
}
