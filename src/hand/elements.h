/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * elements - what the kernel says is in one of our sets of addresses.
 */
#ifndef SERVIOLA_HAND_ELEMENTS_H
#define SERVIOLA_HAND_ELEMENTS_H
#include <stdint.h>

#include "base/addr.h"
#include "hand/nl.h"

struct element {
    struct addr who;
    uint64_t left_ms; /* 0: it has no end */
    uint64_t packets, bytes;
};
typedef void (*elements_each)(void *ctx, const struct element *el);

/* 0, or -1 with errno: ENOENT no such set, EINTR it changed while being read (`each` may have heard of some). */
int elements_read(struct nl *n, const char *table, const char *set, elements_each each, void *ctx);

/* The same for `count` addresses of one family, all of which should be in the set: a set of 100,000 is read in half
 * the time like this, as the kernel walks from the start for every 32 KiB of a whole one.  At most ELEMENTS_ASKED. */
enum { ELEMENTS_ASKED = 256 };
int elements_ask(struct nl *n, const char *table, const char *set, const struct addr *who, size_t count,
                 elements_each each, void *ctx);

/* One message of such an answer (NFT_MSG_NEWSETELEM); what is malformed is left out. */
void elements_parse(const struct nlmsghdr *h, elements_each each, void *ctx);
#endif
