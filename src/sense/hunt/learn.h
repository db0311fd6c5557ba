/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * learn - which hosts inside look like mail servers of the house, as a proposal for the allow list.
 *
 * A mail server is steady: the same one or two names in its HELO, a few sender
 * domains, recipients that exist.  A worm is none of it.  Nothing is allowed
 * by learning: a person reads the proposal and copies it.
 */
#ifndef SERVIOLA_HUNT_LEARN_H
#define SERVIOLA_HUNT_LEARN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "sense/hunt/engine.h"

enum {
    LEARN_HOSTS = 512,       /* remembered; the one silent for longest leaves */
    LEARN_DOMAINS = 4,       /* sender domains kept of each, as text; */
    LEARN_HASHES = 16,       /* and told apart */
    LEARN_DOMAIN_BYTES = 64, /* with the terminator; a longer one is cut */
    LEARN_DAYS = 64,         /* looked back */

    /* what a mail server looks like */
    LEARN_MAILS = 10,         /* at least */
    LEARN_HELOS = 2,          /* names at most, in one window */
    LEARN_SENDER_DOMAINS = 8, /* at most, in all */
    LEARN_REFUSED_PERCENT = 10,
};
#define LEARN_SPAN_US INT64_C(600000000) /* from its first to its last mail, at least */

enum learn_verdict {
    LEARN_SERVER,       /* proposed */
    LEARN_TOO_FEW,      /* mails */
    LEARN_TOO_SHORT,    /* seen for too short a time */
    LEARN_MANY_NAMES,   /* in its HELO */
    LEARN_MANY_DOMAINS, /* as sender */
    LEARN_REFUSED,      /* too many recipients that do not exist */
    LEARN_VERDICTS
};
const char *learn_words(enum learn_verdict v); /* "keeps changing its HELO name" */

struct learn_host {
    struct addr who; /* port 0; family 0: free */
    int64_t first_us, last_us;
    uint64_t days; /* bit n: it sent mail n days before last_us */
    uint64_t mails, recipients, refusals, servers, domains, helos;
    uint64_t hash[LEARN_HASHES];                    /* of the first `domains` sender domains */
    uint32_t named;                                 /* of the array that follows */
    char domain[LEARN_DOMAINS][LEARN_DOMAIN_BYTES]; /* lower case, visible */
    int64_t proposed_us;                            /* when it last was; 0: never */
};

struct learn;
struct learn *learn_new(struct err *e);
void learn_free(struct learn *l); /* NULL is fine */

/* `s` is what the engine knows of the row's client; who is not inside, or allowed already, is passed over. */
void learn_mail(struct learn *l, const struct mail_row *row, const struct engine_source *s);
/* What the engine has counted since: before a judgement. */
void learn_sources(struct learn *l, struct engine *g);
void learn_source(struct learn *l, const struct engine_source *s);

enum learn_verdict learn_judge(const struct learn_host *h);
unsigned learn_days(const struct learn_host *h);
/* In the order of their addresses; stops when `each` gives false. */
void learn_each(struct learn *l, bool (*each)(void *ctx, struct learn_host *h), void *ctx);

/* hunt.allow_proposed; the host must be LEARN_SERVER. */
struct event learn_event(const struct learn_host *h);
/* The proposal as a piece of the configuration: a comment about each host, then `hunt: allow: [...]`. */
void learn_print(const struct learn *l, FILE *to);
#endif
