/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - `watch: { services: }`: what is probed over the network, how, and when it counts as down.
 */
#ifndef SERVIOLA_SERVICES_SETTINGS_H
#define SERVIOLA_SERVICES_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"

enum service_probe { /* as service_probes names them */
                     SERVICE_TCP,
                     SERVICE_TLS,
                     SERVICE_HTTP,
                     SERVICE_HTTPS,
                     SERVICE_SMTP,
                     SERVICE_SMTPS,
                     SERVICE_IMAP,
                     SERVICE_IMAPS,
                     SERVICE_POP3,
                     SERVICE_POP3S,
                     SERVICE_DNS,
                     SERVICE_ECHO,
                     SERVICE_DNSLIST,
                     SERVICE_EXEC,
                     SERVICE_PROBES
};

enum { DOMAINS_MOST = 32, DOMAIN_URL = 200 };
enum { SERVICES_MOST = 48, SERVICE_TO = 240, SERVICE_TEXT = 128, SERVICE_AFTER = 8 };

#define SERVICE_WITHIN_MOST (60 * (int64_t)1000000) /* us */

struct service { /* `web: { probe: https, to: www.example.org/health, expect: 200, every: 10s, after: [router] }` */
    char name[KEY_NAME_LEN];
    int probe;                  /* enum service_probe */
    char to[SERVICE_TO];        /* target.h */
    uint64_t expect;            /* http: the status; 0: 200 to 399 */
    char content[SERVICE_TEXT]; /* must stand in the answer; empty: any answer does */
    char ask[SERVICE_TEXT];     /* dns: the name that is asked for; dnslist: an address, or "own" */
    int type;                   /* dns: enum dns_kind */
    bool starttls;
    char trust[SERVICE_TEXT]; /* empty: who the system trusts; "any"; or a file of certificates */
    int64_t every_us;         /* 0: services_every_us says */
    int64_t knock_us;         /* services_knock_us says what holds */
    int64_t within_us;        /* an answer that comes later is none */
    uint64_t misses;          /* in a row: then it is down */
    int64_t steady_us;        /* a service that comes and goes is steady when it did not for so long */
    struct key_names after;   /* names of services in front of it */
};

struct watched_domain { /* `example.org: { every: 1d }` */
    char name[KEY_NAME_LEN];
    char domain[SERVICE_TEXT]; /* empty: its name is the domain */
    char rdap[DOMAIN_URL];     /* the domain is put behind it */
    char trust[SERVICE_TEXT];  /* as a service's */
    int64_t every_us;
};

struct services {
    uint32_t zero, count;
    struct service at[SERVICES_MOST];
    uint32_t domains_zero, domains_count;
    struct watched_domain domains[DOMAINS_MOST];
};

struct services_settings { /* the part's own */
    struct services services;
    struct key_addrs resolvers;
    char journal[200];    /* folder: what was before */
    struct key_addrs own; /* public addresses that lead here without being ours */
};

extern const struct key service_keys[], domain_keys[];

/* The name that is asked for. */
const char *watched_domain_name(const struct watched_domain *d);
/* The GET that asks for it, as a service; false with an error: it can't be read. */
bool watched_domain_service(const struct watched_domain *d, struct service *s, struct err *e);

int64_t services_every_us(const struct service *s); /* what holds for `every` */
int64_t
services_knock_us(const struct service *s); /* between two probes its port is looked at so often; 0: it is not */
/* False with an error: a name behind `after` that is none, a circle of them, a target that can't be read, a domain that
 * is none. */
bool services_sound(const struct services *all, const char **name, struct err *e);
/* A list is asked for all addresses of ours. */
bool services_ask_own(const struct service *s);
/* Index of the service of this name; -1: none. */
int services_find(const struct services *all, const char *name);
#endif
