/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check - one question about a client; and the visit, the facts that questions are asked about.
 *
 * A visit is a session without its sockets: the gate makes one for each
 * client, the policy service one for each request.  Checks run in parallel.
 * A check is started once its facts are there (`starts`), and says what it
 * found with visit_found, at once or later, exactly once.  The verdict of a
 * stage waits for the checks that are due there (verdict.h).
 *
 *   starts at     the stage from which its facts are known
 *   due at        the stage whose verdict must not be given without it
 *
 * A temporary failure (FOUND_UNSURE) never leads to a refusal: at worst the
 * client is asked to come again.
 */
#ifndef SERVIOLA_GATE_CHECK_H
#define SERVIOLA_GATE_CHECK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"
#include "journal/event.h"
#include "sense/gate/settings.h"

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGES };

enum check_id {
    CHECK_SELF,       /* either end is our own address: a loop */
    CHECK_LIST,       /* own lists, of addresses */
    CHECK_LIST_NAME,  /* own lists, of names */
    CHECK_LIMITS,     /* rate and concurrency */
    CHECK_EARLY,      /* talks before it is greeted (found by the session) */
    CHECK_PIPELINING, /* more commands than it may send at once (found by the session) */
    CHECK_JUNK,       /* HTTP and the like (found by the session) */
    CHECK_HELO,       /* greets with our name or address, or with our callback's token */
    CHECK_RDNS,       /* no reverse name */
    CHECK_CONFIRMED,  /* its name does not lead back to it */
    CHECK_GENERIC,    /* a name made from its address */
    CHECK_DNSBL,
    CHECK_CALLBACK, /* without a name, and nobody answers at its port 25 */
    CHECK_BOGUS_MX, /* a bounce could never be delivered, or would come to ourselves */
    CHECK_GREYLIST,
    CHECKS
};

enum found {
    FOUND_NOTHING, /* clean */
    FOUND_GOOD,    /* known to be good: what is not yet started is left out, reserved places are open */
    FOUND_UNSURE,  /* could not be found out now */
    FOUND_HIT,
};

enum rdns { RDNS_UNASKED, RDNS_NONE, RDNS_UNSURE, RDNS_UNCONFIRMED, RDNS_CONFIRMED };

struct visit;
struct check {
    const char *name; /* as in the configuration and in events */
    enum stage starts, due;
    uint16_t after;                 /* 1 << check: started only when these have answered */
    bool facts;                     /* runs also when the policy says off: others stand on what it finds out */
    void (*start)(struct visit *v); /* NULL: the session finds it itself */
    void (*stop)(struct visit *v);  /* the client left or the verdict is given: drop what is under way; may be NULL */
};

/* What checks work with; one for the whole gate.  All pointers are borrowed. */
struct gate_means {
    const struct gate_settings *set;
    const struct self *self;   /* our own addresses, as the kernel and the configuration tell them */
    struct dns *dns;           /* dns.h */
    struct book *book;         /* book.h: greylist pairs, known clients, callback results */
    const struct lists *lists; /* lists.h; NULL: none */
    struct callback *callback; /* callback.h */
    struct limits *limits;     /* limits.h */
    struct loop *loop;
    const char *name;                                                 /* the name that we greet with */
    int64_t (*now_us)(void *ctx);                                     /* boot clock */
    int64_t (*wall_us)(void *ctx);                                    /* wall clock */
    void (*tell)(void *ctx, struct event *ev, const struct visit *v); /* an event of this visit; v may be NULL */
    void *ctx;
};

enum { VISIT_REASON = 200 };
struct visit {
    struct gate_means *means;
    const struct gate_listener *at;
    uint64_t number; /* of the session, F_FLOW of its events */
    struct addr peer, local;
    /* Owned texts, NULL until known; whatever bytes the client sent, terminated, without NUL, CR, LF. */
    char *helo, *sender, *recipient; /* sender "" is the empty one */
    char *user;                      /* who logged in */
    bool tls, known;                 /* known: a client of good standing */
    uint8_t rdns;                    /* enum rdns */
    char *rdns_name;                 /* the confirmed name, or the first one that was found */
    char *organisation;              /* organisational domain of a confirmed name; NULL without one */
    uint8_t stage;                   /* enum stage: how far it is */
    uint8_t found[CHECKS];           /* enum found */
    uint16_t open;                   /* 1 << check: started, no answer yet */
    uint16_t done;                   /* 1 << check: answered */
    struct inquiry *inquiry;         /* while checks run: what they keep (verdict.c owns it) */
    uint8_t listed;                  /* enum gate_act: the most that the lists it is on ask for */
    char *reasons;                   /* "generic: 4-3-2-1.dsl.isp.test holds 1.2.3.4; ..."; owned */
    void (*settled)(struct visit *v, enum check_id id); /* verdict.c */
    void *owner;                                        /* the session or request */
};

/* The check's own pointer in this visit; NULL at first.  Its stop() frees what it points to. */
void **visit_own(struct visit *v, enum check_id id);
/* `reason` in plain words, without the check's name; bytes from outside in it are made visible here. */
void visit_found(struct visit *v, enum check_id id, enum found found, const char *reason_format, ...)
    __attribute__((format(printf, 4, 5)));
enum gate_act visit_act(const struct visit *v, enum check_id id); /* what the listener's policy makes of a hit */
/* A check whose hits lead to the greylist has hit, or something that matters could not be found out. */
bool visit_is_flagged(const struct visit *v);
bool visit_is_outside(const struct visit *v); /* its listener is meant for others than this host */
/* A client of good standing, by its organisation or its network, as far as is known now (checks/greylist.c). */
bool greylist_knows(const struct visit *v);
/* What a check said; empty without it. */
struct slice visit_reason(const struct visit *v, enum check_id id);

/* Does this answer of a list's mean that the address is on it? (checks/dnsbl.c) */
bool dnsbl_counts(const struct gate_dnsbl *list, struct addr answer);

/* checks/ *.c */
extern const struct check check_self, check_list, check_list_name, check_helo, check_rdns, check_confirmed,
    check_generic, check_dnsbl, check_callback, check_bogus_mx, check_greylist;
#endif
