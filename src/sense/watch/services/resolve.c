/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/text.h"
#include "sense/watch/services/attempt.h"
#include "sys/clock.h"
#include "sys/sockaddr.h"
#include "wire/dnsask.h"

enum { ANSWER = 4096, AGAIN_US = 1000000, TRIES = 60, PATIENCE = 2 };
#define FRESH_US (60 * (int64_t)1000000)    /* a name is looked up anew */
#define LAST_US  (86400 * (int64_t)1000000) /* and its last address is good for so long, while nobody answers */

/* ---- /etc/hosts ---- */

void resolve_hosts(struct prober *p, struct slice text)
{
    while (text.len > 0) {
        struct slice rest;
        struct slice line = slice_trim(slice_until(slice_until(text, '\n', &text), '#', &rest));
        struct addr addr;

        for (uint8_t first = 1; line.len > 0; first = 0) {
            size_t n = 0;

            while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t')
                n++;
            if (first && !addr_read(slice_first(line, n), &addr))
                break;
            if (!first && p->hosts_count < HOSTS_MOST &&
                text_cstr(p->hosts[p->hosts_count].name, sizeof(p->hosts[0].name), slice_first(line, n)))
                p->hosts[p->hosts_count++].addr = addr;
            line = slice_trim(slice_skip(line, n));
        }
    }
}

static bool in_hosts(struct attempt *a)
{
    struct slice name = slice_text(a->target.host);

    for (uint32_t i = 0; i < a->prober->hosts_count; i++)
        if (slice_eq_nocase(slice_text(a->prober->hosts[i].name), name)) {
            a->to = a->prober->hosts[i].addr;
            a->to.port = a->target.port;
            return true;
        }
    return false;
}

static void go(struct attempt *a)
{
    (a->kind->start ? a->kind->start : talk_start)(a);
}

/* ---- a question ---- */

void dns_exchange_end(struct dns_exchange *x)
{
    struct loop *l = x->attempt->prober->loop;

    loop_untimer(l, x->timer);
    x->timer = 0;
    if (x->fd >= 0)
        loop_close(l, x->fd);
    x->fd = -1;
}

static void ask(struct dns_exchange *x);

static void on_answer(void *ctx, int fd, int events)
{
    struct dns_exchange *x = ctx;
    uint8_t bytes[ANSWER];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) { /* refused: the next one, at the next turn of the clock */
        loop_close(x->attempt->prober->loop, fd);
        x->fd = -1;
        return;
    }
    if (!dnsask_is_for(slice_of(bytes, (size_t)n), x->id))
        return; /* not ours: it may still come */
    dns_exchange_end(x);
    x->answered(x->attempt, slice_of(bytes, (size_t)n));
}

static void on_address(struct attempt *a, struct slice message);

static void again(void *ctx)
{
    struct dns_exchange *x = ctx;

    dns_exchange_end(x);
    if (x->tries >= PATIENCE && x->answered == on_address && x->attempt->to.family != 0)
        go(x->attempt); /* where it was before: a service is not down because our name servers are */
    else
        ask(x);
}

static void ask(struct dns_exchange *x)
{
    struct loop *l = x->attempt->prober->loop;
    const struct addr *server = &x->servers[x->tries++ % x->servers_count];
    uint8_t bytes[DNSASK_BYTES];
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_from(*server, &sa);
    size_t n;

    x->fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    x->timer = loop_timer(l, AGAIN_US, 0, again, x);
    if (x->fd < 0 || x->tries > TRIES)
        return;
    n = getrandom(&x->id, sizeof(x->id), 0) == sizeof(x->id) ? dnsask_write(bytes, x->id, x->kind, slice_text(x->name))
                                                             : 0;
    if (n == 0 || connect(x->fd, (const struct sockaddr *)&sa, len) < 0 || send(x->fd, bytes, n, MSG_NOSIGNAL) < 0 ||
        loop_watch(l, x->fd, LOOP_IN, on_answer, x, NULL) < 0) {
        x->attempt->ours = errno == ENETUNREACH || errno == ENETDOWN;
        loop_close(l, x->fd);
        x->fd = -1;
    }
}

void dns_exchange_begin(struct attempt *a, const struct addr *servers, uint32_t count, enum dns_kind kind,
                        const char *name, void (*answered)(struct attempt *a, struct slice message))
{
    struct text t = TEXT_IN(a->dns.name);

    dns_exchange_end(&a->dns);
    a->dns.servers = servers;
    a->dns.servers_count = count;
    a->dns.tries = 0;
    a->dns.kind = kind;
    a->dns.answered = answered;
    text_word(&t, name);
    ask(&a->dns);
}

/* ---- the address of a name ---- */

static void on_address(struct attempt *a, struct slice message)
{
    struct dns_answer answer;
    struct prober *p = a->prober;
    uint32_t ttl_s;
    bool sound = dns_read(message, a->dns.kind, slice_text(a->target.host), &p->room, &answer, &ttl_s);

    if (sound && answer.code == DNS_FOUND) {
        a->to = answer.at[0].addr;
        a->to.port = a->target.port;
        a->to_known_us = clock_mono_us();
        go(a);
    } else if (sound && answer.code == DNS_NOTHING && a->dns.kind == DNS_A)
        dns_exchange_begin(a, p->resolvers->at, p->resolvers->count, DNS_AAAA, a->target.host, on_address);
    else if (sound && answer.code == DNS_NO_NAME)
        attempt_missed(a, "its name %.60s does not exist", a->target.host);
    else
        attempt_missed(a, "the name servers have no address for it");
}

void resolve_begin(struct attempt *a)
{
    struct prober *p = a->prober;
    int64_t age_us = clock_mono_us() - a->to_known_us;

    if (a->target.addr.family != 0 || in_hosts(a) || (a->to_known_us != 0 && age_us < FRESH_US)) {
        go(a);
        return;
    }
    if (a->to_known_us == 0 || age_us > LAST_US)
        a->to = (struct addr){ 0 };
    if (p->resolvers->count == 0) {
        attempt_missed(a, "no name server is known to look it up");
        return;
    }
    dns_exchange_begin(a, p->resolvers->at, p->resolvers->count, DNS_A, a->target.host, on_address);
}
