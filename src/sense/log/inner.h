/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - what the receivers share with the intake: inside of sense/log only.
 */
#ifndef SERVIOLA_SENSE_LOG_INNER_H
#define SERVIOLA_SENSE_LOG_INNER_H
#include "base/addr.h"
#include "sense/log/claims.h"
#include "sense/log/intake.h"
#include "sense/log/origins.h"
#include "sense/log/ports.h"

enum {
    INTAKE_READ = 256 << 10, /* bytes of one read from a stream */
    PEER_ROOM = 200,
};

struct source { /* a watched descriptor that can be held */
    int fd;
    void (*ready)(void *ctx, int fd, int events);
    void *ctx;
    struct source *next;
    bool held;
};

struct intake {
    struct loop *loop;
    struct log_settings settings;
    struct intake_calls calls;
    struct store *store;
    struct claims *claims;
    struct source *sources;
    struct intake_counts counts;
    bool acks_wait; /* somebody waits for the disk */
    bool holding;
    uint32_t push_timer;
    struct datagrams *datagrams;
    struct streams *streams;
    struct kmsg *kmsg;
    struct journald *journald; /* NULL: not wanted */
    struct follow *follow;
    struct forwards *forwards;
    struct live *live;
    struct rulereader *rules; /* live's; NULL: nothing is analysed */
    struct origins *origins;  /* NULL: no other serviola forwards to us */
    struct witness *witness;  /* signs those stores' heads; NULL: it could not be had */
    struct {                  /* who sent and may not */
        uint64_t count;       /* not yet told */
        struct addr last;
        uint32_t timer;
    } strangers;
    uint8_t *room; /* INTAKE_READ and one line more, for who reads */
};

/* The number it got; 0: no room, nothing was taken: return, and `ready` is called again when there is.
 * A raw over the limit is cut to it, and its length and digest are kept; who did that already gives whole_bytes and
 * `digest` (else NULL). */
uint64_t intake_line(struct intake *in, struct log_line *line, const uint8_t *digest);
/* Looks at what a line claims: a source's clock and names.  For some of many. */
void intake_sample(struct intake *in, const struct log_line *line);
int intake_watch(struct intake *in, struct source *s, struct err *e);
void intake_unwatch(struct intake *in, struct source *s);
bool intake_is_held(const struct intake *in);
/* Lines, or what could not be read as one, that are gone. */
void intake_lost(struct intake *in, const char *where, uint64_t count, const char *why);
void intake_tell(struct intake *in, enum event_kind kind, struct addr src, const char *name, const char *why,
                 uint64_t count);

/* Whether the settings let this host send over the network; who may not is counted, and told once a second. */
bool intake_allows(const struct intake *in, struct addr from);
void intake_stranger(struct intake *in, struct addr from);

/* datagrams.c: UDP and /dev/log.  _renew: the settings are new; places that they name no more are closed. */
struct datagrams *datagrams_new(struct intake *in, struct err *e);
int datagrams_start(struct datagrams *d, struct err *e);
void datagrams_renew(struct datagrams *d);
uint64_t datagrams_sockets(const struct datagrams *d, const struct log_port *port); /* open there */
int datagrams_listen(struct datagrams *d, const struct log_port *port, int fd, struct err *e);
void datagrams_free(struct datagrams *d);

/* streams.c: TCP, TLS, RELP, other serviolas, standard input */
struct streams *streams_new(struct intake *in, const struct papers *papers, struct err *e);
int streams_start(struct streams *s, struct err *e);
void streams_synced(struct streams *s, uint64_t seq);
void streams_resume(struct streams *s);
int streams_read(struct streams *s, int fd, enum log_way way, struct slice peer, struct err *e);
/* The settings are new: what they name no more is closed, and who may not send any more. */
void streams_renew(struct streams *s, const struct papers *papers);
bool streams_listens(const struct streams *s, const struct log_port *port);
int streams_listen(struct streams *s, const struct log_port *port, int fd, struct err *e); /* fd is its own then */
void streams_free(struct streams *s);

/* kmsg.c */
struct kmsg *kmsg_new(struct intake *in, struct err *e);
int kmsg_start(struct kmsg *k, struct err *e);
void kmsg_synced(struct kmsg *k, uint64_t seq);
void kmsg_free(struct kmsg *k);

/* journald.c */
struct journald *journald_new(struct intake *in, struct err *e);
int journald_start(struct journald *d, struct err *e);
void journald_synced(struct journald *d, uint64_t seq);
void journald_free(struct journald *d);

/* follow.c: files */
struct follow *follow_new(struct intake *in, struct err *e);
int follow_start(struct follow *f, struct err *e);
void follow_synced(struct follow *f, uint64_t seq);
void follow_resume(struct follow *f);
void follow_free(struct follow *f);
#endif
