/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * askers - mail servers that ask for verdicts: connections on which one request follows the answer to the one before.
 *
 * What a request is, policy.c and milter.c know.  Bounded: connections, bytes
 * of a request, the time until an answer and until the next request.
 */
#ifndef SERVIOLA_GATE_ASKERS_H
#define SERVIOLA_GATE_ASKERS_H
#include <sys/types.h>

#include "sense/gate/check.h"
#include "sense/gate/verdict.h"

enum { ASKERS_MOST = 512, ASKER_BYTES = 16384, ASKER_ANSWER_S = 40, ASKER_IDLE_S = 1000 };

struct askers;
struct asker { /* one connection */
    struct askers *all;
    struct asker *next, *prev;
    void *own; /* the kind's */
    int fd;
    int64_t due_us;
    bool waits;  /* for an answer: what it sends meanwhile is left */
    bool taking; /* asker_say comes from below take */
    bool gone;   /* to be hung up */
    size_t in_len;
    uint8_t in[ASKER_BYTES];
};

struct askers_kind {
    const char *name; /* for events, as if it were a listener's */
    /* One request from the start of `in`: bytes used, 0 when it is not whole, -1 for nonsense.  Calls asker_wait, or
     * asker_say, or neither where nothing is to be said. */
    ssize_t (*take)(struct asker *a, struct slice in);
    void (*late)(struct asker *a);  /* no answer in time: it gives one */
    void (*leave)(struct asker *a); /* it is over: frees a->own */
};

/* Takes the listening fd over.  `kind`, `m` and `ctx` (askers_ctx) are borrowed. */
struct askers *askers_new(struct gate_means *m, const struct askers_kind *kind, void *ctx, int fd, struct err *e);
void askers_free(struct askers *s);   /* who waits is cut off, and asks again or defers; NULL is fine */
void askers_reload(struct askers *s); /* m->set has changed */
struct gate_means *askers_means(const struct askers *s);
void *askers_ctx(const struct askers *s);

void asker_wait(struct asker *a);
void asker_say(struct asker *a, struct slice bytes); /* the answer; the last thing a callback does: it may free `a` */

/*
 * A visit whose owner is `a`, with settings.policy_checks; NULL: out of memory.  Mail servers ask about local programs,
 * too: a client at one of our own addresses is no loop here, and may greet with our name; others may not.
 */
struct visit *askers_visit(struct asker *a, struct addr client, struct addr local);
/* What came of a visit, as an event; those of passed ones where a recipient is named alone. */
void askers_tell(const struct visit *v, const struct verdict *r);
/* A copy as a visit wants it: terminated, without CR and LF. */
char *askers_text(struct slice s);
#endif
