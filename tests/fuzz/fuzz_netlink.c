/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's answers as the hand reads them: set elements, interfaces, addresses, routes, tracked connections. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hand/cut.h"
#include "hand/elements.h"
#include "hand/facts.h"

static void each(void *ctx, const struct element *el)
{
    (void)ctx;
    assert(el->who.family == 4 || el->who.family == 6);
    assert(el->who.port == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct facts facts;
    static struct never_facts told;
    static const uint16_t ports[] = { 25, 587 };
    struct tracked tracked;
    struct nlmsghdr *whole = malloc(size > 0 ? size : 1); /* exactly as long as it is: what is behind it is not ours */
    const struct nlmsghdr *h = whole;
    int left = (int)size;

    if (!whole)
        return 0;
    if (size > 0)
        memcpy(whole, data, size);
    facts.links_count = facts.addrs_count = facts.gateways_count = 0;
    /* mnl_nlmsg_ok takes a length of 2 GiB for a negative one; the kernel's are below its socket buffer. */
    for (int i = 0; i < 64 && left >= (int)sizeof(*h) && h->nlmsg_len <= (uint32_t)left && mnl_nlmsg_ok(h, left);
         i++, h = mnl_nlmsg_next(h, &left)) {
        elements_parse(h, each, NULL);
        facts_take(&facts, h);
        if (cut_reads_tracked(h, ports, 2, &tracked))
            assert(tracked.tuple && (tracked.source.family == 4 || tracked.source.family == 6));
    }
    assert(facts.links_count <= FACTS_LINKS && facts.gateways_count <= NEVER_GATEWAYS);
    facts_tell(&facts, &told);
    assert(told.own_count == facts.addrs_count);
    free(whole);
    return 0;
}
