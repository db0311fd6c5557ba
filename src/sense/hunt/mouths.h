/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mouths - how much was told about each sender's network card in the present minute.
 *
 * A host takes on as many addresses as it likes, an IPv6 one has 2^64 of
 * them; its frames still name one card.  Where no card is known, the network
 * stands for it: a /24, or a /64.  The table has a fixed size; who finds no
 * place in it shares one with all others of that kind.
 */
#ifndef SERVIOLA_HUNT_MOUTHS_H
#define SERVIOLA_HUNT_MOUTHS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { MOUTHS = 1024, MOUTHS_MINUTE_US = 60000000 };

struct mouth_name {
    uint8_t kind; /* 6: a card; 4 or 8: a network; 0: free, and all who found no place */
    uint8_t bytes[8];
};

struct mouth {
    struct mouth_name name;
    uint32_t told, untold;
    struct addr last; /* of whom something was not told */
};

struct mouths {
    int64_t since_us; /* 0: nobody spoke yet */
    struct mouth at[MOUTHS];
    struct mouth rest;
};

struct mouth_name mouth_name(const uint8_t *mac, struct addr who); /* `mac` may be NULL */
/* True when the minute is over: read what is of interest, then begin the next one. */
bool mouths_over(const struct mouths *m, int64_t now_us);
void mouths_begin(struct mouths *m, int64_t now_us);
struct mouth *mouths_get(struct mouths *m, struct mouth_name name, uint64_t seed);
#endif
