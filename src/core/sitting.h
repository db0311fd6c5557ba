/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sitting - one picture at a time: who waits for the one that is being taken, and how many may be asked for.
 *
 * A trigger's picture is never refused; one that somebody asks for is after
 * SITTING_A_MINUTE.  Who asks while a picture is being taken gets that one.
 * Once it is shown, who asks waits for the next, which begins at its end.
 */
#ifndef SERVIOLA_CORE_SITTING_H
#define SERVIOLA_CORE_SITTING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rate.h"

enum { SITTING_WAITERS = 16, SITTING_A_MINUTE = 6 };
#define SITTING_MOST_US 90000000LL /* whoever takes a picture so long is gone, and nobody said so */

struct sitter {
    uint32_t number, id; /* of the command, and of its ask */
    bool keep;           /* it wants the file on the shelf */
};

struct sitting { /* all zero: nobody sits */
    bool under_way, shown;
    bool keep; /* a trigger wants the file on the shelf */
    int64_t begun_us;
    struct rate_window asked;
    struct sitter waiters[SITTING_WAITERS];
    size_t count;
};

enum sitting_answer {
    SITTING_BEGINS,    /* take one: it waits for it */
    SITTING_JOINS,     /* it waits for the one that is being taken, */
    SITTING_NEXT,      /* or for the one after that */
    SITTING_TOO_OFTEN, /* SITTING_A_MINUTE were asked for within a minute */
    SITTING_CROWDED,   /* SITTING_WAITERS wait already */
};

enum sitting_answer sitting_ask(struct sitting *s, const struct sitter *who, int64_t now_us);
/* For a trigger.  False: one is being taken, and will show this too. */
bool sitting_begin(struct sitting *s, int64_t now_us);
/* The picture is there: those who waited for it, of them `count`, wait no more.  True: it is to be kept. */
bool sitting_show(struct sitting *s, struct sitter waited[SITTING_WAITERS], size_t *count);
/*
 * Whoever took it is gone.  Those who still wait for a picture that was never
 * shown wait no more; true: they wait for the next, which has begun: take it.
 */
bool sitting_end(struct sitting *s, struct sitter waited[SITTING_WAITERS], size_t *count, int64_t now_us);
#endif
