/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * witness - signs how other stores' segments ended, for who comes later and has their keys (journal/cosign.h).
 *
 * A store that forwards to us offers the seals of its segments, as they lie
 * at the end of their files, one to WITNESS_SEALS of them with rising numbers;
 * the last one may be the open head of the segment behind them (seal.h).
 * The first one ever is believed; from then on each must go on where the one
 * before ended, with the key that it promised, and lead as far as the open
 * head that was signed.  What was signed once is never signed otherwise.  A store that is to begin anew here needs its
 * file `cosigned-ID` taken away by hand.
 */
#ifndef SERVIOLA_SENSE_LOG_WITNESS_H
#define SERVIOLA_SENSE_LOG_WITNESS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "journal/cosign.h"

enum { WITNESS_SEALS = 64 };

enum witness_word {
    WITNESS_BAD,     /* that are no seals */
    WITNESS_FINE,    /* all of them are signed */
    WITNESS_LATER,   /* its lines are not all here yet, or it asks too often, or our disk refuses */
    WITNESS_FROM,    /* some are missing in front: again, from that of the last statement on */
    WITNESS_AGAINST, /* they contradict the last statement */
};
const char *witness_word_text(enum witness_word w); /* "OK", ...: how it is said to the other side */

struct witness_answer {
    struct cosign at[WITNESS_SEALS + 1]; /* the newest one we gave stands last */
    size_t count;
    uint64_t segment; /* of AGAINST: the seal that was not signed */
    bool news;        /* ... and that was not so the last time */
    const char *why;
};

struct witness;
struct witness *witness_open(const char *folder, struct err *e);
void witness_close(struct witness *w); /* NULL is fine */
/* `seals` is what came; of the store `id` the lines up to `have` are here. */
enum witness_word witness_judge(struct witness *w, struct slice seals, uint64_t have, int64_t wall_us, int64_t mono_us,
                                struct witness_answer *a);
#endif
