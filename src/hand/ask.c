/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/op.h"

#include <string.h>

static const char *const words[HAND_CODES] = {
    [HAND_OK] = "done",
    [HAND_ALREADY] = "it is so already",
    [HAND_NOT_THERE] = "there is none",
    [HAND_NEVER_OWN] = "it is an address of our own",
    [HAND_NEVER_GATEWAY] = "it is a gateway of ours",
    [HAND_NEVER_RESOLVER] = "it is a name server of ours",
    [HAND_NEVER_ADMIN] = "it is in an admin network",
    [HAND_NEVER_ALLOWED] = "it is on the allow list",
    [HAND_NEVER_OUTSIDE] = "it is not inside: only hosts of our own networks are blocked",
    [HAND_NEVER_SPECIAL] = "it is no host's address (loopback, multicast, broadcast, link-local, unspecified)",
    [HAND_CAP_MINUTE] = "too many new blocks in this minute",
    [HAND_CAP_TOTAL] = "the block list is full",
    [HAND_NOT_NAMED] = "the configuration does not name it",
    [HAND_FAILED] = "the kernel refused it",
    [HAND_OBSERVES] = "serviola only observes here; the firewall is not touched",
    [HAND_NEVER_SERVER] = "it is a server behind the gate, or a load balancer before it",
    [HAND_WRONG] = "the ask makes no sense",
};

const char *hand_code_words(enum hand_code code)
{
    if ((unsigned)code >= HAND_CODES)
        return "an unknown answer";
    return words[code];
}

bool hand_links_fold(struct hand_link *at, uint32_t *count, uint32_t cap, const struct hand_link *now)
{
    uint32_t i = 0;

    while (i < *count && at[i].ifindex != now->ifindex)
        i++;
    if (now->gone) {
        if (i < *count)
            at[i] = at[--*count];
        return true;
    }
    if (i == cap)
        return false;
    memcpy(&at[i], now, sizeof(*now));
    *count += i == *count;
    return now->count < HAND_LINK_ADDRS;
}
