/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a server here call itself?
 *
 * Connections with both ends on this host are the nodes.  One is the cause
 * of another when the process that serves it, or a descendant of that
 * process, opened the other.  A loop is a path that comes back to the same
 * listening socket at least three times; programs of one name in a row are
 * none.  A process that serves several connections at once does not tell
 * which of them made it call: no cause is claimed there, but a server that
 * holds both ends of most of its own connections is named as a likely one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"

enum { RETURNS = 3, ANCESTORS = 64, STEPS_MOST = 4000000, OWN_CONNECTIONS = 8, NONE = -1 };

struct hop {
    const struct snap_socket *client, *server, *listener;
    int64_t cause; /* index of the hop that led to this one; NONE */
    bool is_cause;
};

struct serving {
    const struct snap_socket *one; /* the last that was seen */
    unsigned count;                /* 2: more than one */
    bool known;
};

struct hops {
    struct explain *x;
    struct hop *at; /* owned */
    size_t count;
    int64_t *of_socket;      /* owned: socket's index -> hop of which it is the server's end; NONE */
    struct serving *serving; /* owned: one for each process */
    uint64_t steps;
};

static size_t index_of(const struct hops *h, const struct snap_socket *s)
{
    return (size_t)(s - (const struct snap_socket *)h->x->s->part[SNAP_SOCKET].at);
}

static bool is_open(const struct snap_socket *s)
{
    return slice_eq(s->state, SLICE("ESTABLISHED")) || slice_eq(s->state, SLICE("CLOSE_WAIT")) ||
           slice_eq(s->state, SLICE("SYN_RECV"));
}

static bool find_hops(struct hops *h)
{
    size_t sockets = h->x->s->part[SNAP_SOCKET].count;

    h->at = calloc(sockets + 1, sizeof(*h->at));
    h->of_socket = calloc(sockets + 1, sizeof(*h->of_socket));
    h->serving = calloc(h->x->s->part[SNAP_PROCESS].count + 1, sizeof(*h->serving));
    if (!h->at || !h->of_socket || !h->serving)
        return false;
    for (size_t i = 0; i < sockets; i++)
        h->of_socket[i] = NONE;
    SNAP_LIST(h->x->s, SNAP_SOCKET, struct snap_socket, s)
    {
        const struct snap_socket *listener = is_open(s) ? join_listener(h->x->j, s) : NULL;
        const struct snap_socket *client = listener ? join_other_end(h->x->j, s) : NULL;

        if (!client || join_listener(h->x->j, client))
            continue;
        h->of_socket[index_of(h, s)] = (int64_t)h->count;
        h->at[h->count++] = (struct hop){ .client = client, .server = s, .listener = listener, .cause = NONE };
    }
    return true;
}

static uint64_t descriptor_of(const struct join *j, int64_t pid, uint64_t inode)
{
    const struct snap_holder *holder;

    for (size_t i = 0; (holder = join_holder(j, inode, i)); i++)
        if (holder->pid == pid)
            return holder->descriptor;
    return UINT64_MAX;
}

/* What a process serves: none, one connection, or several; counted once for each. */
static const struct serving *serves(const struct hops *h, const struct snap_process *p)
{
    struct serving *s = &h->serving[p - (const struct snap_process *)h->x->s->part[SNAP_PROCESS].at];
    const struct snap_socket *held;
    size_t cursor = 0;

    while (!s->known && s->count < 2 && (held = join_held(h->x->j, p->pid, &cursor))) {
        if (held == s->one || !is_open(held) || !join_listener(h->x->j, held))
            continue; /* the same twice: dup */
        s->one = held;
        s->count++;
    }
    s->known = true;
    return s;
}

static int64_t cause_of(const struct hops *h, const struct hop *hop)
{
    const struct join *j = h->x->j;
    const struct snap_process *p = join_process(j, hop->client->pid);

    for (unsigned i = 0; i < ANCESTORS && p && p->pid > 1; i++, p = join_process(j, p->parent)) {
        const struct serving *s = serves(h, p);

        if (s->count > 1)
            return NONE;
        if (s->count == 1) {
            /* What it opened before it accepted was not opened because of it. */
            if (p->pid == hop->client->pid &&
                descriptor_of(j, p->pid, s->one->inode) > descriptor_of(j, p->pid, hop->client->inode))
                return NONE;
            return h->of_socket[index_of(h, s->one)];
        }
        if (p->pid != hop->client->pid && join_holds(j, p->pid, hop->listener->inode))
            return NONE; /* the listener's own master is no cause */
    }
    return NONE;
}

/* How often the path that ends here came through the same listening socket; *root is where it began. */
static size_t returns(struct hops *h, size_t end, size_t *root)
{
    size_t seen = 0;
    size_t length = 0;
    int64_t at = (int64_t)end;

    while (at != NONE && length++ <= h->count && h->steps++ < STEPS_MOST) {
        *root = (size_t)at;
        seen += h->at[at].listener == h->at[end].listener;
        at = h->at[at].cause;
    }
    return seen;
}

static size_t root_of(struct hops *h, size_t hop)
{
    size_t root = hop;

    (void)returns(h, hop, &root);
    return root;
}

struct served {
    size_t own, all;            /* own: led to by another one */
    size_t others;              /* wait to be accepted, and are none of the loop */
    uint64_t first_ms, last_ms; /* when the openers of its own ones were started */
};

static struct served count_served(struct hops *h, const struct snap_socket *listener, size_t root)
{
    struct served c = { .own = 0, .first_ms = UINT64_MAX };

    for (size_t i = 0; i < h->count; i++) {
        const struct snap_process *opener = join_process(h->x->j, h->at[i].client->pid);

        if (h->at[i].listener != listener || h->at[i].cause == NONE || root_of(h, i) != root)
            continue;
        c.own++;
        if (opener && opener->start_ms < c.first_ms)
            c.first_ms = opener->start_ms;
        if (opener && opener->start_ms > c.last_ms)
            c.last_ms = opener->start_ms;
    }
    SNAP_LIST(h->x->s, SNAP_SOCKET, struct snap_socket, s)
    {
        int64_t hop;

        if (s->local.port != listener->local.port || !is_open(s) || join_listener(h->x->j, s) != listener)
            continue;
        c.all++;
        hop = h->of_socket[index_of(h, s)];
        c.others += s->inode == 0 && (hop == NONE || root_of(h, (size_t)hop) != root);
    }
    return c;
}

/* How fast it grows: from the first opener's start to the last's. */
static void prove_rate(struct explain *x, struct finding *f, const struct served *c)
{
    uint64_t took_ms = c->last_ms > c->first_ms ? c->last_ms - c->first_ms : 0;

    if (c->own < 2 || took_ms == 0)
        return;
    explain_proof(f, "it grew from %s to %s: one more every %" PRIu64 " ms",
                  words_at(x->s, (int64_t)c->first_ms * 1000).text, words_at(x->s, (int64_t)c->last_ms * 1000).text,
                  took_ms / (c->own - 1));
}

/* Why connections to an address come back to this host. */
static void prove_address(struct explain *x, struct finding *f, struct addr a)
{
    SNAP_LIST(x->s, SNAP_ADDRESS, struct snap_address, own)
    {
        if (!addr_eq_ip(own->address, a))
            continue;
        explain_proof(f, "%s is an address of this host%s%s", addr_ip_text(a).text,
                      own->interface.len ? _(", on ") : "", words_of(own->interface).text);
        return;
    }
    if (addr_is_loopback(a))
        explain_proof(f, "%s lies in 127.0.0.0/8, which is always this host", addr_ip_text(a).text);
}

static void prove_path(struct hops *h, struct finding *f, size_t end)
{
    enum { SHOWN = 5 };
    int64_t at = (int64_t)end;

    for (unsigned i = 0; i < SHOWN && at != NONE; i++, at = h->at[at].cause) {
        const struct hop *hop = &h->at[at];
        const struct snap_process *opener = join_process(h->x->j, hop->client->pid);
        const struct snap_process *server = join_process(h->x->j, hop->server->pid);

        explain_proof(f, "%s, child of pid %" PRId64 ", is connected to %s, %s", words_process(opener).text,
                      opener ? opener->parent : 0, addr_socket_text(hop->client->remote).text,
                      hop->server->inode == 0 ? _("which waits to be accepted") : words_process(server).text);
    }
}

static void tell(struct hops *h, size_t end, size_t root, size_t length)
{
    const struct hop *last = &h->at[end];
    const struct join *j = h->x->j;
    const struct snap_process *front = join_process(j, last->listener->pid);
    const struct snap_process *opener = join_process(j, last->client->pid);
    const struct snap_process *origin = join_process(j, h->at[root].client->pid);
    struct served c = count_served(h, last->listener, root);
    struct finding *f = explain_found(h->x, "self_loop", GRADE_ALARM);

    explain_text(f,
                 "%s is calling itself: %zu of %zu connections to its port %u come from its own %s, by way of %s; "
                 "it began with %s%s%s",
                 words_process(front).text, c.own, c.all, (unsigned)last->listener->local.port,
                 opener ? words_of_program(opener).text : _("processes"), addr_ip_text(last->client->remote).text,
                 words_process(origin).text, origin ? ": " : "", origin ? words_args(origin).text : "");
    explain_proof(f, "one path comes back to the listening socket %s %zu times",
                  addr_socket_text(last->listener->local).text, length);
    prove_address(h->x, f, last->client->remote);
    if (last->listener->receive_queue > 0 && c.others > 0)
        explain_proof(
            f, "%" PRIu64 " connections wait to be accepted; %zu of them are none of the loop: clients it keeps out",
            last->listener->receive_queue, c.others);
    else if (last->listener->receive_queue > 0)
        explain_proof(f, "%" PRIu64 " connections wait to be accepted", last->listener->receive_queue);
    prove_rate(h->x, f, &c);
    prove_path(h, f, end);
    explain_proof(f, "it began: %s, connected to %s", words_process(origin).text,
                  addr_socket_text(h->at[root].client->remote).text);
    explain_next(f,
                 "kill %" PRId64 " %" PRId64
                 "   (the server and where it began, at once; one end alone is taken again); "
                 "then let %s refuse addresses of this host before it is started again",
                 last->listener->pid, h->at[root].client->pid, opener ? words_of_program(opener).text : "it");
}

/* The longest path to each listening socket, told once. */
static void tell_paths(struct hops *h)
{
    for (size_t i = 0; i < h->count; i++) {
        size_t root = i;
        size_t length = h->at[i].is_cause ? 0 : returns(h, i, &root);
        bool longest = length >= RETURNS;

        for (size_t other = 0; longest && other < h->count; other++) {
            size_t r = other;
            size_t n;

            if (other == i || h->at[other].is_cause || h->at[other].listener != h->at[i].listener)
                continue;
            n = returns(h, other, &r);
            longest = n < length || (n == length && i < other);
        }
        if (longest)
            tell(h, i, root, length);
    }
}

/* One process at both ends, many times. */
static void tell_one_process(struct hops *h)
{
    SNAP_LIST(h->x->s, SNAP_SOCKET, struct snap_socket, listener)
    {
        const struct snap_process *p = join_process(h->x->j, listener->pid);
        size_t own = 0;
        size_t all = 0;
        struct finding *f;

        if (!slice_eq(listener->state, SLICE("LISTEN")) || !p)
            continue;
        for (size_t i = 0; i < h->count; i++) {
            all += h->at[i].listener == listener;
            own += h->at[i].listener == listener && h->at[i].client->pid == listener->pid &&
                   h->at[i].server->pid == listener->pid;
        }
        if (own < OWN_CONNECTIONS || 2 * own < all)
            continue;
        f = explain_found(h->x, "self_loop", GRADE_ALARM);
        f->likely = true;
        explain_text(f,
                     "%s is calling itself: one process holds both ends of %zu of %zu local connections to its port %u",
                     words_process(p).text, own, all, (unsigned)listener->local.port);
        explain_proof(f, "listening socket %s", addr_socket_text(listener->local).text);
        explain_next(f, "ss -tnp 'sport = :%u'   shows them; ask who makes it connect to its own port",
                     (unsigned)listener->local.port);
    }
}

void explain_loop(struct explain *x)
{
    struct hops h = { .x = x };

    if (find_hops(&h)) {
        for (size_t i = 0; i < h.count; i++) {
            h.at[i].cause = cause_of(&h, &h.at[i]);
            if (h.at[i].cause != NONE)
                h.at[h.at[i].cause].is_cause = true;
        }
        tell_paths(&h);
        tell_one_process(&h);
    }
    free(h.at);
    free(h.of_socket);
    free(h.serving);
}
