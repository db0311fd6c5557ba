/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * change - what is different in a second picture, in words, the gravest first.
 *
 * Processes and connections are told by program, since each of them comes and
 * goes by itself; all else one by one.  Pure: two pictures in, lines out.
 */
#ifndef SERVIOLA_VIEW_CHANGE_H
#define SERVIOLA_VIEW_CHANGE_H
#include "journal/event.h"
#include "snap/snap.h"

enum { CHANGE_WORDS = 600 };

struct change {
    const char *part; /* "process", "socket" ..., "finding" */
    const char *how;  /* "new" "gone" "changed" */
    enum grade grade;
    char text[CHANGE_WORDS]; /* fit for a terminal */
};

/* Calls `told` for each; the number of them, -1 when memory is short. */
long change_tell(const struct snap *before, const struct snap *after, void (*told)(void *own, const struct change *c),
                 void *own, struct err *e);
#endif
