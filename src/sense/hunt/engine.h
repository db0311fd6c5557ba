/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * engine - frames in, findings out: who inside sends mail.
 *
 * The same engine reads a ring, a queue and a file.  It holds no descriptor
 * and no clock: the frame's time is the time.  Every table has a cap from the
 * settings and reaching it is an event.  Text from the wire leaves in fields
 * of events and rows as bytes; who prints them makes them visible.  A secret
 * (what follows AUTH) never leaves in an event or a row, and the packet hook
 * says which bytes of a frame must be blanked.
 *
 * A finding that may block (events WARN about a source) is raised by a
 * *confirmed* flow alone: SYN, SYN+ACK, the client's ACK of the server's
 * number, and the server's ACK of client data.  What cannot be proven ends
 * as hunt.unconfirmed.
 */
#ifndef SERVIOLA_HUNT_ENGINE_H
#define SERVIOLA_HUNT_ENGINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"
#include "journal/event.h"
#include "sense/hunt/settings.h"
#include "wire/link.h"

struct engine;

enum mail_verb { MAIL_FROM, MAIL_RCPT, MAIL_SNI, MAIL_AUTH, MAIL_VERBS };

/* One thing a client said.  All slices are borrowed for the call. */
struct mail_row {
    uint64_t flow; /* number of the flow, from 1 */
    int64_t at_us;
    struct addr client, server; /* with ports */
    enum mail_verb verb;
    struct slice text; /* the path; the server name of a TLS hello; the AUTH mechanism */
    struct slice user; /* with MAIL_AUTH, where visible */
    bool confirmed;    /* the handshake was seen and the server took data */
    bool midstream;    /* the flow was picked up after its start */
};

/* A frame of a mail flow, for whoever keeps evidence. */
struct engine_packet {
    uint64_t flow;
    bool from_client;
    const struct engine_frame *frame;
    size_t secret_at, secret_len; /* bytes of the frame that must be blanked before they are kept; len 0: none */
};

struct engine_calls {
    void *ctx;
    /* `flow` is 0 when the event is about no single flow.  at_us is set; seq, cause and mono_us are not. */
    void (*event)(void *ctx, struct event *ev, uint64_t flow);
    void (*mail)(void *ctx, const struct mail_row *row);           /* may be NULL */
    void (*packet)(void *ctx, const struct engine_packet *packet); /* may be NULL; called for client and server frames
                                                                      of a flow that may lead to a finding */
};

/* Where a frame was seen, as far as known.  A server whose replies travel the client's way is forged. */
enum engine_way { WAY_UNKNOWN, WAY_IN, WAY_OUT };
/* What the kernel or nobody says about the TCP checksum. */
enum engine_sum { SUM_CHECK, SUM_GOOD };

struct engine_frame {
    enum link_type link;
    struct slice bytes;
    size_t wire_len; /* before the snap length cut it */
    int64_t at_us;   /* wall clock */
    uint32_t vlans;  /* how many tags the network card took off (0 to 2); outermost first: */
    uint16_t tci[2];
    enum engine_way way; /* IN and OUT only where the host itself forwards or speaks; UNKNOWN on a mirror port */
    enum engine_sum sum;
    bool held; /* it stands at the valve: the server has it not yet, so the right ACK of its number is proof enough */
};

/* What is known about the flow of the frame just read; for the valve of hold mode. */
struct engine_verdict {
    uint64_t flow; /* 0: no mail flow */
    bool from_client;
    bool handshake; /* SYN, SYN+ACK and ACK were right */
    bool confirmed;
    bool spoke_mail; /* MAIL, RCPT, DATA, BDAT, or a TLS hello */
    bool allowed;    /* the source or the server is on the allow list, or the source is not inside */
    bool found;      /* the source has a finding in its present window */
};

/* `settings` are borrowed until engine_free or engine_set; `seed` keys every hash (random in live use). */
struct engine *engine_new(const struct hunt_settings *settings, uint64_t seed, const struct engine_calls *calls,
                          struct err *e);
void engine_free(struct engine *g); /* NULL is fine */
void engine_set(struct engine *g,
                const struct hunt_settings *settings); /* reload: lists and limits; table sizes stay */

/* Flows are numbered from `first` + 1: several engines, one journal. */
void engine_number_from(struct engine *g, uint64_t first);

struct engine_verdict engine_frame(struct engine *g, const struct engine_frame *f);
/* Time passes without frames: timeouts, windows.  Call it a few times a second; at the end of a file with far future.
 */
void engine_tick(struct engine *g, int64_t now_us);

/* One source, as the table knows it now. */
struct engine_source {
    struct addr who; /* port 0 */
    bool inside, allowed, found;
    int64_t first_us, last_us, window_us; /* first and last seen; start of its present window */
    uint64_t connections, mails, recipients, refusals, tls, auths, bytes, unconfirmed; /* since first_us */
    uint64_t servers, senders, domains, helos; /* distinct in the present window, up to the limit + 1 */
};
bool engine_source(struct engine *g, struct addr who, struct engine_source *s);
/* All of them, in no order; stops when `each` gives false.  For learning and status. */
void engine_sources(struct engine *g, bool (*each)(void *ctx, const struct engine_source *s), void *ctx);
/* A block was lifted or an allow list changed: forget what was found, so that it is found anew. */
void engine_forget(struct engine *g, struct addr who);

struct engine_counts {
    uint64_t frames, bytes, tcp, mail_frames;
    uint64_t flows, flows_now, half_open_now, confirmed;
    uint64_t mails, recipients, hellos;
    uint64_t bad_sums, fragments, fragments_dropped, malformed;
    uint64_t evicted_flows, evicted_half_open, evicted_sources;
    uint64_t gaps, overlaps, long_lines, unconfirmed, reorder_now, reorder_dropped;
};
void engine_count(const struct engine *g, struct engine_counts *c);
#endif
