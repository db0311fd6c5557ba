/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * op - the hand's whole vocabulary.
 *
 * The hand is the only process with capabilities.  It eats these fixed
 * structs, applies its own refusals (hand/never.h) whoever asks, and answers
 * each ask with the same id.  Asks are below 100, answers are ask + 100,
 * facts that the hand reports unasked are from 200 on.  Enums are checked on
 * arrival; all bytes of a struct are set.  No text is parsed.
 */
#ifndef SERVIOLA_HAND_OP_H
#define SERVIOLA_HAND_OP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum hand_op {
    /* act: serviola-hand */
    HAND_BLOCK = 1, /* struct hand_block[1..HAND_BATCH]   -> struct hand_outcome[same count, same order] */
    HAND_UNBLOCK,   /* struct addr[1..HAND_BATCH]          -> struct hand_outcome[] */
    HAND_LIST, /* nothing                             -> struct hand_entry[0..HAND_BATCH], again and again; an empty one
                  ends */
    HAND_KILL, /* struct addr                         -> struct hand_killed */
    HAND_CAPTURE, /* struct hand_capture                 -> struct hand_captured, with the packet descriptor if ok */
    HAND_ALLOW,   /* struct hand_allow                   -> struct hand_outcome; replaces nothing, adds or removes one
                     prefix */
    HAND_CONF,    /* nothing, with a sealed memory file: struct hand_settings -> struct hand_outcome */
    HAND_STOP,    /* struct hand_stop                    -> nothing: it ends; also understood by look and hold */
    HAND_LISTEN,  /* struct hand_listen                  -> struct hand_outcome, with the listening socket if ok */
    HAND_BORROW,  /* struct addr                         -> struct hand_outcome, with a socket if ok: bound to this
                     client's address, to be connected to the server; port 0 takes any port */
    HAND_LET_GO, /* struct hand_listen                  -> nothing: no more is kept for a part that comes again; without
                    an address: of none of them */
    /* look: serviola-hand -x look */
    HAND_STACK = 50, /* struct hand_pid                    -> struct hand_stack */
    /* hold: serviola-hand -x hold, the valve */
    HAND_HOLD = 60, /* nothing                             -> struct hand_outcome, with the hunt's end of the valve if
                       ok (hand/hold.h) */

    HAND_ANSWER = 100, /* added to the ask's op */

    HAND_FACT_LINK = 200,  /* struct hand_link: an interface as it is now; sent for all at start, then at each change */
    HAND_FACT_LINKS_KNOWN, /* nothing: the first round is complete */
    HAND_FACT_TABLE,       /* struct hand_table: how our table stands; at start, when damaged, when whole again */
    HAND_FACT_READY,       /* struct hand_ready: jailed and running; the first thing that each mode says */
    HAND_FACT_LIFTED, /* struct hand_outcome[1..HAND_BATCH]: these blocks ended, as the code says why (allowed now, our
                         own now, ...) */
};

enum { HAND_BATCH = 256, HAND_STACK_TEXT = 2048, HAND_LINK_ADDRS = 64, HAND_NAME = 16 };

enum hand_code {
    HAND_OK,
    HAND_ALREADY,   /* it is so already; nothing was done */
    HAND_NOT_THERE, /* nothing of that kind to undo */
    HAND_NEVER_OWN, /* refusals: an address of our own */
    HAND_NEVER_GATEWAY,
    HAND_NEVER_RESOLVER,
    HAND_NEVER_ADMIN,   /* an admin network of the configuration */
    HAND_NEVER_ALLOWED, /* on the allow list */
    HAND_NEVER_OUTSIDE, /* not in a network that the configuration calls inside */
    HAND_NEVER_SPECIAL, /* loopback, multicast, broadcast, unspecified, link-local router */
    HAND_CAP_MINUTE,    /* too many new blocks this minute */
    HAND_CAP_TOTAL,     /* the set is full */
    HAND_NOT_NAMED,     /* an interface, address or port that the configuration did not name */
    HAND_FAILED,        /* the kernel refused: see error */
    HAND_OBSERVES,      /* settings.acts is 0: the firewall is not touched */
    HAND_NEVER_SERVER,  /* a server behind the gate, or a load balancer before it */
    HAND_WRONG,         /* the ask makes no sense: no address, a port, a time out of range */
    HAND_CODES
};
const char *hand_code_words(enum hand_code code); /* "it is our own address"; hand/ask.c */

enum { HAND_SECONDS_MAX = 366 * 86400 };
struct hand_block {
    struct addr who;  /* port 0 */
    uint32_t seconds; /* 1 to HAND_SECONDS_MAX */
    uint8_t unasked;  /* 1: restored from the journal, does not count for the cap per minute */
    uint8_t outside;  /* 1: found at a gate's door, so it may be a host outside too; such blocks take at most half of
                         each cap: who has many addresses can't use up what is there for hosts inside */
    uint8_t zero[2];
};

struct hand_outcome {
    struct addr who;
    int32_t code;  /* enum hand_code */
    int32_t error; /* an errno with HAND_FAILED, else 0 */
};

struct hand_entry {
    struct addr who;
    uint32_t zero;
    uint64_t expires_ms;     /* left */
    uint64_t packets, bytes; /* dropped since it was blocked */
};

struct hand_killed {
    uint32_t tracked; /* conntrack entries removed */
    uint32_t sockets; /* local sockets closed */
    int32_t error;
    uint32_t zero;
};

struct hand_capture {
    char name[HAND_NAME]; /* NUL-filled */
};
struct hand_captured {
    char name[HAND_NAME];
    int32_t code, error;
    int32_t ifindex;
    uint32_t link_type; /* ARPHRD_* */
};

struct hand_allow {
    struct prefix net;
    uint8_t add; /* 1: blocks inside it end at once; 0: take off, which only undoes an earlier add */
    uint8_t zero;
};

/* Without it (the link just ends, or SIGTERM) blocks stay: they have a time of their own.  The queue rule always goes.
 */
struct hand_stop {
    uint8_t clear; /* 1: take our table out of the kernel */
    uint8_t zero[7];
};

struct hand_ready {
    uint8_t gaps; /* bits of enum jail_gap (sys/jail.h): what this kernel can't enforce */
    uint8_t zero[7];
};

enum hand_tenant { HAND_FOR_GATE, HAND_FOR_METRICS, HAND_FOR_LOG };

/* As the settings name it: the same address and port.  A duplicate of the socket is kept: who asks again gets the same
 * one, with those who came meanwhile; until it is let go, or the settings name it no more.  Of the log's none is kept:
 * it opens its sockets itself when it starts, and asks for those that a reload adds. */
struct hand_listen {
    struct addr at;
    uint8_t v6only;      /* 1: [::] leaves IPv4 to another socket */
    uint8_t transparent; /* 1: also for connections to others' addresses that the kernel sends here; only when named */
    uint8_t early;       /* 1: the address may come later */
    uint8_t tenant;      /* enum hand_tenant; in an ask the core writes it, whatever the part said */
    uint8_t datagrams;   /* 1: UDP; 0: TCP */
    uint8_t shared;      /* 1: several sockets at this place, over which the kernel spreads senders */
    uint8_t zero[2];
    uint32_t buffer; /* bytes that the kernel keeps for us, UDP alone; 0: the usual */
};

struct hand_pid {
    int32_t pid;
};
struct hand_stack {
    int32_t pid, error;
    uint8_t state; /* R S D Z ..., 0 unknown */
    uint8_t zero[3];
    uint32_t len;
    char text[HAND_STACK_TEXT]; /* /proc/PID/stack as it is */
};

struct hand_link {
    char name[HAND_NAME];
    int32_t ifindex;
    uint32_t link_type;    /* ARPHRD_* */
    uint8_t up;            /* running */
    uint8_t gone;          /* it was removed */
    uint8_t default_route; /* a default route leaves here */
    uint8_t routed;        /* any unicast route (beyond link-local) leaves here */
    uint32_t count;
    struct prefix net[HAND_LINK_ADDRS]; /* its connected networks */
    struct addr own[HAND_LINK_ADDRS];   /* its addresses; same index */
};

/* Interfaces as they were told so far: `now` is added, replaced or removed.  False: some of it did not fit, here or in
 * the telling; hand/ask.c. */
bool hand_links_fold(struct hand_link *at, uint32_t *count, uint32_t cap, const struct hand_link *now);

struct hand_table {
    uint8_t whole;    /* 1: in place with every block; 0: damaged or gone */
    uint8_t owned;    /* the kernel protects it against others */
    uint8_t persists; /* the kernel keeps it when we die */
    uint8_t zero;
    uint32_t blocks; /* put back */
    int64_t took_us;
};

/* The hand's settings, as numbers; filled from the configuration (hunt, block sections) by the core: a sealed memory
 * file of exactly this size at descriptor HAND_SETTINGS_FD, the link to the core at HAND_LINK_FD (as in part/link.h).
 */
enum { HAND_LINK_FD = 3, HAND_SETTINGS_FD = 4 };
enum { HAND_NETS = 1024, HAND_PORTS = 16, HAND_IFS = 32, HAND_RESOLVERS = 8, HAND_LISTENS = 256 };
enum hand_how { HAND_DROP, HAND_REJECT };
struct hand_nets {
    uint32_t count;
    struct prefix at[HAND_NETS];
};
struct hand_settings {
    char table[32];          /* "serviola"; table inet NAME */
    uint8_t acts;            /* 0: never touch the firewall (observe) */
    uint8_t gate_only;       /* 1: the hunt observes; blocks hold at the gate's doors alone, and only for `outside` */
    uint8_t hold;            /* 1: unknown hosts' mail is queued to us */
    uint8_t hold_fails_open; /* when nobody judges: let it pass */
    uint8_t how;             /* enum hand_how */
    uint8_t inside_auto;     /* inside = connected networks of interfaces without a default route */
    uint16_t hold_queue;     /* number of the kernel's queue; 0: 2525 */
    uint32_t log_per_minute; /* kernel log lines per blocked source; 0: none */
    uint32_t hold_packets;   /* packets that may wait for a verdict; 0: 1024 */
    int64_t hold_wait_us;    /* how long each may wait; 0: 2 s */
    uint32_t per_minute, total; /* caps on blocks */
    uint32_t ports_count;
    uint16_t ports[HAND_PORTS];
    uint32_t ifs_count;            /* interfaces that may be captured; 0: every one that carries a route */
    char ifs[HAND_IFS][HAND_NAME]; /* NUL-filled */
    uint32_t resolvers_count;
    struct addr resolvers[HAND_RESOLVERS];
    struct hand_nets inside, allow, admin;
    struct hand_nets own_blockable; /* own addresses that may be blocked all the same (local senders) */
    uint8_t borrow;                 /* 1: sockets in a client's name are lent */
    uint8_t zero2[3];
    uint32_t listens_count; /* the only places that HAND_LISTEN opens */
    struct hand_listen listens[HAND_LISTENS];
    uint32_t doors_count; /* the gate's ports, where blocked hosts are stopped; 0: `outside` is not honoured */
    uint16_t doors[HAND_LISTENS];
    struct hand_nets servers; /* behind and before the gate: never blocked */
    uint32_t guard_uid;       /* the gate's own user, whom the guard lets through */
    uint32_t guard_count;     /* local programs reach these ports on loopback addresses no more; 0: no guard */
    uint16_t guard[HAND_LISTENS];
    uint32_t guard_open_count; /* but for these places */
    struct addr guard_open[HAND_LISTENS];
};
#endif
