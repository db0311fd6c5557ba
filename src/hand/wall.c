/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/wall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "hand/elements.h"
#include "hand/rules.h"
#include "hand/table.h"

enum { TRIES = 4, NEARLY_OVER_US = 2000000, CARRIED = 4096 };

int wall_open(struct wall *w, const struct hand_settings *set, struct never *never, uint64_t seed, struct err *e)
{
    memset(w, 0, sizeof(*w));
    w->set = set;
    w->never = never;
    w->may_own = true;
    if (nl_open(&w->nl, NETLINK_NETFILTER, e) < 0)
        return -1;
    if (nl_open(&w->watch, NETLINK_NETFILTER, e) < 0 || counts_open(&w->counts, &w->bans, e) < 0 ||
        counts_open(&w->carried, &w->bans, e) < 0 || bans_init(&w->bans, set->total, seed, e) < 0 ||
        nl_batch_init(&w->batch, &w->nl, 2 * (size_t)NL_MESSAGE, e) < 0) {
        wall_close(w);
        return -1;
    }
    return 0;
}

struct adoption {
    struct wall *w;
    int64_t now_us;
};

static void adopt_one(void *ctx, const struct element *el)
{
    const struct adoption *a = ctx;
    struct wall *w = a->w;
    bool inside = !w->set->gate_only && never_who(w->never, el->who, false) == HAND_OK;
    struct ban *x;

    if (el->left_ms == 0 || el->left_ms > (uint64_t)HAND_SECONDS_MAX * 1000 ||
        (!inside && never_who(w->never, el->who, true) != HAND_OK) || bans_find(&w->bans, el->who, a->now_us))
        return;
    x = bans_add(&w->bans, el->who, a->now_us + (int64_t)el->left_ms * 1000);
    if (x)
        x->outside = !inside;
}

/* EBUSY, without the kernel's words for it. */
static int not_ours(const struct wall *w, uint32_t owner, struct err *e)
{
    (void)err_set(e, 0,
                  "another serviola, or another program, runs here and owns table inet %s (netlink port %u): end it, "
                  "or name another table in the configuration, block: { table: ... }",
                  w->set->table, owner);
    if (e)
        e->code = EBUSY;
    return -1;
}

int wall_begin(struct wall *w, int64_t now_us, struct err *e)
{
    struct adoption a = { w, now_us };
    struct table_facts t;

    if (table_look(&w->nl, w->set->table, &t, e) < 0)
        return -1;
    if (t.there && (t.flags & NFT_TABLE_F_OWNER) && t.owner != w->nl.port)
        return not_ours(w, t.owner, e);
    if (t.there && (t.flags & RULES_TABLE_PERSIST) && !(t.flags & NFT_TABLE_F_OWNER)) {
        struct rules adopt = { .set = w->set, .table_flags = t.flags | NFT_TABLE_F_OWNER };

        nl_batch_begin(&w->batch); /* from here on nobody else can change it, and it goes on blocking */
        rules_add_table(&w->batch, &adopt);
        if (nl_batch_send(&w->batch) < 0)
            return err_set(e, errno, "taking over table inet %s", w->set->table);
    }
    if (t.there && table_blocks(&w->nl, w->set->table, adopt_one, &a) < 0 && errno != ENOENT)
        return err_set(e, errno, "reading the blocks of table inet %s", w->set->table);
    return wall_restore(w, now_us, e);
}

static void add_all(struct nl_batch *b, const struct wall *w, enum rules_what what, int64_t now_us)
{
    const struct ban *chunk[2][RULES_ELEMENTS];
    size_t used[2] = { 0 };

    for (const struct ban *x = bans_next(&w->bans, NULL); x; x = bans_next(&w->bans, x)) {
        size_t f = x->who.family == 6;

        if (what == RULES_COUNT && x->packets == 0)
            continue;
        chunk[f][used[f]++] = x;
        if (used[f] == RULES_ELEMENTS) {
            rules_elements(b, w->set->table, what, chunk[f], used[f], now_us);
            used[f] = 0;
        }
    }
    for (size_t f = 0; f < 2; f++)
        if (used[f] > 0)
            rules_elements(b, w->set->table, what, chunk[f], used[f], now_us);
}

/* One attempt: what was there goes, all of ours comes, in one transaction. */
static int put_table(struct wall *w, const struct rules *r, int64_t now_us, struct err *e)
{
    struct table_facts t;
    struct nl_batch b;
    int result;

    if (table_look(&w->nl, w->set->table, &t, e) < 0 || nl_batch_init(&b, &w->nl, rules_size(r, w->bans.count), e) < 0)
        return -1;
    nl_batch_begin(&b);
    if (t.there)
        rules_delete_table(&b, w->set->table);
    rules_add_table(&b, r);
    rules_add_content(&b, r);
    add_all(&b, w, RULES_BLOCK, now_us);
    add_all(&b, w, RULES_COUNT, now_us);
    result = nl_batch_send(&b);
    if (result < 0)
        (void)err_set(e, errno, "table inet %s", w->set->table);
    nl_batch_done(&b);
    return result;
}

/* On a table without an owner, others' changes are ours to notice. */
static int listen_for_news(struct wall *w, bool yes, struct err *e)
{
    int group = NFNLGRP_NFTABLES;

    if (mnl_socket_setsockopt(w->watch.socket, yes ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
                              sizeof(group)) < 0)
        return err_set(e, errno, "listening for changes of the firewall");
    return 0;
}

static int put_best_table(struct wall *w, struct rules *r, int64_t now_us, struct err *e)
{
    for (int i = 0; i < TRIES; i++) {
        struct err why = { 0 };

        if (put_table(w, r, now_us, &why) == 0)
            return 0;
        if (r->table_flags && (why.code == EOPNOTSUPP || why.code == EINVAL))
            r->table_flags = 0; /* a kernel before 6.9 */
        else if (r->hold && !r->old_queue && why.code == ENOENT)
            r->old_queue = true;
        else if (why.code != ENOENT && why.code != EEXIST &&
                 why.code != EINTR) { /* else: another program was quicker */
            if (e)
                *e = why;
            return -1;
        }
    }
    return err_set(e, EAGAIN, "table inet %s: the kernel or another program did not let it stand", w->set->table);
}

static int restore(struct wall *w, bool hold, int64_t now_us, struct err *e)
{
    static const size_t cap = HAND_NETS + NEVER_NETS;
    struct prefix *inside = calloc(cap, sizeof(*inside));
    struct prefix *allowed = calloc(HAND_NETS + NEVER_ALLOWED, sizeof(*allowed));
    struct rules r = { .set = w->set,
                       .hold = hold,
                       .inside = inside,
                       .allowed = allowed,
                       .local = w->set->own_blockable.at,
                       .local_count = w->set->own_blockable.count,
                       .old_queue = w->old_queue,
                       .table_flags = w->may_own ? NFT_TABLE_F_OWNER | RULES_TABLE_PERSIST : 0 };
    int result = -1;

    w->whole = false;
    if (!inside || !allowed) {
        (void)err_set(e, ENOMEM, "the firewall's table");
        goto done;
    }
    r.inside_count = never_inside(w->never, inside, cap);
    r.allowed_count = never_allowed(w->never, allowed, HAND_NETS + NEVER_ALLOWED);
    (void)bans_sweep(&w->bans, now_us);
    if (w->bans.count <= CARRIED && counts_begin(&w->carried, w->set->table, now_us) == 0)
        while (counts_step(&w->carried) == 1) /* of more, what the last look brought home: being quick comes first */
            ;
    /* The kernel would tell us of each of our own elements; what others do meanwhile, the batch undoes. */
    if (listen_for_news(w, false, e) < 0 || put_best_table(w, &r, now_us, e) < 0)
        goto done;
    w->flags = r.table_flags;
    w->may_own = r.table_flags != 0;
    w->old_queue = r.old_queue;
    if (!wall_is_owned(w) && listen_for_news(w, true, e) < 0)
        goto done;
    if (table_sum_rules(&w->nl, w->set->table, &w->rules_hash) < 0) {
        (void)err_set(e, errno, "reading back table inet %s", w->set->table);
        goto done;
    }
    w->whole = true;
    result = 0;
done:
    free(inside);
    free(allowed);
    return result;
}

int wall_restore(struct wall *w, int64_t now_us, struct err *e)
{
    return restore(w, w->set->hold, now_us, e);
}

struct comparison {
    struct wall *w;
    int64_t now_us;
    bool foreign;
};

static void compare_one(void *ctx, const struct element *el)
{
    struct comparison *c = ctx;
    struct ban *x = bans_find(&c->w->bans, el->who, c->now_us);

    if (!x) {
        c->foreign |= el->left_ms == 0 || el->left_ms > NEARLY_OVER_US / 1000;
        return;
    }
    x->known = c->w->pass;
}

int wall_compare(struct wall *w, int64_t now_us, struct err *e)
{
    struct comparison c = { w, now_us, false };
    struct table_facts t;
    uint64_t hash;

    if (table_look(&w->nl, w->set->table, &t, e) < 0)
        return -1;
    if (!t.there || t.flags != w->flags || (t.flags & NFT_TABLE_F_OWNER && t.owner != w->nl.port))
        return 1;
    if (table_sum_rules(&w->nl, w->set->table, &hash) < 0)
        return err_set(e, errno, "reading the rules of table inet %s", w->set->table);
    if (hash != w->rules_hash)
        return 1;
    if (wall_is_owned(w)) /* so nobody else can have touched them */
        return 0;
    w->pass++;
    if (table_blocks(&w->nl, w->set->table, compare_one, &c) < 0) {
        if (errno == ENOENT)
            return 1;
        return err_set(e, errno, "reading the blocks of table inet %s", w->set->table);
    }
    for (const struct ban *x = bans_next(&w->bans, NULL); x; x = bans_next(&w->bans, x))
        if (x->known != w->pass && x->until_us > now_us + NEARLY_OVER_US)
            return 1;
    return c.foreign;
}

int wall_watch_fd(const struct wall *w)
{
    return mnl_socket_get_fd(w->watch.socket);
}

struct news {
    const struct wall *w;
    bool ours;
};

/* Everything that nftables announces names its table in the first kind of attribute. */
static int on_news(const struct nlmsghdr *h, void *ctx)
{
    struct news *n = ctx;
    const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
    const struct nlattr *a;

    _Static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 && NFTA_SET_TABLE == 1 &&
                       NFTA_SET_ELEM_LIST_TABLE == 1,
                   "the table's name");
    if (h->nlmsg_pid == n->w->nl.port || mnl_nlmsg_get_payload_len(h) < sizeof(*g) ||
        (h->nlmsg_type >> 8) != NFNL_SUBSYS_NFTABLES || (h->nlmsg_type & 0xff) == NFT_MSG_NEWGEN ||
        g->nfgen_family != NFPROTO_INET)
        return MNL_CB_OK;
    NL_EACH(a, h, sizeof(*g))
    if (mnl_attr_get_type(a) == NFTA_TABLE_NAME && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0 &&
        strcmp(mnl_attr_get_str(a), n->w->set->table) == 0)
        n->ours = true;
    return MNL_CB_OK;
}

bool wall_news(struct wall *w)
{
    _Alignas(struct nlmsghdr) char buffer[NL_MESSAGE];
    struct news n = { w, false };

    for (int i = 0; i < 256; i++) { /* the rest when the loop comes by again */
        ssize_t got = mnl_socket_recvfrom(w->watch.socket, buffer, sizeof(buffer));

        if (got < 0)
            return n.ours || errno == ENOBUFS; /* news were lost: they may have been about us */
        (void)mnl_cb_run(buffer, (size_t)got, 0, 0, on_news, &n);
    }
    return n.ours;
}

static int mend(struct wall *w, int64_t now_us, struct err *e)
{
    if (wall_restore(w, now_us, e) < 0)
        return -1;
    w->mended = true;
    return 0;
}

/* For `count` hosts, in groups of one family. */
static void put(struct wall *w, enum rules_what what, const struct ban *at, size_t count, int64_t now_us)
{
    const struct ban *group[RULES_ELEMENTS];

    for (uint8_t family = 4; family <= 6; family += 2) {
        size_t used = 0;

        for (size_t i = 0; i < count; i++)
            if (at[i].who.family == family)
                group[used++] = &at[i];
        if (used > 0)
            rules_elements(&w->batch, w->set->table, what, group, used, now_us);
    }
}

/* Those of whom something may have been counted begin at nothing: makes sure that the element is there, and takes it
 * out. */
static void uncount(struct wall *w, const struct ban *at, size_t count)
{
    put(w, RULES_COUNT, at, count, 0);
    put(w, RULES_UNCOUNT, at, count, 0);
}

int wall_count(struct wall *w, int64_t now_us)
{
    return counts_begin(&w->counts, w->set->table, now_us);
}

int wall_count_step(struct wall *w)
{
    int more = counts_step(&w->counts);

    if (more == 0 && w->counts.stale_count > 0) {
        nl_batch_begin(&w->batch);
        uncount(w, w->counts.stale, w->counts.stale_count);
        (void)nl_batch_send(&w->batch); /* if not, the next reading finds them again */
    }
    return more;
}

static enum hand_code judge(struct wall *w, const struct hand_block *ask, int64_t now_us)
{
    enum hand_code code;
    struct ban *x;

    if (ask->seconds == 0 || ask->seconds > HAND_SECONDS_MAX || ask->unasked > 1 || ask->outside > 1)
        return HAND_WRONG;
    if (!w->set->acts || (ask->outside ? w->set->doors_count == 0 : w->set->gate_only))
        return HAND_OBSERVES;
    code = never_who(w->never, ask->who, ask->outside);
    if (code != HAND_OK)
        return code;
    x = bans_find(&w->bans, ask->who, now_us);
    if (x) {
        x->outside &= ask->outside;
        return HAND_ALREADY;
    }
    code = never_cap(w->never, w->bans.count, ask, now_us);
    if (code == HAND_CAP_TOTAL && bans_sweep(&w->bans, now_us) > 0)
        code = never_cap(w->never, w->bans.count, ask, now_us);
    return code;
}

void wall_block(struct wall *w, const struct hand_block *asks, size_t count, struct hand_outcome *out, int64_t now_us)
{
    struct ban fresh[HAND_BATCH];
    struct ban again[HAND_BATCH];
    size_t used = 0;
    size_t used_again = 0;
    struct err e;

    for (size_t i = 0; i < count; i++) {
        bool knew = bans_knew(&w->bans, asks[i].who);
        struct ban *x;

        out[i] = (struct hand_outcome){ .who = asks[i].who, .code = (int32_t)judge(w, &asks[i], now_us) };
        if (out[i].code != HAND_OK)
            continue;
        x = bans_add(&w->bans, asks[i].who, now_us + (int64_t)asks[i].seconds * 1000000);
        if (!x) {
            out[i].code = HAND_CAP_TOTAL;
            continue;
        }
        x->outside = asks[i].outside;
        if (!asks[i].unasked)
            never_count(w->never, now_us);
        fresh[used++] = *x;
        if (knew)
            again[used_again++] = *x;
    }
    nl_batch_begin(&w->batch);
    put(w, RULES_BLOCK, fresh, used, now_us);
    uncount(w, again, used_again);
    if (used == 0 || (w->whole && nl_batch_send(&w->batch) == 0) || mend(w, now_us, &e) == 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (out[i].code == HAND_OK) {
            out[i].code = HAND_FAILED;
            out[i].error = e.code;
            (void)bans_remove(&w->bans, asks[i].who);
        }
}

void wall_unblock(struct wall *w, const struct addr *asks, size_t count, struct hand_outcome *out, int64_t now_us)
{
    struct ban gone[HAND_BATCH];
    size_t used = 0;
    struct err e;

    for (size_t i = 0; i < count; i++) {
        const struct ban *x = asks[i].port == 0 ? bans_find(&w->bans, asks[i], now_us) : NULL;

        out[i] = (struct hand_outcome){ .who = asks[i], .code = HAND_NOT_THERE };
        if (!x)
            continue;
        out[i].code = HAND_OK;
        gone[used++] = *x;
        (void)bans_remove(&w->bans, asks[i]);
    }
    nl_batch_begin(&w->batch);
    put(w, RULES_UNBLOCK, gone, used, now_us);
    uncount(w, gone, used);
    if (used == 0 || (w->whole && nl_batch_send(&w->batch) == 0) || mend(w, now_us, &e) == 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (out[i].code == HAND_OK) {
            out[i].code = HAND_FAILED; /* off the list all the same: the next restore leaves it out */
            out[i].error = e.code;
        }
}

void wall_lift(struct wall *w, int64_t now_us, void (*each)(void *ctx, const struct hand_outcome *lifted), void *ctx)
{
    struct hand_outcome out[HAND_BATCH];
    struct addr who[HAND_BATCH];
    enum hand_code why[HAND_BATCH];
    size_t used;

    (void)bans_sweep(&w->bans, now_us);
    do {
        used = 0;
        for (const struct ban *x = bans_next(&w->bans, NULL); x && used < HAND_BATCH; x = bans_next(&w->bans, x)) {
            why[used] = never_who(w->never, x->who, x->outside);
            if (why[used] != HAND_OK && why[used] != HAND_NEVER_OUTSIDE)
                who[used++] = x->who;
        }
        wall_unblock(w, who, used, out, now_us);
        for (size_t i = 0; i < used; i++) {
            out[i].code = (int32_t)why[i];
            each(ctx, &out[i]);
        }
    } while (used == HAND_BATCH);
}

void wall_list(struct wall *w, int64_t now_us, void (*each)(void *ctx, const struct hand_entry *entry), void *ctx)
{
    (void)bans_sweep(&w->bans, now_us);
    for (const struct ban *x = bans_next(&w->bans, NULL); x; x = bans_next(&w->bans, x)) {
        struct hand_entry entry = { .who = x->who,
                                    .expires_ms = (uint64_t)(x->until_us - now_us) / 1000,
                                    .packets = x->packets,
                                    .bytes = x->bytes };

        each(ctx, &entry);
    }
}

static void clear_table(struct wall *w)
{
    nl_batch_begin(&w->batch);
    rules_delete_table(&w->batch, w->set->table);
    (void)nl_batch_send(&w->batch);
}

void wall_end(struct wall *w, bool clear, int64_t now_us)
{
    (void)bans_sweep(&w->bans, now_us);
    if (!w->whole)
        return;
    w->whole = false;
    if (!clear && w->bans.count > 0) {
        if (w->set->hold) /* a queue that nobody reads would stop all mail */
            (void)restore(w, false, now_us, NULL);
        return;
    }
    clear_table(w);
}

bool wall_is_owned(const struct wall *w)
{
    return w->flags & NFT_TABLE_F_OWNER;
}

int wall_settings(struct wall *w, const struct hand_settings *set, int64_t now_us, struct err *e)
{
    struct bans fresh;

    (void)bans_sweep(&w->bans, now_us);
    if (bans_init(&fresh, set->total > w->bans.count ? set->total : w->bans.count, w->bans.seed, e) < 0)
        return -1;
    for (const struct ban *x = set->acts ? bans_next(&w->bans, NULL) : NULL; x; x = bans_next(&w->bans, x))
        if (x->outside ? set->doors_count > 0 : !set->gate_only)
            *bans_add(&fresh, x->who, x->until_us) = *x;
    bans_done(&w->bans);
    w->bans = fresh;
    if (w->whole && (!set->acts || strcmp(set->table, w->set->table) != 0)) {
        clear_table(w);
        w->whole = false;
    }
    w->set = set;
    return 0;
}

void wall_close(struct wall *w)
{
    nl_batch_done(&w->batch);
    counts_close(&w->counts);
    counts_close(&w->carried);
    bans_done(&w->bans);
    nl_close(&w->watch);
    nl_close(&w->nl);
}
