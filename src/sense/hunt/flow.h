/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow - the connections that may carry mail, and those that only knock.
 *
 * Two tables of a fixed size.  Who knocks (SYN, SYN+ACK) has 96 bytes in the
 * half-open table; a flow begins with the client's right ACK.  So a flood of
 * SYNs with invented sources pushes out its own kind, and no flow that
 * speaks.  Flows picked up after their start are unproven; when the table is
 * full, the one of them that was quiet longest leaves first.
 */
#ifndef SERVIOLA_HUNT_FLOW_H
#define SERVIOLA_HUNT_FLOW_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "sense/hunt/session.h"
#include "sense/hunt/stream.h"
#include "wire/ip.h"
#include "wire/link.h"
#include "wire/tcp.h"

/* The VLAN stack belongs to it: the same addresses on two VLANs are two connections. */
struct flow_key {
    uint8_t client[16], server[16];
    uint16_t client_port, server_port;
    uint16_t vlan[LINK_TAGS];
    uint8_t family, vlans;
    uint8_t inner; /* inside a tunnel */
    uint8_t zero[3];
};
_Static_assert(sizeof(struct flow_key) == 48, "hashed as words, compared as bytes");

struct flow_key flow_key_of(const struct link_packet *link, const struct ip_packet *ip, const struct tcp_segment *t,
                            bool inner);
struct flow_key flow_key_turned(struct flow_key k); /* client and server changed */
uint64_t flow_key_hash(const struct flow_key *k, uint64_t seed);

/* --- who knocks --- */

enum knock_seen { KNOCK_SYN = 1, KNOCK_REPLY = 2 };
struct knock {
    struct flow_key key;
    int64_t at_us;          /* 0: free */
    uint32_t client_isn[2]; /* the newest, and the one before: a forged second SYN must not displace the first */
    uint32_t server_isn;
    uint8_t seen; /* enum knock_seen */
    uint8_t ttl;
    int8_t client_scale, server_scale;
    uint16_t server_window;
    uint8_t good_sums[2], bad_sums[2]; /* client, server */
    uint8_t client_way;
};

struct knocks;
struct knocks *knocks_new(uint64_t cap, uint64_t seed, struct err *e);
void knocks_free(struct knocks *k);
struct knock *knocks_find(struct knocks *k, const struct flow_key *key, int64_t now_us, int64_t patience_us);
/* Its place, a free one, or that of the oldest without an answer. */
struct knock *knocks_put(struct knocks *k, const struct flow_key *key, int64_t now_us, int64_t patience_us);
void knocks_remove(struct knocks *k, struct knock *one);
uint64_t knocks_count(const struct knocks *k);
uint64_t knocks_evicted(const struct knocks *k);

/* --- flows --- */

enum flow_list { FLOW_UNPROVEN, FLOW_PROVEN, FLOW_CLOSING, FLOW_LISTS };
enum flow_gate {
    GATE_OPEN,  /* the client's bytes are read as they come */
    GATE_ACK,   /* ... when the server acknowledged them */
    GATE_ANSWER /* ... when the server said something too: not even the place in the dialogue is known */
};

struct flow {
    struct flow_key key;
    uint64_t number;
    int64_t first_us, last_us;
    int64_t moved_us;       /* when it last went to its list's end */
    struct stream up, down; /* client to server, server to client */
    struct session session;
    uint32_t hash_next, older, newer; /* links; index + 1 */
    uint32_t bucket;
    uint32_t source;                      /* where its client was in the source table; see sources_look */
    uint32_t up_first, down_first;        /* the first sequence number of each side's data */
    uint32_t bytes;                       /* client's, not yet counted for the source */
    uint32_t generation;                  /* of the lists that `exempt` stands for */
    uint32_t history;                     /* slot of the recent bytes, + 1 */
    uint32_t mails, recipients, refusals; /* said before the flow was confirmed */
    uint8_t list;                         /* enum flow_list */
    uint8_t gate;                         /* enum flow_gate */
    uint8_t client_way;                   /* enum engine_way */
    bool handshake, confirmed, midstream, spoke, tls, reset, peeked, overlap_told, gap_told;
    bool suspect; /* the server's segments came the client's way, or all of it inside a tunnel: no proof */
    bool exempt;  /* source or server on the allow list, or the source not inside */
    bool has_mac;
    bool heard;     /* a segment of the server was seen */
    uint8_t moves;  /* how often the acknowledgements of a client went on whose server was not heard */
    uint8_t mac[6]; /* of the client's frames */
    uint8_t path_len, helo_len, sni_len;
    uint8_t path[128]; /* of the first MAIL */
    uint8_t helo[64];
    uint8_t sni[64];
};

struct flow_table {
    struct flow *at;   /* owned */
    uint32_t *buckets; /* owned */
    uint32_t cap, mask, used, free_list;
    uint32_t oldest[FLOW_LISTS], newest[FLOW_LISTS], count[FLOW_LISTS];
    uint64_t seed, numbers, evicted;
};

int flow_table_init(struct flow_table *t, uint64_t cap, uint64_t seed, struct err *e);
void flow_table_done(struct flow_table *t);
struct flow *flow_find(struct flow_table *t, const struct flow_key *key);
/* NULL when the table is full: ask flow_victim, end it, and try again. */
struct flow *flow_new(struct flow_table *t, const struct flow_key *key, enum flow_list list, int64_t now_us);
struct flow *flow_victim(struct flow_table *t);
struct flow *flow_oldest(struct flow_table *t, enum flow_list list); /* NULL: the list is empty */
/* The order of a list is right within FLOW_ORDER_US: three flows' memory need not be touched for each segment. */
enum { FLOW_ORDER_US = 100000 };
void flow_touch(struct flow_table *t, struct flow *f, enum flow_list list, int64_t now_us);
void flow_remove(struct flow_table *t, struct flow *f); /* its session and streams are done already */
struct addr flow_client(const struct flow *f);          /* with port */
struct addr flow_server(const struct flow *f);
#endif
