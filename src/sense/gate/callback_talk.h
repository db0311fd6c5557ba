/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * callback_talk - what a called mail server says, and what that makes of it: bytes in, what to say or a result out.
 *
 * It touches no descriptor and no clock: callback.c owns those.  The result
 * is the same in whatever pieces the bytes come.
 */
#ifndef SERVIOLA_GATE_CALLBACK_TALK_H
#define SERVIOLA_GATE_CALLBACK_TALK_H
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum callback_result {
    CALLBACK_SPEAKS,  /* a mail server */
    CALLBACK_REFUSED, /* nobody there, or not for us */
    CALLBACK_SILENT,  /* too slow */
    CALLBACK_BUSY,    /* the budget is empty, or we could not: nothing is known */
    CALLBACK_NEVER,   /* an address that is never called: our own, private, special */
};
enum {
    CALLBACK_BYTES = 65536, /* of all that is heard in one call */
    CALLBACK_LINE = 160,    /* as much of a line is kept */
    CALLBACK_WORDS = 4 * CALLBACK_LINE,
};

enum callback_step { CALLBACK_GREETING, CALLBACK_EHLO }; /* what is waited for */
enum callback_next {
    CALLBACK_GOES_ON,  /* more bytes are wanted */
    CALLBACK_SAY_EHLO, /* say it, and hear on */
    CALLBACK_OVER,
};

struct callback_talk { /* all zero at its beginning */
    enum callback_step step;
    size_t bytes; /* heard */
    char line[CALLBACK_LINE];
    size_t len; /* of the line, also of what does not fit */
};
struct callback_verdict {
    enum callback_result result;
    bool quit; /* it deserves a QUIT */
    char words[CALLBACK_WORDS];
};

/* Reads `*bytes` and takes off what it read: all, where the talk goes on.  `v` is written when it is over. */
enum callback_next callback_talk_hear(struct callback_talk *t, struct slice *bytes, struct callback_verdict *v);
/* The connection ended, or never came about, without a result; `code`: errno, 0 where the other end closed it. */
void callback_talk_end(const struct callback_talk *t, int code, struct callback_verdict *v);
#endif
