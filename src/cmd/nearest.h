/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nearest - the word somebody probably meant.
 */
#ifndef SERVIOLA_CMD_NEAREST_H
#define SERVIOLA_CMD_NEAREST_H
#include <stddef.h>

struct nearest {
    const char *typed; /* borrowed */
    const char *best;  /* borrowed; NULL while none is near enough */
    unsigned distance;
};

/* Start with { .typed = word }; offer every word there is; then look at `best`. */
void nearest_offer(struct nearest *n, const char *word);
/* Letters to add, leave out, change or swap; 99 for words over 63 letters. */
unsigned nearest_distance(const char *a, const char *b);
#endif
