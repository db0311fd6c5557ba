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
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { LINK_FD = 3, SETTINGS_FD = 4 };

enum link_op {
    /* part -> core */
    LINK_EVENT = 300, /* struct event, to the core up to ROLE_TRAY of them; `cause` in the header is copied into those
                       * that have none */
    LINK_READY,       /* struct link_ready: jailed and running */
    LINK_EVIDENCE,    /* struct link_evidence, with a sealed memory file: to be kept as a file by the scribe */
    LINK_VALUE,       /* struct link_value: something measured; core -> watch too */
    LINK_RING,        /* nothing, with the recorder's memory file: for the commands */
    LINK_SHELVE,      /* struct link_shelve, with a sealed memory file; core -> scribe too */

    /* part -> core -> another part (core/relay.c); the core keeps the descriptor, for who starts anew */
    LINK_BOOK,  /* nothing, with the book's memory file: book -> gate.  And to the book itself when it starts: with the
                   one that it sent in an earlier life, or with none */
    LINK_LISTS, /* nothing, with a sealed memory file: lists -> gate */
    LINK_ACCOUNTS,      /* nothing, with a memory file (sense/gate/ledger.h): gate -> book, what it learns of accounts.
                           And to the gate itself when it starts: with the one that it sent in an earlier life, or none */
    LINK_ACCOUNTS_KEPT, /* nothing, with a sealed memory file: book -> gate, the same from the disk, before LINK_BOOK */
    LINK_MAIL,          /* struct link_mail: log -> gate */

    LINK_BOARD, /* nothing, with the memory file of sense/watch/board.h: watch -> metrics */
    LINK_LINES, /* struct link_lines: log -> core, once a second when they changed; for the status */

    /* core -> part */
    LINK_SETTINGS = 330, /* new settings, with a sealed memory file */
    LINK_STOP,           /* finish and end */

    /* core <-> scribe */
    LINK_MORE = 360,  /* struct link_seq: the tail has events up to here */
    LINK_SYNCED,      /* struct link_seq: on disk up to here */
    LINK_REPLAY,      /* struct event: state from before the start, in order */
    LINK_REPLAY_DONE, /* struct link_seq: last number on disk */
    LINK_LOST,        /* struct link_lost: these left the memory before the disk took them */
    LINK_ROTATED,     /* nothing: a new segment begins; the core writes its checkpoint */
    LINK_KEPT,        /* struct event: something the scribe itself has to report (hunt.evidence_kept, journal.*) */
    LINK_TAIL,        /* core -> scribe, console: the tail's memory file */

    /* core -> sensor */
    LINK_ALLOW = 390,  /* struct link_allow: the allow list changed while running */
    LINK_FORGET,       /* struct addr: a block was lifted; what was found about this host may be found anew */
    LINK_COUNTERS,     /* sensor -> core: struct link_counters, once a second at most, when they changed */
    LINK_ACCOUNT,      /* core -> gate: struct link_account */
    LINK_ACCOUNT_SUMS, /* gate -> core: struct link_account_sums, twice a second at most, when they changed */
};

struct link_seq {
    uint64_t seq;
};

struct link_lines {    /* of the part `log`, since its start */
    uint64_t received; /* lines */
    uint64_t lately;   /* of these in the last ten seconds */
    uint64_t unread;   /* lines on the disk that the analysis has not read yet */
    uint64_t rules;    /* that are in force */
    uint64_t unknown;  /* lines that none of them knows */
    uint8_t analysed;  /* 0: nothing reads them as they come */
    uint8_t zero[7];
};

struct link_lost {
    uint64_t from, to; /* both included */
};

struct link_allow {
    struct prefix net;
    uint8_t add; /* 0: taken off */
    uint8_t zero[2];
};

struct link_account {
    uint8_t stop; /* 1: nothing more goes out; 0: it is let through again */
    uint8_t zero[7];
    char name[128]; /* of who logs in; NUL-filled, at most 127 bytes */
};

struct link_account_sums { /* what the gate knows of those who log in */
    uint32_t known, stopped;
    uint32_t suspected; /* somebody else seems to use them now */
    uint32_t zero;
};

enum link_mails {                       /* what a mail server logged of an account */
                  LINK_MAIL_MESSAGE,    /* client: where it came from */
                  LINK_MAIL_RECIPIENTS, /* of a message of its */
                  LINK_MAIL_SENT,       /* recipients */
                  LINK_MAIL_DEFERRED,
                  LINK_MAIL_BOUNCED,
                  LINK_MAIL_LOGIN,        /* client */
                  LINK_MAIL_LOGIN_FAILED, /* client; the account's name may be missing */
                  LINK_MAILS
};
enum { LINK_MAIL_MOST = 100000 };
struct link_mail {
    int64_t at_us; /* wall clock, when the last of them was logged */
    struct addr client;
    uint32_t count; /* so many of it; 1 to LINK_MAIL_MOST */
    uint8_t what;   /* enum link_mails */
    uint8_t zero[7];
    char account[128]; /* NUL-filled, at most 127 bytes, no control bytes */
};
/* Whoever gets one looks at it first. */
bool link_mail_is_sound(const struct link_mail *m);

struct link_counters { /* of one interface, since the sensor's start */
    char name[16];
    uint64_t packets, lost;
    uint64_t mails; /* mail commands seen, on all interfaces */
};

struct link_ready {
    uint8_t unenforced; /* bits of enum jail_gap (sys/jail.h): what this kernel can't enforce */
    uint8_t zero[7];
};

struct link_value {  /* sense/watch/probe.h */
    char name[64];   /* "service.web.up": [a-z0-9._-], NUL-filled */
    double number;   /* NaN: no longer known */
    int64_t good_us; /* how long it is believed */
};

enum link_shelf { SHELF_RECORDER, SHELF_XRAY };
struct link_shelve {
    uint32_t shelf; /* enum link_shelf */
    uint32_t zero;
    int64_t from_us; /* wall clock, of the oldest in it */
    char name[64];   /* SHELF_XRAY: file name, [a-z0-9.:-] only; the scribe checks again */
};

struct link_evidence {
    uint64_t flow; /* F_FLOW of the finding's event, which was sent before */
    char name[64]; /* file name, [a-z0-9.:-] only; the scribe checks again */
};
#endif
