/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - the part "probe" inside: for part.c, recall.c and telling.c.
 */
#ifndef SERVIOLA_SERVICES_INNER_H
#define SERVIOLA_SERVICES_INNER_H
#include "part/part.h"
#include "sense/watch/services/attempt.h"
#include "sense/watch/services/domains.h"
#include "sense/watch/services/front.h"

struct one {
    struct part_state *part;
    struct service service; /* the attempt's and the judge's */
    struct attempt attempt;
    struct judge judge;
    struct addr looked_at; /* where `outside` was found out for */
    bool outside, was_behind;
    int64_t asks_us; /* boot clock: since when its front is being asked; 0: it is not */
    uint32_t timer;
    bool knocks;           /* what the timer begins */
    int64_t asked_us;      /* boot clock: when it was asked last, more than knocked */
    bool reached;          /* its port was open then */
    uint64_t alarm;        /* of the loss that lasts */
    char why[ATTEMPT_WHY]; /* of the last missed probe */
    bool ours;             /* it never left this host */
};

struct recall { /* recall.c: what was before us, as it comes */
    int fd;     /* -1: all came, or none will */
    bool over;  /* nobody waits for it any more */
    struct event ev;
    size_t len;
};
enum { PROBE_PORTS = SERVICES_MOST + DOMAINS_MOST + 1 };

struct part_state {
    struct role *role;
    struct prober prober;
    struct recall recall;
    struct one *ones[SERVICES_MOST]; /* owned */
    uint32_t count;
    struct domains *domains;
    bool network_lost;
    int64_t network_since_us;
    uint64_t network_alarm;
    int64_t ran_us;   /* boot clock: when we ran last */
    int64_t stood_us; /* boot clock: when that was said last; 0: never */
    uint16_t ports[PROBE_PORTS];
};

/* telling.c */
void tell_news(struct part_state *w, uint32_t i, enum judge_news news, const struct judge_told *told, int front);
void tell_network(struct part_state *w, int64_t since_us); /* it has just been lost, or is back */
void tell_pause(struct part_state *w, int64_t span_us);
void tell_that_all_stands(struct part_state *w);
void tell_dropped(struct part_state *w, const struct one *o);
void tell_values(const struct one *o);

/* recall.c: before the jail; then until w->recall.over no service is probed. */
int recall_open(struct part_state *w, const struct services_settings *set, struct err *e);
int recall_run(struct part_state *w, struct err *e);
/* "service", "web", "up"; believed for so long. */
void tell_value(struct role *r, const char *family, const char *name, const char *what, double number, int64_t good_us);
#endif
