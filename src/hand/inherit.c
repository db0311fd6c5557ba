/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/inherit.h"

#include <string.h>
#include <unistd.h>

#include "hand/stock.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { PATIENCE_US = 5000000 };

static int on_socket(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct inherit *i = ctx;
    struct err e;

    (void)from;
    (void)m;
    (void)body; /* the socket itself says where it listens */
    if (fd < 0 || i->all) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    if (lent_adopt(i->lent, i->set, fd, &e) < 0)
        say("a socket of an earlier life is closed: %s", e.text);
    return 0;
}

static int on_all(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    ((struct inherit *)ctx)->all = true;
    return 0;
}

static const struct chan_op ops[] = {
    { STOCK_SOCKET, "socket", sizeof(struct hand_listen), sizeof(struct hand_listen), true, on_socket },
    { STOCK_ALL, "all", 0, 0, false, on_all },
};

static void tell(void *ctx, const struct hand_listen *at, int fd)
{
    struct inherit *i = ctx;

    if (i->stock)
        (void)chan_send(i->stock, fd < 0 ? STOCK_GONE : STOCK_SOCKET, 0, 0, at, sizeof(*at), fd);
}

static void on_ended(void *ctx, struct chan *c, const char *why)
{
    struct inherit *i = ctx;

    say_debug("stock: %s", why); /* the supervisor ended, or we soon will */
    i->stock = NULL;
    chan_free(c);
}

int inherit_open(struct inherit *i, struct loop *l, int fd, struct lent *lent, const struct hand_settings *set,
                 struct err *e)
{
    int64_t until_us = clock_mono_us() + PATIENCE_US;

    *i = (struct inherit){ .lent = lent, .set = set };
    i->stock = chan_new(fd, "stock", ops, sizeof(ops) / sizeof(ops[0]), i, e);
    while (i->stock && !i->all) {
        if (clock_mono_us() > until_us)
            return err_set(e, 0, "the supervisor does not say what there is to listen with");
        if (chan_wait(i->stock, PATIENCE_US, e) < 0)
            return -1;
    }
    if (!i->stock || chan_attach(i->stock, l, on_ended, e) < 0)
        return -1;
    lent->tell = tell;
    lent->ctx = i;
    return 0;
}

void inherit_close(struct inherit *i)
{
    chan_free(i->stock);
    i->stock = NULL;
}
