/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Syslog over UDP and over a unix socket: a datagram is a message.  What the kernel dropped is counted and told. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/log/inner.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "sys/sockaddr.h"

enum {
    AT_ONCE = 128, /* datagrams of one call */
    ROUNDS = 8,    /* calls of one turn */
    ROOM = 66000,  /* a datagram's largest size, and a little */
    SOCKETS = 64,
    TELL_US = 1000000, /* losses are told at most so often */
    NAP_US = 1000,     /* a busy socket is left alone so long: its messages come by the hundred then */
    SAMPLE_EVERY = 16, /* one of so many is looked into */
};

struct mouth { /* one socket; fd -1: a free place */
    struct datagrams *all;
    struct source source;
    struct log_port port; /* of /dev/log the way alone */
    bool leaves;          /* nobody names it any more: what has come is read, then it is closed */
    char name[128];
    uint32_t dropped_seen; /* the kernel's counter, which only rises */
    uint64_t dropped_untold;
    int64_t turn_us; /* when it was read last */
    uint32_t nap;    /* timer */
};

struct arrival {
    struct sockaddr_storage from;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(struct ucred))];
};

struct datagrams {
    struct intake *in;
    struct mouth mouths[SOCKETS];
    uint32_t timer;
    unsigned sample;
    struct mmsghdr heads[AT_ONCE];
    struct iovec vecs[AT_ONCE];
    struct arrival arrivals[AT_ONCE];
    uint8_t *rooms; /* AT_ONCE of ROOM */
    struct {        /* the last peer, in words: they come in runs */
        struct sockaddr_storage from;
        socklen_t len;
        struct addr from_addr;
        struct addr_words words;
        bool allowed;
    } last;
};

/* ---- sockets ---- */

static void set_buffer(int fd, uint64_t bytes, const char *name)
{
    int wanted = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;
    int got = 0;
    socklen_t len = sizeof(got);

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0 && got < wanted)
        say("%s: the kernel gives a buffer of %d bytes instead of %d; raise net.core.rmem_max", name, got, wanted);
}

static void on_ready(void *ctx, int fd, int events);

static struct mouth *add(struct datagrams *d, int fd, const struct log_port *port, const char *name, struct err *e)
{
    struct mouth *m = d->mouths;

    while (m < d->mouths + SOCKETS && m->source.fd >= 0)
        m++;
    if (m == d->mouths + SOCKETS) {
        err_set(e, 0, "log: more than %d UDP sockets", SOCKETS);
        return NULL;
    }
    *m = (struct mouth){ .all = d, .port = *port };
    m->source = (struct source){ .fd = fd, .ready = on_ready, .ctx = m };
    (void)snprintf(m->name, sizeof(m->name), "%s", name);
    return m;
}

static int open_udp(struct datagrams *d, const struct log_port *port, bool shared, struct err *e)
{
    const struct addr at = port->at;
    struct sockaddr_storage ss;
    socklen_t len = sockaddr_from(at, &ss);
    const int one = 1;
    int fd;

    fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, errno, "log: UDP socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
    set_buffer(fd, d->in->settings.udp_buffer, "UDP");
    if ((shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0) ||
        (at.family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
        bind(fd, (const struct sockaddr *)&ss, len) < 0) {
        err_set(e, errno, "log: udp %s", addr_socket_text(at).text);
        (void)close(fd);
        return -1;
    }
    if (add(d, fd, port, addr_socket_text(at).text, e))
        return 0;
    (void)close(fd);
    return -1;
}

/* Replaces a socket that nobody listens on; anything else in that place stays. */
static int open_unix(struct datagrams *d, const char *path, struct err *e)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    const int one = 1;
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof(un.sun_path))
        return err_set(e, ENAMETOOLONG, "log: socket %s", path);
    memcpy(un.sun_path, path, strlen(path));
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode))
            return err_set(e, EEXIST, "log: socket %s", path);
        (void)unlink(path);
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(e, errno, "log: unix socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
    set_buffer(fd, d->in->settings.udp_buffer < (1 << 20) ? d->in->settings.udp_buffer : 1 << 20, path);
    if (bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0 || chmod(path, 0666) < 0) {
        err_set(e, errno, "log: socket %s", path);
        (void)close(fd);
        return -1;
    }
    (void)add(d, fd, &(struct log_port){ .way = LOG_UNIX }, path, e); /* before all others: there is a place */
    return 0;
}

static int open_all(struct datagrams *d, struct err *e)
{
    const struct log_settings *s = &d->in->settings;

    struct log_port ports[LOG_PORTS];
    size_t count = log_ports(s, ports);

    if (s->socket[0] && open_unix(d, s->socket, e) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        for (uint64_t k = 0; ports[i].way == LOG_UDP && k < s->udp_sockets; k++)
            if (open_udp(d, &ports[i], s->udp_sockets > 1, e) < 0)
                return -1;
    return 0;
}

/* ---- reading ---- */

/* "10.1.0.2:514", the same as last time in most cases. */
static struct slice peer_of_address(struct datagrams *d, const struct arrival *a, socklen_t len)
{
    if (len != d->last.len || memcmp(&a->from, &d->last.from, len) != 0) {
        struct addr from = sockaddr_read(&a->from);

        d->last.words = addr_socket_text(from);
        d->last.from_addr = from;
        d->last.allowed = intake_allows(d->in, from);
        d->last.from = a->from;
        d->last.len = len;
    }
    return slice_text(d->last.words.text);
}

static void see_control(struct mouth *m, struct msghdr *h, struct ucred *who)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        uint32_t dropped;

        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(dropped))) {
            memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
            m->dropped_untold += dropped - m->dropped_seen;
            m->dropped_seen = dropped;
        } else if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(*who)))
            memcpy(who, CMSG_DATA(c), sizeof(*who));
    }
}

/* False: there is no room; this and what follows is lost, and counted. */
static bool take(struct mouth *m, unsigned i, int64_t now_us)
{
    struct datagrams *d = m->all;
    struct msghdr *h = &d->heads[i].msg_hdr;
    struct log_line line = { .way = m->port.way, .at_us = now_us, .near_us = now_us };
    struct ucred who = { 0 };
    char words[64];

    see_control(m, h, &who);
    line.raw = slice_of(d->vecs[i].iov_base, d->heads[i].msg_len);
    if (m->port.way == LOG_UNIX) {
        int n = snprintf(words, sizeof(words), "pid=%d,uid=%u", (int)who.pid, (unsigned)who.uid);

        line.peer = slice_of(words, n > 0 ? (size_t)n : 0);
    } else {
        line.peer = peer_of_address(d, &d->arrivals[i], h->msg_namelen);
        if (!d->last.allowed) {
            intake_stranger(d->in, d->last.from_addr);
            return true;
        }
    }
    while (line.raw.len > 0 && (line.raw.at[line.raw.len - 1] == '\n' || line.raw.at[line.raw.len - 1] == '\0'))
        line.raw.len--; /* what frames it for others */
    if (line.raw.len == 0)
        return true;
    if (intake_line(d->in, &line, NULL) == 0)
        return false;
    if (d->sample++ % SAMPLE_EVERY == 0)
        intake_sample(d->in, &line);
    return true;
}

/* The first `count` of them: those that the kernel has written into. */
static void ready_heads(struct datagrams *d, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        d->vecs[i] = (struct iovec){ .iov_base = d->rooms + (size_t)i * ROOM, .iov_len = ROOM };
        d->heads[i].msg_hdr = (struct msghdr){ .msg_name = &d->arrivals[i].from,
                                               .msg_namelen = sizeof(d->arrivals[i].from),
                                               .msg_iov = &d->vecs[i],
                                               .msg_iovlen = 1,
                                               .msg_control = d->arrivals[i].control,
                                               .msg_controllen = sizeof(d->arrivals[i].control) };
    }
}

static void end_nap(void *ctx)
{
    struct mouth *m = ctx;
    struct err e;

    m->nap = 0;
    if (intake_watch(m->all->in, &m->source, &e) < 0)
        say("log: %s: %s", m->name, e.text);
}

static void close_mouth(struct mouth *m)
{
    loop_untimer(m->all->in->loop, m->nap);
    intake_unwatch(m->all->in, &m->source);
    (void)close(m->source.fd);
    m->source.fd = -1;
}

/* Each message would wake us; what comes in a millisecond the kernel keeps as well. */
static void nap_if_busy(struct mouth *m)
{
    int64_t now_us = clock_mono_us();
    bool busy = now_us - m->turn_us < NAP_US;

    m->turn_us = now_us;
    if (!busy || intake_is_held(m->all->in))
        return;
    m->nap = loop_timer(m->all->in->loop, NAP_US, 0, end_nap, m);
    if (m->nap != 0)
        intake_unwatch(m->all->in, &m->source);
}

static void on_ready(void *ctx, int fd, int events)
{
    struct mouth *m = ctx;
    struct datagrams *d = m->all;

    (void)events;
    for (int round = 0; round < ROUNDS && !intake_is_held(d->in) && store_has_room(d->in->store); round++) {
        int64_t now_us;
        int n;

        n = recvmmsg(fd, d->heads, AT_ONCE, MSG_DONTWAIT, NULL);
        if (n <= 0 && m->leaves) {
            close_mouth(m);
            return;
        }
        if (n <= 0)
            break;
        now_us = clock_wall_us();
        for (int i = 0; i < n; i++)
            if (!take(m, (unsigned)i, now_us)) {
                m->dropped_untold += (uint64_t)(n - i);
                break;
            }
        ready_heads(d, (unsigned)n);
        if (n < AT_ONCE && !m->leaves)
            break;
    }
    if (!m->leaves)
        nap_if_busy(m);
}

static void tell(void *ctx)
{
    struct datagrams *d = ctx;

    for (size_t i = 0; i < SOCKETS; i++) {
        struct mouth *m = &d->mouths[i];

        if (m->source.fd >= 0 && m->leaves)
            on_ready(m, m->source.fd, LOOP_IN);
        if (m->dropped_untold == 0)
            continue;
        intake_lost(d->in, m->name, m->dropped_untold,
                    m->port.way == LOG_UDP ? "the kernel's buffer was full" : "the socket's buffer was full");
        m->dropped_untold = 0;
    }
}

/* ---- made and ended ---- */

struct datagrams *datagrams_new(struct intake *in, struct err *e)
{
    struct datagrams *d = calloc(1, sizeof(*d));

    if (!d || !(d->rooms = malloc((size_t)AT_ONCE * ROOM))) {
        err_set(e, ENOMEM, "log");
        free(d);
        return NULL;
    }
    d->in = in;
    for (size_t i = 0; i < SOCKETS; i++)
        d->mouths[i].source.fd = -1;
    ready_heads(d, AT_ONCE);
    if (open_all(d, e) == 0)
        return d;
    datagrams_free(d);
    return NULL;
}

int datagrams_start(struct datagrams *d, struct err *e)
{
    for (size_t i = 0; i < SOCKETS; i++)
        if (d->mouths[i].source.fd >= 0 && intake_watch(d->in, &d->mouths[i].source, e) < 0)
            return -1;
    d->timer = loop_timer(d->in->loop, TELL_US, TELL_US, tell, d);
    return 0;
}

void datagrams_renew(struct datagrams *d)
{
    d->last.len = 0; /* whether it may send is asked again */
    for (size_t i = 0; i < SOCKETS; i++) {
        struct mouth *m = &d->mouths[i];

        if (m->source.fd < 0 || m->port.way != LOG_UDP)
            continue;
        m->leaves = !log_port_is_named(&d->in->settings, &m->port);
        if (m->leaves)
            on_ready(m, m->source.fd, LOOP_IN);
    }
}

uint64_t datagrams_sockets(const struct datagrams *d, const struct log_port *port)
{
    uint64_t count = 0;

    for (size_t i = 0; i < SOCKETS; i++)
        count += d->mouths[i].source.fd >= 0 && log_port_eq(&d->mouths[i].port, port);
    return count;
}

int datagrams_listen(struct datagrams *d, const struct log_port *port, int fd, struct err *e)
{
    struct mouth *m = add(d, fd, port, addr_socket_text(port->at).text, e);

    if (!m)
        return -1;
    if (intake_watch(d->in, &m->source, e) == 0)
        return 0;
    m->source.fd = -1;
    return -1;
}

void datagrams_free(struct datagrams *d)
{
    if (!d)
        return;
    tell(d);
    loop_untimer(d->in->loop, d->timer);
    for (size_t i = 0; i < SOCKETS; i++)
        if (d->mouths[i].source.fd >= 0)
            close_mouth(&d->mouths[i]);
    free(d->rooms);
    free(d);
}
