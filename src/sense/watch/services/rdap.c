/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One GET of what a registry says of a domain; well: there is a page, whole.  What it says is read in domains.c. */
#include "sense/watch/services/attempt.h"

static void begin(struct attempt *a)
{
    http_ask(a, "application/rdap+json");
    a->reply.page = a->prober->page;
    a->reply.page_room = sizeof(a->prober->page);
}

static void judge(struct attempt *a, bool ended)
{
    const struct httpreply *r = &a->reply;

    if (!r->head_whole)
        return;
    if (r->status == 404)
        attempt_missed(a, "it is not registered, or its registry can't be asked this way (status 404)");
    else if (r->status == 429)
        attempt_missed(a, "asked too often (status 429)");
    else if (r->status != 200)
        attempt_missed(a, "it answers with status %u", r->status);
    else if (r->bytes > r->page_room)
        attempt_missed(a, "its answer is longer than is read");
    else if (ended)
        attempt_well(a);
}

static void heard(struct attempt *a)
{
    enum httpreply_got got = httpreply_feed(&a->reply, slice_of(a->in, a->in_len));

    a->in_len = 0;
    if (got == HTTPREPLY_BAD)
        attempt_missed(a, "its answer is no HTTP");
    else
        judge(a, got == HTTPREPLY_WHOLE);
}

static void closed(struct attempt *a)
{
    judge(a, httpreply_ends(&a->reply));
}

const struct kind kind_rdap = { .tls = true, .begin = begin, .heard = heard, .closed = closed };
const struct kind kind_rdap_plain = { .begin = begin, .heard = heard, .closed = closed };
