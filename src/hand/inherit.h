/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inherit - the hand's end of the stock (hand/stock.h): sockets of an earlier life come in before anybody asks for one,
 * and what is opened and let go later is told to the supervisor.
 */
#ifndef SERVIOLA_HAND_INHERIT_H
#define SERVIOLA_HAND_INHERIT_H
#include "base/err.h"
#include "hand/lend.h"
#include "sys/chan.h"
#include "sys/loop.h"

struct inherit {
    struct chan *stock; /* own; NULL: there is none */
    struct lent *lent;
    const struct hand_settings *set; /* at the start */
    bool all;                        /* all that there was is here */
};

/* Owns the link `fd`; fills `lent` before it returns. */
int inherit_open(struct inherit *i, struct loop *l, int fd, struct lent *lent, const struct hand_settings *set,
                 struct err *e);
void inherit_close(struct inherit *i);
#endif
