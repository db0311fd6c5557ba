/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message of any bytes (the first one says how faults are treated): in one piece, byte by byte, in pieces of seven.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/smtpdata.h"

struct passed {
    struct smtpdata d;
    uint8_t *out; /* twice the input and a bit */
    size_t out_len, used;
};

static void pass(struct passed *p, enum smtpdata_mode mode, struct slice in, size_t piece)
{
    *p = (struct passed){ .out = malloc(2 * in.len + 8) };
    assert(p->out);
    smtpdata_init(&p->d, mode);
    while (in.len > 0 && !p->d.ended) {
        struct slice now = slice_first(in, piece);
        struct slice forward;
        unsigned idle = 0;

        while (now.len > 0 && !p->d.ended) {
            size_t used = smtpdata_next(&p->d, now, &forward);

            assert(used <= now.len && (used > 0 || ++idle < 2));
            assert(p->out_len + forward.len <= 2 * in.len + p->used * 2 + 8);
            if (forward.len > 0)
                memcpy(p->out + p->out_len, forward.at, forward.len);
            p->out_len += forward.len;
            p->used += used;
            now = slice_skip(now, used);
            in = slice_skip(in, used);
        }
    }
    assert(p->d.bytes == p->used - (p->d.ended ? 3 : 0));
}

/* Where the first CRLF.CRLF ends, by the letter; 0: there is none. */
static size_t true_end(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i + 3 <= len; i++)
        if (memcmp(at + i, ".\r\n", 3) == 0 && (i == 0 || (i >= 2 && at[i - 2] == '\r' && at[i - 1] == '\n')))
            return i + 3;
    return 0;
}

static void check_clean(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert(at[i] != 0);
        assert(at[i] != '\n' || (i > 0 && at[i - 1] == '\r'));
        assert(at[i] != '\r' || (i + 1 < len && at[i + 1] == '\n'));
    }
}

/* What a server makes of clean text: dots taken off. */
static size_t unstuff(const uint8_t *at, size_t len, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        if (at[i] != '.' || (i > 0 && at[i - 1] != '\n'))
            out[n++] = at[i];
    return n;
}

/* The same text, as the client meant it: each byte by the rules of the header, slowly. */
static size_t meant(const uint8_t *at, size_t len, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bool start = i == 0 || (i >= 2 && at[i - 1] == '\n' && at[i - 2] == '\r');

        if (at[i] == '\r' && i + 1 < len && at[i + 1] == '\n') {
            out[n++] = '\r';
            out[n++] = '\n';
            i++;
        } else if (at[i] == '\r' || at[i] == 0) {
            out[n++] = ' ';
        } else if (at[i] == '\n') {
            out[n++] = '\r';
            out[n++] = '\n';
        } else if (at[i] != '.' || !start || (i + 1 < len && at[i + 1] == '\n')) {
            out[n++] = at[i];
        }
    }
    return n;
}

static void check_meaning(const struct passed *p, const uint8_t *in)
{
    uint8_t *a = malloc(2 * p->used + 8), *b = malloc(2 * p->out_len + 8);
    size_t a_len = meant(in, p->used - 3, a), b_len = unstuff(p->out, p->out_len - 3, b);

    assert(a_len == b_len && memcmp(a, b, a_len) == 0);
    free(a);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t pieces[] = { SIZE_MAX, 1, 7 };
    struct passed p[3];
    enum smtpdata_mode mode;
    size_t end;

    if (size < 1)
        return 0;
    mode = data[0] % 2 ? SMTPDATA_NORMALISE : SMTPDATA_REFUSE;
    end = true_end(data + 1, size - 1);
    for (int i = 0; i < 3; i++) {
        pass(&p[i], mode, slice_of(data + 1, size - 1), pieces[i]);
        assert(p[i].used == p[0].used && p[i].d.ended == p[0].d.ended && p[i].d.fault == p[0].d.fault);
        assert(p[i].d.bytes == p[0].d.bytes);
        assert(p[i].out_len == p[0].out_len && memcmp(p[i].out, p[0].out, p[0].out_len) == 0);
    }
    assert(p[0].d.ended == (end > 0) && p[0].used == (end ? end : size - 1));
    check_clean(p[0].out, p[0].out_len);
    if (p[0].d.fault == SMTPDATA_CLEAN)
        assert(memcmp(p[0].out, data + 1, p[0].out_len) == 0);
    if (mode == SMTPDATA_NORMALISE || p[0].d.fault == SMTPDATA_CLEAN)
        assert(true_end(p[0].out, p[0].out_len) == (end ? p[0].out_len : 0));
    else
        assert(true_end(p[0].out, p[0].out_len) == 0);
    if (mode == SMTPDATA_NORMALISE && end)
        check_meaning(&p[0], data + 1);
    for (int i = 0; i < 3; i++)
        free(p[i].out);
    return 0;
}
