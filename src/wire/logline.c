/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/logline.h"

#include <string.h>

enum { SECOND = 1000000, DAY_S = 86400 };

/* `n` digits at `from`; -1 when one of them is none. */
static int digits(struct slice s, size_t from, size_t n)
{
    int value = 0;

    for (size_t i = from; i < from + n; i++) {
        if (i >= s.len || s.at[i] < '0' || s.at[i] > '9')
            return -1;
        value = value * 10 + (s.at[i] - '0');
    }
    return value;
}

bool logline_day(int64_t year, unsigned month, unsigned day, int64_t *days)
{
    static const uint8_t length[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t y, era, of_era, of_year;

    if (month < 1 || month > 12 || day < 1 || day > length[month - 1] || (month == 2 && day == 29 && !leap) ||
        year < 1900 || year > 9999)
        return false;
    y = year - (month <= 2);
    era = y / 400;
    of_era = y - era * 400;
    of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
    *days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return true;
}

static int64_t year_of(int64_t us)
{
    int64_t days = us / SECOND / DAY_S;
    int64_t year = 1970 + days / 366;
    int64_t first;

    while (logline_day(year + 1, 1, 1, &first) && first <= days)
        year++;
    return year;
}

/* hh:mm:ss[.fraction] at the beginning; how long it is, 0: none. */
static size_t clock_time(struct slice s, int64_t *us)
{
    int h = digits(s, 0, 2);
    int m = digits(s, 3, 2);
    int sec = digits(s, 6, 2);
    size_t n = 8;
    int64_t unit = SECOND / 10;

    if (h < 0 || m < 0 || sec < 0 || h > 23 || m > 59 || sec > 60 || s.at[2] != ':' || s.at[5] != ':')
        return 0;
    *us = ((int64_t)h * 3600 + m * 60 + sec) * SECOND;
    if (n + 1 < s.len && (s.at[n] == '.' || s.at[n] == ',') && digits(s, n + 1, 1) >= 0)
        for (n++; n < s.len && digits(s, n, 1) >= 0; n++, unit /= 10)
            *us += unit * digits(s, n, 1);
    return n;
}

/* `Dec  5 18:28:00`, and with a year behind the day as routers write it. */
static size_t read_bsd(struct slice s, int64_t newest_us, int32_t zone_s, int64_t *stamp)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    unsigned month = 0;
    int day, year = -1;
    size_t at = 7;
    size_t n;
    int64_t us = 0;
    int64_t days;

    if (s.len < 15 || s.at[3] != ' ' || s.at[6] != ' ')
        return 0;
    while (month < 12 && memcmp(months + 3 * (size_t)month, s.at, 3) != 0)
        month++;
    day = s.at[4] == ' ' ? digits(s, 5, 1) : digits(s, 4, 2);
    if (month == 12 || day < 0)
        return 0;
    if (s.len > 20 && s.at[11] == ' ' && (year = digits(s, 7, 4)) >= 0)
        at = 12;
    n = clock_time(slice_skip(s, at), &us);
    if (n == 0)
        return 0;
    *stamp = 0;
    for (int64_t y = year >= 0 ? year : year_of(newest_us), last = year >= 0 ? y : y - 8; y >= last; y--) {
        if (!logline_day(y, month + 1, (unsigned)day, &days)) /* 29 February: of the last leap year at most */
            continue;
        *stamp = days * DAY_S * SECOND + us - (int64_t)zone_s * SECOND;
        if (year >= 0 || *stamp <= newest_us)
            break;
    }
    if (month == 1 && day == 29 && year < 0 && newest_us - *stamp > 366LL * DAY_S * SECOND)
        *stamp = 0;
    return at + n;
}

/* `2007-12-05T18:28:00.123456+01:00`, and with a blank instead of the T. */
static size_t read_iso(struct slice s, int32_t zone_s, int64_t *stamp, bool *zone_told)
{
    int year = digits(s, 0, 4);
    int month = digits(s, 5, 2);
    int day = digits(s, 8, 2);
    int64_t us = 0;
    int64_t days;
    size_t n;

    if (year < 0 || month < 0 || day < 0 || s.len < 19 || s.at[4] != '-' || s.at[7] != '-' ||
        (s.at[10] != 'T' && s.at[10] != ' '))
        return 0;
    n = clock_time(slice_skip(s, 11), &us);
    if (n == 0)
        return 0;
    n += 11;
    if (n < s.len && s.at[n] == 'Z') {
        zone_s = 0;
        *zone_told = true;
        n++;
    } else {
        size_t sign = n < s.len && s.at[n] == ' ' ? n + 1 : n; /* Exim: 18:28:00 +0100 */
        int h = digits(s, sign + 1, 2);
        size_t colon = sign + 3 < s.len && s.at[sign + 3] == ':';
        int m = digits(s, sign + 3 + colon, 2);

        if (h >= 0 && m >= 0 && h < 24 && m < 60 && (s.at[sign] == '+' || s.at[sign] == '-')) {
            zone_s = (h * 3600 + m * 60) * (s.at[sign] == '-' ? -1 : 1);
            *zone_told = true;
            n = sign + 5 + colon;
        }
    }
    *stamp = logline_day(year, (unsigned)month, (unsigned)day, &days)
               ? days * DAY_S * SECOND + us - (int64_t)zone_s * SECOND
               : 0;
    return n;
}

/* `[   12.345678] `; the text behind it. */
static struct slice read_uptime(struct slice s, struct logline *l)
{
    size_t i = 1;
    int64_t seconds = 0;
    int64_t us = 0;
    int64_t unit = SECOND / 10;
    size_t from;

    if (s.len < 5 || s.at[0] != '[')
        return s;
    while (i < s.len && s.at[i] == ' ')
        i++;
    for (from = i; i < s.len && i < from + 10 && digits(s, i, 1) >= 0; i++)
        seconds = seconds * 10 + digits(s, i, 1);
    if (i == from || i >= s.len || s.at[i] != '.')
        return s;
    for (i++; i < s.len && digits(s, i, 1) >= 0; i++, unit /= 10)
        us += unit * digits(s, i, 1);
    if (i + 1 >= s.len || s.at[i] != ']' || s.at[i + 1] != ' ')
        return s;
    l->uptime_us = seconds * SECOND + us;
    return slice_skip(s, i + 2);
}

/* <13> at the beginning. */
static struct slice read_priority(struct slice s, struct logline *l)
{
    size_t n = 1;
    int value = 0;

    if (s.len < 3 || s.at[0] != '<')
        return s;
    for (; n < 4 && digits(s, n, 1) >= 0; n++)
        value = value * 10 + digits(s, n, 1);
    if (n == 1 || n >= s.len || s.at[n] != '>' || value > 191)
        return s;
    l->priority = value;
    return slice_skip(s, n + 1);
}

static bool ends_tag(struct slice s, size_t i)
{
    return s.at[i] == ':' && (i + 1 == s.len || s.at[i + 1] == ' ');
}

/* `prog[12]: `, `prog: `, and `syslogd 1.4.1#17: `; what is no tag belongs to the text. */
static void read_tag(struct slice s, struct logline *l)
{
    size_t i = 0;
    size_t name;
    uint32_t pid = 0;

    while (i < s.len && i < 128 && s.at[i] > ' ' && s.at[i] != '[' && s.at[i] < 0x7f && !ends_tag(s, i))
        i++;
    name = i;
    if (name > 0 && i < s.len && s.at[i] == ' ' && digits(s, i + 1, 1) >= 0)
        for (i++; i < s.len && i < 128 && s.at[i] > ' ' && s.at[i] < 0x7f && !ends_tag(s, i);)
            i++; /* the daemon's version */
    if (name > 0 && i < s.len && s.at[i] == '[') {
        for (i++; i < s.len && digits(s, i, 1) >= 0 && pid < 100000000; i++)
            pid = pid * 10 + (uint32_t)digits(s, i, 1);
        if (i >= s.len || s.at[i] != ']')
            return;
        i++;
    }
    if (name == 0 || i >= s.len || !ends_tag(s, i))
        return;
    l->program = slice_first(s, name);
    l->pid = pid;
    l->text = slice_skip(s, i + 1 < s.len ? i + 2 : i + 1);
}

/* 1abcde-0000fg-hi: a line of Exim's own file. */
static bool begins_as_exim(struct slice s)
{
    static const char *const begins[] = { "H=", "SMTP ", "no host name", "Start queue run", "End queue run" };

    if (s.len > 16 && s.at[6] == '-' && (s.at[13] == '-' || (s.len > 23 && s.at[18] == '-')))
        return true;
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (s.len > strlen(begins[i]) && memcmp(s.at, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

void logline_read(struct slice line, int64_t newest_us, int32_t zone_s, struct logline *l)
{
    struct slice s;
    size_t n;
    bool blank_stamp;

    memset(l, 0, sizeof(*l));
    l->uptime_us = l->priority = -1;
    s = read_priority(line, l);
    l->text = s;
    n = read_bsd(s, newest_us, zone_s, &l->stamp_us);
    if (n == 0)
        n = read_iso(s, zone_s, &l->stamp_us, &l->zone_told);
    if (n == 0) {
        l->text = read_uptime(s, l);
        if (l->uptime_us >= 0)
            l->program = SLICE("kernel");
        return;
    }
    blank_stamp = s.at[4] == '-' && s.at[10] == ' ';
    s = slice_skip(s, n);
    if (s.len > 0 && s.at[0] == ' ')
        s = slice_skip(s, 1);
    l->text = s;
    if (blank_stamp) { /* no syslog writes that */
        if (begins_as_exim(s))
            l->program = SLICE("exim");
        return;
    }
    l->host = slice_until(s, ' ', &s);
    l->text = s;
    read_tag(s, l);
    if (slice_eq(l->program, SLICE("kernel")))
        l->text = read_uptime(l->text, l);
}
