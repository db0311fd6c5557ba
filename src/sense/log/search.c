/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sense/log/patterns.h"

enum { KEYS_MOST = 16 };
#define NO_WORD "[^0-9A-Za-z_\\x80-\\xff]"

struct search {
    struct search_query q;
    struct patterns *patterns;
    struct patterns_scan *scan;
    uint64_t keys[KEYS_MOST]; /* tokens that each matching line has */
    size_t key_count;
};

static bool in_token(uint8_t c)
{
    return c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void add_key(void *ctx, uint64_t key)
{
    struct search *s = ctx;

    if (s->key_count < KEYS_MOST)
        s->keys[s->key_count++] = key;
}

/* Tokens whose ends are ends in the line too: what touches the pattern's own ends may go on in the line. */
static void find_keys(struct search *s)
{
    struct slice p = s->q.pattern;
    size_t inside = 0;

    while (inside < p.len && in_token(p.at[inside]))
        inside++;
    if (s->q.how == SEARCH_WORD && inside == p.len && p.len >= LINES_TOKEN_MIN && (p.at[0] < '0' || p.at[0] > '9'))
        add_key(s, lines_token_key(p));
    while (p.len > 0 && (in_token(p.at[0]) || p.at[0] == '.'))
        p = slice_skip(p, 1);
    while (p.len > 0 && (in_token(p.at[p.len - 1]) || p.at[p.len - 1] == '.'))
        p.len--;
    lines_tokens(p, add_key, s);
}

/* The word between bytes that belong to no token, or the line's ends. */
static int add_word(struct search *s, unsigned flags, struct err *e)
{
    static const char hex[] = "0123456789abcdef";
    static const char before[] = "(?:^|" NO_WORD ")";
    static const char after[] = "(?:$|" NO_WORD ")";
    struct slice p = s->q.pattern;
    char *room = malloc(4 * p.len + sizeof(before) + sizeof(after));
    char *to = room;
    int rc;

    if (!room)
        return err_set(e, ENOMEM, "no memory");
    to = (char *)memcpy(to, before, sizeof(before) - 1) + sizeof(before) - 1;
    for (size_t i = 0; i < p.len; i++) {
        *to++ = '\\';
        *to++ = 'x';
        *to++ = hex[p.at[i] >> 4];
        *to++ = hex[p.at[i] & 15];
    }
    to = (char *)memcpy(to, after, sizeof(after) - 1) + sizeof(after) - 1;
    rc = patterns_add(s->patterns, slice_of(room, (size_t)(to - room)), flags, 0, e);
    free(room);
    return rc;
}

static int prepare(struct search *s, struct err *e)
{
    unsigned flags = s->q.nocase ? PATTERN_NOCASE : 0;
    int rc;

    s->patterns = patterns_new(e);
    if (!s->patterns)
        return -1;
    if (s->q.how == SEARCH_WORD)
        rc = add_word(s, flags, e);
    else
        rc = patterns_add(s->patterns, s->q.pattern, flags | (s->q.how == SEARCH_LITERAL ? PATTERN_LITERAL : 0), 0, e);
    if (rc < 0 || patterns_compile(s->patterns, e) < 0)
        return -1;
    s->scan = patterns_scan_new(s->patterns, e);
    return s->scan ? 0 : -1;
}

struct search *search_new(const struct search_query *q, struct err *e)
{
    struct search *s;

    if (q->pattern.len == 0 || q->pattern.len > PATTERN_BYTES / 8 || memchr(q->pattern.at, '\n', q->pattern.len)) {
        (void)err_set(e, EINVAL, "a pattern has 1 to %d bytes and no newline", PATTERN_BYTES / 8);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        (void)err_set(e, ENOMEM, "no memory");
        return NULL;
    }
    s->q = *q;
    if (q->how != SEARCH_REGEX)
        find_keys(s);
    if (prepare(s, e) < 0) {
        search_free(s);
        return NULL;
    }
    return s;
}

void search_free(struct search *s)
{
    if (!s)
        return;
    patterns_scan_free(s->scan);
    patterns_free(s->patterns);
    free(s);
}

uint64_t search_given_up(const struct search *s)
{
    return patterns_scan_given_up(s->scan);
}

bool search_may_hold(const struct search *s, const struct lines_block *block)
{
    if (!block->known)
        return true;
    if (block->time_max_us < s->q.since_us || block->time_min_us > s->q.until_us)
        return false;
    if (s->q.host.len > 0 && !lines_set_has(block->hosts, lines_bit(s->q.host)))
        return false;
    if (s->q.program.len > 0 && !lines_set_has(block->programs, lines_bit(s->q.program)))
        return false;
    if (s->q.severity < 8 && (block->severities & ((2u << s->q.severity) - 1)) == 0)
        return false;
    for (size_t i = 0; i < s->key_count; i++)
        if (!lines_may_hold(block, s->keys[i]))
            return false;
    return true;
}

static bool passes(const struct search *s, const struct log_line *line)
{
    int64_t at_us = log_line_time(line);

    return at_us >= s->q.since_us && at_us <= s->q.until_us &&
           (s->q.host.len == 0 || slice_eq_nocase(line->host, s->q.host)) &&
           (s->q.program.len == 0 || slice_eq_nocase(line->program, s->q.program)) &&
           (s->q.severity > 7 || line->severity <= s->q.severity);
}

struct found {
    struct search *s;
    struct lines_walk walk;
    struct log_line line; /* where the walk stands; seq 0: nowhere yet */
    struct log_line *hits;
    size_t count, room;
    uint64_t last_seq; /* of the newest hit: one line may hold newlines and match twice */
    bool failed;
};

static bool on_match(void *own, uint32_t id, struct slice match)
{
    struct found *f = own;
    struct log_line *more;

    (void)id;
    while (f->line.seq == 0 || match.at > f->line.raw.at + f->line.raw.len)
        if (!lines_next(&f->walk, &f->line))
            return true;
    if (match.at < f->line.raw.at || f->line.seq == f->last_seq)
        return false; /* a mark in front of the line matched */
    f->last_seq = f->line.seq;
    if (f->count == f->room) {
        more = realloc(f->hits, (f->room * 2 + 16) * sizeof(*more));
        f->failed = !more;
        if (!more)
            return true;
        f->hits = more;
        f->room = f->room * 2 + 16;
    }
    f->hits[f->count] = f->line;
    log_line_read(&f->hits[f->count]);
    if (passes(f->s, &f->hits[f->count]))
        f->count++;
    return false;
}

int search_block(struct search *s, struct slice payload, uint64_t first_seq,
                 void (*hit)(void *own, const struct log_line *line), void *own, struct err *e)
{
    struct found f = { .s = s, .walk = lines_walk(payload, first_seq) };
    int rc = patterns_block(s->scan, payload, on_match, &f, e);

    if (f.failed)
        rc = err_set(e, ENOMEM, "no memory");
    while (rc == 0 && f.count > 0)
        hit(own, &f.hits[--f.count]);
    free(f.hits);
    return rc;
}
