/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/words.h"
#include "conf/value.h"

#define SECOND_US 1000000LL

/* Exactly `digits` decimal digits off the front of *s. */
static bool take_digits(struct slice *s, size_t digits, int *n)
{
    uint64_t value;

    if (s->len < digits || !slice_to_u64(slice_first(*s, digits), &value))
        return false;
    *n = (int)value;
    *s = slice_skip(*s, digits);
    return true;
}

static bool take(struct slice *s, char c)
{
    if (s->len == 0 || s->at[0] != (uint8_t)c)
        return false;
    *s = slice_skip(*s, 1);
    return true;
}

/* HH:MM, HH:MM:SS, HH:MM:SS.fraction; a leap second is the one after it. */
static bool take_clock(struct slice *s, struct tm *tm, int64_t *fraction_us)
{
    int64_t unit = SECOND_US / 10;

    tm->tm_sec = 0;
    *fraction_us = 0;
    if (!take_digits(s, 2, &tm->tm_hour) || !take(s, ':') || !take_digits(s, 2, &tm->tm_min))
        return false;
    if (tm->tm_hour > 23 || tm->tm_min > 59)
        return false;
    if (!take(s, ':'))
        return true;
    if (!take_digits(s, 2, &tm->tm_sec) || tm->tm_sec > 60)
        return false;
    if (!take(s, '.'))
        return true;
    if (s->len == 0 || s->at[0] < '0' || s->at[0] > '9')
        return false;
    for (; s->len > 0 && s->at[0] >= '0' && s->at[0] <= '9'; *s = slice_skip(*s, 1)) {
        *fraction_us += (s->at[0] - '0') * unit;
        unit /= 10;
    }
    return true;
}

/* Z, +01:00, -0330 */
static bool take_zone(struct slice *s, int *east_s)
{
    int hours;
    int minutes;
    int sign;

    if (take(s, 'Z') || take(s, 'z')) {
        *east_s = 0;
        return true;
    }
    sign = take(s, '+') ? 1 : take(s, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(s, 2, &hours))
        return false;
    (void)take(s, ':');
    if (!take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *east_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday;
}

/* mktime and timegm turn February 30 into March 2: what comes back must be the day that was asked for. */
static bool to_us(struct tm tm, bool utc, int64_t *at_us)
{
    struct tm asked = tm;
    time_t seconds;

    tm.tm_isdst = -1;
    seconds = utc ? timegm(&tm) : mktime(&tm);
    asked.tm_sec = asked.tm_sec == 60 ? 59 : asked.tm_sec;
    if (!same_day(&asked, &tm) && !(asked.tm_hour == 23 && asked.tm_min == 59))
        return false;
    *at_us = (int64_t)seconds * SECOND_US;
    return true;
}

static bool read_date(struct slice s, int64_t *at_us)
{
    struct tm tm = { 0 };
    int64_t fraction_us = 0;
    int east_s = 0;
    bool utc;

    if (!take_digits(&s, 4, &tm.tm_year) || !take(&s, '-') || !take_digits(&s, 2, &tm.tm_mon) || !take(&s, '-') ||
        !take_digits(&s, 2, &tm.tm_mday) || tm.tm_year < 1970 || tm.tm_year > 9998 || tm.tm_mon < 1 || tm.tm_mon > 12 ||
        tm.tm_mday < 1 || tm.tm_mday > 31)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    if (s.len == 0)
        return to_us(tm, false, at_us);
    if ((!take(&s, 'T') && !take(&s, 't') && !take(&s, ' ')) || !take_clock(&s, &tm, &fraction_us))
        return false;
    utc = s.len > 0;
    if ((utc && !take_zone(&s, &east_s)) || s.len > 0 || !to_us(tm, utc, at_us))
        return false;
    *at_us += fraction_us - east_s * SECOND_US;
    return true;
}

static struct tm local_day(int64_t now_us)
{
    time_t seconds = (time_t)(now_us / SECOND_US);
    struct tm tm = { 0 };

    (void)localtime_r(&seconds, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    return tm;
}

bool when_read(struct slice s, int64_t now_us, int64_t *at_us)
{
    struct tm day = local_day(now_us);
    int64_t fraction_us;
    int64_t span_us;
    int64_t found;

    s = slice_trim(s);
    if (slice_eq_nocase(s, SLICE("now"))) {
        *at_us = now_us;
        return true;
    }
    if (slice_eq_nocase(s, SLICE("today")))
        return to_us(day, false, at_us);
    if (slice_eq_nocase(s, SLICE("yesterday"))) {
        day.tm_mday--;
        day.tm_isdst = -1;
        *at_us = (int64_t)mktime(&day) * SECOND_US;
        return true;
    }
    if (s.len > 2 && s.at[2] == ':') {
        if (!take_clock(&s, &day, &fraction_us) || s.len > 0 || !to_us(day, false, &found))
            return false;
        *at_us = found + fraction_us;
        return true;
    }
    if (read_date(s, &found)) {
        *at_us = found;
        return true;
    }
    if (!value_span(s, &span_us) || span_us <= 0 || span_us > now_us)
        return false;
    *at_us = now_us - span_us;
    return true;
}

static struct when_words written(int64_t at_us, const char *format, bool milliseconds)
{
    struct when_words w = { "" };
    struct text t = TEXT_IN(w.text);
    int64_t fraction_us = at_us % SECOND_US;
    time_t seconds = (time_t)(at_us / SECOND_US - (fraction_us < 0));
    struct tm tm;
    char out[32];

    if (fraction_us < 0)
        fraction_us += SECOND_US;
    if (!localtime_r(&seconds, &tm) || tm.tm_year > 8099 || tm.tm_year < 0) {
        text_addf(&t, "%lld us", (long long)at_us);
        return w;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)strftime(out, sizeof(out), format, &tm);
#pragma GCC diagnostic pop
    text_word(&t, out);
    if (milliseconds)
        text_addf(&t, ".%03d", (int)(fraction_us / 1000));
    return w;
}

struct when_words when_clock(int64_t at_us)
{
    return written(at_us, "%H:%M:%S", true);
}

struct when_words when_full(int64_t at_us)
{
    return written(at_us, "%Y-%m-%d %H:%M:%S", true);
}

struct when_words when_near(int64_t at_us, int64_t now_us)
{
    struct tm then = local_day(at_us);
    struct tm today = local_day(now_us);

    return written(at_us, same_day(&then, &today) ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", false);
}

struct when_words when_long(int64_t span_us)
{
    struct when_words w = { "" };
    struct text t = TEXT_IN(w.text);

    if (span_us < SECOND_US)
        text_word(&t, _("less than a second"));
    else
        text_duration(&t, span_us);
    return w;
}
