/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frags - IP datagrams that came in pieces.
 *
 * Like Linux: a piece that overlaps another ends the whole datagram (RFC 5722
 * and RFC 8200 for IPv6; IPv4 since 2018), an exact repetition is ignored.
 */
#ifndef SERVIOLA_HUNT_FRAGS_H
#define SERVIOLA_HUNT_FRAGS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/ip.h"
#include "wire/link.h"

enum { FRAGS_DATAGRAMS = 1024, FRAGS_PIECES = 128, FRAGS_WHOLE = 65535 };

struct frags;
struct frags *frags_new(uint64_t bytes_max, uint64_t seed, struct err *e);
void frags_free(struct frags *f);

/*
 * Takes a fragment.  True: the datagram is complete, and *whole is it, with
 * bytes that stay until the next call.  When memory is full the oldest leaves.
 */
bool frags_put(struct frags *f, const struct link_packet *link, const struct ip_packet *piece, int64_t now_us,
               struct ip_packet *whole);
void frags_tick(struct frags *f, int64_t now_us); /* 30 s and it is over */
uint64_t frags_dropped(const struct frags *f);    /* datagrams that were never whole */
#endif
