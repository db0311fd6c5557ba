/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/dns_pipe.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "sys/loop.h"

enum {
    EDNS_BYTES = 1232, /* an answer of that size fits any path in one piece */
    CLASS_IN = 1,
    IDS = 128 /* fetched from the kernel at once: 256 bytes, which getrandom gives whole */
};

struct dns_pipe {
    ares_channel channel;
    struct loop *loop;
    unsigned open, asked;
    uint16_t ids[IDS]; /* by chance, each for one question; the first `ids_left` are unused */
    unsigned ids_left;
    void (*answered)(void *owner, void *about, enum dns_end how, struct slice message);
    void *owner;
};

struct dns_sent {
    struct dns_pipe *pipe;
    void *about;
};

static void on_ready(void *ctx, int fd, int events)
{
    struct dns_pipe *p = ctx;

    ares_process_fd(p->channel, events & (LOOP_IN | LOOP_GONE) ? fd : ARES_SOCKET_BAD,
                    events & LOOP_OUT ? fd : ARES_SOCKET_BAD);
}

/* The questions of a socket that can't be watched end at their deadline. */
static void watch(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct dns_pipe *p = ctx;
    int events = (readable ? LOOP_IN : 0) | (writable ? LOOP_OUT : 0);

    if (events == 0)
        loop_unwatch(p->loop, fd);
    else if (loop_change(p->loop, fd, events, NULL) < 0)
        (void)loop_watch(p->loop, fd, events, on_ready, p, NULL);
}

static int set_servers(struct dns_pipe *p, const struct key_addrs *servers)
{
    struct ares_addr_port_node node[KEY_ADDR_CAP];

    memset(node, 0, sizeof(node));
    for (uint32_t i = 0; i < servers->count; i++) {
        struct addr a = servers->at[i];
        bool v4 = a.family == 4;

        node[i].next = i + 1 < servers->count ? &node[i + 1] : NULL;
        node[i].family = v4 ? AF_INET : AF_INET6;
        memcpy(v4 ? (void *)&node[i].addr.addr4 : (void *)&node[i].addr.addr6, a.ip, v4 ? 4 : 16);
        node[i].udp_port = node[i].tcp_port = a.port ? a.port : 53;
    }
    return ares_set_servers_ports(p->channel, node);
}

struct dns_pipe *dns_pipe_new(struct loop *l, const struct key_addrs *servers, int64_t try_us, uint64_t tries,
                              void (*answered)(void *owner, void *about, enum dns_end how, struct slice message),
                              void *owner, struct err *e)
{
    struct dns_pipe *p = calloc(1, sizeof(*p));
    char lookups[] = "b"; /* never /etc/hosts */
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
        .timeout = (int)(try_us / 1000),
        .tries = (int)tries,
        .lookups = lookups,
        .ednspsz = EDNS_BYTES,
        .sock_state_cb = watch,
        .sock_state_cb_data = p,
    };
    int status;

    if (!p || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        (void)err_set(e, ENOMEM, "name servers");
        free(p);
        return NULL;
    }
    *p = (struct dns_pipe){ .loop = l, .answered = answered, .owner = owner };
    status = ares_init_options(&p->channel, &o,
                               ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                   ARES_OPT_EDNSPSZ | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        (void)err_set(e, 0, "name servers: %s", ares_strerror(status));
        ares_library_cleanup();
        free(p);
        return NULL;
    }
    status = set_servers(p, servers);
    if (status == ARES_SUCCESS)
        return p;
    (void)err_set(e, 0, "name servers: %s", ares_strerror(status));
    dns_pipe_free(p);
    return NULL;
}

void dns_pipe_free(struct dns_pipe *p)
{
    if (!p)
        return;
    ares_destroy(p->channel);
    ares_library_cleanup();
    free(p);
}

static void end(struct dns_sent *s, enum dns_end how, struct slice message)
{
    struct dns_pipe *p = s->pipe;
    void *about = s->about;

    free(s);
    p->open--;
    p->answered(p->owner, about, how, message);
}

static void on_end(void *ctx, int status, int timeouts, unsigned char *at, int len)
{
    (void)timeouts;
    switch (status) {
    case ARES_SUCCESS:
    case ARES_ESERVFAIL:
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
        end(ctx, DNS_ANSWERED, slice_of(at, at ? (size_t)len : 0));
        break;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        end(ctx, DNS_DROPPED, slice_of(NULL, 0));
        break;
    default:
        end(ctx, DNS_SILENT, slice_of(NULL, 0));
        break;
    }
}

static bool next_id(struct dns_pipe *p, uint16_t *id)
{
    if (p->ids_left == 0) {
        if (getrandom(p->ids, sizeof(p->ids), 0) != (ssize_t)sizeof(p->ids))
            return false;
        p->ids_left = IDS;
    }
    *id = p->ids[--p->ids_left];
    return true;
}

void dns_pipe_send(struct dns_pipe *p, enum dns_kind kind, const char *name, void *about, struct dns_sent **sent)
{
    struct dns_sent *s = calloc(1, sizeof(*s));
    unsigned char *question = NULL;
    uint16_t id;
    int len;

    *sent = s;
    if (!s) {
        p->answered(p->owner, about, DNS_UNSENT, slice_of(NULL, 0));
        return;
    }
    *s = (struct dns_sent){ .pipe = p, .about = about };
    p->asked++;
    p->open++;
    if (next_id(p, &id) &&
        ares_create_query(name, CLASS_IN, dns_type(kind), id, 1, &question, &len, EDNS_BYTES) == ARES_SUCCESS)
        ares_send(p->channel, question, len, on_end, s);
    else
        end(s, DNS_UNSENT, slice_of(NULL, 0));
    ares_free_string(question);
}

void dns_sent_forget(struct dns_sent *s)
{
    if (s)
        s->about = NULL;
}

void dns_pipe_tick(struct dns_pipe *p)
{
    ares_process_fd(p->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

unsigned dns_pipe_open(const struct dns_pipe *p)
{
    return p->open;
}

unsigned dns_pipe_asked(const struct dns_pipe *p)
{
    return p->asked;
}
