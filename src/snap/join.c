/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snap/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"

/* A number to find a record by, and which record it is. */
struct entry {
    uint64_t key;
    uint32_t at;
};

/* Sorted by key, equal ones in the order of the records. */
struct index {
    struct entry *at; /* owned */
    size_t count;
};

struct join {
    const struct snap *snap;
    uint64_t seed;          /* of the tuples' hash: nobody outside can aim at it */
    struct index pid;       /* processes */
    struct index inode;     /* sockets */
    struct index tuple;     /* connected TCP sockets, by a hash of both ends */
    struct index port;      /* listening ones */
    struct index track;     /* translated connections, by a hash of the ends at either side */
    struct index inode_pid; /* holders by inode, the eldest process first */
    struct index pid_inode; /* holders by pid */
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

static bool index_begin(struct index *i, size_t most)
{
    i->count = 0;
    i->at = calloc(most + 1, sizeof(*i->at));
    return i->at != NULL;
}

static void put(struct index *i, uint64_t key, size_t at)
{
    i->at[i->count++] = (struct entry){ .key = key, .at = (uint32_t)at };
}

/* Byte by byte from the lowest; what all keys have in common is passed over. */
static void sort(struct index *i, struct entry *spare)
{
    struct entry *from = i->at;
    struct entry *to = spare;

    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t place[256] = { 0 };
        size_t sum = 0;

        for (size_t n = 0; n < i->count; n++)
            place[from[n].key >> shift & 255]++;
        if (i->count == 0 || place[from[0].key >> shift & 255] == i->count)
            continue;
        for (size_t b = 0; b < 256; b++) {
            size_t count = place[b];

            place[b] = sum;
            sum += count;
        }
        for (size_t n = 0; n < i->count; n++)
            to[place[from[n].key >> shift & 255]++] = from[n];
        struct entry *swap = from;

        from = to;
        to = swap;
    }
    if (from != i->at)
        memcpy(i->at, from, i->count * sizeof(*from));
}

static uint64_t tuple_key(const struct join *j, struct addr local, struct addr remote)
{
    struct addr ends[2] = { local, remote };

    return hash_bytes(ends, sizeof(ends), j->seed);
}

static void put_sockets(struct join *j)
{
    const struct snap_socket *all = sockets_of(j->snap);

    for (size_t i = 0; i < j->snap->part[SNAP_SOCKET].count; i++) {
        put(&j->inode, all[i].inode, i);
        if (is_connected(&all[i]))
            put(&j->tuple, tuple_key(j, all[i].local, all[i].remote), i);
        else if (is_listening(&all[i]))
            put(&j->port, all[i].local.port, i);
    }
}

static void put_tracks(struct join *j)
{
    const struct snap_track *all = j->snap->part[SNAP_TRACK].at;

    for (size_t i = 0; i < j->snap->part[SNAP_TRACK].count; i++) {
        put(&j->track, tuple_key(j, all[i].from, all[i].to), i);
        put(&j->track, tuple_key(j, all[i].reply_from, all[i].reply_to), i);
    }
}

/* Of one inode the eldest process comes first: sorted by pid, by start, then by inode. */
static void put_holders(struct join *j, struct entry *spare)
{
    const struct snap_holder *all = holders_of(j->snap);
    const struct snap_process *p = NULL;
    struct index *eldest = &j->inode_pid;

    for (size_t i = 0; i < j->snap->part[SNAP_HOLDER].count; i++)
        put(&j->pid_inode, (uint64_t)all[i].pid, i);
    sort(&j->pid_inode, spare);
    for (size_t i = 0; i < j->pid_inode.count; i++) {
        const struct entry *e = &j->pid_inode.at[i];

        if (!p || p->pid != all[e->at].pid)
            p = join_process(j, all[e->at].pid);
        put(eldest, p ? p->start_ms : UINT64_MAX, e->at);
    }
    sort(eldest, spare);
    for (size_t i = 0; i < eldest->count; i++)
        eldest->at[i].key = all[eldest->at[i].at].inode;
    sort(eldest, spare);
}

struct join *join_new(const struct snap *s, struct err *e)
{
    struct join *j = calloc(1, sizeof(*j));
    size_t processes = s->part[SNAP_PROCESS].count;
    size_t sockets = s->part[SNAP_SOCKET].count;
    size_t holders = s->part[SNAP_HOLDER].count;
    size_t tracks = 2 * s->part[SNAP_TRACK].count;
    struct entry *spare = calloc(processes + sockets + holders + tracks + 1, sizeof(*spare));

    if (!j || !spare || !index_begin(&j->pid, processes) || !index_begin(&j->inode, sockets) ||
        !index_begin(&j->tuple, sockets) || !index_begin(&j->port, sockets) || !index_begin(&j->track, tracks) ||
        !index_begin(&j->inode_pid, holders) || !index_begin(&j->pid_inode, holders)) {
        free(spare);
        join_free(j);
        err_set(e, ENOMEM, "to join processes and sockets");
        return NULL;
    }
    j->snap = s;
    (void)!getrandom(&j->seed, sizeof(j->seed), GRND_NONBLOCK);
    for (size_t i = 0; i < processes; i++)
        put(&j->pid, (uint64_t)processes_of(s)[i].pid, i);
    sort(&j->pid, spare);
    put_sockets(j);
    put_tracks(j);
    sort(&j->track, spare);
    sort(&j->inode, spare);
    sort(&j->tuple, spare);
    sort(&j->port, spare);
    put_holders(j, spare);
    free(spare);
    return j;
}

void join_free(struct join *j)
{
    if (!j)
        return;
    free(j->pid.at);
    free(j->inode.at);
    free(j->tuple.at);
    free(j->port.at);
    free(j->track.at);
    free(j->inode_pid.at);
    free(j->pid_inode.at);
    free(j);
}

/* The first place with that key, or where it would be. */
static size_t first_of(const struct index *i, uint64_t key)
{
    size_t low = 0;
    size_t count = i->count;

    while (count > 0) {
        size_t half = count / 2;

        if (i->at[low + half].key < key) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static bool is_there(const struct index *i, size_t at, uint64_t key)
{
    return at < i->count && i->at[at].key == key;
}

const struct snap_process *join_process(const struct join *j, int64_t pid)
{
    size_t i = first_of(&j->pid, (uint64_t)pid);

    return is_there(&j->pid, i, (uint64_t)pid) ? &processes_of(j->snap)[j->pid.at[i].at] : NULL;
}

const struct snap_holder *join_holder(const struct join *j, uint64_t inode, size_t nth)
{
    size_t i = first_of(&j->inode_pid, inode) + nth;

    return inode != 0 && is_there(&j->inode_pid, i, inode) ? &holders_of(j->snap)[j->inode_pid.at[i].at] : NULL;
}

bool join_holds(const struct join *j, int64_t pid, uint64_t inode)
{
    for (size_t i = first_of(&j->inode_pid, inode); inode != 0 && is_there(&j->inode_pid, i, inode); i++)
        if (holders_of(j->snap)[j->inode_pid.at[i].at].pid == pid)
            return true;
    return false;
}

const struct snap_socket *join_socket(const struct join *j, uint64_t inode)
{
    size_t i = first_of(&j->inode, inode);

    return inode != 0 && is_there(&j->inode, i, inode) ? &sockets_of(j->snap)[j->inode.at[i].at] : NULL;
}

const struct snap_socket *join_held(const struct join *j, int64_t pid, size_t *cursor)
{
    for (size_t i = *cursor ? *cursor : first_of(&j->pid_inode, (uint64_t)pid);
         is_there(&j->pid_inode, i, (uint64_t)pid); i++) {
        const struct snap_socket *s = join_socket(j, holders_of(j->snap)[j->pid_inode.at[i].at].inode);

        if (s) {
            *cursor = i + 1;
            return s;
        }
    }
    return NULL;
}

/* The socket with these ends; `near` is another one's namespace: 127.0.0.1 of another namespace is another host. */
static const struct snap_socket *with_ends(const struct join *j, struct addr local, struct addr remote,
                                           const struct snap_socket *near)
{
    const struct snap_socket *elsewhere = NULL;
    uint64_t key = tuple_key(j, local, remote);

    for (size_t i = first_of(&j->tuple, key); is_there(&j->tuple, i, key); i++) {
        const struct snap_socket *other = &sockets_of(j->snap)[j->tuple.at[i].at];

        if (other == near || !addr_eq(other->local, local) || !addr_eq(other->remote, remote))
            continue;
        if (other->network == near->network)
            return other;
        if (!elsewhere && !addr_is_loopback(remote) && !addr_is_loopback(local))
            elsewhere = other;
    }
    return elsewhere;
}

/* Translated: who asked sees `from` and `to`, who answers sees the ends of the answer. */
static const struct snap_socket *behind_nat(const struct join *j, const struct snap_socket *s)
{
    const struct snap_track *all = j->snap->part[SNAP_TRACK].at;
    uint64_t key = tuple_key(j, s->local, s->remote);

    for (size_t i = first_of(&j->track, key); is_there(&j->track, i, key); i++) {
        const struct snap_track *t = &all[j->track.at[i].at];

        if (addr_eq(t->from, s->local) && addr_eq(t->to, s->remote))
            return with_ends(j, t->reply_from, t->reply_to, s);
        if (addr_eq(t->reply_from, s->local) && addr_eq(t->reply_to, s->remote))
            return with_ends(j, t->from, t->to, s);
    }
    return NULL;
}

const struct snap_socket *join_other_end(const struct join *j, const struct snap_socket *s)
{
    const struct snap_socket *other;

    if (!is_connected(s))
        return NULL;
    other = with_ends(j, s->remote, s->local, s);
    return other || j->track.count == 0 ? other : behind_nat(j, s);
}

const struct snap_socket *join_listener(const struct join *j, const struct snap_socket *s)
{
    const struct snap_socket *any = NULL;

    if (!is_connected(s))
        return NULL;
    for (size_t i = first_of(&j->port, s->local.port); is_there(&j->port, i, s->local.port); i++) {
        const struct snap_socket *l = &sockets_of(j->snap)[j->port.at[i].at];

        if (l->network != s->network)
            continue;
        if (addr_eq(l->local, s->local))
            return l;
        if (addr_is_unspecified(l->local))
            any = l;
    }
    return any;
}

void join_mark_owners(const struct join *j, struct snap *s)
{
    struct snap_socket *at = s->part[SNAP_SOCKET].at;

    for (size_t i = 0; i < s->part[SNAP_SOCKET].count; i++) {
        const struct snap_holder *h = join_holder(j, at[i].inode, 0);

        at[i].pid = h ? h->pid : 0;
    }
    for (size_t i = 0; i < s->part[SNAP_SOCKET].count; i++) {
        const struct snap_socket *other =
            at[i].peer_inode ? join_socket(j, at[i].peer_inode) : join_other_end(j, &at[i]);

        at[i].peer_pid = other ? other->pid : 0;
    }
}

int join_owners(struct snap *s, struct err *e)
{
    struct join *j = join_new(s, e);

    if (!j)
        return -1;
    join_mark_owners(j, s);
    join_free(j);
    return 0;
}
