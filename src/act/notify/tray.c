/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/tray.h"

#include <string.h>

static void drop(struct tray *t, size_t from, size_t n)
{
    memmove(t->at + from, t->at + from + n, (t->count - from - n) * sizeof(t->at[0]));
    t->count -= n;
}

/* The one that can best be missed: how often something was repeated, then the oldest that does not begin anything. */
static size_t least(const struct tray *t)
{
    for (size_t i = t->sending; i < t->count; i++)
        if (t->at[i].notice.stage == NOTICE_MORE)
            return i;
    for (size_t i = t->sending; i < t->count; i++)
        if (t->at[i].notice.ev.grade < GRADE_ALARM)
            return i;
    return t->sending;
}

void tray_add(struct tray *t, const struct notice *n, int64_t now_us)
{
    if (t->count == TRAY_MOST) {
        drop(t, least(t), 1);
        t->lost++;
    }
    t->at[t->count++] = (struct tray_entry){ *n, now_us };
}

void tray_strike(struct tray *t, uint64_t id, unsigned stage)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->at[i].notice.id == id && t->at[i].notice.stage == stage) {
            drop(t, 0, i + 1);
            return;
        }
}

void tray_forget(struct tray *t, int64_t since_us)
{
    size_t n = 0;

    while (n < t->count && t->at[n].since_us < since_us)
        n++;
    drop(t, 0, n);
}

/* When the bucket has a token. */
static int64_t allowed_us(const struct tray *t, const struct notify_settings *s)
{
    return t->bucket.full_at_us - ((int64_t)s->burst - 1) * s->each_us;
}

int64_t tray_due_us(const struct tray *t, const struct notify_settings *s)
{
    int64_t due_us;

    if (t->count == 0 || t->sending > 0)
        return INT64_MAX;
    due_us = t->at[0].since_us + s->wait_us;
    if (t->failures > 0)
        return due_us > t->retry_us ? due_us : t->retry_us;
    return due_us > allowed_us(t, s) ? due_us : allowed_us(t, s);
}

size_t tray_take(struct tray *t, const struct notify_settings *s, int64_t now_us)
{
    if (tray_due_us(t, s) > now_us)
        return 0;
    if (t->failures == 0 && !rate_take(&t->bucket, s->burst, s->each_us, now_us))
        return 0;
    t->sending = t->count < TRAY_TURN ? t->count : TRAY_TURN;
    t->more = t->count - t->sending;
    return t->sending;
}

void tray_sent(struct tray *t)
{
    drop(t, 0, t->sending);
    t->sending = 0;
    t->failures = 0;
}

void tray_failed(struct tray *t, const struct notify_settings *s, int64_t now_us)
{
    int64_t pause_us = s->retry_us;

    if (t->failures == 0)
        t->failed_us = now_us;
    for (unsigned i = 0; i < t->failures && pause_us < s->retry_most_us; i++)
        pause_us *= 2;
    t->failures++;
    t->sending = 0;
    t->retry_us = now_us + (pause_us < s->retry_most_us ? pause_us : s->retry_most_us);
}

size_t tray_expire(struct tray *t, const struct notify_settings *s, int64_t now_us)
{
    size_t n = 0;

    while (t->sending == 0 && n < t->count && now_us - t->at[n].since_us > s->keep_us)
        n++;
    drop(t, 0, n);
    return n;
}
