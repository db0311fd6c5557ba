/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sockets - TCP connections and listeners of this network namespace, by sock_diag(7), through a socket kept open.
 *
 * Listeners cost little and are looked at each second.  Connections cost what
 * there are: above the budget they are looked at less often.
 */
#ifndef SERVIOLA_WATCH_SOCKETS_H
#define SERVIOLA_WATCH_SOCKETS_H
#include "base/err.h"
#include "sense/watch/facts.h"

enum { LISTENERS_MOST = 1024 };

struct sockets;
struct sockets *sockets_new(uint32_t most, struct err *e);
void sockets_free(struct sockets *s); /* NULL is fine */
/* budget_us: CPU a second for connections; 0: listeners alone. */
void sockets_sample(struct sockets *s, int64_t budget_us, struct facts *f);
uint32_t sockets_every(const struct sockets *s); /* connections are looked at each so many seconds */
uint64_t sockets_refused(const struct sockets *s);
#endif
