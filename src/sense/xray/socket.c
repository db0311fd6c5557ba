/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets, as sock_diag lists them, with their owners where these are looked at at the same time. */
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "wire/diag.h"
#include "wire/proc.h"

enum { ANSWER_S = 2 };

/* Sockets that are bound and nothing else have a state of their own (13, since 6.8); without listeners, without those.
 */
static const uint32_t ALL_STATES = ~0U;
static const uint32_t CONNECTED = 0xfff & ~(1U << 10);

struct dump {
    struct xray *x;
    uint64_t network;
    const char *kind;
    bool (*read)(struct slice body, struct diag_socket *s);
};

int netlink_open(int protocol)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    struct timeval patience = { .tv_sec = ANSWER_S };
    int room = 4 << 20;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

int netlink_ask(struct xray *x, int fd, const void *question, size_t len,
                void (*message)(void *own, const struct diag_message *m), void *own)
{
    if (send(fd, question, len, 0) < 0)
        return -1;
    for (;;) {
        ssize_t n = recv(fd, x->room, XRAY_ROOM, 0);
        struct slice rest = slice_of(x->room, n > 0 ? (size_t)n : 0);
        struct diag_message m;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        while (diag_next(&rest, &m)) {
            if (m.type == NLMSG_DONE)
                return 0;
            if (m.type == NLMSG_ERROR) {
                errno = diag_error(&m);
                return errno ? -1 : 0;
            }
            message(own, &m);
        }
        if (x->fresh.wanted)
            xray_newcomers(x);
    }
}

/* A name in the file system ends with a NUL; an abstract one begins with one, and ends where it ends. */
static struct slice path_of(const struct diag_socket *from)
{
    struct slice path = from->path;

    while (path.len > 0 && path.at[0] != 0 && path.at[path.len - 1] == 0)
        path.len--;
    return path;
}

void xray_socket(struct xray *x, const char *kind, uint64_t network, const struct diag_socket *from)
{
    struct snap *s = x->s;
    struct snap_socket *to = snap_add(s, SNAP_SOCKET);

    if (!to)
        return;
    to->kind = slice_text(kind);
    to->network = network;
    to->state = slice_text(diag_state_name(from->state));
    to->local = from->local;
    to->remote = from->remote;
    to->path = snap_keep(s, path_of(from));
    to->inode = from->inode;
    to->peer_inode = from->peer_inode;
    to->uid = from->uid;
    to->cookie = from->cookie;
    to->receive_queue = from->receive_queue;
    to->send_queue = from->send_queue;
    to->timer = from->timer;
    to->retransmits = from->retransmits;
}

static void on_socket(void *own, const struct diag_message *m)
{
    const struct dump *d = own;
    struct diag_socket from;

    if (!d->read(m->body, &from))
        return;
    xray_socket(d->x, d->kind, d->network, &from);
    if (d->x->fresh.wanted)
        xray_partner_of(d->x, &from);
}

int netlink_ask_inet(struct xray *x, int fd, uint8_t family, uint8_t protocol,
                     void (*message)(void *own, const struct diag_message *m), void *own)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 q;
    } ask_for = { .h = { .nlmsg_len = sizeof(ask_for),
                         .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                         .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                  .q = { .sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = ~0U } };

    return netlink_ask(x, fd, &ask_for, sizeof(ask_for), message, own);
}

/*
 * TCP of both families in one walk over the kernel's table: the older of the
 * two questions asks so.  Kernels that no longer know it are asked twice.
 */
int netlink_ask_tcp(struct xray *x, int fd, uint32_t states, void (*message)(void *own, const struct diag_message *m),
                    void *own)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req q;
    } both = {
        .h = { .nlmsg_len = sizeof(both), .nlmsg_type = TCPDIAG_GETSOCK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .q = { .idiag_family = AF_INET, .idiag_states = states }
    };

    if (netlink_ask(x, fd, &both, sizeof(both), message, own) == 0)
        return 0;
    return netlink_ask_inet(x, fd, AF_INET, IPPROTO_TCP, message, own) < 0 ||
                   netlink_ask_inet(x, fd, AF_INET6, IPPROTO_TCP, message, own) < 0
             ? -1
             : 0;
}

static void note_unanswered(struct dump *d)
{
    if (errno != ENOENT && errno != EINVAL)
        snap_note(d->x->s, "socket", "%s sockets of network namespace %llu: %s", d->kind,
                  (unsigned long long)d->network, strerror(errno));
}

static void dump_tcp(struct dump *d, int fd)
{
    d->kind = "tcp";
    d->read = diag_inet_read;
    if (netlink_ask_tcp(d->x, fd, ALL_STATES, on_socket, d) < 0)
        note_unanswered(d);
}

static void dump_inet(struct dump *d, int fd, const char *kind, uint8_t protocol)
{
    static const uint8_t families[] = { AF_INET, AF_INET6 };

    d->kind = kind;
    d->read = diag_inet_read;
    for (size_t i = 0; i < 2; i++)
        if (netlink_ask_inet(d->x, fd, families[i], protocol, on_socket, d) < 0)
            note_unanswered(d);
}

static void dump_local(struct dump *d, int fd)
{
    struct {
        struct nlmsghdr h;
        struct unix_diag_req q;
    } local = { .h = { .nlmsg_len = sizeof(local),
                       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                .q = { .sdiag_family = AF_UNIX,
                       .udiag_states = ~0U,
                       .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID } };
    struct {
        struct nlmsghdr h;
        struct packet_diag_req q;
    } packet = { .h = { .nlmsg_len = sizeof(packet),
                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                 .q = { .sdiag_family = AF_PACKET } };

    d->kind = "unix";
    d->read = diag_unix_read;
    (void)netlink_ask(d->x, fd, &local, sizeof(local), on_socket, d);
    d->kind = "packet";
    d->read = diag_packet_read;
    (void)netlink_ask(d->x, fd, &packet, sizeof(packet), on_socket, d);
}

void xray_sockets_listed(struct xray *x, int fd, uint64_t network)
{
    struct dump d = { .x = x, .network = network };

    x->fresh.wanted = x->early_processes > 0 && network == snap_host(x->s)->network;
    if (x->fresh.wanted)
        xray_partners_begin(x);
    dump_tcp(&d, fd);
    if (x->fresh.wanted) {
        xray_newest(x);
        xray_partners_end(x, network);
    }
    x->fresh.wanted = false;
    dump_inet(&d, fd, "udp", IPPROTO_UDP);
    dump_inet(&d, fd, "raw", IPPROTO_RAW);
    dump_local(&d, fd);
}

/* --- what iterators did not tell */

static int by_inode(const void *a, const void *b)
{
    uint64_t x = ((const struct snap_socket *)a)->inode;
    uint64_t y = ((const struct snap_socket *)b)->inode;

    return x < y ? -1 : x > y;
}

/* Sockets have numbers of their own, whatever their namespace; those without one are nobody's, and known. */
void xray_sockets_left(struct xray *x)
{
    struct snap_array *part = &x->s->part[SNAP_SOCKET];
    size_t known = part->count;
    size_t kept = known;
    int fd = netlink_open(NETLINK_SOCK_DIAG);
    struct snap_socket *all;

    if (fd < 0)
        return;
    xray_sockets_listed(x, fd, snap_host(x->s)->network);
    close(fd);
    all = part->at;
    if (known > 0)
        qsort(all, known, sizeof(*all), by_inode);
    for (size_t i = known; i < part->count; i++)
        if (all[i].inode != 0 && !bsearch(&all[i], all, known, sizeof(*all), by_inode))
            all[kept++] = all[i];
    part->count = kept;
}

/* --- the second look */

struct cookies {
    uint64_t *at; /* owned */
    size_t count, cap;
};

static void on_cookie(void *own, const struct diag_message *m)
{
    struct cookies *c = own;
    struct diag_socket s;

    if (c->count < c->cap && diag_inet_read(m->body, &s) && s.remote.port != 0)
        c->at[c->count++] = s.cookie;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void xray_sockets_again(struct xray *x)
{
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    size_t cap = 2 * x->s->part[SNAP_SOCKET].count + 4096;
    struct cookies now = { .at = calloc(cap, sizeof(uint64_t)), .cap = cap };
    uint64_t before = 0;
    uint64_t both = 0;
    int fd = netlink_open(NETLINK_SOCK_DIAG);

    if (!h || !now.at || fd < 0 || netlink_ask_tcp(x, fd, CONNECTED, on_cookie, &now) < 0)
        goto out;
    if (now.count > 0)
        qsort(now.at, now.count, sizeof(now.at[0]), compare);
    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, s)
    {
        if (!slice_eq(s->kind, SLICE("tcp")) || s->network != h->network || s->remote.port == 0)
            continue;
        before++;
        both += bsearch(&s->cookie, now.at, now.count, sizeof(now.at[0]), compare) != NULL;
    }
    h->sockets_vanished = before - both;
    h->sockets_appeared = now.count > both ? now.count - both : 0;
out:
    if (fd >= 0)
        close(fd);
    free(now.at);
}
