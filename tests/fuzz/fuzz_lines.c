/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks of lines.  Any bytes as a payload: the walk ends, its lines lie in it, their tokens are in a filter made of
 * them.  And the bytes cut into lines, written as a payload and read back: the same octets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sense/log/payload.h"
#include "sense/log/tokens.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct check {
    struct slice filter;
    bool fine;
};

static void see(void *ctx, uint64_t key)
{
    struct check *c = ctx;

    c->fine = c->fine && filter_may_hold(c->filter, key);
}

static void check_filter(struct slice text)
{
    struct token_set set = { 0 };
    struct check c = { .fine = true };
    uint8_t *behind = calloc(1, text.len + TOKENS_BEHIND);
    uint8_t *filter;
    size_t len;

    MUST(behind);
    if (text.len > 0)
        memcpy(behind, text.at, text.len);
    token_set_add(&set, slice_of(behind, text.len));
    token_set_end(&set);
    len = filter_bytes(set.count);
    filter = malloc(len);
    MUST(filter);
    filter_make(filter, len, set.keys, set.count);
    c.filter = slice_of(filter, len);
    lines_tokens(text, see, &c);
    MUST(c.fine);
    free(filter);
    free(behind);
    token_set_done(&set);
}

static void read_any(struct slice all)
{
    struct lines_walk w = lines_walk(all, 1);
    struct log_line line;
    uint64_t n = 0;

    while (lines_next(&w, &line)) {
        MUST(line.raw.at >= all.at && line.raw.at + line.raw.len <= all.at + all.len);
        MUST(line.seq == ++n && n <= all.len);
        log_line_read(&line);
        (void)log_line_time(&line);
    }
}

/* Lines of 0 to 40 bytes, by the bytes themselves. */
static size_t piece(struct slice rest)
{
    size_t len = rest.len > 0 ? rest.at[0] % 41 : 0;

    return len < rest.len ? len : rest.len;
}

static void write_and_read(struct slice all)
{
    static uint8_t room[1 << 20];
    struct payload p = { .at = room, .cap = sizeof(room) };
    struct lines_walk w;
    struct log_line line = { .way = LOG_TCP, .peer = SLICE("10.1.0.2:1") };
    struct slice rest = all;
    uint32_t put = 0;

    for (; rest.len > 0; rest = slice_skip(rest, line.raw.len + 1)) {
        line.raw = slice_first(slice_skip(rest, 1), piece(rest));
        line.at_us = line.near_us = rest.at[0] % 3;
        if (!payload_put(&p, &line, NULL))
            break;
        put++;
    }
    MUST(put == p.records);
    w = lines_walk(slice_of(room, p.len), 1);
    for (rest = all; put > 0; put--) {
        struct slice raw = slice_first(slice_skip(rest, 1), piece(rest));

        MUST(lines_next(&w, &line) && slice_eq(line.raw, raw) && line.way == LOG_TCP);
        MUST(line.at_us == rest.at[0] % 3);
        rest = slice_skip(rest, raw.len + 1);
    }
    MUST(!lines_next(&w, &line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);

    if (size > 1 << 14)
        return 0;
    read_any(all);
    check_filter(all);
    write_and_read(all);
    return 0;
}
