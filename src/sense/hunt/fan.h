/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fan - several hunts in threads of this process, where one core does not keep up.
 *
 * Each is a hunt of its own, with its own rings and engine, and speaks over a
 * link with this thread as a lone hunt speaks with the core; nothing else is
 * shared.  All of them see each frame, and each works on the clients that
 * fall to it by their address: so what is counted for a source is counted in
 * one place, and every limit means what it says.
 */
#ifndef SERVIOLA_HUNT_FAN_H
#define SERVIOLA_HUNT_FAN_H
#include "part/part.h"
#include "sense/hunt/engine.h"

enum { FAN_MOST = 64 };

struct fan_share {    /* what part of the clients is one's own */
    unsigned own, of; /* the own-th (from 0) of so many */
    uint64_t seed;    /* the same for all */
};
/* Whether this frame's client is ours.  What has no ports (a later fragment) is everybody's. */
bool fan_is_ours(const struct fan_share *s, const struct engine_frame *f, const struct key_ports *ports);

struct fan_reader { /* what a thread gets; both descriptors become its own */
    struct fan_share share;
    int link;     /* to this thread, which is its core */
    int settings; /* a memory file of the part's settings */
};

struct fan;
/* `body` is what each thread runs until its link says LINK_STOP or ends. */
struct fan *fan_new(struct role *r, unsigned threads, uint64_t seed, void (*body)(struct fan_reader reader),
                    struct err *e);
int fan_start(struct fan *f, struct err *e); /* in the jail */
void fan_stop(struct fan *f);                /* ends all and waits for them */
void fan_reload(struct fan *f);              /* r->settings is new */
/* What the core says goes on to all, an answer to the one that asked.  `fd` (or -1) becomes the fan's. */
void fan_pass(struct fan *f, const struct msg *m, const void *body, int fd);
#endif
