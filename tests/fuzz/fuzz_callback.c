/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A called server says anything: byte 0 cuts its words into pieces, byte 1 is how the connection ends, the rest is
 * what it says.  The result is one that a call may have, the same in any pieces; a temporary reply never becomes a
 * refusal; we say EHLO once at most, and only behind a greeting.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "sense/gate/callback_talk.h"

struct outcome {
    struct callback_verdict verdict;
    size_t heard;
    unsigned ehlos;
    bool over;
};

static const int ends[] = {
    0, ECONNRESET, EPIPE, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, ENOBUFS
};

static bool is_reply(struct slice line, uint8_t kind)
{
    return line.len >= 3 && line.at[0] == kind && line.at[1] >= '0' && line.at[1] <= '9' && line.at[2] >= '0' &&
           line.at[2] <= '9';
}

static bool last_line_is(struct slice said, uint8_t kind, bool whole)
{
    size_t from;

    if (whole && said.len > 0)
        said.len--; /* its end */
    for (from = said.len; from > 0 && said.at[from - 1] != '\n'; from--)
        ;
    return is_reply(slice_skip(said, from), kind);
}

static void converse(struct slice said, unsigned seed, int end, struct outcome *o)
{
    struct callback_talk talk = { 0 };
    struct slice all = said;

    memset(o, 0, sizeof(*o));
    while (said.len > 0 && !o->over) {
        size_t n = seed > 0 ? 1 + seed % (seed % 3 > 0 ? 4 : 64) : said.len;
        struct slice piece = slice_first(said, n);
        size_t before;

        seed = seed * 75 % 65537;
        said = slice_skip(said, piece.len);
        do {
            enum callback_next next;

            before = piece.len;
            next = callback_talk_hear(&talk, &piece, &o->verdict);
            assert(piece.len < before && (next != CALLBACK_GOES_ON || piece.len == 0));
            o->heard += before - piece.len;
            assert(talk.bytes == o->heard && talk.bytes <= CALLBACK_BYTES);
            assert(next != CALLBACK_SAY_EHLO || last_line_is(slice_first(all, o->heard), '2', true));
            o->ehlos += next == CALLBACK_SAY_EHLO;
            o->over = next == CALLBACK_OVER;
        } while (piece.len > 0 && !o->over);
    }
    assert(o->over || talk.bytes < CALLBACK_BYTES);
    if (!o->over)
        callback_talk_end(&talk, end, &o->verdict);
}

static void check(const struct outcome *o, struct slice said, int end)
{
    const struct callback_verdict *v = &o->verdict;
    struct slice heard = slice_first(said, o->heard);
    bool hung_up = end == 0 || end == ECONNRESET || end == EPIPE;

    assert(v->result == CALLBACK_SPEAKS || v->result == CALLBACK_REFUSED || (!o->over && v->result <= CALLBACK_BUSY));
    assert(o->ehlos <= 1);
    assert(!v->quit || v->result == CALLBACK_SPEAKS);
    if (o->over ? last_line_is(heard, '4', true) : hung_up && last_line_is(heard, '4', false))
        assert(v->result == CALLBACK_SPEAKS);
    if (v->result == CALLBACK_SPEAKS && o->ehlos == 0)
        assert(last_line_is(heard, '4', o->over));
    assert(memchr(v->words, '\0', sizeof(v->words)));
    for (const char *at = v->words; *at; at++)
        assert((unsigned char)*at >= ' ' && *at != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;
    struct slice said;
    int end;

    if (size < 2)
        return 0;
    end = ends[data[1] % (sizeof(ends) / sizeof(ends[0]))];
    said = slice_of(data + 2, size - 2);
    converse(said, 0, end, &whole);
    check(&whole, said, end);
    converse(said, 1 + data[0], end, &pieces);
    assert(whole.verdict.result == pieces.verdict.result);
    assert(whole.verdict.quit == pieces.verdict.quit && strcmp(whole.verdict.words, pieces.verdict.words) == 0);
    assert(whole.heard == pieces.heard && whole.ehlos == pieces.ehlos && whole.over == pieces.over);
    return 0;
}
