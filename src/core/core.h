/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * core - numbers events, remembers them, matches rules, asks the hand.  Never touches a disk, never waits.
 *
 *   core.c    the part: start, events in, doorbells out
 *   peers.c   the links with the other processes, and what each may say
 *   relay.c   memory files from one part to another
 *   acts.c    blocks: from a rule or a command to the hand, and its answers
 *   blocks.c  which hosts are blocked
 *   desk.c    the commands that people type
 *   disk.c    the scribe: is it keeping up, is it stuck
 *
 * This header is shared by those files alone.
 */
#ifndef SERVIOLA_CORE_CORE_H
#define SERVIOLA_CORE_CORE_H
#include <stdbool.h>
#include <stdint.h>

#include "core/blocks.h"
#include "core/roster.h"
#include "core/sitting.h"
#include "hand/op.h"
#include "journal/event.h"
#include "journal/tail.h"
#include "part/control.h"
#include "part/link.h"
#include "part/part.h"
#include "rule/rule.h"
#include "sys/chan.h"

struct core;

struct peer { /* the core's end of a link with another process */
    struct core *core;
    const struct row *row;
    struct chan *chan; /* owned; NULL while it is down */
    int32_t pid;
    bool ready;
    uint8_t gaps; /* enum jail_gap */
    uint32_t restarts;
    int64_t since_us;
    uint64_t events;
};

enum {
    CORE_LINKS = 256,
    CORE_PENDING = 256,
    CORE_ALLOWED = 256,
    CORE_KILLS = 4096,
    CORE_EARLY = 64,
    CORE_FLOWS = 256,
    CORE_SAID = 128,
    CORE_ALARMS = 128, /* of triggers, then of services */
    CORE_RELAYS = 5
};

struct pending { /* an ask that was forwarded to the hand for somebody else */
    uint32_t id; /* ours; 0: free */
    uint32_t theirs;
    uint32_t row; /* who asked */
    uint16_t op;
};

struct flow_seen { /* a finding and the sensor's number for its flow, so that evidence finds its event */
    uint64_t flow, seq;
};

struct kill { /* HAND_KILL under way */
    uint32_t id;
    struct addr who;
    uint64_t cause;
};

struct alarm { /* a firing of the watch, so that its end finds it */
    uint64_t alarm, seq;
};

struct disk {         /* the scribe, seen from here */
    uint64_t told;    /* it knows of events below this number */
    int64_t moved_us; /* boot clock: when it last got on, or had nothing to do */
    uint32_t timer;
    uint64_t seen;      /* synced when last looked at */
    uint64_t stuck_seq; /* the event that said so */
    bool stuck, replayed;
};

struct core {
    struct role *role;
    const struct house_settings *conf;
    struct tail *tail;
    struct peer peers[ROSTER_MAX];
    struct rules *rules;
    struct blocks *blocks;
    struct desk *desk;
    struct disk disk;

    struct hand_link links[CORE_LINKS]; /* interfaces, as the hand reported them */
    struct link_counters counters[CORE_LINKS];
    uint32_t links_count, counters_count;
    bool links_known;        /* also: the hand is up */
    struct hand_table table; /* as the hand last said; all 0 before */
    bool table_seen;
    uint64_t table_lost_seq;

    struct link_allow allowed[CORE_ALLOWED]; /* put on the allow list while running */
    uint32_t allowed_count;

    struct hand_block batch[HAND_BATCH]; /* asks that leave together before the next sleep */
    uint32_t batch_count;
    int64_t cap_said_us;        /* boot clock; 0: never */
    int64_t wall_offset_us;     /* wall clock less boot clock, as the blocks' ends were told */
    uint64_t checkpoint_next;   /* number behind the last checkpoint's events */
    uint64_t checkpoint_events; /* how many it had */
    uint32_t audit_id;          /* of the HAND_LIST that follows an assertion */
    bool outside_waits;         /* a block waits for its network to come up */

    struct pending pending[CORE_PENDING];
    struct alarm alarms[CORE_ALARMS];    /* by alarm % CORE_ALARMS */
    uint64_t picture_cause, picture_seq; /* what the picture is taken for, and its own event */
    uint64_t picture_next;               /* what the one after it is asked for by */
    struct sitting sitting;              /* who waits for it */
    char picture_why[CTL_TEXT];          /* it failed: why */
    int recorder;                        /* the recorder's memory file, own; when known */
    bool recorder_known;
    struct kill kills[CORE_KILLS];      /* by id % CORE_KILLS */
    struct flow_seen flows[CORE_FLOWS]; /* by flow % CORE_FLOWS */
    uint64_t said[CORE_SAID];           /* hashes of what the part log said last (matters.c) */
    unsigned said_next;
    struct event early[CORE_EARLY]; /* what happened before the journal said where it stood */
    uint32_t early_count;
    uint32_t next_id;
    uint64_t announced; /* readers know of events below this number */
    int64_t started_us, stopping_us;
    uint64_t mails, findings;
    struct ctl_door doors[CTL_DOORS]; /* the gate's listeners, from its events */
    uint32_t doors_count;
    struct link_lines lines; /* of the part log, as it told them last */
    bool doors_full;
    struct link_account_sums accounts; /* as the gate told them last */
    int relayed[CORE_RELAYS];          /* the newest memory file of each relay, own; -1: none came */
    bool begun;                        /* events have numbers */
    bool up, stopping;
};

extern const struct part core_part;

/* Stamps what is not stamped, numbers it, remembers it.  Returns the number. */
uint64_t core_emit(struct core *c, struct event *ev, uint64_t cause);
/* The same for what a sensor reports, and then the rules: only the world can set one off, never our own acts. */
void core_take(struct core *c, struct event *ev);
void core_announce(struct core *c);             /* what was collected goes out: blocks first, then news for readers */
void core_begin(struct core *c, uint64_t next); /* the journal goes on at this number */
void core_come_up(struct core *c);              /* once the journal is read and the hand is there */
struct peer *core_peer(struct core *c, enum row_kind kind); /* never NULL; its chan may be */
void core_stop(struct core *c);

/* peers.c */
void peers_link(struct core *c, uint32_t row, int32_t pid, uint32_t restarts, int fd);
void peers_unlink(struct core *c, uint32_t row);
bool peer_say(struct peer *p, uint16_t op, uint32_t id, uint64_t cause, const void *body, size_t len, int fd);
void peers_tell_allowed(struct core *c);
void peers_tell_links(struct core *c);
void peers_tell_more(struct core *c, uint64_t next); /* who reads all events: there are some up to here */
void peers_tell_allow(struct core *c, const struct link_allow *allow); /* the hand and every sensor */
void peers_tell_forget(struct core *c, struct addr who);
void peers_let_go(struct core *c); /* nobody comes again to listen: the hand keeps no socket */
/* Folds act.allowed or act.disallowed into the list; false when it changed nothing (it is there already, or full). */
bool peers_fold_allow(struct core *c, const struct event *ev);

/* watching.c */
void watching_before(struct core *c, struct event *ev);      /* whose effect an event of the watch is */
void watching_after(struct core *c, const struct event *ev); /* what it asks for */
int watching_on_value(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);
int watching_on_ring(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);
/* Somebody at the desk wants a picture: the event says who, and is told unless the answer is no. */
enum sitting_answer watching_ask(struct core *c, const struct sitter *who, struct event *asked);
void watching_over(struct core *c, const char *why); /* whoever took the picture is gone, or never came */
int watching_on_shelve(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);

/* matters.c */
bool matters_before(struct core *c, struct event *ev); /* false: it was said before */

/* relay.c */
void relay_open(struct core *c);
void relay_brief(struct peer *p); /* it has just come up */
int relay_on_mail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);
int relay_on_file(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);

/* acts.c */
struct act_ask {
    struct addr who;
    int64_t span_us;
    uint64_t cause;
    const char *rule;           /* or who asked */
    bool outside;               /* a finding of the gate's, or a person's wish while the gate blocks */
    uint32_t waiter, waiter_id; /* a command; 0: none */
};
/* HAND_OK: asked (the answer becomes an event); else why not. */
enum hand_code acts_block(struct core *c, const struct act_ask *ask);
void acts_unblock(struct core *c, struct addr who, uint64_t cause);
void acts_flush(struct core *c); /* sends the batch */
void acts_assert_all(
    struct core *c); /* the hand is new, or the journal was read: every block that stands is asked for again */
void acts_checkpoint(struct core *c); /* act.block_kept for each, at the head of a segment */
void acts_on_audit(struct core *c, const struct hand_entry *entries, size_t count); /* what the kernel holds */
void acts_on_rotated(struct core *c); /* a segment was closed: a checkpoint, when it is worth one */
void acts_tick(struct core *c, struct instant now);
struct instant acts_now(void);
int acts_on_blocked(struct core *c, const struct hand_outcome *outcomes, size_t count);
int acts_on_unblocked(struct core *c, const struct hand_outcome *outcomes, size_t count);
void acts_on_lifted(struct core *c, const struct hand_outcome *outcomes,
                    size_t count); /* the hand ended these itself */
void acts_on_killed(struct core *c, uint32_t id, const struct hand_killed *killed);

/* desk.c */
struct desk *desk_new(struct core *c, struct err *e);
int desk_open(struct desk *d, int listening_fd, struct err *e);
void desk_status(struct core *c, struct ctl_status *s);
void desk_note_gate(struct core *c, const struct event *ev); /* what the status tells of the gate */
void desk_news(struct desk *d, uint64_t next);
void desk_answer(struct desk *d, uint32_t waiter, uint32_t id, int32_t code, uint64_t seq, const char *text);
void desk_listed(struct desk *d, uint32_t id, const struct hand_entry *entries, size_t count);
void desk_picture(struct desk *d, const struct sitter *who, int32_t code, const char *text, int fd);
void desk_reloaded(struct desk *d, int32_t code, const char *text);

/* disk.c */
int disk_open(struct core *c, struct err *e);
void disk_tell(struct core *c); /* there is more to write */
void disk_replayed(struct core *c, uint64_t last);
void disk_synced(struct core *c, uint64_t seq);
void disk_lost(struct core *c, const struct link_lost *lost);
void disk_on_stack(struct core *c, const struct hand_stack *stack);
#endif
