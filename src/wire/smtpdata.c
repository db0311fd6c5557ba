/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/smtpdata.h"

#include <string.h>

enum state {
    LINE,   /* behind CRLF: a dot here may begin the end */
    DOT,    /* CRLF "." */
    INSIDE, /* of a line */
    BROKEN, /* behind a bare LF that was made a CRLF: a line for the server, not for the client */
    CR,     /* a CR is held, somewhere */
    DOT_CR, /* CRLF "." CR, the CR is held */
};

void smtpdata_init(struct smtpdata *d, enum smtpdata_mode mode)
{
    *d = (struct smtpdata){ .mode = (uint8_t)mode, .state = LINE };
}

/* Where the next CR, LF or NUL stands at or behind `at`; `len` when there is none.  16 bytes a step. */
static size_t next_special(const uint8_t *bytes, size_t at, size_t len)
{
    typedef uint8_t block __attribute__((vector_size(16)));
    typedef uint64_t halves __attribute__((vector_size(16)));

    for (; len - at >= sizeof(block); at += sizeof(block)) {
        block b;
        halves hit;

        memcpy(&b, bytes + at, sizeof b);
        hit = (halves)((b == '\r') | (b == '\n') | (b == 0));
        if ((hit[0] | hit[1]) != 0)
            break;
    }
    while (at < len && bytes[at] != '\r' && bytes[at] != '\n' && bytes[at] != 0)
        at++;
    return at;
}

/*
 * How many bytes from the start of `in` can go on as they are.  Stops before
 * a fault, before a CR that is the last byte, before a dot that needs another
 * one; or behind the end of the message.
 */
static size_t clean_run(struct smtpdata *d, struct slice in)
{
    size_t at = 0;

    while (at < in.len) {
        if (in.at[at] == '.' && d->state == LINE) {
            d->state = DOT;
            at++;
        } else if (in.at[at] == '.' && d->state == BROKEN) {
            return at;
        }
        size_t stop = next_special(in.at, at, in.len);
        if (stop > at)
            d->state = INSIDE;
        at = stop;
        if (in.len - at < 2 || in.at[at] != '\r' || in.at[at + 1] != '\n')
            return at;
        at += 2;
        if (d->state == DOT) {
            d->ended = true;
            return at;
        }
        d->state = LINE;
    }
    return at;
}

static void note_fault(struct smtpdata *d, enum smtpdata_fault f)
{
    if (d->fault == SMTPDATA_CLEAN)
        d->fault = (uint8_t)f;
}

/* The CR that was held: the byte behind it says what it was.  The CR is counted already. */
static size_t held_cr(struct smtpdata *d, struct slice in, struct slice *forward)
{
    if (in.at[0] == '\n') {
        *forward = SLICE("\r\n");
        d->ended = d->state == DOT_CR;
        d->state = LINE;
        return 1;
    }
    note_fault(d, SMTPDATA_BARE_CR);
    *forward = SLICE(" ");
    d->state = INSIDE;
    return 0;
}

/* The byte that ended a clean run of no length. */
static size_t special(struct smtpdata *d, struct slice in, struct slice *forward)
{
    switch (in.at[0]) {
    case '\r':
        if (in.len == 1) {
            d->state = d->state == DOT ? DOT_CR : CR;
            return 1;
        }
        note_fault(d, SMTPDATA_BARE_CR);
        *forward = SLICE(" ");
        d->state = INSIDE;
        return 1;
    case '\n':
        note_fault(d, SMTPDATA_BARE_LF);
        *forward = d->state == DOT ? SLICE(".\r\n") : SLICE("\r\n");
        d->state = BROKEN;
        return 1;
    case 0:
        note_fault(d, SMTPDATA_NUL);
        *forward = SLICE(" ");
        break;
    default: /* the dot behind a bare LF */
        *forward = SLICE("..");
    }
    d->state = INSIDE;
    return 1;
}

size_t smtpdata_next(struct smtpdata *d, struct slice in, struct slice *forward)
{
    size_t used;

    *forward = (struct slice){ NULL, 0 };
    if (in.len == 0 || d->ended)
        return 0;
    if (d->state == CR || d->state == DOT_CR) {
        used = held_cr(d, in, forward);
    } else {
        used = clean_run(d, in);
        *forward = slice_first(in, used);
        if (used == 0)
            used = special(d, in, forward);
    }
    d->bytes += used;
    if (d->ended)
        d->bytes -= 3;
    if (d->mode == SMTPDATA_REFUSE && d->fault != SMTPDATA_CLEAN)
        *forward = (struct slice){ NULL, 0 };
    return used;
}

const char *smtpdata_words(enum smtpdata_fault f)
{
    static const char *const words[] = { "nothing", "a bare LF", "a bare CR", "a NUL" };

    return (unsigned)f < sizeof words / sizeof words[0] ? words[f] : "";
}
