/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/payload.h"

#include <string.h>

#include "wire/syslog.h"

void payload_clear(struct payload *p)
{
    p->len = 0;
    p->records = 0;
    p->way = 0;
    p->origin_seq = 0;
}

static void put(struct payload *p, const void *at, size_t len)
{
    if (len > 0)
        memcpy(p->at + p->len, at, len);
    p->len += len;
}

static void put_word(struct payload *p, const char *word)
{
    put(p, word, strlen(word));
}

static void put_number(struct payload *p, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    put(p, digits + at, sizeof(digits) - at);
}

static void put_stamp(struct payload *p, int64_t at_us)
{
    char stamp[SYSLOG_STAMP_BYTES];

    syslog_stamp_write(at_us, stamp);
    put(p, stamp, sizeof(stamp));
}

/* A peer's name is one word of visible ASCII: what else it holds becomes '?'. */
static void put_peer(struct payload *p, struct slice peer)
{
    uint8_t *to = p->at + p->len;

    put(p, peer.at, peer.len);
    for (size_t i = 0; i < peer.len; i++)
        if (to[i] <= ' ' || to[i] > '~')
            to[i] = '?';
    if (peer.len == 0)
        put_word(p, "-");
}

static void put_mark(struct payload *p, const struct log_line *line, const uint8_t *digest, bool sized)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t mark = PAYLOAD_MARK;
    struct slice peer = slice_first(line->peer, PAYLOAD_PEER_MAX);

    put(p, &mark, 1);
    put_stamp(p, line->at_us);
    put_word(p, " ");
    put_word(p, log_way_name(line->way));
    put_word(p, " ");
    put_peer(p, peer);
    if (line->near_us != line->at_us) {
        put_word(p, " near=");
        put_stamp(p, line->near_us);
    }
    if (line->origin_seq > 0) {
        put_word(p, " origin=");
        put_number(p, line->origin_seq);
    }
    if (sized) {
        put_word(p, " bytes=");
        put_number(p, line->raw.len);
    }
    if (line->whole_bytes > 0) {
        put_word(p, " whole=");
        put_number(p, line->whole_bytes);
        for (size_t i = 0; digest && i < 32; i++) {
            if (i == 0)
                put_word(p, " sha256=");
            put(p, &hex[digest[i] >> 4], 1);
            put(p, &hex[digest[i] & 15], 1);
        }
    }
    put_word(p, "\n");
    p->at_us = line->at_us;
    p->near_us = line->near_us;
    p->way = line->way;
    p->peer_len = (uint32_t)peer.len;
    if (peer.len > 0)
        memcpy(p->peer, peer.at, peer.len);
}

static bool is_same_mark(const struct payload *p, const struct log_line *line)
{
    return line->origin_seq == (p->origin_seq > 0 ? p->origin_seq + 1 : 0) && p->at_us == line->at_us &&
           p->near_us == line->near_us && p->way == line->way && p->peer_len == line->peer.len &&
           (p->peer_len == 0 || memcmp(p->peer, line->peer.at, p->peer_len) == 0);
}

bool payload_put(struct payload *p, const struct log_line *line, const uint8_t *digest)
{
    bool sized =
        line->raw.len > 0 && (line->raw.at[0] == PAYLOAD_MARK || memchr(line->raw.at, '\n', line->raw.len) != NULL);

    if (p->cap - p->len < line->raw.len + 1 + PAYLOAD_MARK_MAX)
        return false;
    if (sized || line->whole_bytes > 0 || !is_same_mark(p, line))
        put_mark(p, line, digest, sized);
    put(p, line->raw.at, line->raw.len);
    put_word(p, "\n");
    p->origin_seq = line->origin_seq;
    if (p->records++ == 0)
        p->min_us = p->max_us = line->at_us;
    p->min_us = line->at_us < p->min_us ? line->at_us : p->min_us;
    p->max_us = line->at_us > p->max_us ? line->at_us : p->max_us;
    return true;
}

uint64_t payload_source(enum log_way way, struct slice peer)
{
    uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)way;
    struct slice certificate;
    struct slice name = slice_until(peer, ',', &certificate);

    if (way == LOG_UNIX || way == LOG_KMSG || way == LOG_JOURNALD || way == LOG_STDIN)
        name = slice_of(NULL, 0); /* all of this host */
    else if (certificate.len > 0 && way != LOG_PEER)
        name = certificate;
    else if (way != LOG_FILE) {
        name = way == LOG_PEER ? certificate : name;
        for (size_t i = name.len; i-- > 0;)
            if (name.at[i] == ':') { /* without the port */
                name.len = i;
                break;
            }
    }
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.at[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

/* ---- reading ---- */

struct lines_walk lines_walk(struct slice payload, uint64_t first_seq)
{
    return (struct lines_walk){ .rest = payload, .seq = first_seq };
}

/* "near=...", "bytes=N", "whole=N"; what a later version adds is passed over. */
static void read_option(struct lines_walk *w, struct slice option)
{
    struct slice value;
    struct slice name = slice_until(option, '=', &value);
    struct syslog s;

    if (slice_eq(name, SLICE("near")) && syslog_stamp(value, 0, &s) > 0)
        w->line.near_us = s.stamp_us;
    else if (slice_eq(name, SLICE("bytes")))
        w->sized = slice_to_u64(value, &w->next_bytes);
    else if (slice_eq(name, SLICE("origin")))
        (void)slice_to_u64(value, &w->line.origin_seq);
    else if (slice_eq(name, SLICE("whole")))
        (void)slice_to_u64(value, &w->line.whole_bytes);
}

static void read_mark(struct lines_walk *w, struct slice mark)
{
    struct slice stamp = slice_until(mark, ' ', &mark);
    struct slice way = slice_until(mark, ' ', &mark);
    struct syslog s = { 0 };

    w->line = (struct log_line){ .way = log_way_of(way) };
    w->line.peer = slice_until(mark, ' ', &mark);
    w->line.source = payload_source(w->line.way, w->line.peer);
    if (syslog_stamp(stamp, 0, &s) > 0)
        w->line.at_us = w->line.near_us = s.stamp_us;
    while (mark.len > 0)
        read_option(w, slice_until(mark, ' ', &mark));
}

bool lines_next(struct lines_walk *w, struct log_line *line)
{
    const uint8_t *end;
    size_t len;

    while (w->rest.len > 0 && w->rest.at[0] == PAYLOAD_MARK && !w->sized) {
        end = memchr(w->rest.at, '\n', w->rest.len);
        len = end ? (size_t)(end - w->rest.at) : w->rest.len;
        read_mark(w, slice_of(w->rest.at + 1, len - 1));
        w->rest = slice_skip(w->rest, len + 1);
    }
    if (w->rest.len == 0)
        return false;
    if (w->sized && w->next_bytes < w->rest.len)
        len = (size_t)w->next_bytes;
    else {
        end = memchr(w->rest.at, '\n', w->rest.len);
        len = end ? (size_t)(end - w->rest.at) : w->rest.len;
    }
    *line = w->line;
    line->raw = slice_first(w->rest, len);
    line->seq = w->seq++;
    w->sized = false;
    w->line.whole_bytes = 0;
    w->line.origin_seq += w->line.origin_seq > 0;
    w->rest = slice_skip(w->rest, len + 1);
    return true;
}

bool lines_skip_to(struct lines_walk *w, const uint8_t *at, struct log_line *line)
{
    while (lines_next(w, line))
        if (at <= line->raw.at + line->raw.len)
            return at >= line->raw.at;
    return false;
}
