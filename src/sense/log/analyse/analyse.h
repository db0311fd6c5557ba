/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * analyse - reads lines as they come and says what an administrator should know.
 *
 * Pure: lines and moments in, findings out through a callback; no clock, no file, nothing sleeps.  Each question has a
 * file of its own (inner.h lists them).  All memory is bounded by struct analysis_caps, and what found no room is
 * counted.
 *
 * Time is arrival (at_us), which must not go back by much; what a line claims beside it is checked, not believed.
 */
#ifndef SERVIOLA_SENSE_LOG_ANALYSE_ANALYSE_H
#define SERVIOLA_SENSE_LOG_ANALYSE_ANALYSE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "journal/event.h"
#include "sense/log/line.h"

enum { LOG_FINDING_PROOFS = 12 };

enum log_phase {
    LOG_NOW,   /* it happened, and that is all */
    LOG_BEGAN, /* it goes on */
    LOG_ENDED, /* the last word: how long it went on, how much it was */
};

struct log_finding {
    const char *id; /* "silence": for programs, never changes; log_finding_kinds lists all */
    enum grade grade;
    enum log_phase phase;
    uint64_t key;           /* the same matter: a later finding with this key stands for the earlier one */
    int64_t from_us, to_us; /* to_us 0: it goes on */
    uint64_t count;         /* of what the finding is about; 0: nothing to count */
    uint32_t rank;          /* first_seen, stolen_account: the higher the graver */
    char host[80];          /* as it is called; empty: several, or all */
    char text[900];         /* fit for a terminal, as proof and next are */
    char proof[LOG_FINDING_PROOFS][320];
    unsigned proofs, proofs_more;
    char next[400];
};
typedef void log_found(void *own, const struct log_finding *f);

struct log_finding_kind {
    const char *id, *what;
};
extern const struct log_finding_kind log_finding_kinds[]; /* ends with a NULL id */

/* As the journal keeps it: its id, host, text (cut), count and time.  log.found while it goes on or when it is all
 * there is to it, log.found_over for the last word. */
struct event log_finding_event(const struct log_finding *f);

struct analysis_caps {
    uint32_t hosts;    /* 4096 */
    uint32_t programs; /* 8192 names */
    uint32_t streams;  /* 8192 pairs of host and program; the oldest leaves */
    uint32_t patterns; /* 65536 kinds of message on a host; the oldest leaves */
    uint32_t messages; /* 65536 mails on their way */
};
extern const struct analysis_caps analysis_usual;

struct analysis_told {
    uint64_t lines, copies; /* copies: they came before and are counted in nothing else */
    uint64_t no_host, no_program, no_template;
};

struct analysis;
struct analysis *analysis_new(const struct analysis_caps *caps, uint64_t seed, log_found *found, void *own,
                              struct err *e);
void analysis_free(struct analysis *a); /* NULL is fine */

/* A network of our own: mail from there is not stolen. */
int analysis_own(struct analysis *a, struct prefix net, struct err *e);

void analyse_line(struct analysis *a, const struct log_line *l);       /* borrowed for the call */
void analyse_tick(struct analysis *a, int64_t now_us);                 /* at least once a minute when no lines come */
void analyse_down(struct analysis *a, int64_t from_us, int64_t to_us); /* we did not listen: nobody is blamed for it */
void analyse_end(struct analysis *a, int64_t now_us); /* no more will come: the last word on all that is open */

struct analysis_told analysis_told(const struct analysis *a);
int64_t analysis_until(const struct analysis *a); /* up to when lines were read, also before the start; 0: none */

/* What was never logged before `since_us`, the gravest first, at most `most`; findings of the kind "first_seen". */
void analyse_new(struct analysis *a, int64_t since_us, struct slice host, size_t most, log_found *found, void *own);
/* When this host (empty: any) last booted; 0: not seen. */
int64_t analyse_reboot(struct analysis *a, struct slice host);

/* What was learned, with its version and checksum.  analysis_load takes only what analysis_save wrote; with an error
 * the analysis is not to be used. */
int analysis_save(struct analysis *a, struct bytes_out *to, struct err *e);
int analysis_load(struct analysis *a, struct slice kept, struct err *e);
#endif
