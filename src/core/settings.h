/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the whole configuration file as structs, and who gets which part of it.
 */
#ifndef SERVIOLA_CORE_SETTINGS_H
#define SERVIOLA_CORE_SETTINGS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "act/metrics/settings.h"
#include "act/notify/settings.h"
#include "conf/read.h"
#include "hand/op.h"
#include "rule/settings.h"
#include "sense/gate/settings.h"
#include "sense/hunt/settings.h"
#include "sense/watch/settings.h"
#include "sense/log/papers.h"
#include "sense/log/settings.h"
#include "view/audit/settings.h"

struct core_settings {   /* `serviola:` */
    char control[108];   /* unix socket of the commands */
    uint64_t tail_slots; /* events kept in memory */
    uint64_t clients;    /* commands connected at once */
    uint64_t restarts;   /* of one part within restart_window_us, before it stays down */
    int64_t restart_window_us;
    int64_t stuck_us; /* the disk has not answered for so long: say so */
};

struct journal_settings { /* `journal:` */
    char folder[200];
    int64_t sync_us;        /* group commit: events wait at most this long for the disk */
    uint64_t segment_bytes; /* a segment is closed and sealed at this size, */
    int64_t segment_us;     /* or at this age */
    uint64_t keep_bytes;    /* oldest sealed segments leave above this, */
    int64_t keep_us;        /* or when older than this */
};

struct house_settings {
    struct core_settings core;
    struct journal_settings journal;
    struct hunt_settings hunt;
    struct block_settings block;
    struct rules_settings rules;
    struct gate_settings gate;
    struct log_settings log;
    struct watch_settings watch;
    struct notify_settings notify;
    struct metrics_settings metrics;
    struct audit_settings audit;
};

struct found { /* beside the configuration: what this host's files say; all borrowed */
    const struct addr *resolvers;
    size_t resolvers_count;
    struct slice certificate, key; /* PEM, of gate.certificate and gate.key; empty: none */
    uint32_t gate_uid;             /* of serviola-gate */
    const struct papers *papers;   /* of log.certificates */
};

struct scribe_settings {
    struct journal_settings journal;
    char story_log[344]; /* `hunt: { story_log: }`; a name alone stands in the journal's folder */
    uint64_t evidence_bytes, evidence_files;
    int64_t record_us;     /* the recorder's past on disk: how long, */
    uint64_t record_bytes; /* and how much at most */
};

extern const struct section house_sections[]; /* in the order of the file; NULL-ended */

/* Where the settings of section i live in `h`. */
enum { HOUSE_SECTIONS = 11 };
void house_places(struct house_settings *h, void *places[HOUSE_SECTIONS]);

/* NULL: the built-in defaults.  0, or -1 with faults to print. */
int settings_read(const char *path, struct house_settings *h, struct conf_faults *faults);
/* The built-in defaults when `path` is the default one and does not exist. */
#define SETTINGS_PATH "/etc/serviola/serviola.conf"
/* What the file named on the command line, SERVIOLA_CONF or the default place gives; NULL: built-in defaults. */
const char *settings_path(const char *asked);

void settings_for_core(const struct house_settings *h, struct house_settings *core); /* all but secrets */
void settings_for_hand(const struct house_settings *h, const struct found *found, struct hand_settings *hand);
void settings_for_gate(const struct house_settings *h, const struct found *found, struct gate_settings *gate);
void settings_for_book(const struct house_settings *h, struct book_settings *book);
void settings_for_lists(const struct house_settings *h, struct lists_settings *lists);
void settings_for_notify(const struct house_settings *h, struct notify_house *notify);
void settings_for_log(const struct house_settings *h, const struct found *found, struct log_house *log);
void settings_for_probe(const struct house_settings *h, const struct found *found, struct services_settings *probe);
void settings_for_scribe(const struct house_settings *h, struct scribe_settings *scribe);
#endif
