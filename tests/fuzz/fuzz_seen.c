/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What another host saw, of any bytes: no more hosts than fit, each once, each port in one of three states. */
#include <assert.h>
#include <string.h>

#include "wire/seen.h"

static void mark(void *own, uint16_t first, uint16_t last)
{
    size_t *calls = own;

    assert(first <= last);
    (*calls)++;
}

static void check_host(const struct seen *s, size_t i)
{
    const struct seen_host *h = &s->host[i];

    assert(h->address.family == 4 || h->address.family == 6);
    for (size_t n = 0; n < i; n++)
        assert(!addr_eq(s->host[n].address, h->address));
    for (size_t p = 0; p < SEEN_PROTOCOLS; p++)
        for (size_t port = 0; port < SEEN_PORTS; port++)
            assert(h->port[p][port] <= SEEN_OPEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen s;
    struct slice rest;
    size_t calls = 0;

    memset(&s, 0, sizeof(s));
    assert(seen_read(&s, slice_of(data, size)) == (s.hosts > 0));
    assert(s.hosts <= SEEN_HOSTS && (s.hosts_more == 0 || s.hosts == SEEN_HOSTS));
    for (size_t i = 0; i < s.hosts; i++)
        check_host(&s, i);
    if (seen_ports(slice_until(slice_of(data, size), '\n', &rest), mark, &calls))
        assert(calls > 0);
    return 0;
}
