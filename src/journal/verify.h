/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify - is every event there, unchanged, in its place, since the journal began?
 *
 * Walks the seals of what has expired, then each segment: its checksums, the
 * hash chain over its payload, its index against its payload, its seal, and
 * the promise of each seal for the next key.  Goes on behind each fault.
 *
 * A segment that was packed again: its index by the signature of who packed it,
 * its payload by the chain and the old seal; `quick` takes the payload's stored
 * bytes by that signature too, without unpacking.  That is worth as much as the
 * later key: who got the machine after the sealing, and before now, could forge it.
 *
 * What it proves: with the journal's id, kept elsewhere, nobody who got the
 * machine later can have changed a sealed segment.  The active segment has
 * its chain alone, and that the newest segments were not all cut off shows
 * the key file, or a chain head that was kept elsewhere.
 */
#ifndef SERVIOLA_JOURNAL_VERIFY_H
#define SERVIOLA_JOURNAL_VERIFY_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum fault {
    FAULT_NONE,       /* a note, no fault: "begins at event 812: earlier segments expired" */
    FAULT_CHANGED,    /* bytes are not those that were written */
    FAULT_CUT,        /* the end is missing */
    FAULT_MISSING,    /* a block, a segment or a seal is missing */
    FAULT_SWAPPED,    /* it stands where another belongs */
    FAULT_UNTRUSTED,  /* signed by a key that nobody promised */
    FAULT_UNREADABLE, /* the disk does not give it */
};
const char *fault_name(enum fault f); /* "changed", ... ; "note" for none */

struct finding {
    enum fault fault;
    uint64_t segment;
    uint64_t first_seq, last_seq; /* what it concerns; 0: not known */
    uint64_t offset;              /* in the file */
    char file[32];
    char text[256]; /* one sentence */
};

struct verdict {
    uint64_t faults;
    uint64_t segments, expired, blocks, events; /* read and found good, except `expired` */
    uint64_t stored_bytes, raw_bytes;
    uint64_t vouched;   /* segments taken by the signature of who packed them again: `quick` */
    uint64_t unvouched; /* segments packed again whose index nobody signed: by an older serviola */
    uint64_t first_seq, last_seq;
    uint64_t cosigned, cosigned_segment; /* heads that are as cosign.h's statements say; the newest of them */
    bool id_proven;                      /* the chain of keys goes back to the id that was asked for */
    bool tip_proven;                     /* the key file fits: the newest segment is the newest one made */
    uint8_t id[32];                      /* as the journal says */
    uint8_t head[32];                    /* chain head: with it, kept elsewhere, even a cut end shows */
};

struct verify_wish {
    const uint8_t *id;         /* NULL, or the 32 bytes kept elsewhere */
    const uint8_t *since_head; /* NULL, or a chain head kept elsewhere that must occur */
    bool quick;
    const char *witness; /* NULL, or the copy of cosigned heads that another host keeps: its folder, or the file */
    const uint8_t *witness_key; /* NULL, or its public key: then no other key counts */
};
/* `found` is called for each finding.  -1 only when the folder can't be read at all. */
int journal_verify_as(const char *folder, const struct verify_wish *wish,
                      void (*found)(void *own, const struct finding *f), void *own, struct verdict *v, struct err *e);
/* The same, thoroughly. */
int journal_verify(const char *folder, const uint8_t *id, const uint8_t *since_head,
                   void (*found)(void *own, const struct finding *f), void *own, struct verdict *v, struct err *e);
#endif
