/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One GET.  It is well when the status is right and, where a text is wanted, the text has come by. */
#include <stdio.h>
#include <string.h>

#include "sense/watch/services/attempt.h"

enum { LOOKED_THROUGH = 1 << 20 }; /* bytes of a page */

void http_ask(struct attempt *a, const char *accept)
{
    char request[sizeof(a->out)];
    bool usual = a->target.port == target_usual_port(a->service->probe);
    bool v6 = a->target.addr.family == 6;
    char port[8] = "";

    httpreply_init(&a->reply, slice_text(a->service->content));
    if (!usual)
        (void)snprintf(port, sizeof(port), ":%u", a->target.port);
    (void)snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: serviola/" SERVIOLA_VERSION
                   "\r\nAccept: %s\r\nConnection: close\r\n\r\n",
                   a->target.path, v6 ? "[" : "", a->target.host, v6 ? "]" : "", port, accept);
    talk_say(a, request);
}

static void begin(struct attempt *a)
{
    http_ask(a, "*/*");
}

static bool status_is_right(const struct attempt *a)
{
    unsigned status = a->reply.status;

    return a->service->expect ? status == a->service->expect : status >= 200 && status < 400;
}

static void judge(struct attempt *a, bool ended)
{
    const struct httpreply *r = &a->reply;

    if (r->head_whole && !status_is_right(a))
        attempt_missed(a, "it answers with status %u", r->status);
    else if (r->head_whole && r->found)
        attempt_well(a);
    else if (r->head_whole && (ended || r->bytes > LOOKED_THROUGH))
        attempt_missed(a, "the text is not in its page (status %u, %llu bytes)", r->status,
                       (unsigned long long)r->bytes);
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

const struct kind kind_http = { .begin = begin, .heard = heard, .closed = closed };
const struct kind kind_https = { .tls = true, .begin = begin, .heard = heard, .closed = closed };
