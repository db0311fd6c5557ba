/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * offline - a capture file through the same engine: `serviola hunt -r FILE`.
 *
 * The file is read, not mapped: a mapping counts as our memory, and a file
 * that shrinks meanwhile would end the process.
 */
#ifndef SERVIOLA_HUNT_OFFLINE_H
#define SERVIOLA_HUNT_OFFLINE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "journal/event.h"
#include "sense/hunt/engine.h"
#include "sense/hunt/learn.h"
#include "sense/hunt/settings.h"

struct offline_options {
    const char *file;                     /* "-" is standard input */
    const struct hunt_settings *settings; /* borrowed; with an empty `inside`, private addresses are inside */
    FILE *mails;                          /* one line a command goes here; NULL: none */
    struct learn *learn;                  /* is told of each mail; NULL: none */
    void (*event)(void *ctx, const struct event *ev); /* each finding; NULL: none */
    void *ctx;
};

enum offline_end {
    OFFLINE_WHOLE,      /* read to its end */
    OFFLINE_CUT = 1,    /* read up to the last whole packet; err says at which offset it broke */
    OFFLINE_NO_CAPTURE, /* not a capture file */
    OFFLINE_FAILED      /* could not be opened or read */
};

struct offline_result {
    struct engine_counts counts;
    uint64_t events, findings; /* findings: events of grade WARN and above about a source */
    uint64_t unread;           /* frames of link types that we can't read */
    uint32_t unread_link;      /* the first such type */
    uint64_t offset;           /* where reading ended */
};

/*
 * The value is also the command's exit code, 3 included.  A line of `mails`:
 * client, its port, server, its port, MAIL or RCPT or SNI or AUTH, and the
 * address, server name or mechanism; tabs between, bytes outside printable
 * ASCII as \xNN.
 */
enum offline_end hunt_offline(const struct offline_options *o, struct offline_result *r, struct err *e);
#endif
