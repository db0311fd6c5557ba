/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prepare - what `serviola run` needs before it starts anybody: privileges, users, folders, its own image, the socket.
 */
#ifndef SERVIOLA_CORE_PREPARE_H
#define SERVIOLA_CORE_PREPARE_H
#include <sys/types.h>

#include "base/addr.h"
#include "base/err.h"
#include "core/settings.h"

struct ground {
    int image;        /* serviola itself, in a sealed memory file: a part can start while the disk hangs */
    int hand_image;   /* serviola-hand */
    int eye;          /* eye.h; -1: none */
    int glance;       /* of the eye, for the watch; -1: none */
    int runner;       /* sys/runner.h: for notices; -1: none */
    int probe_runner; /* for probes */
    int watch_runner; /* for the watch: sense/watch/updates.h */
    int control;      /* the listening control socket */
    struct addr resolvers[HAND_RESOLVERS];
    size_t resolvers_count;
    uid_t gate_uid;
};

/* Every missing capability by name, and how to grant it. */
int prepare_privileges(struct err *e);
int prepare_ground(const struct house_settings *h, struct ground *g, struct err *e);
void prepare_resolvers(struct ground *g);                /* from /etc/resolv.conf, again after a reload */
void ground_done(struct ground *g, const char *control); /* closes all, removes the socket's name */
#endif
