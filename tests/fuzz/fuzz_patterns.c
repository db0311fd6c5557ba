/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An expression (flags, then its text up to a newline) and lines: no hit leaves its line, and none is told twice. */
#include <stdlib.h>
#include <string.h>

#include "sense/log/logrules.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

struct world {
    struct slice block;
    const uint8_t *last;
};

static bool on_hit(void *own, uint32_t id, struct slice line)
{
    struct world *w = own;

    if (w->block.len == 0) { /* one empty line, wherever it lies */
        MUST(line.len == 0);
        return false;
    }
    MUST(id == 7 && line.at >= w->block.at && line.at + line.len <= w->block.at + w->block.len);
    MUST(line.len == 0 || !memchr(line.at, '\n', line.len));
    MUST(line.at != w->last);
    w->last = line.at;
    return false;
}

static void on_judged(void *own, enum logrules_verdict v, struct slice text)
{
    MUST(v <= LOGRULES_ATTACKS && (text.len == 0 || !memchr(text.at, '\n', text.len)));
    ++*(unsigned *)own;
}

static void rules(struct slice expression, struct slice text)
{
    struct logrules *r = logrules_new(NULL);
    struct log_line l = { .program = SLICE("sshd"), .pid = 1, .text = text, .raw = text };
    struct logrules_scan *s;
    unsigned judged = 0;

    MUST(r);
    if (logrules_add(r, LOGRULES_IGNORE, expression, PATTERN_ERE, NULL) == 0 && logrules_compile(r, NULL) == 0) {
        s = logrules_scan_new(r, on_judged, &judged, NULL);
        MUST(s && logrules_line(s, &l, NULL) == 0 && logrules_line(s, &l, NULL) == 0 && logrules_flush(s, NULL) == 0);
        MUST(judged == 2);
        logrules_scan_free(s);
    }
    logrules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest;
    struct slice expression = slice_until(slice_of(data, size), '\n', &rest);
    struct patterns *p = patterns_new(NULL);
    struct world w = { .block = rest };

    MUST(p);
    if (expression.len > 1 && expression.len < 200 &&
        patterns_add(p, slice_skip(expression, 1), expression.at[0] & 15u, 7, NULL) == 0 &&
        patterns_compile(p, NULL) == 0) {
        struct patterns_scan *s = patterns_scan_new(p, NULL);

        MUST(s && patterns_block(s, rest, on_hit, &w, NULL) == 0);
        patterns_scan_free(s);
        rules(slice_skip(expression, 1), rest);
    }
    patterns_free(p);
    return 0;
}
