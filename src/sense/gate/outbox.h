/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * outbox - bytes that wait: for a socket to take them, or for their turn to be read; no memory while none wait.
 */
#ifndef SERVIOLA_GATE_OUTBOX_H
#define SERVIOLA_GATE_OUTBOX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct tls;
struct outbox {
    uint8_t *at; /* owned */
    uint32_t len, cap;
};
enum { OUTBOX_MOST = 256 * 1024 };

struct inbox {
    uint8_t *at; /* owned */
    uint32_t len;
};
/* `rest` is what waits now, and may lie in what waited before.  False: no memory. */
bool inbox_keep(struct inbox *in, struct slice rest);

bool outbox_add(struct outbox *o, struct slice s); /* false: more than OUTBOX_MOST, or no memory */
/* 1 all gone, 0 the socket takes no more now, -1 the peer is gone.  `tls` may be NULL. */
int outbox_send(struct outbox *o, int fd, struct tls *tls);
void outbox_free(struct outbox *o);
#endif
