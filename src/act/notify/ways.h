/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ways - one message on one way: mail, hook, syslog, program.
 */
#ifndef SERVIOLA_NOTIFY_WAYS_H
#define SERVIOLA_NOTIFY_WAYS_H
#include "act/notify/letter.h"
#include "sys/loop.h"

struct ways;
/* Before the jail: reads secrets and certificates.  A way that can't be used fails each time it is tried, and says why.
 */
struct ways *ways_new(struct loop *l, const struct notify_settings *s, const char *host, struct err *e);
/* Ports that its servers listen at; how many. */
size_t ways_ports(const struct ways *w, uint16_t at[2 * NOTIFY_WAYS]);

/* `done` may be called at once.  One message at a time on each way.  `said`: the server's last line, or why it failed.
 */
void ways_send(struct ways *w, uint32_t way, const struct letter *l,
               void (*done)(void *ctx, bool out, const char *said), void *ctx);
void ways_forget(struct ways *w, uint32_t way); /* what is under way there is nobody's any more */
#endif
