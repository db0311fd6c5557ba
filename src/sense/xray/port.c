/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ports that somebody has and that one of the kernel's lists does not show.
 *
 * Three views of our own network namespace are laid over each other: what
 * sock_diag lists, what /proc/net lists, and what the sockets say that
 * processes hold.  Only what differs twice, in two looks, is told: sockets
 * come and go.  `deep` also tries to bind each port that nobody has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "wire/proc.h"

enum { UNKNOWN_MOST = 2000, PORTS = 65536, TCP = 0, UDP = 1, LISTENING = 10, FAR_FROM_FULL = 2048 };

/* A bit for each port. */
struct ports {
    uint8_t at[2][PORTS / 8];
};

static void set(struct ports *p, int kind, uint16_t port)
{
    p->at[kind][port / 8] = (uint8_t)(p->at[kind][port / 8] | 1U << (port % 8));
}

static bool has(const struct ports *p, int kind, uint16_t port)
{
    return (p->at[kind][port / 8] >> (port % 8) & 1) != 0;
}

struct listed {
    struct ports *ports;
    int kind;
};

static void on_listed(void *own, const struct diag_message *m)
{
    const struct listed *l = own;
    struct diag_socket s;

    if (diag_inet_read(m->body, &s))
        set(l->ports, l->kind, s.local.port);
}

/* What sock_diag lists now, in these states of TCP. */
static bool look_by_diag(struct xray *x, uint32_t states, struct ports *ports)
{
    struct listed l = { .ports = ports, .kind = TCP };
    int fd = netlink_open(NETLINK_SOCK_DIAG);
    bool told = fd >= 0 && netlink_ask_tcp(x, fd, states, on_listed, &l) == 0;

    l.kind = UDP;
    told = told && netlink_ask_inet(x, fd, AF_INET, IPPROTO_UDP, on_listed, &l) == 0;
    (void)(told && netlink_ask_inet(x, fd, AF_INET6, IPPROTO_UDP, on_listed, &l));
    if (fd >= 0)
        close(fd);
    return told;
}

/* The lines of one read; false when all that follows is of no interest: of TCP the listeners stand first. */
static bool take_lines(struct slice text, int kind, struct ports *ports)
{
    while (text.len > 0) {
        struct proc_port p;

        if (!proc_port_read(slice_until(text, '\n', &text), &p))
            continue; /* the headline */
        if (kind == TCP && p.state != LISTENING)
            return false;
        set(ports, kind, p.local.port);
    }
    return true;
}

/*
 * What /proc/net lists now; the kernel gives whole lines at each read, a page
 * full of them.  One that is far from full was the last: asking once more
 * would walk all the table of connections again, only to say so.
 */
static bool look_by_proc(struct xray *x, struct ports *ports)
{
    static const struct {
        const char *path;
        int kind;
    } lists[] = {
        { "self/net/tcp", TCP }, { "self/net/tcp6", TCP }, { "self/net/udp", UDP }, { "self/net/udp6", UDP }
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        int fd = openat(x->proc, lists[i].path, O_RDONLY | O_CLOEXEC);
        ssize_t n = 0;

        if (fd < 0 && errno != ENOENT)
            return false;
        while (fd >= 0 && (n = read(fd, x->room, XRAY_ROOM)) > 0 &&
               take_lines(slice_of(x->room, (size_t)n), lists[i].kind, ports) && n >= FAR_FROM_FULL)
            ;
        if (fd >= 0)
            close(fd);
    }
    return true;
}

static void tell(struct xray *x, int kind, uint16_t port, int64_t pid, const char *shown, const char *lacks)
{
    struct snap_port *to = snap_add(x->s, SNAP_PORT);

    if (!to)
        return;
    to->kind = kind == TCP ? SLICE("tcp") : SLICE("udp");
    to->network = snap_host(x->s)->network;
    to->port = port;
    to->pid = pid;
    to->shown = slice_text(shown);
    to->lacks = slice_text(lacks);
}

/* --- lists against each other */

struct views {
    struct ports diag, proc;
    bool told;
};

static void look(struct xray *x, struct views *v)
{
    memset(v, 0, sizeof(*v));
    v->told = look_by_proc(x, &v->proc) && look_by_diag(x, 1U << LISTENING, &v->diag);
}

/* Is the port in no state listed by sock_diag now? */
static bool is_unlisted(struct xray *x, struct ports *room, int kind, uint16_t port)
{
    memset(room, 0, sizeof(*room));
    return look_by_diag(x, ~0U, room) && !has(room, kind, port);
}

static bool differs(const struct views *v)
{
    return v->told && memcmp(&v->diag, &v->proc, sizeof(v->diag)) != 0;
}

static void compare(struct xray *x, const struct views *first, const struct views *second)
{
    for (int kind = TCP; kind <= UDP; kind++)
        for (unsigned port = 1; port < PORTS; port++) {
            uint16_t p = (uint16_t)port;
            bool diag = has(&second->diag, kind, p);
            bool proc = has(&second->proc, kind, p);

            if (diag == proc || has(&first->diag, kind, p) != diag || has(&first->proc, kind, p) != proc)
                continue;
            tell(x, kind, p, 0, diag ? "sock_diag" : "/proc/net", diag ? "/proc/net" : "sock_diag");
        }
}

/* --- sockets that processes hold, and no list shows */

/* Its port when it listens or is bound, out of a copy of the descriptor; 0: none, or it is of another kind. */
static uint16_t port_held(const struct snap_holder *h, int *kind)
{
    struct sockaddr_storage sa = { .ss_family = 0 };
    socklen_t len = sizeof(sa);
    socklen_t size = sizeof(int);
    char path[64];
    char name[32];
    int listens = 0;
    int process;
    int fd;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/%lld/fd/%llu", (long long)h->pid, (unsigned long long)h->descriptor);
    n = getxattr(path, "system.sockprotoname", name, sizeof(name) - 1);
    name[n > 0 ? n : 0] = '\0';
    if (strncmp(name, "TCP", 3) != 0 && strncmp(name, "UDP", 3) != 0)
        return 0;
    *kind = name[0] == 'T' ? TCP : UDP;
    process = (int)syscall(SYS_pidfd_open, (pid_t)h->pid, 0);
    fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, (int)h->descriptor, 0);
    if (process >= 0)
        close(process);
    if (fd < 0)
        return 0;
    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ||
        (*kind == TCP && (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens)))
        sa.ss_family = 0;
    close(fd);
    if (sa.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)&sa)->sin_port);
    return sa.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)&sa)->sin6_port) : 0;
}

static void ask_holders(struct xray *x, const struct join *j, struct ports *room)
{
    uint64_t own = snap_host(x->s)->network;
    unsigned asked = 0;

    SNAP_LIST(x->s, SNAP_HOLDER, struct snap_holder, h)
    {
        const struct snap_process *p;
        uint16_t port;
        int kind = TCP;

        if (join_socket(j, h->inode) || !(p = join_process(j, h->pid)) || p->network != own)
            continue;
        if (asked++ == UNKNOWN_MOST)
            break;
        port = port_held(h, &kind);
        if (port != 0 && is_unlisted(x, room, kind, port) && port_held(h, &kind) == port)
            tell(x, kind, port, h->pid, "the process itself", "sock_diag");
    }
}

/* --- each port that nobody seems to have */

static bool is_taken(int kind, uint16_t port)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    int type = (kind == TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
    int yes = kind == TCP; /* for UDP it would share the port with whoever has it */
    int fd = socket(AF_INET6, type, 0);
    bool six = fd >= 0;
    bool taken;

    if (!six)
        fd = socket(AF_INET, type, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    taken = (six ? bind(fd, (const struct sockaddr *)&any, sizeof(any))
                 : bind(fd, (const struct sockaddr *)&any4, sizeof(any4))) < 0 &&
            errno == EADDRINUSE;
    if (fd >= 0)
        close(fd);
    return taken;
}

static void try_all(struct xray *x, struct ports *room)
{
    memset(room, 0, sizeof(*room));
    if (!look_by_diag(x, ~0U, room))
        return;
    for (int kind = TCP; kind <= UDP; kind++)
        for (unsigned port = 1; port < PORTS; port++)
            if (!has(room, kind, (uint16_t)port) && is_taken(kind, (uint16_t)port) &&
                is_unlisted(x, room, kind, (uint16_t)port) && is_taken(kind, (uint16_t)port))
                tell(x, kind, (uint16_t)port, 0, "bind", "sock_diag");
}

void xray_ports(struct xray *x, const struct join *j, bool deep)
{
    struct views *v = calloc(2, sizeof(*v));

    if (!v)
        return;
    look(x, &v[0]);
    if (differs(&v[0])) {
        look(x, &v[1]);
        if (differs(&v[1]))
            compare(x, &v[0], &v[1]);
    }
    ask_holders(x, j, &v[0].diag);
    if (deep)
        try_all(x, &v[0].diag);
    free(v);
}
