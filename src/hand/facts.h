/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * facts - our interfaces, addresses and routes, as the kernel tells them; read anew at each change.
 */
#ifndef SERVIOLA_HAND_FACTS_H
#define SERVIOLA_HAND_FACTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "hand/never.h"
#include "hand/nl.h"
#include "hand/op.h"

enum { FACTS_LINKS = 1024 }; /* interfaces; further ones are not known, not captured, not inside */

struct facts_link {
    char name[HAND_NAME];
    int32_t ifindex;
    uint32_t link_type; /* ARPHRD_* */
    bool up, default_route, routed, loopback;
};

struct facts_addr {
    int32_t ifindex;
    struct addr own;
    struct prefix net; /* connected by it */
};

struct facts {
    struct nl ask, watch; /* own */
    size_t links_count, addrs_count, gateways_count;
    struct facts_link links[FACTS_LINKS];
    struct facts_addr addrs[NEVER_OWN];
    struct addr gateways[NEVER_GATEWAYS];
    bool cut; /* an address or a gateway did not fit */
};

int facts_open(struct facts *f, struct err *e); /* also begins to listen; nothing is known yet */
void facts_close(struct facts *f);

int facts_read(struct facts *f, struct err *e);                  /* all of it; on -1 the old facts are gone */
void facts_tell(const struct facts *f, struct never_facts *out); /* for never */
void facts_link_of(const struct facts *f, size_t i, struct hand_link *out); /* the i-th, with its first addresses */
const struct facts_link *facts_find(const struct facts *f, const char name[HAND_NAME]); /* NULL: there is none */

enum { FACTS_ADDRESSES = 1, FACTS_ROUTES = 2 };
unsigned facts_news(struct facts *f); /* what changed since it was last asked; call when facts_fd is readable */
int facts_fd(const struct facts *f);

/* One message of the kernel into the facts; malformed ones change nothing. */
void facts_take(struct facts *f, const struct nlmsghdr *h);
#endif
