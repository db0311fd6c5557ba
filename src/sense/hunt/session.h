/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * session - what one SMTP conversation says, from the bytes of both sides.
 *
 * Commands and replies are paired by a queue, so that a refused DATA, an
 * accepted STARTTLS and a body are told apart from commands.  Message bodies
 * are not kept, only the last bytes' state.  What AUTH carries is used for
 * the user's name and wiped.
 */
#ifndef SERVIOLA_HUNT_SESSION_H
#define SERVIOLA_HUNT_SESSION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { SESSION_QUEUE = 1000 }; /* commands that await a reply; those over it are not paired */

enum said {
    SAID_HELO,    /* text: the name */
    SAID_MAIL,    /* text: the path */
    SAID_RCPT,    /* text: the path */
    SAID_BODY,    /* DATA or BDAT: a message begins */
    SAID_AUTH,    /* text: the mechanism; user where visible */
    SAID_TLS,     /* text: the server name of the hello, may be empty */
    SAID_REFUSED, /* the server refused a recipient for good */
    SAID_LONG     /* a command line was over the limit */
};

struct session_talk {
    void *ctx;
    void (*said)(void *ctx, enum said what, struct slice text, struct slice user);
    void (*secret)(void *ctx, struct slice bytes); /* part of the input that must not be kept */
};

struct session {
    uint8_t mode;    /* enum in session.c */
    uint8_t tail;    /* where in CR LF . CR LF a body stands */
    bool lossy;      /* bytes were lost: replies may pair wrongly */
    bool body_lossy; /* ... inside this body: its end may have been lost too */
    bool body_open;  /* the server said 354 */
    bool after_gap;  /* the next line may be the rest of one */
    bool line_long;
    bool hello_sure; /* STARTTLS was accepted: no command follows */
    bool no_hello;   /* what began like a TLS hello was none */
    bool begun;      /* the client has said something */
    bool answered;   /* the server has said something with a code */
    uint64_t chunk;  /* octets of BDAT still to come */
    uint8_t *line;   /* owned: the beginning of a command line or of a TLS hello */
    uint32_t line_len, line_cap;
    uint8_t *queue; /* owned: a ring of kinds of commands */
    uint16_t queue_head, queue_len, queue_cap;
    uint8_t auth;       /* a login is under way: enum in session.c */
    uint8_t auth_lines; /* continuation lines seen */
    bool auth_due;      /* the server asked for the next */
    bool auth_told;
    uint8_t mechanism_len;
    uint8_t mechanism[20];
    uint8_t reply[4]; /* the beginning of a reply line */
    uint8_t reply_len;
    bool reply_rest; /* inside a line whose beginning is not needed */
};

/* `midstream`: the beginning was not seen. */
void session_init(struct session *s, bool midstream);
void session_done(struct session *s);
void session_client(struct session *s, struct slice in, size_t line_max, const struct session_talk *talk);
void session_server(struct session *s, struct slice in, const struct session_talk *talk);
void session_client_gap(struct session *s, uint64_t len, const struct session_talk *talk);
void session_server_gap(struct session *s);
#endif
