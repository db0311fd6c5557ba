/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * link - what the core and its parts say to each other.
 *
 * Every part has one link, to the core, at descriptor LINK_FD; its settings
 * are a sealed memory file at SETTINGS_FD.  Ops of hand/op.h travel on the
 * same links (the core forwards an ask that the part's row in the roster
 * allows, and brings back the answer).
 */
#ifndef SERVIOLA_PART_LINK_H
#define SERVIOLA_PART_LINK_H
#include <stdint.h>

enum { LINK_FD = 3, SETTINGS_FD = 4 };

enum link_op {
    /* part -> core */
    LINK_EVENT = 300, /* struct event; `cause` in the header is copied into it when the event has none */
    LINK_READY,       /* struct link_ready: jailed and running */
    LINK_EVIDENCE,    /* struct link_evidence, with a sealed memory file: to be kept as a file by the scribe */

    /* core -> part */
    LINK_SETTINGS = 330, /* new settings, with a sealed memory file */
    LINK_STOP,           /* finish and end */

    /* core <-> scribe */
    LINK_MORE = 360,   /* struct link_seq: the tail has events up to here */
    LINK_SYNCED,       /* struct link_seq: on disk up to here */
    LINK_REPLAY,       /* struct event: state from before the start, in order */
    LINK_REPLAY_DONE,  /* struct link_seq: last number on disk */
    LINK_TAIL,         /* the tail's memory file */
};

struct link_seq {
    uint64_t seq;
};

struct link_ready {
    uint8_t unenforced; /* bits of enum jail_gap (sys/jail.h): what this kernel can't enforce */
    uint8_t zero[7];
};

struct link_evidence {
    uint64_t seq_hint;  /* the sensor's own number of the finding */
    char name[64];      /* file name, [a-z0-9.:-] only; the scribe checks again */
};
#endif
