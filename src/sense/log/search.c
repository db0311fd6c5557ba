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
    struct patterns *patterns; /* NULL: the pattern is empty */
    uint8_t *word;             /* our own copy of a word that is sought by its bytes; NULL: the patterns say it all */
    uint8_t *templates;        /* q.templates, our own copy */
    uint64_t keys[KEYS_MOST];  /* tokens that each matching line has */
    size_t key_count;
};

struct search_scan {
    const struct search *s;
    struct patterns_scan *scan;  /* NULL: there is no pattern */
    struct templates *templates; /* NULL: any template will do */
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

/* Tokens whose ends are ends in the line too: what touches the ends of the text may go on in the line. */
static void add_inner_keys(struct search *s, struct slice p)
{
    while (p.len > 0 && (in_token(p.at[0]) || p.at[0] == '.'))
        p = slice_skip(p, 1);
    while (p.len > 0 && (in_token(p.at[p.len - 1]) || p.at[p.len - 1] == '.'))
        p.len--;
    lines_tokens(p, add_key, s);
}

static void find_keys(struct search *s)
{
    struct slice p = s->q.pattern;
    size_t inside = 0;

    while (inside < p.len && in_token(p.at[inside]))
        inside++;
    if (s->q.how == SEARCH_WORD && inside == p.len && p.len >= LINES_TOKEN_MIN && (p.at[0] < '0' || p.at[0] > '9'))
        add_key(s, lines_token_key(p));
    add_inner_keys(s, p);
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
    if (s->q.how == SEARCH_WORD && !s->q.nocase) {
        s->word = malloc(s->q.pattern.len);
        if (!s->word)
            return err_set(e, ENOMEM, "no memory");
        memcpy(s->word, s->q.pattern.at, s->q.pattern.len);
    }
    if (s->q.how == SEARCH_WORD && s->q.nocase)
        rc = add_word(s, flags, e);
    else
        rc = patterns_add(s->patterns, s->q.pattern, flags | (s->q.how != SEARCH_REGEX ? PATTERN_LITERAL : 0), 0, e);
    return rc < 0 ? rc : patterns_compile(s->patterns, e);
}

static struct templates *load_templates(const struct search *s, struct err *e)
{
    struct bytes_in in = { .rest = s->q.templates };
    struct templates *t = templates_new(&template_usual, 0, e);

    if (t && templates_load(t, &in, e) == 0)
        return t;
    templates_free(t);
    return NULL;
}

static int keep_templates(struct search *s, struct err *e)
{
    s->templates = malloc(s->q.templates.len + 1);
    if (!s->templates)
        return err_set(e, ENOMEM, "no memory");
    if (s->q.templates.len > 0)
        memcpy(s->templates, s->q.templates.at, s->q.templates.len);
    s->q.templates.at = s->templates;
    return 0;
}

/* The words between its marks stand in each line of the template. */
static int keys_of_template(struct search *s, struct err *e)
{
    struct templates *t = load_templates(s, e);
    struct slice words;
    uint64_t lines;
    uint32_t count;

    if (!t)
        return -1;
    count = templates_count(t);
    if (s->q.template > count) {
        templates_free(t);
        return err_set(e, 0, "there are %u templates", count);
    }
    words = template_words(t, s->q.template, &lines);
    while (words.len > 0)
        add_inner_keys(s, slice_until(words, TEMPLATE_MARK, &words));
    templates_free(t);
    return 0;
}

struct search *search_new(const struct search_query *q, struct err *e)
{
    struct search *s;

    if (q->pattern.len > PATTERN_BYTES / 8 || (q->pattern.len > 0 && memchr(q->pattern.at, '\n', q->pattern.len))) {
        (void)err_set(e, EINVAL, "a pattern has at most %d bytes and no newline", PATTERN_BYTES / 8);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        (void)err_set(e, ENOMEM, "no memory");
        return NULL;
    }
    s->q = *q;
    if (q->pattern.len > 0 && q->how != SEARCH_REGEX && !q->invert)
        find_keys(s);
    if ((q->pattern.len > 0 && prepare(s, e) < 0) ||
        (q->template > 0 && (keep_templates(s, e) < 0 || keys_of_template(s, e) < 0))) {
        search_free(s);
        return NULL;
    }
    return s;
}

void search_free(struct search *s)
{
    if (!s)
        return;
    patterns_free(s->patterns);
    free(s->word);
    free(s->templates);
    free(s);
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

/* ---- one thread's scan ---- */

struct search_scan *search_scan_new(const struct search *s, struct err *e)
{
    struct search_scan *c = calloc(1, sizeof(*c));

    if (!c) {
        (void)err_set(e, ENOMEM, "no memory");
        return NULL;
    }
    c->s = s;
    if ((s->patterns && !(c->scan = patterns_scan_new(s->patterns, e))) ||
        (s->q.template > 0 && !(c->templates = load_templates(s, e)))) {
        search_scan_free(c);
        return NULL;
    }
    return c;
}

void search_scan_free(struct search_scan *c)
{
    if (!c)
        return;
    patterns_scan_free(c->scan);
    templates_free(c->templates);
    free(c);
}

uint64_t search_given_up(const struct search_scan *c)
{
    return c->scan ? patterns_scan_given_up(c->scan) : 0;
}

static bool passes(const struct search_scan *c, const struct log_line *line)
{
    const struct search_query *q = &c->s->q;
    int64_t at_us = log_line_time(line);

    return at_us >= q->since_us && at_us <= q->until_us && (q->host.len == 0 || slice_eq_nocase(line->host, q->host)) &&
           (q->program.len == 0 || slice_eq_nocase(line->program, q->program)) &&
           (q->severity > 7 || line->severity <= q->severity) &&
           (!c->templates || templates_learn(c->templates, line->text) == q->template);
}

void search_hits_done(struct search_hits *h)
{
    free(h->at);
    *h = (struct search_hits){ 0 };
}

struct found {
    struct search_scan *c;
    struct search_hits *hits;
    struct lines_walk walk;
    struct log_line line; /* where the walk stands; seq 0: nowhere yet */
    bool decided;         /* the pattern matched it: one line may hold newlines and match twice */
    bool failed;
};

static bool take(struct found *f)
{
    struct search_hits *h = f->hits;
    struct log_line *more;

    if (h->count == h->room) {
        more = realloc(h->at, (h->room * 2 + 16) * sizeof(*more));
        f->failed = !more;
        if (!more)
            return false;
        h->at = more;
        h->room = h->room * 2 + 16;
    }
    h->at[h->count] = f->line;
    log_line_read(&h->at[h->count]);
    h->count += passes(f->c, &h->at[h->count]);
    return true;
}

/* To the next line; the one before, which nothing matched, is a hit when those are wanted. */
static bool step(struct found *f)
{
    if (f->c->s->q.invert && f->line.seq != 0 && !f->decided && !take(f))
        return false;
    f->decided = false;
    return lines_next(&f->walk, &f->line);
}

/* A word's bytes were found: do they stand alone anywhere in the line? */
static bool has_word(struct slice line, struct slice word)
{
    const uint8_t *at = line.at;
    const uint8_t *end = line.at + line.len;

    while ((at = memmem(at, (size_t)(end - at), word.at, word.len)) != NULL) {
        if ((at == line.at || !in_token(at[-1])) && (at + word.len == end || !in_token(at[word.len])))
            return true;
        at++;
    }
    return false;
}

static bool on_match(void *own, uint32_t id, struct slice match)
{
    struct found *f = own;
    const struct search_query *q = &f->c->s->q;

    (void)id;
    if (f->c->s->word && !has_word(match, slice_of(f->c->s->word, q->pattern.len)))
        return false;
    while (f->line.seq == 0 || match.at > f->line.raw.at + f->line.raw.len)
        if (!step(f))
            return true;
    if (match.at < f->line.raw.at || f->decided)
        return false; /* a mark in front of the line matched */
    f->decided = true;
    return !q->invert && !take(f);
}

static bool every_line(struct found *f)
{
    while (lines_next(&f->walk, &f->line))
        if (!take(f))
            return false;
    return true;
}

int search_block(struct search_scan *c, struct slice payload, uint64_t first_seq, struct search_hits *h, struct err *e)
{
    struct found f = { .c = c, .hits = h, .walk = lines_walk(payload, first_seq) };
    int rc = 0;

    h->count = 0;
    if (!c->scan) {
        (void)every_line(&f);
    } else {
        rc = patterns_block(c->scan, payload, on_match, &f, e);
        while (rc == 0 && c->s->q.invert && step(&f))
            continue;
    }
    return f.failed ? err_set(e, ENOMEM, "no memory") : rc;
}
