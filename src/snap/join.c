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
    uint32_t next; /* the next entry of its chain, and one; 0: the last */
};

/* A table of chains; in each the entries stand as they were put, so equal keys keep their order. */
struct index {
    struct entry *at; /* owned */
    uint32_t *first;  /* owned; of each chain: the entry, and one; 0: none */
    uint64_t factor;
    size_t count;
    unsigned shift; /* the highest bits are the chain's number */
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

static bool index_begin(struct index *i, size_t most, uint64_t seed)
{
    unsigned bits = 1;

    while (bits < 31 && (size_t)1 << bits < most)
        bits++;
    i->count = 0;
    i->shift = 64 - bits;
    i->factor = seed | 1;
    i->at = calloc(most + 1, sizeof(*i->at));
    i->first = calloc((size_t)1 << bits, sizeof(*i->first));
    return i->at && i->first;
}

static void index_end(struct index *i)
{
    free(i->at);
    free(i->first);
}

static void put(struct index *i, uint64_t key, size_t at)
{
    i->at[i->count++] = (struct entry){ .key = key, .at = (uint32_t)at };
}

static uint32_t *chain(const struct index *i, uint64_t key)
{
    return &i->first[key * i->factor >> i->shift];
}

/* When all is put. */
static void link_up(struct index *i)
{
    for (size_t n = i->count; n-- > 0;) {
        uint32_t *first = chain(i, i->at[n].key);

        i->at[n].next = *first;
        *first = (uint32_t)n + 1;
    }
}

/* The first one with that key from `n` on, an entry and one; NULL: there is none. */
static const struct entry *at_or_behind(const struct index *i, uint32_t n, uint64_t key)
{
    while (n != 0 && i->at[n - 1].key != key)
        n = i->at[n - 1].next;
    return n != 0 ? &i->at[n - 1] : NULL;
}

static const struct entry *first_of(const struct index *i, uint64_t key)
{
    return at_or_behind(i, *chain(i, key), key);
}

static const struct entry *next_of(const struct index *i, const struct entry *e)
{
    return at_or_behind(i, e->next, e->key);
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

static int by_age(const void *a, const void *b)
{
    const struct snap_process *x = *(const struct snap_process *const *)a;
    const struct snap_process *y = *(const struct snap_process *const *)b;

    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* What the eldest process holds first, and what nobody of the picture holds last. */
static void put_holders(struct join *j, const struct snap_process **eldest)
{
    const struct snap_holder *all = holders_of(j->snap);
    const size_t count = j->snap->part[SNAP_HOLDER].count;
    size_t processes = 0;

    for (size_t i = 0; i < count; i++)
        put(&j->pid_inode, (uint64_t)all[i].pid, i);
    link_up(&j->pid_inode);
    for (size_t i = 0; i < j->pid.count; i++) {
        const struct snap_process *p = &processes_of(j->snap)[i];

        if (join_process(j, p->pid) == p)
            eldest[processes++] = p;
    }
    qsort(eldest, processes, sizeof(*eldest), by_age);
    for (size_t i = 0; i < processes; i++) {
        const struct entry *e = first_of(&j->pid_inode, (uint64_t)eldest[i]->pid);

        for (; e; e = next_of(&j->pid_inode, e))
            put(&j->inode_pid, all[e->at].inode, e->at);
    }
    for (size_t i = 0; i < count && j->inode_pid.count < count; i++)
        if (!join_process(j, all[i].pid))
            put(&j->inode_pid, all[i].inode, i);
    link_up(&j->inode_pid);
}

struct join *join_new(const struct snap *s, struct err *e)
{
    struct join *j = calloc(1, sizeof(*j));
    size_t processes = s->part[SNAP_PROCESS].count;
    size_t sockets = s->part[SNAP_SOCKET].count;
    size_t holders = s->part[SNAP_HOLDER].count;
    size_t tracks = 2 * s->part[SNAP_TRACK].count;
    const struct snap_process **eldest = calloc(processes + 1, sizeof(*eldest));
    uint64_t seed = 0;

    (void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
    if (!j || !eldest || !index_begin(&j->pid, processes, seed) || !index_begin(&j->inode, sockets, seed) ||
        !index_begin(&j->tuple, sockets, seed) || !index_begin(&j->port, sockets, seed) ||
        !index_begin(&j->track, tracks, seed) || !index_begin(&j->inode_pid, holders, seed) ||
        !index_begin(&j->pid_inode, holders, seed)) {
        free(eldest);
        join_free(j);
        err_set(e, ENOMEM, "to join processes and sockets");
        return NULL;
    }
    j->snap = s;
    j->seed = seed;
    for (size_t i = 0; i < processes; i++)
        put(&j->pid, (uint64_t)processes_of(s)[i].pid, i);
    put_sockets(j);
    put_tracks(j);
    link_up(&j->pid);
    link_up(&j->inode);
    link_up(&j->tuple);
    link_up(&j->port);
    link_up(&j->track);
    put_holders(j, eldest);
    free(eldest);
    return j;
}

void join_free(struct join *j)
{
    if (!j)
        return;
    index_end(&j->pid);
    index_end(&j->inode);
    index_end(&j->tuple);
    index_end(&j->port);
    index_end(&j->track);
    index_end(&j->inode_pid);
    index_end(&j->pid_inode);
    free(j);
}

const struct snap_process *join_process(const struct join *j, int64_t pid)
{
    const struct entry *e = first_of(&j->pid, (uint64_t)pid);

    return e ? &processes_of(j->snap)[e->at] : NULL;
}

const struct snap_holder *join_holder(const struct join *j, uint64_t inode, size_t nth)
{
    const struct entry *e = inode != 0 ? first_of(&j->inode_pid, inode) : NULL;

    while (e && nth-- > 0)
        e = next_of(&j->inode_pid, e);
    return e ? &holders_of(j->snap)[e->at] : NULL;
}

bool join_holds(const struct join *j, int64_t pid, uint64_t inode)
{
    const struct entry *e = inode != 0 ? first_of(&j->inode_pid, inode) : NULL;

    while (e && holders_of(j->snap)[e->at].pid != pid)
        e = next_of(&j->inode_pid, e);
    return e;
}

const struct snap_socket *join_socket(const struct join *j, uint64_t inode)
{
    const struct entry *e = inode != 0 ? first_of(&j->inode, inode) : NULL;

    return e ? &sockets_of(j->snap)[e->at] : NULL;
}

const struct snap_socket *join_held(const struct join *j, int64_t pid, size_t *cursor)
{
    const struct index *held = &j->pid_inode;
    const struct entry *e = *cursor ? next_of(held, &held->at[*cursor - 1]) : first_of(held, (uint64_t)pid);

    for (; e; e = next_of(held, e)) {
        const struct snap_socket *s = join_socket(j, holders_of(j->snap)[e->at].inode);

        if (s) {
            *cursor = (size_t)(e - held->at) + 1;
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

    for (const struct entry *e = first_of(&j->tuple, key); e; e = next_of(&j->tuple, e)) {
        const struct snap_socket *other = &sockets_of(j->snap)[e->at];

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

    for (const struct entry *e = first_of(&j->track, key); e; e = next_of(&j->track, e)) {
        const struct snap_track *t = &all[e->at];

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
    for (const struct entry *e = first_of(&j->port, s->local.port); e; e = next_of(&j->port, e)) {
        const struct snap_socket *l = &sockets_of(j->snap)[e->at];

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
