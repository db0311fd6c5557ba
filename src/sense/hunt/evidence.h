/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evidence - the first packets of each mail flow, kept for a while; a finding turns its flow's into a capture file.
 *
 * All flows write into one log of fixed size, the oldest frames leave first.
 * A case is opened by a finding and falls due a moment later, so that what
 * the host said next is in it too.  Bytes that the engine calls secret are
 * blanked before they are kept: nothing here ever held a password.
 */
#ifndef SERVIOLA_HUNT_EVIDENCE_H
#define SERVIOLA_HUNT_EVIDENCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/hunt/engine.h"

enum {
    EVIDENCE_LOG_BYTES = 1 << 20, /* of all flows */
    EVIDENCE_FRAMES = 32,         /* kept of one flow */
    EVIDENCE_CASES = 512,         /* open at a time; one more is refused */
    EVIDENCE_WAIT_US = 250000,    /* from the finding to the file */
    EVIDENCE_MOUTH = 8,           /* files in a minute of one sender's network card (mouths.h) */
};

struct evidence;
/* `flow_bytes` bounds what is kept of one flow, and so each file (about). */
struct evidence *evidence_new(size_t log_bytes, size_t flow_bytes, struct err *e);
void evidence_free(struct evidence *v); /* NULL is fine */

void evidence_packet(struct evidence *v, const struct engine_packet *p);

/* A finding about this flow.  False: a case is open for it already, or there are too many, in all or of its card. */
bool evidence_case(struct evidence *v, uint64_t flow, struct addr who, int64_t now_us);
size_t evidence_open(const struct evidence *v); /* cases that wait */

struct evidence_file {
    uint64_t flow;
    struct addr who;
    char name[64];     /* 20261122t182803-192.0.2.7-1.pcap */
    struct slice pcap; /* borrowed until the next evidence_take */
};
/* The next case that is due; false: none.  A case of which no frame is left gives no file. */
bool evidence_take(struct evidence *v, int64_t now_us, struct evidence_file *f);
#endif
