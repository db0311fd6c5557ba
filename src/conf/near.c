/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/near.h"

#include <string.h>

enum { NEAR_LONGEST = 64 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment (Damerau-Levenshtein without edits inside a swap), three rows kept. */
unsigned near_distance(struct slice a, struct slice b, unsigned limit)
{
    unsigned row[3][NEAR_LONGEST + 1];
    size_t apart = a.len > b.len ? a.len - b.len : b.len - a.len;

    if (a.len > NEAR_LONGEST || b.len > NEAR_LONGEST || apart > limit)
        return limit + 1;
    for (unsigned j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *now = row[i % 3];
        const unsigned *before = row[(i + 2) % 3];
        unsigned best = now[0] = i;

        for (unsigned j = 1; j <= b.len; j++) {
            unsigned change = lower(a.at[i - 1]) != lower(b.at[j - 1]);

            now[j] = least(before[j - 1] + change, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a.at[i - 1]) == lower(b.at[j - 2]) && lower(a.at[i - 2]) == lower(b.at[j - 1]))
                now[j] = least(now[j], row[(i + 1) % 3][j - 2] + 1);
            best = least(best, now[j]);
        }
        if (best > limit)
            return limit + 1;
    }
    return least(row[a.len % 3][b.len], limit + 1);
}

struct near near_to(struct slice asked)
{
    size_t slips = (asked.len + 2) / 3;

    return (struct near){ .asked = asked, .distance = (slips < 3 ? (unsigned)slips : 3) + 1 };
}

void near_try(struct near *n, const char *word)
{
    unsigned d = near_distance(n->asked, slice_text(word), n->distance - 1);

    if (d >= n->distance || d >= strlen(word))
        return;
    n->distance = d;
    n->word = word;
}

const char *near_of(struct slice asked, const char *const *words)
{
    struct near n = near_to(asked);

    for (; *words && n.distance > 0; words++)
        near_try(&n, *words);
    return n.word;
}
