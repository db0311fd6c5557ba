/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attempt - one probe under way: from the name of a host to an answer, or to the reason why there is none.
 *
 *   attempt.c  beginning, deadline, end
 *   resolve.c  the address of a name, asked over UDP
 *   talk.c     a TCP connection, with TLS or without
 *   trust.c    whose certificates are good
 *   one file for each kind of probe: tcp.c (and tls), http.c, smtp.c, imap.c, pop3.c, dns.c, echo.c, dnslist.c, exec.c,
 *   rdap.c
 *
 * Nothing in here waits: a socket that does not answer ends at the deadline,
 * and each service has one attempt at most.  What comes in is kept in a
 * buffer of a fixed size.  After attempt_well or attempt_missed the attempt
 * is over: who called returns at once.
 */
#ifndef SERVIOLA_SERVICES_ATTEMPT_H
#define SERVIOLA_SERVICES_ATTEMPT_H
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/slice.h"
#include "sense/watch/services/own.h"
#include "sense/watch/services/settings.h"
#include "sense/watch/services/target.h"
#include "sys/loop.h"
#include "wire/dns.h"
#include "wire/echo.h"
#include "wire/httpreply.h"

enum {
    ATTEMPT_IN = 16384,
    ATTEMPT_OUT = 1024,
    ATTEMPT_WHY = 100,
    TRUST_CONTEXTS = 16,
    HOSTS_MOST = 64,
    PAGE_MOST = 65536
};

struct attempt;

struct prober { /* what all attempts share */
    struct loop *loop;
    const struct key_addrs *resolvers;
    struct own own; /* dnslist */
    struct {        /* of /etc/hosts */
        char name[64];
        struct addr addr;
    } hosts[HOSTS_MOST];
    uint32_t hosts_count;
    struct { /* trust.c */
        char trust[SERVICE_TEXT];
        SSL_CTX *ssl;
        char why[120]; /* it can't be used; empty: it can */
    } contexts[TRUST_CONTEXTS];
    uint32_t contexts_count;
    int echo[2];                            /* sockets for IPv4 and IPv6; -1: none */
    struct attempt *waiting[SERVICES_MOST]; /* echo, exec: who waits for an answer */
    uint64_t runs;                          /* exec: programs so far */
    struct dns_room room;                   /* of the answer that is being read */
    char own_name[64];                      /* for EHLO */
    uint8_t page[PAGE_MOST];                /* rdap: there is one at a time */
};

struct kind {       /* of a probe */
    bool tls;       /* from the first byte */
    bool quiet;     /* the server does not hear of the connection */
    bool placeless; /* it has no address */
    /* The address is known.  NULL: talk_start. */
    void (*start)(struct attempt *a);
    /* Of a conversation.  The connection stands: who speaks first?  NULL: they do. */
    void (*begin)(struct attempt *a);
    /* There is more in a->in.  NULL: nothing is heard. */
    void (*heard)(struct attempt *a);
    /* They closed it.  NULL: too early. */
    void (*closed)(struct attempt *a);
    /* An attempt ends: what is not a socket of its own is given back.  May be NULL. */
    void (*end)(struct attempt *a);
};

struct dns_exchange { /* one question to one server after the other */
    struct attempt *attempt;
    const struct addr *servers;
    uint32_t servers_count, tries;
    uint32_t timer;
    int fd; /* -1: none is under way */
    uint16_t id;
    enum dns_kind kind;
    char name[SERVICE_TO];
    void (*answered)(struct attempt *a, struct slice message); /* empty: none answers */
};

struct attempt {
    struct prober *prober;
    const struct service *service;
    const struct kind *kind;
    struct target target;
    struct addr to;      /* where it goes; kept, for when names can't be looked up */
    int64_t to_known_us; /* boot clock: since when; 0: never */
    bool open;           /* under way */
    bool knock;          /* only its port is looked at */
    int64_t begun_us;    /* boot clock */
    int64_t begun_at_us; /* wall clock */
    uint32_t deadline, resend;
    struct dns_exchange dns;

    int fd; /* -1: none */
    bool connected, secured;
    SSL *ssl;
    uint8_t in[ATTEMPT_IN];
    size_t in_len;
    char out[ATTEMPT_OUT];
    size_t out_len, out_sent;
    unsigned step; /* the kind's own */
    struct httpreply reply;
    uint8_t token[ECHO_TOKEN]; /* echo */
    uint64_t run;              /* exec: its number */
    int answer;                /* exec: the file of its answer; -1: none */
    uint16_t number;           /* echo; dnslist: of the address */
    uint32_t listed;           /* dnslist: so many are on it */

    /* how it ended */
    bool well, ours; /* ours: it never left this host */
    char why[ATTEMPT_WHY];
    int64_t took_us;
    double days; /* until a certificate of theirs ends; NaN: none was seen */
    void (*done)(void *ctx, struct attempt *a);
    void *ctx;
};

extern const struct kind kind_tcp, kind_tls, kind_http, kind_https, kind_smtp, kind_smtps, kind_imap, kind_imaps,
    kind_pop3, kind_pop3s, kind_dns, kind_echo, kind_dnslist, kind_exec, kind_rdap, kind_rdap_plain;

/* `service` is borrowed as long as the attempt is used; `done` is called at each end, never from here. */
void attempt_init(struct attempt *a, struct prober *p, const struct service *service,
                  void (*done)(void *ctx, struct attempt *a), void *ctx);
void attempt_begin(struct attempt *a);                             /* it is not open */
void attempt_begin_as(struct attempt *a, const struct kind *kind); /* one that no service has */
void attempt_knock(struct attempt *a);                             /* the same, but only whether the port is open */
void attempt_drop(struct attempt *a);                              /* without a word */
void attempt_well(struct attempt *a);
void attempt_missed(struct attempt *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, for what a call of ours answered. */
void attempt_failed(struct attempt *a, const char *what, int error);
/* What they said, in words: "it says: 554 no". */
void attempt_refused(struct attempt *a, struct slice said);

/* resolve.c */
void resolve_hosts(struct prober *p, struct slice hosts_file);
void resolve_begin(struct attempt *a); /* sets a->to and goes on with the kind's start, or ends the attempt */
void dns_exchange_begin(struct attempt *a, const struct addr *servers, uint32_t count, enum dns_kind kind,
                        const char *name, void (*answered)(struct attempt *a, struct slice message));
void dns_exchange_end(struct dns_exchange *x);

/* http.c: the GET of the target, in a->out. */
void http_ask(struct attempt *a, const char *accept);

/* talk.c */
void talk_start(struct attempt *a);
void talk_say(struct attempt *a, const char *words);
void talk_eat(struct attempt *a, size_t used); /* so much of a->in has been read */
void talk_secure(struct attempt *a);           /* STARTTLS was answered; `begin` comes again when it stands */
void talk_end(struct attempt *a);

/* trust.c */
void trust_open(struct prober *p, const struct services *all); /* reads the files; before the jail */
SSL *trust_new(struct attempt *a, int fd);                     /* NULL: the attempt has ended */
/* The handshake is done: is it who it should be?  False: the attempt has ended. */
bool trust_judge(struct attempt *a);
const char *trust_words(void); /* what went wrong last; valid until the next call */

/* echo.c */
int echo_open(uint8_t family); /* before the jail; -1: this host gives us none */
void echo_heard(void *prober, int fd, int events);

/* exec.c: the runner has something to say (sys/runner.h). */
void exec_heard(void *prober, int fd, int events);

/* Who waits: false when there is no room. */
bool attempt_wait(struct attempt *a);
void attempt_wait_no_more(struct attempt *a);
#endif
