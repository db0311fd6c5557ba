/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * account - has somebody else this user's password?  How each account sends mail, and from where.
 *
 * Fed with what happened: a message of a logged-in account, what became of its recipients.  An account is suspected
 * when it sends much more than it ever did, from networks (IPv4 /24, IPv6 /48) it was never seen in before; many
 * networks at once and refused recipients make it worse, two countries at once that are not its own make half as many
 * messages enough, the same at the same hour of an earlier week and addresses of our own make it harmless.  So the slow
 * thief is found (four a minute for hours, from one address) and the weekly newsletter is not.
 *
 * An episode begins with the first message out of a new network and ends when such messages stop coming.  No clock, no
 * memory that grows: a table of accounts in which the oldest leaves.
 */
#ifndef SERVIOLA_RULE_ACCOUNT_H
#define SERVIOLA_RULE_ACCOUNT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/slice.h"

enum {
    ACCOUNT_NAME = 128,    /* longer names are cut */
    ACCOUNT_NETWORKS = 16, /* remembered for each account: the oldest leaves */
    ACCOUNT_SOURCES = 32,  /* addresses of an episode that are kept to be told; of more, about how many is known */
    ACCOUNT_WEEK = 168,    /* hours */
    ACCOUNT_COUNTRIES = 8, /* of an episode that are told apart */
};

struct account_limits {
    uint32_t accounts;  /* at most in the table */
    uint32_t messages;  /* of an episode before it is suspected at all: 100 */
    uint32_t factor;    /* times its own busiest hour: 3 */
    int64_t quiet_us;   /* no message from the new networks for so long: the episode is over; 30 min */
    int64_t settled_us; /* a network seen so long ago is no longer new; 24 h */
};
extern const struct account_limits account_usual;

struct account_report {
    struct slice account; /* borrowed, as long as the callback runs */
    int64_t from_us, last_us;
    uint64_t messages;   /* from new networks, in this episode */
    uint64_t recipients; /* of those, as far as told */
    uint64_t sent, deferred, bounced;
    uint32_t sources;   /* addresses */
    uint32_t networks;  /* /24 or /48 */
    uint32_t usual;     /* messages in its busiest hour before */
    uint32_t countries; /* of those networks, as far as known; at most ACCOUNT_COUNTRIES */
    uint16_t country[ACCOUNT_COUNTRIES];
    uint16_t home;             /* the country that it was first seen in; 0: not known */
    uint32_t score;            /* the higher the worse; two reports compare by it */
    bool over;                 /* the last word on this episode */
    const struct addr *source; /* the first of them, at most ACCOUNT_SOURCES */
    uint32_t source_count;
};
/* Once when the account becomes suspected, and once more, with the sums, when the episode is over. */
typedef void account_found(void *own, const struct account_report *r);

struct accounts;
struct accounts *accounts_new(const struct account_limits *l, uint64_t seed, account_found *found, void *own,
                              struct err *e);
void accounts_free(struct accounts *a); /* NULL is fine */

/* Networks of our own: mail from there is never an episode.  Private addresses are such networks without being told. */
int accounts_own(struct accounts *a, struct prefix net, struct err *e);

/* Which country an address is in: its two letters, 'E' << 8 | 'S'; 0: not known.  Without it networks alone count. */
typedef uint16_t account_country(void *own, struct addr client);
void accounts_countries(struct accounts *a, account_country *of, void *own);

/* A message was accepted from `account` at `client`, for so many recipients (0: not known yet). */
void accounts_message(struct accounts *a, struct slice account, struct addr client, uint32_t recipients,
                      int64_t now_us);
void accounts_recipients(struct accounts *a, struct slice account, uint32_t recipients, int64_t now_us); /* known now */
enum account_outcome { ACCOUNT_SENT, ACCOUNT_DEFERRED, ACCOUNT_BOUNCED };
void accounts_outcome(struct accounts *a, struct slice account, enum account_outcome o, int64_t now_us);

/* Is this account at home at this address: a network of our own, or one that it was seen in long enough? */
bool accounts_at_home(struct accounts *a, struct slice account, struct addr client, int64_t now_us);
/* Is this account in a suspected episode now? */
bool accounts_suspected(struct accounts *a, struct slice account, int64_t now_us);

void accounts_tick(struct accounts *a, int64_t now_us); /* once a minute or so: ends what is over */
void accounts_end(struct accounts *a, int64_t now_us);  /* no more will come: the last word on all that is open */

/* What was learned, for the next start; of an episode under way nothing but its networks, and of a suspected one not
 * even these.  accounts_load refuses what is not sound, and then knows nothing of it. */
size_t accounts_count(const struct accounts *a);
size_t accounts_suspected_count(const struct accounts *a); /* that are in a suspected episode */
void accounts_save(struct accounts *a, struct bytes_out *to);
int accounts_load(struct accounts *a, struct slice kept, struct err *e);

/* The same in pieces, for who must not stand still so long: at most so many of those that changed since they were saved
 * or loaded as saved.  To be loaded in the order of saving: what a later piece says of an account counts. */
void accounts_save_some(struct accounts *a, struct bytes_out *to, size_t most);
bool accounts_unsaved(const struct accounts *a); /* there are such */
void accounts_save_again(struct accounts *a);    /* all are */
void accounts_saved(struct accounts *a);         /* none is */
/* -1: it is not sound; what stood before the damage is taken. */
int accounts_load_some(struct accounts *a, struct slice piece, struct err *e);
#endif
