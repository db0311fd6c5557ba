/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/judge.h"

void judge_take(struct judge *j, bool well, int64_t begun_us)
{
    if (well) {
        if (j->goods++ == 0)
            j->first_good_us = begun_us;
        j->missed = 0;
        j->good_us = begun_us;
        return;
    }
    if (j->missed++ == 0)
        j->first_miss_us = begun_us;
    j->goods = 0;
    j->bad_us = begun_us;
}

bool judge_misses(const struct judge *j, const struct judge_limits *l)
{
    return j->missed >= l->misses;
}

void judge_front_back(struct judge *j)
{
    if (j->state == JUDGE_HIDDEN)
        j->missed = 0;
}

void judge_slept(struct judge *j)
{
    j->missed = j->goods = 0;
}

/* Was it lost as often as JUDGE_LOSSES within the window? */
static bool comes_and_goes(const struct judge *j, int64_t now_us)
{
    return j->losses >= JUDGE_LOSSES && now_us - j->losses_us[j->losses % JUDGE_LOSSES] <= JUDGE_WINDOW_US;
}

/* False: it was counted already. */
static bool count_loss(struct judge *j, int64_t since_us)
{
    bool fresh = !j->was_down;

    if (fresh)
        j->losses_us[j->losses++ % JUDGE_LOSSES] = since_us;
    j->was_down = false;
    return fresh;
}

static enum judge_news lose(struct judge *j, struct judge_told *told)
{
    bool fresh = count_loss(j, j->first_miss_us);

    j->state = JUDGE_DOWN;
    j->lost_us = j->first_miss_us;
    *told = (struct judge_told){ .since_us = j->lost_us, .good_us = j->good_us };
    if (j->flapping) {
        j->flaps += fresh;
        return JUDGE_SAME; /* written down when it is over */
    }
    if (!comes_and_goes(j, j->first_miss_us))
        return JUDGE_LOST;
    j->flapping = true;
    j->flaps = JUDGE_LOSSES;
    j->flap_us = told->since_us = j->losses_us[j->losses % JUDGE_LOSSES];
    j->flap_sum_us = 0;
    told->count = j->flaps;
    return JUDGE_FLAPPING;
}

static enum judge_news hide(struct judge *j, struct judge_told *told)
{
    j->state = JUDGE_HIDDEN;
    j->lost_us = j->first_miss_us;
    *told = (struct judge_told){ .since_us = j->lost_us, .good_us = j->good_us };
    return JUDGE_IS_HIDDEN;
}

static enum judge_news rise(struct judge *j, struct judge_told *told)
{
    enum judge_state was = j->state;

    j->state = JUDGE_UP;
    j->was_down = false;
    *told = (struct judge_told){ .since_us = j->first_good_us };
    if (was == JUDGE_UNKNOWN)
        return JUDGE_SEEN;
    told->span_us = j->first_good_us - j->lost_us;
    if (was == JUDGE_HIDDEN)
        return JUDGE_SHOWN;
    if (!j->flapping)
        return JUDGE_BACK;
    told->since_us = j->lost_us;
    j->flap_sum_us += told->span_us;
    return JUDGE_BLINKED;
}

/* It has stayed as it is for long enough: up, or down for good. */
static enum judge_news settle(struct judge *j, struct judge_told *told)
{
    j->flapping = false;
    if (j->state == JUDGE_DOWN) {
        *told = (struct judge_told){ .since_us = j->lost_us };
        return JUDGE_LOST;
    }
    *told = (struct judge_told){ .since_us = j->flap_us, .span_us = j->flap_sum_us, .count = j->flaps };
    return JUDGE_STEADY;
}

enum judge_news judge_decide(struct judge *j, const struct judge_limits *l, enum judge_front front, int64_t now_us,
                             struct judge_told *told)
{
    if (j->flapping && j->state == JUDGE_UP && j->goods > 0 && now_us - j->first_good_us >= l->steady_us)
        return settle(j, told);
    if (j->flapping && j->state == JUDGE_DOWN && j->missed > 0 && now_us - j->lost_us >= l->steady_us)
        return settle(j, told);
    if (j->state == JUDGE_DOWN || j->state == JUDGE_HIDDEN) {
        if (j->goods >= JUDGE_GOODS)
            return rise(j, told);
    } else if (j->state == JUDGE_UNKNOWN && j->goods > 0)
        return rise(j, told);
    if (j->state == JUDGE_DOWN || !judge_misses(j, l) || front == FRONT_ASKED)
        return JUDGE_SAME;
    if (front == FRONT_WELL)
        return lose(j, told);
    return j->state == JUDGE_HIDDEN ? JUDGE_SAME : hide(j, told);
}

static void recall_blink(struct judge *j, const struct judge_told *told)
{
    if (!j->flapping) { /* that it began is longer ago than is read */
        j->flapping = true;
        j->flaps = 0;
        j->flap_us = told->since_us;
        j->flap_sum_us = 0;
    }
    j->flaps += count_loss(j, told->since_us);
    j->flap_sum_us += told->span_us;
}

static void recall_flapping(struct judge *j, const struct judge_told *told, int64_t at_us)
{
    if (!j->flapping) {
        (void)count_loss(j, at_us);
        j->flap_sum_us = 0;
        j->was_down = true;
    }
    j->flapping = true;
    j->flaps = told->count;
    j->flap_us = told->since_us;
}

void judge_recall(struct judge *j, enum judge_news news, const struct judge_told *told, int64_t at_us)
{
    switch (news) {
    case JUDGE_LOST:
        (void)count_loss(j, told->since_us);
        j->flapping = false;
        j->was_down = true;
        break;
    case JUDGE_FLAPPING:
        recall_flapping(j, told, at_us);
        break;
    case JUDGE_BLINKED:
        recall_blink(j, told);
        break;
    case JUDGE_STEADY:
        j->flapping = false;
        j->was_down = false;
        break;
    case JUDGE_SEEN:
    case JUDGE_BACK:
    case JUDGE_SHOWN:
        j->was_down = false;
        break;
    case JUDGE_IS_HIDDEN:
    case JUDGE_SAME:
        break;
    }
}
