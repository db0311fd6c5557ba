/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lookout - a small process that may hang in our place.
 *
 * It is forked before the jail and enters one of its own.  Asked by a byte in
 * a pipe, it does its work once and leaves the answer in shared memory: so a
 * disk that does not answer holds one process, and never the one that
 * measures.  It ends with its parent.
 */
#ifndef SERVIOLA_WATCH_LOOKOUT_H
#define SERVIOLA_WATCH_LOOKOUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LOOKOUT_KEPT_FD = 4 };

struct lookout_job {
    const char *name;   /* of the process: "disk" */
    const char *user;   /* as in struct jail; NULL: no jail (tests) */
    uint64_t keep_caps; /* as in struct jail */
    const char *const *read_only;
    void (*begin)(void *ctx);              /* in the new process, still root; may be NULL */
    void (*work)(void *ctx, void *answer); /* in the new process, once for each ask */
    void *ctx;                             /* copied by the fork */
    size_t answer_bytes;
    int kept; /* a descriptor that it has as LOOKOUT_KEPT_FD; 0: none */
};

struct lookout;
struct lookout *lookout_new(const struct lookout_job *job, struct err *e);
void lookout_free(struct lookout *a); /* ends the process; NULL is fine */
bool lookout_idle(const struct lookout *a);
/* Asks, unless it is still at the last ask. */
void lookout_ask(struct lookout *a, int64_t mono_us);
/* It will never answer again: somebody ended it.  That is no disk's fault. */
bool lookout_ended(const struct lookout *a);
/* How long it has been at it; 0: it is idle, or has ended. */
int64_t lookout_waits_us(const struct lookout *a, int64_t mono_us);
/* How long the last whole answer took; -1: there is none. */
int64_t lookout_took_us(const struct lookout *a);
/* The last answer; NULL: none, or the next one is being made. */
const void *lookout_answer(const struct lookout *a);
#endif
