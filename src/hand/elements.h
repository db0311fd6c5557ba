/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * elements - what the kernel says is in one of our sets of addresses.
 */
#ifndef SERVIOLA_HAND_ELEMENTS_H
#define SERVIOLA_HAND_ELEMENTS_H
#include <stdbool.h>
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

/*
 * The same in portions, for sets so long that other work should not wait for all of it: elements_begin, then
 * elements_step while it is 1.  What changes meanwhile sets `changed`, as something may have been missed.
 */
struct elements_walk {
    struct nl *nl; /* borrowed; nothing else may be asked on it until the end */
    elements_each each;
    void *ctx;
    bool changed;
};
int elements_begin(struct elements_walk *w, struct nl *n, const char *table, const char *set, elements_each each,
                   void *ctx);
int elements_step(struct elements_walk *w); /* 1: there is more, 0: that was all, -1 with errno */

/* One message of such an answer (NFT_MSG_NEWSETELEM); what is malformed is left out. */
void elements_parse(const struct nlmsghdr *h, elements_each each, void *ctx);
#endif
