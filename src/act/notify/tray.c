/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/tray.h"

#include <string.h>

static void drop(struct tray *o, size_t from, size_t n)
{
    memmove(o->at + from, o->at + from + n, (o->count - from - n) * sizeof(o->at[0]));
    o->count -= n;
}

/* The one that can best be missed: how often something was repeated, then the oldest that does not begin anything. */
static size_t least(const struct tray *o)
{
    for (size_t i = o->sending; i < o->count; i++)
        if (o->at[i].notice.stage == NOTICE_MORE)
            return i;
    for (size_t i = o->sending; i < o->count; i++)
        if (o->at[i].notice.ev.grade < GRADE_ALARM)
            return i;
    return o->sending;
}

void tray_add(struct tray *o, const struct notice *n, int64_t now_us)
{
    if (o->count == TRAY_MOST) {
        drop(o, least(o), 1);
        o->lost++;
    }
    o->at[o->count++] = (struct tray_entry){ *n, now_us };
}

void tray_strike(struct tray *o, uint64_t id, unsigned stage)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->at[i].notice.id == id && o->at[i].notice.stage == stage) {
            drop(o, 0, i + 1);
            return;
        }
}

/* When the bucket has a token. */
static int64_t allowed_us(const struct tray *o, const struct notify_settings *s)
{
    return o->bucket.full_at_us - ((int64_t)s->burst - 1) * s->each_us;
}

int64_t tray_due_us(const struct tray *o, const struct notify_settings *s)
{
    int64_t due_us;

    if (o->count == 0 || o->sending > 0)
        return INT64_MAX;
    due_us = o->at[0].since_us + s->wait_us;
    if (o->failures > 0)
        return due_us > o->retry_us ? due_us : o->retry_us;
    return due_us > allowed_us(o, s) ? due_us : allowed_us(o, s);
}

size_t tray_take(struct tray *o, const struct notify_settings *s, int64_t now_us)
{
    if (tray_due_us(o, s) > now_us)
        return 0;
    if (o->failures == 0 && !rate_take(&o->bucket, s->burst, s->each_us, now_us))
        return 0;
    o->sending = o->count < TRAY_TURN ? o->count : TRAY_TURN;
    o->more = o->count - o->sending;
    return o->sending;
}

void tray_sent(struct tray *o)
{
    drop(o, 0, o->sending);
    o->sending = 0;
    o->failures = 0;
}

void tray_failed(struct tray *o, const struct notify_settings *s, int64_t now_us)
{
    int64_t pause_us = s->retry_us;

    if (o->failures == 0)
        o->failed_us = now_us;
    for (unsigned i = 0; i < o->failures && pause_us < s->retry_most_us; i++)
        pause_us *= 2;
    o->failures++;
    o->sending = 0;
    o->retry_us = now_us + (pause_us < s->retry_most_us ? pause_us : s->retry_most_us);
}

size_t tray_expire(struct tray *o, const struct notify_settings *s, int64_t now_us)
{
    size_t n = 0;

    while (o->sending == 0 && n < o->count && now_us - o->at[n].since_us > s->keep_us)
        n++;
    drop(o, 0, n);
    return n;
}
