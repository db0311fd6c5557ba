/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/cutter.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "hand/cut.h"
#include "sys/chan.h"
#include "sys/clock.h"
#include "sys/say.h"

struct cutter {
    struct loop *loop;
    struct chan *act; /* own */
    struct cutting cutting;
    struct {
        struct cut_report head;
        struct hand_killed killed[CUTTER_HOSTS];
    } answer;
};

static int on_order(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct cutter *c = ctx;
    const struct cut_order *order = body;
    const struct cut_host *hosts = (const struct cut_host *)(order + 1);
    size_t count = (m->len - sizeof(*order)) / sizeof(*hosts);
    int64_t began_us = clock_mono_us();

    (void)fd;
    if ((m->len - sizeof(*order)) % sizeof(*hosts) != 0 || order->ports_count > HAND_PORTS ||
        order->doors_count > HAND_LISTENS)
        return -1;
    cut_hosts(&c->cutting, order, hosts, count, c->answer.killed);
    c->answer.head.took_us = clock_mono_us() - began_us;
    return chan_send(from, CUTTER_REPORT, m->id, 0, &c->answer,
                     sizeof(c->answer.head) + count * sizeof(c->answer.killed[0]), -1);
}

static const struct chan_op orders[] = {
    { CUTTER_ORDER, "order", sizeof(struct cut_order) + sizeof(struct cut_host),
      sizeof(struct cut_order) + CUTTER_HOSTS * sizeof(struct cut_host), false, on_order },
};

static void on_act_gone(void *ctx, struct chan *act, const char *why)
{
    struct cutter *c = ctx;

    (void)act;
    say_debug("link to the hand: %s", why);
    loop_stop(c->loop);
}

struct cutter *cutter_new(struct loop *l, int link, struct err *e)
{
    struct cutter *c = calloc(1, sizeof(*c));

    if (!c) {
        (void)close(link);
        (void)err_set(e, ENOMEM, "the cutter");
        return NULL;
    }
    c->loop = l;
    c->act = chan_new(link, "hand", orders, sizeof(orders) / sizeof(orders[0]), c, e);
    if (c->act && cutting_open(&c->cutting, e) == 0)
        return c;
    cutter_free(c);
    return NULL;
}

/* A walk that cuts nobody tells what walks cost here. */
int cutter_begin(struct cutter *c, struct err *e)
{
    int64_t began_us = clock_mono_us();

    if (chan_attach(c->act, c->loop, on_act_gone, e) < 0)
        return -1;
    cut_nobody(&c->cutting);
    c->answer.head.took_us = clock_mono_us() - began_us;
    (void)chan_send(c->act, CUTTER_REPORT, 0, 0, &c->answer.head, sizeof(c->answer.head), -1);
    return 0;
}

void cutter_free(struct cutter *c)
{
    if (!c)
        return;
    cutting_close(&c->cutting);
    chan_free(c->act);
    free(c);
}
