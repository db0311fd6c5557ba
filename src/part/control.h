/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control - what the commands (`serviola status`, `block`, ...) say to a running core.
 *
 * A SEQPACKET unix socket, mode 0660, owned by root and the group serviola;
 * the core asks the kernel who is there (SO_PEERCRED): root and members may
 * do all, nobody else gets in.  An ask gets one answer with the same id,
 * CTL_BLOCKS several, the last with count 0.  Sizes are exact.
 */
#ifndef SERVIOLA_PART_CONTROL_H
#define SERVIOLA_PART_CONTROL_H
#include <stdint.h>

#include "base/addr.h"
#include "part/link.h"

enum control_op {
    CTL_STATUS = 400, /* nothing                -> CTL_ANSWER with struct ctl_status */
    CTL_BLOCK,        /* struct ctl_block       -> CTL_ANSWER with struct ctl_done */
    CTL_UNBLOCK,      /* struct ctl_block       -> CTL_ANSWER with struct ctl_done */
    CTL_ALLOW,        /* struct ctl_allow       -> CTL_ANSWER with struct ctl_done */
    CTL_BLOCKS,       /* nothing                -> struct ctl_blocks, until count is 0 */
    CTL_TAIL,     /* nothing                -> nothing, with the tail's descriptor (read-only mapping alone works) */
    CTL_FOLLOW,   /* nothing                -> CTL_NEWS from now on, whenever there is news; several may become one */
    CTL_RELOAD,   /* nothing                -> CTL_ANSWER with struct ctl_done: as SIGHUP */
    CTL_RECORDER, /* nothing              -> nothing, with the recorder's memory file; without one: there is none */
    CTL_ACCOUNT,  /* struct link_account    -> CTL_ANSWER with struct ctl_done: the gate was told */
    CTL_ACK,      /* struct ctl_ack          -> CTL_ANSWER with struct ctl_done: an event says so */
    CTL_XRAY,     /* struct ctl_xray         -> CTL_XRAY with struct ctl_done and, when its code is 0, the sealed memory
                   * file of the picture; its text is then the name of the file that is kept, if one is.  CTL_TAKING
                   * comes before that when another one is being taken: the answer is that one */
    CTL_ANSWER = 450, /* the answer to the ask of this id; its body is the ask's own */
    CTL_NEWS,         /* struct ctl_news */
    CTL_TAKING,       /* nothing: see CTL_XRAY */
};

enum { CTL_TEXT = 256, CTL_PARTS = 16, CTL_BATCH = 128, CTL_LINKS = 32, CTL_DOORS = 8 };

struct ctl_done {
    int32_t code; /* 0 done; else enum hand_code, or -1 */
    int32_t zero;
    uint64_t seq;        /* the event that records it */
    char text[CTL_TEXT]; /* one sentence, with the way out when it failed */
};

struct ctl_block {
    struct addr who;
    uint32_t zero;
    int64_t span_us;    /* 0: the configured one */
    char why[CTL_TEXT]; /* NUL-filled; outside bytes */
};

struct ctl_allow {
    struct prefix net;
    uint8_t add;
    uint8_t zero[2];
    char why[CTL_TEXT];
};

struct ctl_ack {
    uint64_t seq;       /* the event that somebody takes care of; 0: of all */
    char why[CTL_TEXT]; /* NUL-filled; outside bytes */
};

struct ctl_xray {
    uint8_t keep; /* 1: beside those that triggers take */
    uint8_t zero[7];
};

struct ctl_entry {
    struct addr who;
    uint32_t zero;
    uint64_t cause; /* the act.blocked event */
    int64_t since_us, until_us;
    uint64_t packets, bytes; /* dropped so far */
};
struct ctl_blocks {
    uint32_t count;
    uint32_t zero;
    struct ctl_entry at[CTL_BATCH];
};

struct ctl_news {
    uint64_t next; /* tail_next */
};

struct ctl_part {
    char name[16];
    int32_t pid;
    uint8_t up;
    uint8_t gaps; /* enum jail_gap: what the kernel can't enforce */
    uint16_t restarts;
    int64_t since_us;
    uint64_t events; /* reported by it */
    uint64_t lost;   /* messages its link refused */
};
struct ctl_link {
    char name[16];
    uint8_t captured, up;
    uint8_t zero[6];
    uint64_t packets, lost;
};
struct ctl_door { /* a listener of the gate, since the gate started */
    char name[16];
    uint8_t open;   /* it takes connections */
    uint8_t down;   /* the mail server behind it does not answer */
    uint8_t closed; /* it must not be opened: an event said why */
    uint8_t zero[5];
    uint64_t passed, refused, deferred, ended; /* sessions that are over */
};
struct ctl_status {
    char version[32];
    int64_t now_us, started_us;
    uint64_t next_seq, synced_seq;
    int64_t scribe_behind_us; /* how long the disk has not answered; 0: fine */
    uint32_t mode;            /* enum hunt_mode */
    uint32_t gate_blocks;     /* 1: the gate's findings block, whatever that mode is */
    uint32_t blocks, blocks_cap;
    uint8_t table_whole, table_owned, table_persists;
    uint8_t up; /* the journal is read and the hand is there */
    uint32_t parts_count, links_count;
    uint64_t mails, findings;          /* since start */
    struct link_account_sums accounts; /* while the gate is up */
    struct ctl_part parts[CTL_PARTS];
    struct ctl_link links[CTL_LINKS];
    uint32_t doors_count, doors_full; /* full: 1 when every place of the gate is taken */
    struct ctl_door doors[CTL_DOORS];
    uint8_t lines_known; /* 1: the part log tells of its lines */
    uint8_t zero[7];
    struct link_lines lines;
};
#endif
