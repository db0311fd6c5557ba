/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stock - the supervisor's duplicates of the sockets at which the house listens (hand/stock.h).
 *
 * A hand that dies, a core that dies with all its parts, and under systemd a
 * restart of the whole service: who connects meanwhile waits, and is served
 * by the next one.  From systemd come those that its store kept, and those of
 * a .socket unit; only what the settings name is taken, the rest is closed
 * and said.
 */
#ifndef SERVIOLA_CORE_STOCK_H
#define SERVIOLA_CORE_STOCK_H
#include <stdbool.h>

#include "base/err.h"
#include "hand/op.h"
#include "hand/stock.h"
#include "sys/chan.h"
#include "sys/loop.h"

struct stock_place {
    struct hand_listen at;
    int fd;      /* own */
    bool stored; /* systemd has it: in its store, or as a .socket */
};

struct stock {
    struct stock_place place[HAND_LISTENS];
    uint32_t count;
    int manager; /* systemd; -1: there is none, or it keeps nothing */
    bool frozen; /* the house ends: what is stored stays so */
    struct loop *loop;
    struct chan *hand;
    uint32_t timer;
};

/* Takes over what systemd gave this process, and cleans the environment of it. */
void stock_open(struct stock *s, const struct hand_settings *named);
void stock_close(struct stock *s);
/* A link for the hand that is about to be started, filled with what there is; the descriptor for it, or -1. */
int stock_link(struct stock *s, struct loop *l, struct err *e);
/* The house ends for good, as far as it knows; under systemd it may be a restart. */
void stock_freeze(struct stock *s);

enum { STOCK_NAME = 64 };
/* The name in systemd's store: its address and port, as a name there may be written. */
void stock_name(const struct hand_listen *at, char name[STOCK_NAME]);
#endif
