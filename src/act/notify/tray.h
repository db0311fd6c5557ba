/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tray - the notices that wait for one way out: gathered, limited in rate, tried again, given up when too old.
 *
 * First come first told; what was taken for sending stays at its head until
 * it went out, so that a second try says the same.  The clock is an argument.
 */
#ifndef SERVIOLA_NOTIFY_TRAY_H
#define SERVIOLA_NOTIFY_TRAY_H
#include "act/notify/incident.h"
#include "base/rate.h"

enum { TRAY_MOST = 256, TRAY_TURN = 32 }; /* notices that wait; told in one message */

struct tray_entry {
    struct notice notice;
    int64_t since_us;
};

struct tray {
    struct tray_entry at[TRAY_MOST]; /* oldest first */
    size_t count, sending;           /* sending: how many of them are under way */
    uint64_t lost;                   /* found no place, or grew too old; not told yet */
    uint64_t more;                   /* of those under way: waited behind them when they were taken */
    struct rate_bucket bucket;
    bool limited; /* the limit was reached, and is not over */
    unsigned failures;
    int64_t failed_us; /* since when */
    int64_t retry_us;  /* not before */
};

void tray_add(struct tray *t, const struct notice *n, int64_t now_us);
/* It went out in an earlier life: this one and what stood before it. */
void tray_strike(struct tray *t, uint64_t id, unsigned stage);
/* Without those that came before `since_us`. */
void tray_forget(struct tray *t, int64_t since_us);
/* When there is something to do; INT64_MAX: nothing. */
int64_t tray_due_us(const struct tray *t, const struct notify_settings *s);
/* How many to send now, from at[0] on; 0: none. */
size_t tray_take(struct tray *t, const struct notify_settings *s, int64_t now_us);
void tray_sent(struct tray *t);
void tray_failed(struct tray *t, const struct notify_settings *s, int64_t now_us);
/* Gives up what is older than `keep`; how many. */
size_t tray_expire(struct tray *t, const struct notify_settings *s, int64_t now_us);
#endif
