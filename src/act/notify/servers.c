/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/servers.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/text.h"

enum { LOOK_US = 100000, TRY_MS = 1500, TRIES = 2 };

struct host {
    struct servers *servers;
    char name[256];
    bool fixed;                        /* literal, or of /etc/hosts */
    char addresses[SERVERS_ADDRESSES]; /* the last that were known */
};

struct question {
    struct host *host;
    void (*done)(void *ctx, const char *addresses, const char *why);
    void *ctx;
};

struct servers {
    struct loop *loop;
    ares_channel channel;
    struct host hosts[SERVERS_MOST];
    int count;
    unsigned open; /* questions */
    uint32_t timer;
};

static void on_ready(void *ctx, int fd, int events)
{
    struct servers *n = ctx;

    ares_process_fd(n->channel, events & (LOOP_IN | LOOP_GONE) ? fd : ARES_SOCKET_BAD,
                    events & LOOP_OUT ? fd : ARES_SOCKET_BAD);
}

static void on_socket(void *ctx, ares_socket_t fd, int in, int out)
{
    struct servers *n = ctx;
    struct err e;

    loop_unwatch(n->loop, fd);
    if (in || out)
        (void)loop_watch(n->loop, fd, (in ? LOOP_IN : 0) | (out ? LOOP_OUT : 0), on_ready, n, &e);
}

static void on_look(void *ctx)
{
    struct servers *n = ctx;

    ares_process_fd(n->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* time-outs */
    if (n->open == 0) {
        loop_untimer(n->loop, n->timer);
        n->timer = 0;
    }
}

struct servers *servers_new(struct loop *l, struct err *e)
{
    char dns[] = "b";
    struct servers *n = calloc(1, sizeof(*n));
    struct ares_options o = {
        .timeout = TRY_MS, .tries = TRIES, .lookups = dns, .sock_state_cb = on_socket, .sock_state_cb_data = n
    };

    if (!n) {
        (void)err_set(e, ENOMEM, "servers");
        return NULL;
    }
    n->loop = l;
    if (ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS &&
        ares_init_options(&n->channel, &o,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB) ==
            ARES_SUCCESS)
        return n;
    free(n);
    (void)err_set(e, 0, "c-ares does not start");
    return NULL;
}

static void add_address(struct text *t, int family, const void *ip)
{
    char words[INET6_ADDRSTRLEN];

    if (inet_ntop(family, ip, words, sizeof(words)) && t->len + strlen(words) + 2 < t->cap)
        text_addf(t, "%s%s", t->len ? "," : "", words);
}

static void look_in_hosts(struct host *h)
{
    static const int families[] = { AF_INET, AF_INET6 };
    struct text t = TEXT_IN(h->addresses);

    for (unsigned f = 0; f < 2; f++) {
        struct hostent *found = NULL;

        if (ares_gethostbyname_file(h->servers->channel, h->name, families[f], &found) != ARES_SUCCESS)
            continue;
        for (char **at = found->h_addr_list; *at; at++)
            add_address(&t, families[f], *at);
        ares_free_hostent(found);
    }
    h->fixed = t.len > 0;
}

int servers_add(struct servers *n, const char *host)
{
    struct host *h = &n->hosts[n->count];
    struct addr a;

    if (n->count == SERVERS_MOST)
        return -1;
    *h = (struct host){ .servers = n };
    if (!text_cstr(h->name, sizeof(h->name), slice_text(host)))
        return -1;
    if (addr_read(slice_text(host), &a)) {
        h->fixed = true;
        (void)text_cstr(h->addresses, sizeof(h->addresses), slice_text(addr_ip_text(a).text));
    } else
        look_in_hosts(h);
    return n->count++;
}

static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *found)
{
    struct question *q = ctx;
    struct host *h = q->host;
    char words[SERVERS_ADDRESSES];
    char why[400] = "";
    struct text t = TEXT_IN(words);

    (void)timeouts;
    for (struct ares_addrinfo_node *at = found ? found->nodes : NULL; at; at = at->ai_next)
        if (at->ai_family == AF_INET)
            add_address(&t, AF_INET, &((struct sockaddr_in *)(void *)at->ai_addr)->sin_addr);
        else if (at->ai_family == AF_INET6)
            add_address(&t, AF_INET6, &((struct sockaddr_in6 *)(void *)at->ai_addr)->sin6_addr);
    if (found)
        ares_freeaddrinfo(found);
    h->servers->open--;
    if (t.len > 0)
        memcpy(h->addresses, words, sizeof(words));
    else
        (void)snprintf(why, sizeof(why), "the address of %s is not known: %s", h->name, ares_strerror(status));
    q->done(q->ctx, h->addresses, why);
    free(q);
}

void servers_ask(struct servers *n, int host, void (*done)(void *ctx, const char *addresses, const char *why),
                 void *ctx)
{
    struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct host *h = &n->hosts[host];
    struct question *q;

    if (h->fixed) {
        done(ctx, h->addresses, "");
        return;
    }
    q = calloc(1, sizeof(*q));
    if (!q) {
        done(ctx, h->addresses, "no memory");
        return;
    }
    *q = (struct question){ h, done, ctx };
    n->open++;
    if (n->timer == 0)
        n->timer = loop_timer(n->loop, LOOK_US, LOOK_US, on_look, n);
    ares_getaddrinfo(n->channel, h->name, NULL, &hints, on_answer, q);
}
