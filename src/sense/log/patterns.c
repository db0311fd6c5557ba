/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/patterns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sense/log/expression.h"
#include "sense/log/libhs.h"

struct pattern {
    char *text;    /* owned; as the scanner takes it */
    char *literal; /* owned; the bytes alone.  NULL: it is none, or holds a newline */
    size_t literal_len;
    uint32_t id;
    unsigned hs_flags;
    pcre2_code *confirm; /* owned; NULL: the scanner's word is enough */
    bool everywhere;     /* the scanner can't even narrow it down: each line is asked */
};

struct patterns {
    struct pattern *all;
    size_t count, cap;
    size_t everywhere, confirmed, literals;
    hs_database_t *db; /* NULL: there is nothing for the scanner */
    pcre2_match_context *limits;
};

struct patterns_scan {
    const struct patterns *p;
    hs_scratch_t *scratch;
    pcre2_match_data *match;
    uint64_t given_up;
    size_t *told; /* of each expression, where the line that was told last ends; 0: none */
    /* of the block that is scanned */
    struct slice block;
    bool (*hit)(void *own, uint32_t id, struct slice line);
    void *own;
    bool ended;
};

struct patterns *patterns_new(struct err *e)
{
    struct patterns *p;

    if (libhs_load(e) < 0)
        return NULL;
    p = calloc(1, sizeof(*p));
    if (p)
        p->limits = pcre2_match_context_create(NULL);
    if (!p || !p->limits) {
        free(p);
        (void)err_set(e, ENOMEM, "patterns");
        return NULL;
    }
    (void)pcre2_set_match_limit(p->limits, PATTERN_STEPS);
    (void)pcre2_set_depth_limit(p->limits, PATTERN_STEPS / 10);
    (void)pcre2_set_heap_limit(p->limits, 16 << 10); /* KiB */
    return p;
}

void patterns_free(struct patterns *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        free(p->all[i].text);
        free(p->all[i].literal);
        pcre2_code_free(p->all[i].confirm);
    }
    free(p->all);
    (void)libhs.free_database(p->db);
    pcre2_match_context_free(p->limits);
    free(p);
}

static int make_confirm(struct pattern *k, bool nocase, struct err *e)
{
    int code;
    PCRE2_SIZE at;
    PCRE2_UCHAR why[160];

    k->confirm = pcre2_compile((PCRE2_SPTR)k->text, PCRE2_ZERO_TERMINATED,
                               (nocase ? PCRE2_CASELESS : 0) | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF |
                                   PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
                               &code, &at, NULL);
    if (k->confirm)
        return 0;
    (void)pcre2_get_error_message(code, why, sizeof(why));
    return err_set(e, 0, "at byte %zu: %s", (size_t)at, (const char *)why);
}

/* Can the scanner do it, at least so far that only few lines are left to ask? */
static bool scanner_takes(const char *text, unsigned flags)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *why = NULL;
    bool takes = libhs.expression_info(text, flags, &info, &why) == HS_SUCCESS;

    free(info);
    (void)libhs.free_compile_error(why);
    return takes;
}

static int classify(struct patterns *p, struct pattern *k, const struct expression *x, unsigned flags, struct err *e)
{
    bool nocase = flags & PATTERN_NOCASE;

    if (make_confirm(k, nocase, e) < 0) /* what is no expression is found here, with its place */
        return -1;
    k->hs_flags = HS_FLAG_MULTILINE | HS_FLAG_ALLOWEMPTY | (nocase ? HS_FLAG_CASELESS : 0);
    if (!x->crosses_lines && scanner_takes(k->text, k->hs_flags)) {
        pcre2_code_free(k->confirm);
        k->confirm = NULL;
        return 0;
    }
    k->hs_flags |= HS_FLAG_PREFILTER;
    k->everywhere = !scanner_takes(k->text, k->hs_flags);
    (void)pcre2_jit_compile(k->confirm, PCRE2_JIT_COMPLETE); /* without it, it is slower and nothing else */
    p->confirmed++;
    p->everywhere += k->everywhere;
    return 0;
}

/* What is sought as it stands needs nobody's opinion. */
static int keep_literal(struct patterns *p, struct pattern *k, struct slice bytes, unsigned flags, struct err *e)
{
    k->hs_flags = HS_FLAG_MULTILINE | (flags & PATTERN_NOCASE ? HS_FLAG_CASELESS : 0);
    k->literal = malloc(bytes.len);
    if (!k->literal)
        return err_set(e, ENOMEM, "patterns");
    memcpy(k->literal, bytes.at, bytes.len);
    k->literal_len = bytes.len;
    p->literals++;
    return 0;
}

int patterns_add(struct patterns *p, struct slice expression, unsigned flags, uint32_t id, struct err *e)
{
    struct expression x;
    struct pattern *k;

    if (p->db || p->count == PATTERNS_MOST)
        return err_set(e, 0, "no more than %d expressions, and none after the set is compiled", PATTERNS_MOST);
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 64;
        struct pattern *all = reallocarray(p->all, cap, sizeof(*all));

        if (!all)
            return err_set(e, ENOMEM, "patterns");
        p->all = all;
        p->cap = cap;
    }
    if (expression_write(expression, flags, &x, e) < 0)
        return -1;
    k = &p->all[p->count];
    *k = (struct pattern){ .text = x.text, .id = id };
    if ((flags & PATTERN_LITERAL && !(flags & PATTERN_WORD) && expression.len > 0 && !x.crosses_lines
             ? keep_literal(p, k, expression, flags, e)
             : classify(p, k, &x, flags, e)) < 0) {
        free(k->text);
        return -1;
    }
    p->count++;
    return 0;
}

/* A set of literals alone takes the scanner a twentieth of the time to compile. */
static int compile_literals(struct patterns *p, struct err *e)
{
    const char **texts = calloc(p->count, sizeof(*texts));
    unsigned *flags = calloc(p->count, sizeof(*flags));
    unsigned *ids = calloc(p->count, sizeof(*ids));
    size_t *lengths = calloc(p->count, sizeof(*lengths));
    hs_compile_error_t *why = NULL;
    int status = texts && flags && ids && lengths ? 0 : err_set(e, ENOMEM, "patterns");

    for (size_t i = 0; status == 0 && i < p->count; i++) {
        texts[i] = p->all[i].literal;
        flags[i] = p->all[i].hs_flags & HS_FLAG_CASELESS;
        ids[i] = (unsigned)i;
        lengths[i] = p->all[i].literal_len;
    }
    if (status == 0 && libhs.compile_lit_multi(texts, flags, ids, lengths, (unsigned)p->count, HS_MODE_BLOCK, NULL,
                                               &p->db, &why) != HS_SUCCESS)
        status = err_set(e, 0, "patterns: %s", why->message);
    (void)libhs.free_compile_error(why);
    free((void *)texts);
    free(flags);
    free(ids);
    free(lengths);
    return status;
}

/* What the scanner refuses only when it compiles is asked of PCRE2, on each line. */
static int compile_all(struct patterns *p, struct err *e)
{
    const char **texts = calloc(p->count + 1, sizeof(*texts));
    unsigned *flags = calloc(p->count + 1, sizeof(*flags));
    unsigned *ids = calloc(p->count + 1, sizeof(*ids));
    int status = texts && flags && ids ? 0 : err_set(e, ENOMEM, "patterns");

    while (status == 0 && !p->db) {
        hs_compile_error_t *why = NULL;
        unsigned n = 0;

        for (size_t i = 0; i < p->count; i++) {
            if (p->all[i].everywhere)
                continue;
            texts[n] = p->all[i].text;
            flags[n] = p->all[i].hs_flags;
            ids[n++] = (unsigned)i;
        }
        if (n == 0)
            break;
        if (libhs.compile_multi(texts, flags, ids, n, HS_MODE_BLOCK, NULL, &p->db, &why) == HS_SUCCESS)
            break;
        if (why->expression >= 0 && (unsigned)why->expression < n) {
            struct pattern *k = &p->all[ids[why->expression]];

            k->everywhere = true;
            p->everywhere++;
            p->confirmed += !k->confirm;
            if (!k->confirm)
                status = make_confirm(k, k->hs_flags & HS_FLAG_CASELESS, e);
        } else
            status = err_set(e, 0, "patterns: %s", why->message);
        (void)libhs.free_compile_error(why);
    }
    free((void *)texts);
    free(flags);
    free(ids);
    return status;
}

int patterns_compile(struct patterns *p, struct err *e)
{
    if (p->db)
        return 0;
    return p->count > 0 && p->literals == p->count ? compile_literals(p, e) : compile_all(p, e);
}

size_t patterns_count(const struct patterns *p)
{
    return p->count;
}

size_t patterns_confirmed(const struct patterns *p)
{
    return p->confirmed;
}

/* --- scanning */

struct patterns_scan *patterns_scan_new(const struct patterns *p, struct err *e)
{
    struct patterns_scan *s = calloc(1, sizeof(*s));

    if (s) {
        s->p = p;
        s->told = calloc(p->count + 1, sizeof(*s->told));
        s->match = pcre2_match_data_create(1, NULL);
    }
    if (!s || !s->told || !s->match || (p->db && libhs.alloc_scratch(p->db, &s->scratch) != HS_SUCCESS)) {
        patterns_scan_free(s);
        (void)err_set(e, ENOMEM, "patterns");
        return NULL;
    }
    return s;
}

void patterns_scan_free(struct patterns_scan *s)
{
    if (!s)
        return;
    (void)libhs.free_scratch(s->scratch);
    pcre2_match_data_free(s->match);
    free(s->told);
    free(s);
}

uint64_t patterns_scan_given_up(const struct patterns_scan *s)
{
    return s->given_up;
}

static bool confirm(struct patterns_scan *s, const struct pattern *k, struct slice line)
{
    static const uint8_t nothing[1];
    int got = pcre2_match(k->confirm, line.len > 0 ? line.at : nothing, line.len, 0, 0, s->match, s->p->limits);

    s->given_up += got < 0 && got != PCRE2_ERROR_NOMATCH;
    return got >= 0;
}

/* The line in which a match ends; a match that ends behind a newline belongs to the line before, when it is empty. */
static struct slice line_at(struct slice block, size_t to)
{
    const uint8_t *newline = to > 0 ? memrchr(block.at, '\n', to) : NULL;
    size_t from = newline ? (size_t)(newline - block.at) + 1 : 0;
    const uint8_t *end = from < block.len ? memchr(block.at + from, '\n', block.len - from) : NULL;

    return slice_of(block.at + from, (end ? (size_t)(end - block.at) : block.len) - from);
}

static int on_match(unsigned index, unsigned long long from, unsigned long long to, unsigned flags, void *own)
{
    struct patterns_scan *s = own;
    const struct pattern *k = &s->p->all[index];
    struct slice line;
    size_t end;

    (void)from;
    (void)flags;
    if (to < s->told[index]) /* the same line once more */
        return 0;
    line = line_at(s->block, (size_t)to);
    if (line.len == 0 && (size_t)(line.at - s->block.at) == s->block.len && s->block.len > 0)
        return 0; /* behind the last newline there is no line */
    end = (size_t)(line.at - s->block.at) + line.len + 1;
    if (end == s->told[index])
        return 0;
    s->told[index] = end;
    if (k->confirm && !confirm(s, k, line))
        return 0;
    s->ended = s->hit(s->own, k->id, line);
    return s->ended;
}

/* Those of which the scanner knows nothing. */
static void ask_everywhere(struct patterns_scan *s)
{
    struct slice rest = s->block;

    while (rest.len > 0 && !s->ended) {
        struct slice line = slice_until(rest, '\n', &rest);

        for (size_t i = 0; i < s->p->count && !s->ended; i++)
            if (s->p->all[i].everywhere && confirm(s, &s->p->all[i], line))
                s->ended = s->hit(s->own, s->p->all[i].id, line);
    }
}

int patterns_block(struct patterns_scan *s, struct slice block, bool (*hit)(void *own, uint32_t id, struct slice line),
                   void *own, struct err *e)
{
    hs_error_t got = HS_SUCCESS;

    if (block.len > PATTERN_BLOCK)
        return err_set(e, 0, "a block of more than %d bytes", PATTERN_BLOCK);
    if (block.len == 0)
        block = SLICE("");
    s->block = block;
    s->hit = hit;
    s->own = own;
    s->ended = false;
    memset(s->told, 0, s->p->count * sizeof(*s->told));
    if (s->p->db)
        got = libhs.scan(s->p->db, (const char *)block.at, (unsigned)block.len, 0, s->scratch, on_match, s);
    if (got != HS_SUCCESS && got != HS_SCAN_TERMINATED)
        return err_set(e, 0, "the scanner failed: %d", got);
    if (s->p->everywhere > 0)
        ask_everywhere(s);
    return 0;
}

static bool note_first(void *own, uint32_t id, struct slice line)
{
    (void)line;
    *(uint32_t *)own = id;
    return true;
}

bool patterns_line(struct patterns_scan *s, struct slice line, uint32_t *id)
{
    return patterns_block(s, line, note_first, id, NULL) == 0 && s->ended;
}
