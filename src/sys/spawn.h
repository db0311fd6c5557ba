/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spawn - another process of the house, out of an open image, with the descriptors it is given and no others.
 *
 * The image is a memory file (sys/memfile) or any open executable: a part can
 * be started again while the root disk is gone.  Standard input is
 * /dev/null, standard output and error are ours; signals are as at boot.
 */
#ifndef SERVIOLA_SYS_SPAWN_H
#define SERVIOLA_SYS_SPAWN_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { SPAWN_PLACES = 16 };

struct spawn_place {
    int from; /* ours; stays ours */
    int to;   /* its number in the child: 3 to SPAWN_PLACES + 2 */
};

struct spawn {
    int image;               /* an open executable; -1: `path` */
    const char *path;        /* used when image is -1 */
    const char *const *argv; /* NULL-ended: { "serviola", "-x", "hunt", NULL } */
    const char *const *envp; /* NULL: ours */
    const struct spawn_place *places;
    size_t places_count;
    int death_signal; /* sent to the child when the thread that spawned it ends (SIGKILL, SIGTERM); 0: none.
                         jail_enter keeps it; the child's own setuid calls otherwise clear it */
};

struct spawned {
    pid_t pid;
    int pidfd; /* close-on-exec; readable when the child has ended; who spawned it closes it */
};

/* 0 once the image runs; -1 (and no child is left) when it could not, with the step that failed. */
int spawn_start(const struct spawn *s, struct spawned *child, struct err *e);

void spawn_done(struct spawned *child); /* after it was waited for: closes pidfd, pid is 0 again */

/* Our own image, copied into memory: what a part is started from.  -1 with an error. */
int spawn_own_image(const char *name, struct err *e);
#endif
