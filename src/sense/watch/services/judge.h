/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * judge - what the probes of one service mean: up, down since when, hidden behind another one, or coming and going.
 *
 * Pure: results go in with their times (wall clock, when the probe began),
 * news come out.  A loss is known since the first missed probe, a recovery
 * since the first good one.  What lies in front of it is asked for each time
 * (enum judge_front), so that a dead host is told, and not what is behind it.
 *
 *     result -> judge_take -> judge_decide -> news, until it says JUDGE_SAME
 */
#ifndef SERVIOLA_SERVICES_JUDGE_H
#define SERVIOLA_SERVICES_JUDGE_H
#include <stdbool.h>
#include <stdint.h>

enum judge_state { JUDGE_UNKNOWN, JUDGE_UP, JUDGE_DOWN, JUDGE_HIDDEN };
enum judge_front {
    FRONT_WELL,
    FRONT_ASKED, /* it is being found out */
    FRONT_DOWN,
};
enum judge_news {
    JUDGE_SAME,
    JUDGE_SEEN,
    JUDGE_LOST,
    JUDGE_BACK,
    JUDGE_IS_HIDDEN,
    JUDGE_SHOWN,
    JUDGE_FLAPPING,
    JUDGE_BLINKED,
    JUDGE_STEADY,
};

enum { JUDGE_LOSSES = 3, JUDGE_GOODS = 2 };
#define JUDGE_WINDOW_US (600 * (int64_t)1000000) /* so many losses within it: it comes and goes */

struct judge_limits {
    uint64_t misses;
    int64_t steady_us;
};

struct judge {
    enum judge_state state;
    uint32_t missed, goods;                                /* in a row */
    int64_t first_miss_us, first_good_us, good_us, bad_us; /* of this row; the last good one, the last missed one */
    int64_t lost_us;                                       /* DOWN, HIDDEN: since when */
    int64_t losses_us[JUDGE_LOSSES];                       /* a ring: when it was lost */
    uint32_t losses;
    bool flapping;
    uint32_t flaps;      /* losses since it began to flap */
    int64_t flap_us;     /* when that was */
    int64_t flap_sum_us; /* down in all since then */
    bool was_down;       /* in an earlier life: it may be the same loss that is found again */
};

struct judge_told {                     /* of the news */
    int64_t since_us, span_us, good_us; /* 0: not known */
    uint32_t count;
};

void judge_take(struct judge *j, bool well, int64_t begun_us);
/* It is missed as often as has to be: whether it is lost is a question of what lies in front. */
bool judge_misses(const struct judge *j, const struct judge_limits *l);
/* The front is back: what was missed behind it says nothing. */
void judge_front_back(struct judge *j);
/* What was said in an earlier life, in its order: how often it was lost lately, and whether it comes and goes. */
void judge_recall(struct judge *j, enum judge_news news, const struct judge_told *told, int64_t at_us);
/* Nobody probed for a while: rows are broken, and nothing has lasted. */
void judge_slept(struct judge *j);
enum judge_news judge_decide(struct judge *j, const struct judge_limits *l, enum judge_front front, int64_t now_us,
                             struct judge_told *told);
#endif
