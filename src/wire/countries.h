/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * countries - which networks are in which country, a line at a time, in three forms that may stand in one file:
 *
 *   192.0.2.0/24 ES                                        a prefix and its country
 *   192.0.2.0/24,ES,ES-M,Madrid,                           a geofeed (RFC 8805); fields behind the country are not read
 *   ripencc|ES|ipv4|192.0.2.0|256|20100101|allocated|...   a registry's statistics (delegated, extended or not)
 *
 * What follows a # or ; is a comment, but in the third form.  Lines that name no country, of autonomous systems, of
 * what is not given to anybody, heads and sums are passed over.
 */
#ifndef SERVIOLA_WIRE_COUNTRIES_H
#define SERVIOLA_WIRE_COUNTRIES_H
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum { COUNTRIES_NETS = 64 }; /* a registry counts addresses: any number of them is that many prefixes at most */
enum countries_got { COUNTRIES_NETWORKS, COUNTRIES_NOTHING, COUNTRIES_BAD };

struct countries {
    uint16_t country; /* 'E' << 8 | 'S' */
    unsigned count;
    struct prefix net[COUNTRIES_NETS];
    const char *fault; /* COUNTRIES_BAD: what is wrong, */
    struct slice at;   /* and where in the line */
};
enum countries_got countries_read(struct slice line, struct countries *c);
#endif
