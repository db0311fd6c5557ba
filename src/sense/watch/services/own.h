/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * own - which addresses others know this host by: the public ones of its interfaces, as the core tells of each change,
 * and those that a translator has for it.
 *
 * Loopback, private, link-local and multicast addresses are nobody's
 * business outside: no DNS list has them.
 */
#ifndef SERVIOLA_SERVICES_OWN_H
#define SERVIOLA_SERVICES_OWN_H
#include "hand/op.h"

enum { OWN_MOST = 32 };

struct own {
    bool known;     /* all interfaces have been told */
    uint32_t count; /* of them, each once */
    struct {
        struct addr addr; /* without a port */
        int32_t ifindex;  /* 0: the configuration says so */
    } at[OWN_MOST];
};

bool own_is_public(struct addr a);
/* Both: whether another one is there now, or one is gone.  What does not fit is left out. */
bool own_take(struct own *o, const struct hand_link *now);
bool own_configure(struct own *o, const struct addr *at, uint32_t count);
#endif
