/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/front.h"

#include <string.h>

/* Its last probe began at: */
static int64_t looked_us(const struct judge *j)
{
    return j->good_us > j->bad_us ? j->good_us : j->bad_us;
}

/* One that was up when this began. */
static bool counts(const struct front_seen *s)
{
    return s->outside && s->judge.state != JUDGE_DOWN;
}

/* Hosts that stand for themselves, or two at most. */
static unsigned hosts_of(const struct front_seen *all, uint32_t count)
{
    const struct front_seen *first = NULL;

    for (uint32_t i = 0; i < count; i++) {
        if (!counts(&all[i]) || all[i].service->after.count > 0)
            continue;
        if (first && !addr_eq_ip(first->host, all[i].host))
            return 2;
        first = &all[i];
    }
    return first ? 1 : 0;
}

int64_t front_network_lost(const struct front_seen *all, uint32_t count)
{
    int64_t since_us = 0;
    bool ours = true;
    bool any = false;

    for (uint32_t i = 0; i < count; i++) {
        if (!counts(&all[i]))
            continue;
        if (all[i].judge.missed == 0)
            return 0;
        any = any || all[i].judge.missed > 1;
        ours = ours && all[i].ours;
        if (since_us == 0 || all[i].judge.first_miss_us < since_us)
            since_us = all[i].judge.first_miss_us;
    }
    return any && (ours || hosts_of(all, count) > 1) ? since_us : 0;
}

static struct front behind_network(const struct front_seen *all, uint32_t count, uint32_t i, bool network_lost,
                                   bool patient)
{
    struct front f = { .is = FRONT_WELL, .who = FRONT_NOBODY };

    if (!all[i].outside)
        return f;
    if (network_lost)
        return (struct front){ .is = FRONT_DOWN, .who = FRONT_NETWORK };
    if (!patient || (!all[i].ours && hosts_of(all, count) < 2))
        return f; /* one host that is silent is that host */
    for (uint32_t k = 0; k < count; k++)
        if (k != i && counts(&all[k]) && all[k].judge.missed == 0) {
            if (all[k].judge.good_us >= all[i].judge.first_miss_us)
                return (struct front){ .is = FRONT_WELL, .who = FRONT_NOBODY };
            f.is = FRONT_ASKED;
            f.wanted |= 1ull << k;
        }
    return f;
}

struct front front_of(const struct front_seen *all, uint32_t count, uint32_t i, bool network_lost, bool patient)
{
    struct front f = behind_network(all, count, i, network_lost, patient);

    for (uint32_t a = 0; f.is != FRONT_DOWN && a < all[i].service->after.count; a++)
        for (uint32_t k = 0; k < count; k++) {
            const struct judge *j = &all[k].judge;

            if (strcmp(all[k].service->name, all[i].service->after.at[a]) != 0)
                continue;
            if (j->state == JUDGE_DOWN || j->state == JUDGE_HIDDEN)
                return (struct front){ .is = FRONT_DOWN, .who = (int)k };
            if (j->missed > 0 || looked_us(j) < all[i].judge.first_miss_us) {
                f.is = FRONT_ASKED;
                f.wanted |= 1ull << k;
            }
        }
    return f;
}
