/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * near - the known word that somebody probably meant.
 */
#ifndef SERVIOLA_CONF_NEAR_H
#define SERVIOLA_CONF_NEAR_H
#include "base/slice.h"

/*
 * How many letters were added, left out, changed or swapped with their
 * neighbour (letter case does not count); `limit` + 1 for anything over it.
 */
unsigned near_distance(struct slice a, struct slice b, unsigned limit);

/* A table of names, one at a time: keep the best of them in `word`. */
struct near {
    struct slice asked;
    const char *word; /* NULL while nothing is near enough: one slip in three letters, three at most */
    unsigned distance;
};
struct near near_to(struct slice asked);
void near_try(struct near *n, const char *word);
/* The nearest of a NULL-ended list, or NULL. */
const char *near_of(struct slice asked, const char *const *words);
#endif
