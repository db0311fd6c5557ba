/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a server full, and of whom?  Does somebody here mail the whole world? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"

enum { WAITING_MANY = 8, PEERS_SHOWN = 3, WORM_PEERS = 10 };

static bool in_state(const struct snap_socket *s, const char *state)
{
    return slice_eq(s->kind, SLICE("tcp")) && slice_eq(s->state, slice_text(state));
}

struct peer {
    struct addr ip;
    size_t count;
};

static int by_ip(const void *a, const void *b)
{
    const struct peer *x = a;
    const struct peer *y = b;

    return memcmp(&x->ip, &y->ip, sizeof(x->ip));
}

static int by_count(const void *a, const void *b)
{
    const struct peer *x = a;
    const struct peer *y = b;

    return x->count < y->count ? 1 : x->count > y->count ? -1 : by_ip(a, b);
}

/* Adds up equal addresses, the most frequent first; how many are left. */
static size_t add_up(struct peer *at, size_t count)
{
    size_t n = 0;

    if (count == 0)
        return 0;
    qsort(at, count, sizeof(*at), by_ip);
    for (size_t i = 0; i < count; i++) {
        if (n > 0 && addr_eq(at[n - 1].ip, at[i].ip))
            at[n - 1].count++;
        else
            at[n++] = at[i];
    }
    qsort(at, n, sizeof(*at), by_count);
    return n;
}

static void tell_full(struct explain *x, const struct snap_socket *l, struct peer *peers)
{
    const struct snap_process *owner = join_process(x->j, l->pid);
    bool full = l->send_queue > 0 && l->receive_queue >= l->send_queue;
    struct finding *f = explain_found(x, "full_house", full ? GRADE_ALARM : GRADE_WARN);
    size_t served = 0;
    size_t count = 0;
    size_t different;

    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, s)
    {
        if (s->local.port != l->local.port || !in_state(s, "ESTABLISHED") || join_listener(x->j, s) != l)
            continue;
        served += s->inode != 0;
        if (s->inode != 0)
            /* cppcheck-suppress unknownEvaluationOrder ; count stands on one side only */
            peers[count++] = (struct peer){ .ip = addr_ip(s->remote), .count = 1 };
    }
    different = add_up(peers, count);
    explain_text(
        f,
        "%s on port %u %s: %" PRIu64 " connections wait to be accepted (there is room for %" PRIu64 "), %zu are served",
        words_process(owner).text, (unsigned)l->local.port,
        full ? _("takes no more connections") : _("does not keep up"), l->receive_queue, l->send_queue, served);
    for (size_t i = 0; i < different && i < PEERS_SHOWN; i++)
        explain_proof(f, "%zu of the places are held by %s", peers[i].count, addr_ip_text(peers[i].ip).text);
    if (owner && owner->descriptors_most > 0 && owner->descriptors >= owner->descriptors_most / 20 * 19)
        explain_proof(f, "%s has %" PRIu64 " descriptors open, and may have %" PRIu64, words_process(owner).text,
                      owner->descriptors, owner->descriptors_most);
    explain_next(f, "ss -tn 'sport = :%u'   shows who holds the places", (unsigned)l->local.port);
}

void explain_full_house(struct explain *x)
{
    struct peer *peers = calloc(x->s->part[SNAP_SOCKET].count + 1, sizeof(*peers));

    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, l)
    if (peers && in_state(l, "LISTEN") && l->receive_queue > 0 &&
        (l->receive_queue >= WAITING_MANY || l->receive_queue >= l->send_queue))
        tell_full(x, l, peers);
    free(peers);
}

/* --- worm */

static void tell_worm(struct explain *x, int64_t pid, struct peer *peers, size_t tries, size_t different)
{
    const struct snap_process *p = join_process(x->j, pid);
    struct finding *f = explain_found(x, "worm", GRADE_ALARM);

    explain_text(f, "%s tries to reach %zu mail servers at once (%zu connections to port 25 without an answer yet)",
                 words_process(p).text, different, tries);
    if (p)
        explain_proof(f, "executable %s, user %" PRIu64 ", started by pid %" PRId64, words_of(p->exe).text, p->uid,
                      p->parent);
    if (p)
        explain_proof(f, "command line: %s", words_args(p).text);
    for (size_t i = 0; i < different && i < PEERS_SHOWN; i++)
        explain_proof(f, "to %s", addr_ip_text(peers[i].ip).text);
    explain_next(f, "kill -STOP %" PRId64 "   stops it and keeps it for a look; then find out who started it", pid);
}

static int by_owner(const void *a, const void *b)
{
    const struct snap_socket *x = *(const struct snap_socket *const *)a;
    const struct snap_socket *y = *(const struct snap_socket *const *)b;

    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

void explain_worm(struct explain *x)
{
    size_t most = x->s->part[SNAP_SOCKET].count + 1;
    const struct snap_socket **tries = calloc(most, sizeof(*tries));
    struct peer *peers = calloc(most, sizeof(*peers));
    size_t count = 0;

    if (!tries || !peers)
        goto out;
    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, s)
    if (in_state(s, "SYN_SENT") && s->remote.port == 25 && s->pid != 0)
        tries[count++] = s;
    if (count > 0)
        qsort(tries, count, sizeof(*tries), by_owner);
    for (size_t from = 0, to; from < count; from = to) {
        size_t different;

        for (to = from; to < count && tries[to]->pid == tries[from]->pid; to++)
            peers[to - from] = (struct peer){ .ip = addr_ip(tries[to]->remote), .count = 1 };
        different = add_up(peers, to - from);
        if (different >= WORM_PEERS)
            tell_worm(x, tries[from]->pid, peers, to - from, different);
    }
out:
    free(tries);
    free(peers);
}
