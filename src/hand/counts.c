/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/counts.h"

#include <stdio.h>

#include <linux/netfilter/nfnetlink.h>

static const char *const sets[] = { "counted4", "counted6" };

int counts_open(struct counts *c, struct bans *bans, struct err *e)
{
    *c = (struct counts){ .bans = bans };
    return nl_open(&c->nl, NETLINK_NETFILTER, e);
}

void counts_close(struct counts *c)
{
    nl_close(&c->nl);
}

static void bring_home(void *ctx, const struct element *el)
{
    struct counts *c = ctx;
    struct ban *x = bans_find(c->bans, el->who, c->now_us);

    if (x) {
        x->packets = el->packets;
        x->bytes = el->bytes;
    } else if (c->stale_count < COUNTS_STALE)
        c->stale[c->stale_count++] = (struct ban){ .who = el->who };
}

static int begin_set(struct counts *c)
{
    return elements_begin(&c->walk, &c->nl, c->table, sets[c->set], bring_home, c);
}

int counts_begin(struct counts *c, const char *table, int64_t now_us)
{
    nl_drain(&c->nl);
    (void)snprintf(c->table, sizeof(c->table), "%s", table);
    c->set = 0;
    c->now_us = now_us;
    c->stale_count = 0;
    return begin_set(c);
}

/* What is missed because the set changes meanwhile is as before; the next reading has it. */
int counts_step(struct counts *c)
{
    int more = elements_step(&c->walk);

    if (more > 0)
        return 1;
    if (more < 0)
        nl_drain(&c->nl); /* or it would stay readable */
    else if (++c->set == sizeof(sets) / sizeof(sets[0]))
        return 0;
    return more < 0 || begin_set(c) < 0 ? -1 : 1;
}

int counts_fd(const struct counts *c)
{
    return mnl_socket_get_fd(c->nl.socket);
}
