/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snap/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sorted arrays of numbers: found by halving, no hash that somebody could aim at. */
struct join {
    const struct snap *snap;
    size_t processes, sockets, holders, connections, listeners;
    uint32_t *by_pid;    /* processes */
    uint32_t *by_inode;  /* sockets */
    uint32_t *by_tuple;  /* connected TCP sockets */
    uint32_t *by_port;   /* listening ones */
    uint32_t *inode_pid; /* holders, by inode, then start of the process */
    uint32_t *pid_inode; /* holders, by pid */
};

static const struct snap_process *processes_of(const struct snap *s)
{
    return s->part[SNAP_PROCESS].at;
}

static const struct snap_socket *sockets_of(const struct snap *s)
{
    return s->part[SNAP_SOCKET].at;
}

static const struct snap_holder *holders_of(const struct snap *s)
{
    return s->part[SNAP_HOLDER].at;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_pid(const void *a, const void *b, void *own)
{
    const struct snap_process *p = own;

    return compare_u64((uint64_t)p[*(const uint32_t *)a].pid, (uint64_t)p[*(const uint32_t *)b].pid);
}

static int by_inode(const void *a, const void *b, void *own)
{
    const struct snap_socket *s = own;

    return compare_u64(s[*(const uint32_t *)a].inode, s[*(const uint32_t *)b].inode);
}

static int compare_ends(struct addr al, struct addr ar, struct addr bl, struct addr br)
{
    int c = memcmp(&al, &bl, sizeof(al));

    return c ? c : memcmp(&ar, &br, sizeof(ar));
}

static int by_tuple(const void *a, const void *b, void *own)
{
    const struct snap_socket *x = (const struct snap_socket *)own + *(const uint32_t *)a;
    const struct snap_socket *y = (const struct snap_socket *)own + *(const uint32_t *)b;

    return compare_ends(x->local, x->remote, y->local, y->remote);
}

static int by_port(const void *a, const void *b, void *own)
{
    const struct snap_socket *s = own;

    return compare_u64(s[*(const uint32_t *)a].local.port, s[*(const uint32_t *)b].local.port);
}

static int by_holder_pid(const void *a, const void *b, void *own)
{
    const struct snap_holder *h = own;

    return compare_u64((uint64_t)h[*(const uint32_t *)a].pid, (uint64_t)h[*(const uint32_t *)b].pid);
}

static int by_holder_inode(const void *a, const void *b, void *own)
{
    const struct join *j = own;
    const struct snap_holder *x = holders_of(j->snap) + *(const uint32_t *)a;
    const struct snap_holder *y = holders_of(j->snap) + *(const uint32_t *)b;
    const struct snap_process *px;
    const struct snap_process *py;
    int c = compare_u64(x->inode, y->inode);

    if (c != 0 || x->pid == y->pid)
        return c;
    px = join_process(j, x->pid);
    py = join_process(j, y->pid);
    c = px && py ? compare_u64(px->start_ms, py->start_ms) : 0;
    return c ? c : compare_u64((uint64_t)x->pid, (uint64_t)y->pid);
}

static bool is_tcp(const struct snap_socket *s)
{
    return slice_eq(s->kind, SLICE("tcp"));
}

static bool is_listening(const struct snap_socket *s)
{
    return is_tcp(s) && slice_eq(s->state, SLICE("LISTEN"));
}

static bool is_connected(const struct snap_socket *s)
{
    return is_tcp(s) && s->remote.port != 0;
}

/* The numbers of all elements that `wanted` wants, sorted. */
static uint32_t *sorted(const struct snap *s, size_t all, bool (*wanted)(const struct snap_socket *), size_t *count,
                        int (*compare)(const void *, const void *, void *), void *own)
{
    uint32_t *at = calloc(all + 1, sizeof(*at));

    *count = 0;
    for (size_t i = 0; at && i < all; i++)
        if (!wanted || wanted(&sockets_of(s)[i]))
            at[(*count)++] = (uint32_t)i;
    if (at && *count > 0)
        qsort_r(at, *count, sizeof(*at), compare, own);
    return at;
}

struct join *join_new(const struct snap *s, struct err *e)
{
    struct join *j = calloc(1, sizeof(*j));
    size_t sockets = s->part[SNAP_SOCKET].count;
    size_t holders = s->part[SNAP_HOLDER].count;
    size_t same;

    if (!j)
        goto no_memory;
    j->snap = s;
    j->by_pid = sorted(s, s->part[SNAP_PROCESS].count, NULL, &j->processes, by_pid, s->part[SNAP_PROCESS].at);
    if (!j->by_pid)
        goto no_memory;
    j->by_inode = sorted(s, sockets, NULL, &j->sockets, by_inode, s->part[SNAP_SOCKET].at);
    j->by_tuple = sorted(s, sockets, is_connected, &j->connections, by_tuple, s->part[SNAP_SOCKET].at);
    j->by_port = sorted(s, sockets, is_listening, &j->listeners, by_port, s->part[SNAP_SOCKET].at);
    j->inode_pid = sorted(s, holders, NULL, &j->holders, by_holder_inode, j);
    j->pid_inode = sorted(s, holders, NULL, &same, by_holder_pid, s->part[SNAP_HOLDER].at);
    if (j->by_inode && j->by_tuple && j->by_port && j->inode_pid && j->pid_inode)
        return j;
no_memory:
    join_free(j);
    err_set(e, ENOMEM, "to join processes and sockets");
    return NULL;
}

void join_free(struct join *j)
{
    if (!j)
        return;
    free(j->by_pid);
    free(j->by_inode);
    free(j->by_tuple);
    free(j->by_port);
    free(j->inode_pid);
    free(j->pid_inode);
    free(j);
}

/* The first place at which `before(own, element)` does not hold. */
static size_t first_not(const uint32_t *at, size_t count, bool (*before)(const void *own, uint32_t element),
                        const void *own)
{
    size_t low = 0;

    while (count > 0) {
        size_t half = count / 2;

        if (before(own, at[low + half])) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

struct asked {
    const struct snap *snap;
    uint64_t number;
    struct addr local, remote;
};

static bool pid_before(const void *own, uint32_t i)
{
    const struct asked *a = own;

    return (uint64_t)processes_of(a->snap)[i].pid < a->number;
}

static bool inode_before(const void *own, uint32_t i)
{
    const struct asked *a = own;

    return sockets_of(a->snap)[i].inode < a->number;
}

static bool holder_inode_before(const void *own, uint32_t i)
{
    const struct asked *a = own;

    return holders_of(a->snap)[i].inode < a->number;
}

static bool holder_pid_before(const void *own, uint32_t i)
{
    const struct asked *a = own;

    return (uint64_t)holders_of(a->snap)[i].pid < a->number;
}

static bool port_before(const void *own, uint32_t i)
{
    const struct asked *a = own;

    return sockets_of(a->snap)[i].local.port < a->number;
}

static bool tuple_before(const void *own, uint32_t i)
{
    const struct asked *a = own;
    const struct snap_socket *s = &sockets_of(a->snap)[i];

    return compare_ends(s->local, s->remote, a->local, a->remote) < 0;
}

const struct snap_process *join_process(const struct join *j, int64_t pid)
{
    struct asked a = { .snap = j->snap, .number = (uint64_t)pid };
    size_t i = first_not(j->by_pid, j->processes, pid_before, &a);
    const struct snap_process *p = i < j->processes ? &processes_of(j->snap)[j->by_pid[i]] : NULL;

    return p && p->pid == pid ? p : NULL;
}

const struct snap_holder *join_holder(const struct join *j, uint64_t inode, size_t nth)
{
    struct asked a = { .snap = j->snap, .number = inode };
    size_t i = first_not(j->inode_pid, j->holders, holder_inode_before, &a) + nth;
    const struct snap_holder *h = inode != 0 && i < j->holders ? &holders_of(j->snap)[j->inode_pid[i]] : NULL;

    return h && h->inode == inode ? h : NULL;
}

bool join_holds(const struct join *j, int64_t pid, uint64_t inode)
{
    const struct snap_holder *h;

    for (size_t i = 0; (h = join_holder(j, inode, i)); i++)
        if (h->pid == pid)
            return true;
    return false;
}

static const struct snap_socket *socket_of(const struct join *j, uint64_t inode)
{
    struct asked a = { .snap = j->snap, .number = inode };
    size_t i = first_not(j->by_inode, j->sockets, inode_before, &a);
    const struct snap_socket *s = i < j->sockets ? &sockets_of(j->snap)[j->by_inode[i]] : NULL;

    return s && s->inode == inode && inode != 0 ? s : NULL;
}

const struct snap_socket *join_held(const struct join *j, int64_t pid, size_t *cursor)
{
    struct asked a = { .snap = j->snap, .number = (uint64_t)pid };
    size_t i = *cursor ? *cursor : first_not(j->pid_inode, j->holders, holder_pid_before, &a);

    for (; i < j->holders; i++) {
        const struct snap_holder *h = &holders_of(j->snap)[j->pid_inode[i]];
        const struct snap_socket *s = h->pid == pid ? socket_of(j, h->inode) : NULL;

        if (h->pid != pid)
            return NULL;
        if (s) {
            *cursor = i + 1;
            return s;
        }
    }
    return NULL;
}

const struct snap_socket *join_other_end(const struct join *j, const struct snap_socket *s)
{
    struct asked a = { .snap = j->snap, .local = s->remote, .remote = s->local };
    const struct snap_socket *elsewhere = NULL;

    if (!is_connected(s))
        return NULL;
    for (size_t i = first_not(j->by_tuple, j->connections, tuple_before, &a); i < j->connections; i++) {
        const struct snap_socket *other = &sockets_of(j->snap)[j->by_tuple[i]];

        if (compare_ends(other->local, other->remote, a.local, a.remote) != 0)
            break;
        if (other != s && other->network == s->network)
            return other;
        /* 127.0.0.1 of another namespace is another host. */
        if (!elsewhere && other != s && !addr_is_loopback(s->remote) && !addr_is_loopback(s->local))
            elsewhere = other;
    }
    return elsewhere;
}

const struct snap_socket *join_listener(const struct join *j, const struct snap_socket *s)
{
    struct asked a = { .snap = j->snap, .number = s->local.port };
    const struct snap_socket *any = NULL;

    if (!is_connected(s))
        return NULL;
    for (size_t i = first_not(j->by_port, j->listeners, port_before, &a); i < j->listeners; i++) {
        const struct snap_socket *l = &sockets_of(j->snap)[j->by_port[i]];

        if (l->local.port != s->local.port)
            break;
        if (l->network != s->network)
            continue;
        if (addr_eq(l->local, s->local))
            return l;
        if (addr_is_unspecified(l->local))
            any = l;
    }
    return any;
}

int join_owners(struct snap *s, struct err *e)
{
    struct join *j = join_new(s, e);
    struct snap_socket *at = s->part[SNAP_SOCKET].at;

    if (!j)
        return -1;
    for (size_t i = 0; i < s->part[SNAP_SOCKET].count; i++) {
        const struct snap_holder *h = join_holder(j, at[i].inode, 0);

        at[i].pid = h ? h->pid : 0;
    }
    for (size_t i = 0; i < s->part[SNAP_SOCKET].count; i++) {
        const struct snap_socket *other = at[i].peer_inode ? socket_of(j, at[i].peer_inode) : join_other_end(j, &at[i]);

        at[i].peer_pid = other ? other->pid : 0;
    }
    join_free(j);
    return 0;
}
