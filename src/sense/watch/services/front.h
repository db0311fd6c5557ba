/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * front - what lies in front of a service: others that it is behind (`after`), and our own network.
 *
 * Our own network is down when nothing outside of this host answers any more
 * and that was at least two hosts, or when no probe even leaves this host.
 * What was down before says nothing about it.
 */
#ifndef SERVIOLA_SERVICES_FRONT_H
#define SERVIOLA_SERVICES_FRONT_H
#include "base/addr.h"
#include "sense/watch/services/judge.h"
#include "sense/watch/services/settings.h"

enum { FRONT_NETWORK = -1, FRONT_NOBODY = -2 };

struct front_seen { /* one service, as the others see it */
    const struct service *service;
    struct judge judge;
    struct addr host; /* where it is; family 0: not known */
    bool outside;     /* of this host */
    bool ours;        /* its last probe never left this host */
};

struct front {
    enum judge_front is;
    int who; /* DOWN: which service, or FRONT_NETWORK */
    /* ASKED: those have to be probed anew. */
    uint64_t wanted; /* a bit each */
};
_Static_assert((int)SERVICES_MOST <= 64, "a bit for each service");

/* `network_lost`: it has been said.  Not patient: whether it is the network is not waited for any more. */
struct front front_of(const struct front_seen *all, uint32_t count, uint32_t i, bool network_lost, bool patient);
/* Since when nothing outside has answered; 0: something does, or nobody can tell. */
int64_t front_network_lost(const struct front_seen *all, uint32_t count);
#endif
