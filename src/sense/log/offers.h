/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * offers - has the heads of our segments cosigned by the serviola that our lines are forwarded to.
 *
 * One for each `forward`, in its thread.  What the other side says is hostile
 * until its signature is checked: with the key in the file `witness-NAME` in
 * the store's folder, which the first answer writes when the admin has not.
 */
#ifndef SERVIOLA_SENSE_LOG_OFFERS_H
#define SERVIOLA_SENSE_LOG_OFFERS_H
#include <stdbool.h>
#include <stdint.h>

#include "journal/cosign.h"

enum { OFFERS_SEALS = 64, OFFERS_EVERY_US = 1000000 };

struct offers {
    int dir;          /* borrowed: the store's */
    const char *name; /* borrowed: of the forward */
    uint8_t id[SEG_HASH];
    uint8_t pin[SEG_HASH];
    bool pinned;
    bool loaded;
    uint64_t kept;        /* newest segment whose statement by the pinned key we have */
    struct seg_seal open; /* the newest open head of ours (seal.h); segment 0: none yet */
    uint64_t offered;     /* its last line when it was offered */
    uint64_t next;        /* segment to offer; 0: the newest */
    uint64_t goal;        /* what we offered when the other side wanted earlier ones first; 0: it did not */
    int64_t asked_us;
    bool waiting;     /* for an answer */
    bool stopped;     /* until the next connection */
    uint64_t differs; /* segment of which the other side says otherwise than our store; 0: none */
    char why[160];
};

void offers_begin(struct offers *o); /* a new connection */
/* Seals to offer now, and the open head behind them, of lines up to `acked`; 0: none. */
size_t offers_make(struct offers *o, uint64_t acked, int64_t mono_us, struct seg_seal at[OFFERS_SEALS]);
/* An answer: a word, a newline, statements. */
void offers_take(struct offers *o, struct slice answer);
#endif
