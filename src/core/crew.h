/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crew - what the supervisor and the core say to each other.
 *
 * The supervisor starts and restarts processes and reads the configuration;
 * the core speaks with everybody.  The core's "core link" (part/link.h) is
 * the one to the supervisor.
 */
#ifndef SERVIOLA_CORE_CREW_H
#define SERVIOLA_CORE_CREW_H
#include <stdint.h>

enum crew_op {
    /* supervisor -> core */
    CREW_LINK = 500, /* struct crew_link, with the core's end of a new link */
    CREW_DIED,       /* struct crew_died */
    CREW_CONTROL,    /* nothing, with the listening control socket */
    CREW_SETTINGS,   /* struct crew_row, with a memory file: to be forwarded to that part */
    CREW_RELOADED,   /* struct crew_reloaded: how a reload went */
    CREW_STOP,       /* struct crew_stop: finish */
    CREW_NOT_RUN,    /* struct crew_not_run: to CREW_RUN */
    CREW_LEAVE,      /* struct crew_row: this part is to finish; it starts anew, or is wanted no more */

    /* core -> supervisor */
    CREW_RELOAD = 520, /* nothing: somebody asked for a reload */
    CREW_STUCK,        /* struct crew_row: this part broke the rules of its link; end it */
    CREW_RUN,          /* struct crew_row: start this part for one piece of work (xray) */
};

struct crew_row {
    uint32_t row; /* in core/roster.c */
    uint32_t zero;
};

struct crew_link {
    uint32_t row;
    int32_t pid;
    uint32_t restarts;
    uint32_t zero;
};

struct crew_died {
    uint32_t row;
    int32_t pid;
    int32_t status; /* as of waitpid */
    uint8_t gave_up;
    uint8_t zero[3];
};

struct crew_reloaded {
    int32_t code; /* 0: in force */
    uint32_t zero;
    char text[256]; /* the first fault, or what needs a restart */
};

struct crew_not_run {
    char text[256]; /* why the picture is not taken; NUL-filled */
};

struct crew_stop {
    int32_t signal; /* 0: the supervisor itself ends */
    uint32_t zero;
};
#endif
