/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sense/watch/places.h"
#include "wire/diag.h"

enum { ROOM = 64 << 10, TCP_LISTENING = 10, TCP_WAITS = 6, TCP_STATES = 0xfff, EVERY_MOST = 30 };

struct sockets {
    int fd;
    uint32_t sequence;
    struct places places; /* by cookie */
    struct fact_socket *at;
    uint32_t *seen; /* beside it: the round in which it was last there */
    uint32_t round, every, wait;
    uint64_t refused;
    bool no_both; /* this kernel wants to be asked for each family */
    struct fact_listener listeners[LISTENERS_MOST];
    uint32_t listeners_count;
    uint8_t room[ROOM];
};

struct sockets *sockets_new(uint32_t most, struct err *e)
{
    struct sockets *s = calloc(1, sizeof(*s));
    struct timeval patience = { .tv_sec = 1 };
    uint64_t seed = 0;

    if (!s) {
        err_set(e, ENOMEM, "sockets");
        return NULL;
    }
    (void)!getrandom(&seed, sizeof(seed), 0);
    s->every = 1;
    s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
        err_set(e, errno, "sock_diag");
    else if (places_init(&s->places, most, seed, e) == 0) {
        s->at = calloc(most, sizeof(*s->at));
        s->seen = calloc(most, sizeof(*s->seen));
        if (s->at && s->seen)
            return s;
        err_set(e, ENOMEM, "sockets");
    }
    sockets_free(s);
    return NULL;
}

void sockets_free(struct sockets *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    places_done(&s->places);
    free(s->at);
    free(s->seen);
    free(s);
}

/*
 * The older form of the question: its family is ignored, so one walk over the
 * kernel's table tells IPv4 and IPv6.
 */
static bool ask_both(struct sockets *s, uint32_t states)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req i;
    } q;

    memset(&q, 0, sizeof(q));
    q.h.nlmsg_len = sizeof(q);
    q.h.nlmsg_type = TCPDIAG_GETSOCK;
    q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    q.h.nlmsg_seq = ++s->sequence;
    q.i.idiag_states = states;
    return send(s->fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q);
}

static bool ask(struct sockets *s, int family, uint32_t states)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 i;
    } q;

    memset(&q, 0, sizeof(q));
    q.h.nlmsg_len = sizeof(q);
    q.h.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    q.h.nlmsg_seq = ++s->sequence;
    q.i.sdiag_family = (uint8_t)family;
    q.i.sdiag_protocol = IPPROTO_TCP;
    q.i.idiag_states = states;
    return send(s->fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q);
}

/* The fast way: who is known by its cookie needs no more than that. */
static bool known(struct sockets *s, struct slice body)
{
    struct inet_diag_msg m;
    uint32_t i;

    if (body.len < sizeof(m))
        return true;
    memcpy(&m, body.at, sizeof(m));
    i = places_find(&s->places, (uint64_t)m.id.idiag_cookie[1] << 32 | m.id.idiag_cookie[0]);
    if (i == PLACE_NONE)
        return false;
    s->seen[i] = s->round;
    s->at[i].state = m.idiag_state;
    return true;
}

static void meet(struct sockets *s, struct slice body)
{
    struct diag_socket d;
    uint32_t i;

    if (known(s, body) || !diag_inet_read(body, &d) || d.cookie == 0 || d.state == 0)
        return;
    i = places_add(&s->places, d.cookie);
    if (i == PLACE_NONE) {
        s->refused++;
        return;
    }
    s->seen[i] = s->round;
    s->at[i] = (struct fact_socket){
        .local = d.local, .remote = d.remote, .state = d.state, .uid = d.uid, .inode = d.inode, .cookie = d.cookie
    };
}

static void listens(struct sockets *s, struct slice body)
{
    struct diag_socket d;

    if (s->listeners_count == LISTENERS_MOST || !diag_inet_read(body, &d) || d.state != TCP_LISTENING)
        return;
    s->listeners[s->listeners_count++] = (struct fact_listener){ .local = d.local,
                                                                 .waiting = (uint32_t)d.receive_queue,
                                                                 .most = (uint32_t)d.send_queue,
                                                                 .uid = d.uid,
                                                                 .inode = d.inode };
}

/* The answer to the end; false: it is not whole. */
static bool hear(struct sockets *s, void (*each)(struct sockets *s, struct slice body))
{
    for (;;) {
        ssize_t n = recv(s->fd, s->room, sizeof(s->room), 0);
        struct slice rest = slice_of(s->room, n > 0 ? (size_t)n : 0);
        struct diag_message m;

        if (n <= 0)
            return false;
        while (diag_next(&rest, &m)) {
            if (m.type == NLMSG_DONE)
                return true;
            if (m.type == NLMSG_ERROR)
                return false;
            each(s, m.body);
        }
    }
}

static bool dump(struct sockets *s, uint32_t states, void (*each)(struct sockets *s, struct slice body))
{
    bool whole;

    if (!s->no_both && ask_both(s, states) && hear(s, each))
        return true;
    s->no_both = true;
    whole = ask(s, AF_INET, states) && hear(s, each);
    return ask(s, AF_INET6, states) && hear(s, each) && whole;
}

static int64_t cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void any(struct sockets *s, struct slice body)
{
    struct inet_diag_msg m;

    if (body.len < sizeof(m))
        return;
    memcpy(&m, body.at, sizeof(m));
    if (m.idiag_state == TCP_LISTENING)
        listens(s, body);
    else
        meet(s, body);
}

/* Listeners too: one walk for both. */
static void connections(struct sockets *s, int64_t budget_us)
{
    int64_t begun_us = cpu_us();
    int64_t took_us;

    s->round++;
    if (dump(s, TCP_STATES & ~(1u << TCP_WAITS), any)) /* TIME_WAIT belongs to nobody, and there can be many */
        for (uint32_t i = 0; i < s->places.room; i++)
            if (s->at[i].state && s->seen[i] != s->round) {
                s->at[i].state = 0;
                places_remove(&s->places, i);
            }
    took_us = cpu_us() - begun_us;
    s->every = (uint32_t)(took_us / budget_us) + 1;
    s->every = s->every < EVERY_MOST ? s->every : EVERY_MOST;
}

void sockets_sample(struct sockets *s, int64_t budget_us, struct facts *f)
{
    s->listeners_count = 0;
    f->sockets_fresh = budget_us > 0 && ++s->wait >= s->every;
    if (f->sockets_fresh) {
        s->wait = 0;
        connections(s, budget_us);
    } else
        (void)dump(s, 1u << TCP_LISTENING, listens);
    f->sockets = s->at;
    f->sockets_room = s->places.room;
    f->sockets_count = s->places.count;
    f->listeners = s->listeners;
    f->listeners_count = s->listeners_count;
}

uint32_t sockets_every(const struct sockets *s)
{
    return s->every;
}

uint64_t sockets_refused(const struct sockets *s)
{
    return s->refused;
}
