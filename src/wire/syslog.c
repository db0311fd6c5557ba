/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/syslog.h"

#include <string.h>

enum { SECOND = 1000000, DAY_S = 86400, PRI_MAX = 191, COUNT_DIGITS = 9 };

/* ---- dates ---- */

static int64_t days_of(int64_t year, unsigned month, unsigned day) /* since 1970-01-01; Gregorian */
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned of_era = (unsigned)(y - era * 400);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + (int64_t)(of_era * 365 + of_era / 4 - of_era / 100 + of_year) - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
    unsigned m = (5 * of_year + 2) / 153;

    *day = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = era * 400 + y + (*month <= 2);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool is_date(int64_t year, unsigned month, unsigned day)
{
    static const uint8_t longest[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= (month == 2 && is_leap(year) ? 29u : (unsigned)longest[month - 1]);
}

static const int64_t surely = 182 * (int64_t)DAY_S; /* what is so near is further away in another year */

/* Midnight of the month's day in the year that brings it nearest; false when that year has no such day. */
static bool find_year(int64_t near_s, unsigned month, unsigned day, int64_t second, int64_t *days)
{
    int64_t best = INT64_MAX;
    int64_t this_year;
    int64_t year;
    unsigned m;
    unsigned d;

    date_of(near_s / DAY_S, &this_year, &m, &d);
    year = this_year;
    for (int64_t step = 0; step < 3 && best > surely; step++) { /* this one, the one before, the next */
        int64_t y = step == 1 ? this_year - 1 : this_year + (step == 2);
        int64_t at = days_of(y, month, day);
        int64_t away = at * DAY_S + second - near_s;

        away = away < 0 ? -away : away;
        if (away < best || (away == best && y < year)) {
            best = away;
            *days = at;
            year = y;
        }
    }
    return is_date(year, month, day);
}

/* The same; most stamps have the day of the one before. */
static bool guess_year(int64_t near_us, unsigned month, unsigned day, int64_t second, int64_t *days)
{
    static _Thread_local struct {
        unsigned month, day;
        int64_t days;
    } last;
    int64_t near_s = near_us / SECOND;
    int64_t away = last.days * DAY_S + second - near_s;

    if (month != last.month || day != last.day || away > surely || away < -surely) {
        if (!find_year(near_s, month, day, second, days))
            return false;
        last.month = month;
        last.day = day;
        last.days = *days;
    }
    *days = last.days;
    return true;
}

void syslog_stamp_write(int64_t at_us, char out[SYSLOG_STAMP_BYTES])
{
    int64_t seconds = at_us / SECOND - (at_us % SECOND < 0);
    unsigned micro = (unsigned)(at_us - seconds * SECOND);
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0);
    unsigned of_day = (unsigned)(seconds - days * DAY_S);
    unsigned month;
    unsigned day;
    int64_t year;

    date_of(days, &year, &month, &day);
    if (year < 0 || year > 9999)
        year = 0;
    memcpy(out, "0000-00-00T00:00:00.000000Z", SYSLOG_STAMP_BYTES);
    for (unsigned i = 0, y = (unsigned)year; i < 4; i++, y /= 10)
        out[3 - i] = (char)('0' + y % 10);
    out[5] = (char)('0' + month / 10);
    out[6] = (char)('0' + month % 10);
    out[8] = (char)('0' + day / 10);
    out[9] = (char)('0' + day % 10);
    out[11] = (char)('0' + of_day / 36000);
    out[12] = (char)('0' + of_day / 3600 % 10);
    out[14] = (char)('0' + of_day / 600 % 6);
    out[15] = (char)('0' + of_day / 60 % 10);
    out[17] = (char)('0' + of_day / 10 % 6);
    out[18] = (char)('0' + of_day % 10);
    for (unsigned i = 0; i < 6; i++, micro /= 10)
        out[25 - i] = (char)('0' + micro % 10);
}

/* ---- small readers ---- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `digits` digits at s.at[at]. */
static bool number_at(struct slice s, size_t at, unsigned digits, unsigned *n)
{
    unsigned value = 0;

    if (at + digits > s.len)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        if (!is_digit(s.at[at + i]))
            return false;
        value = value * 10 + (unsigned)(s.at[at + i] - '0');
    }
    *n = value;
    return true;
}

/* hh:mm:ss[.fraction] at s.at[at]: its length, or 0. */
static size_t clock_at(struct slice s, size_t at, int64_t *us)
{
    unsigned h;
    unsigned m;
    unsigned sec;
    int64_t fraction = 0;
    int64_t unit = 100000;
    size_t end = at + 8;

    if (at + 8 > s.len || !number_at(s, at, 2, &h) || s.at[at + 2] != ':' || !number_at(s, at + 3, 2, &m) ||
        s.at[at + 5] != ':' || !number_at(s, at + 6, 2, &sec) || h > 23 || m > 59 || sec > 60)
        return 0;
    if (end + 1 < s.len && (s.at[end] == '.' || s.at[end] == ',') && is_digit(s.at[end + 1]))
        for (end++; end < s.len && is_digit(s.at[end]); end++, unit /= 10)
            fraction += unit * (s.at[end] - '0');
    *us = ((int64_t)h * 3600 + m * 60 + sec) * SECOND + fraction;
    return end - at;
}

#define THREE(a, b, c) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16)

/* 0: no month. */
static unsigned month_at(struct slice s)
{
    if (s.len < 3)
        return 0;
    switch (THREE(s.at[0], s.at[1], s.at[2]) | THREE(' ', ' ', ' ')) {
    case THREE('j', 'a', 'n'):
        return 1;
    case THREE('f', 'e', 'b'):
        return 2;
    case THREE('m', 'a', 'r'):
        return 3;
    case THREE('a', 'p', 'r'):
        return 4;
    case THREE('m', 'a', 'y'):
        return 5;
    case THREE('j', 'u', 'n'):
        return 6;
    case THREE('j', 'u', 'l'):
        return 7;
    case THREE('a', 'u', 'g'):
        return 8;
    case THREE('s', 'e', 'p'):
        return 9;
    case THREE('o', 'c', 't'):
        return 10;
    case THREE('n', 'o', 'v'):
        return 11;
    case THREE('d', 'e', 'c'):
        return 12;
    default:
        return 0;
    }
}

/* ---- stamps ---- */

/* " 2007 " at s.at[at]: no host has such a name. */
static bool year_behind(struct slice s, size_t at, unsigned *year)
{
    unsigned n;

    if (at + 5 >= s.len || s.at[at] != ' ' || s.at[at + 5] != ' ' || !number_at(s, at + 1, 4, &n) || n < 1970 ||
        n > 2100)
        return false;
    *year = n;
    return true;
}

/* Dec  5 18:28:00 | Dec 5 18:28:00 | Dec  5 2007 18:28:00 | Dec  5 18:28:00 2007 */
static size_t stamp_3164(struct slice s, int64_t near_us, struct syslog *into)
{
    unsigned month = month_at(s);
    unsigned day = 0;
    unsigned written = 0;
    size_t at = 4;
    size_t used;
    int64_t days = 0;
    int64_t us;
    bool real;

    if (month == 0 || s.len < 14 || s.at[3] != ' ')
        return 0;
    if (s.at[at] == ' ')
        at++;
    for (unsigned digits = 0; digits < 2 && at < s.len && is_digit(s.at[at]); digits++, at++)
        day = day * 10 + (unsigned)(s.at[at] - '0');
    if (day == 0 || day > 31 || at >= s.len || s.at[at++] != ' ')
        return 0;
    if (number_at(s, at, 4, &written) && at + 4 < s.len && s.at[at + 4] == ' ')
        at += 5;
    else
        written = 0;
    used = clock_at(s, at, &us);
    if (used == 0)
        return 0;
    if (written == 0 && year_behind(s, at + used, &written))
        used += 5;
    if (written > 0) {
        real = is_date(written, month, day);
        days = days_of(written, month, day);
    } else
        real = guess_year(near_us, month, day, us / SECOND, &days);
    into->stamped = real;
    into->yearless = written == 0;
    into->stamp_us = real ? days * DAY_S * (int64_t)SECOND + us : 0;
    return at + used;
}

/* "Z", "+02:00", "-0330" at s.at[at]: its length, or 0. */
static size_t zone_at(struct slice s, size_t at, int64_t *us)
{
    unsigned h;
    unsigned m;
    size_t colon;

    *us = 0;
    if (at < s.len && (s.at[at] == 'Z' || s.at[at] == 'z'))
        return 1;
    if (at >= s.len || (s.at[at] != '+' && s.at[at] != '-') || !number_at(s, at + 1, 2, &h))
        return 0;
    colon = at + 3 < s.len && s.at[at + 3] == ':';
    if (!number_at(s, at + 3 + colon, 2, &m) || h > 23 || m > 59)
        return 0;
    *us = (int64_t)(h * 3600 + m * 60) * SECOND * (s.at[at] == '-' ? -1 : 1);
    return 5 + colon;
}

/* 2007-12-05T18:28:00.123456+02:00, also with a blank in the place of the T, also without a zone. */
static size_t stamp_iso(struct slice s, struct syslog *into)
{
    unsigned year;
    unsigned month;
    unsigned day;
    int64_t us;
    int64_t zone;
    size_t used;
    size_t zone_bytes;

    if (s.len < 19 || !number_at(s, 0, 4, &year) || s.at[4] != '-' || !number_at(s, 5, 2, &month) || s.at[7] != '-' ||
        !number_at(s, 8, 2, &day) || (s.at[10] != 'T' && s.at[10] != 't' && s.at[10] != ' '))
        return 0;
    used = clock_at(s, 11, &us);
    if (used == 0 || month < 1 || month > 12 || day < 1 || day > 31)
        return 0;
    zone_bytes = zone_at(s, 11 + used, &zone);
    into->stamped = is_date(year, month, day);
    into->zoned = zone_bytes > 0;
    into->stamp_us = into->stamped ? days_of(year, month, day) * DAY_S * (int64_t)SECOND + us - zone : 0;
    return 11 + used + zone_bytes;
}

/* @4000000047570f2012345678: TAI64N (multilog); TAI was 10 s ahead in 1970 by its convention. */
static size_t stamp_tai(struct slice s, struct syslog *into)
{
    uint64_t n[2] = { 0, 0 };

    if (s.len < 25 || s.at[0] != '@')
        return 0;
    for (size_t i = 0; i < 24; i++) {
        uint8_t c = s.at[1 + i];
        unsigned digit = is_digit(c) ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;

        if (digit > 15)
            return 0;
        n[i / 16] = n[i / 16] << 4 | digit;
    }
    if (n[0] >> 36 != 0x4000000 || n[1] >= 1000000000)
        return 0;
    into->stamped = into->zoned = true;
    into->stamp_us = (int64_t)((n[0] & 0xfffffffff) - 10) * SECOND + (int64_t)(n[1] / 1000);
    return 25;
}

size_t syslog_stamp(struct slice s, int64_t near_us, struct syslog *into)
{
    if (s.len < 14)
        return 0;
    if (is_digit(s.at[0]))
        return stamp_iso(s, into);
    return s.at[0] == '@' ? stamp_tai(s, into) : stamp_3164(s, near_us, into);
}

/* ---- the parts of a message ---- */

static struct slice read_pri(struct slice s, struct syslog *into)
{
    unsigned n = 0;
    size_t i = 1;

    if (s.len < 3 || s.at[0] != '<')
        return s;
    for (; i < 4 && i < s.len && is_digit(s.at[i]); i++)
        n = n * 10 + (unsigned)(s.at[i] - '0');
    if (i == 1 || i >= s.len || s.at[i] != '>' || n > PRI_MAX)
        return s;
    into->facility = (uint8_t)(n / 8);
    into->severity = (uint8_t)(n % 8);
    return slice_skip(s, i + 1);
}

static struct slice word(struct slice *rest)
{
    const uint8_t *blank = rest->len > 0 ? memchr(rest->at, ' ', rest->len) : NULL;
    struct slice w = slice_first(*rest, blank ? (size_t)(blank - rest->at) : rest->len);

    *rest = slice_skip(*rest, w.len + (blank != NULL));
    return w;
}

static struct slice or_nil(struct slice w)
{
    return w.len == 1 && w.at[0] == '-' ? slice_of(w.at, 0) : w;
}

/* "[id k="v" ...][id2 ...]", quotes may hold \" \\ \]: its length, 0 when it is not closed. */
static size_t data_length(struct slice s)
{
    bool quoted = false;
    bool open = false;

    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.at[i];

        if (quoted && c == '\\')
            i++;
        else if (open && c == '"')
            quoted = !quoted;
        else if (open && !quoted && c == ']')
            open = false;
        else if (!open && c != '[')
            return i;
        else if (!open)
            open = true;
    }
    return open ? 0 : s.len;
}

/* VERSION SP STAMP SP HOST SP APP SP PROCID SP MSGID SP DATA [SP MSG] */
static bool read_5424(struct slice s, struct syslog *into)
{
    static const uint8_t mark[3] = { 0xef, 0xbb, 0xbf };
    struct syslog found = *into;
    struct slice stamp;
    struct slice host;
    struct slice program;
    struct slice pid;
    struct slice msgid;

    if (s.len < 4 || s.at[0] != '1' || s.at[1] != ' ')
        return false;
    s = slice_skip(s, 2);
    stamp = word(&s);
    if (!(stamp.len == 1 && stamp.at[0] == '-') && stamp_iso(stamp, &found) != stamp.len)
        return false;
    host = word(&s);
    program = word(&s);
    pid = word(&s);
    msgid = word(&s);
    found.host = or_nil(host);
    found.program = or_nil(program);
    found.pid = or_nil(pid);
    found.msgid = or_nil(msgid);
    if (s.len > 0 && s.at[0] == '[') {
        found.data = slice_first(s, data_length(s));
        s = slice_skip(s, found.data.len);
    } else if (s.len > 0 && s.at[0] == '-')
        s = slice_skip(s, 1);
    if (s.len > 0 && s.at[0] == ' ')
        s = slice_skip(s, 1);
    if (s.len >= sizeof(mark) && memcmp(s.at, mark, sizeof(mark)) == 0)
        s = slice_skip(s, sizeof(mark));
    found.message = s;
    found.is_5424 = true;
    *into = found;
    return true;
}

/* "postfix/smtpd[812]: ", "su: ": the tag and what stands behind it; false: no tag. */
static bool read_tag(struct slice s, struct syslog *into)
{
    size_t i = 0;
    size_t end;

    while (i < s.len && i < SYSLOG_NAME_MAX && s.at[i] > ' ' && s.at[i] != ':' && s.at[i] != '[')
        i++;
    if (i == 0 || i >= s.len || (s.at[i] != ':' && s.at[i] != '['))
        return false;
    end = i;
    if (s.at[i] == '[') {
        const uint8_t *close = memchr(s.at + i, ']', s.len - i < 64 ? s.len - i : 64);

        if (!close)
            return false;
        into->pid = slice_of(s.at + i + 1, (size_t)(close - s.at) - i - 1);
        i = (size_t)(close - s.at) + 1;
    }
    if (i < s.len && s.at[i] == ':')
        i++;
    into->program = slice_first(s, end);
    if (i < s.len && s.at[i] == ' ')
        i++;
    into->message = slice_skip(s, i);
    return true;
}

static bool is_name(struct slice w) /* a host's name or address */
{
    /* A bit for each byte from 0 to 127: letters, digits, . - _ : / @ % */
    static const uint64_t in_names[2] = {
        (uint64_t)0x3ff << '0' | 1ull << '.' | 1ull << '-' | 1ull << ':' | 1ull << '/' | 1ull << '%',
        (uint64_t)0x3ffffff << ('A' - 64) | (uint64_t)0x3ffffff << ('a' - 64) | 1ull << ('_' - 64) | 1ull << ('@' - 64)
    };

    if (w.len == 0 || w.len > SYSLOG_NAME_MAX)
        return false;
    for (size_t i = 0; i < w.len; i++)
        if (w.at[i] < 0x80 && !(in_names[w.at[i] / 64] >> w.at[i] % 64 & 1))
            return false;
    return w.at[w.len - 1] != ':';
}

/* [STAMP SP [HOST SP]] [TAG] TEXT */
static void read_3164(struct slice s, int64_t near_us, struct syslog *into)
{
    size_t used;
    struct slice rest;
    struct slice host;
    bool dated;

    if (into->severity != SYSLOG_NO_PRI) /* some put a blank, some routers a sign about their clock */
        while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '*' || s.at[0] == '.'))
            s = slice_skip(s, 1);
    used = syslog_stamp(s, near_us, into);
    dated = used > 0 && s.at[0] != '@' && !(is_digit(s.at[0]) && s.at[10] == ' ');
    s = slice_skip(s, used);
    if (used > 0 && s.len > 0 && s.at[0] == ':') /* Cisco's */
        s = slice_skip(s, 1);
    if (used > 0 && s.len > 0 && s.at[0] == ' ')
        s = slice_skip(s, 1);
    into->message = s;
    rest = s;
    host = word(&rest);
    if (dated && rest.at != s.at && rest.len > 0 && is_name(host)) {
        into->host = host;
        into->message = rest;
        s = rest;
    }
    if (used == 0 && into->severity == SYSLOG_NO_PRI)
        return; /* a bare line of text: its colons mean nothing */
    (void)read_tag(s, into);
}

void syslog_read(struct slice raw, int64_t near_us, struct syslog *s)
{
    struct slice rest;

    *s = (struct syslog){ .facility = SYSLOG_NO_PRI, .severity = SYSLOG_NO_PRI };
    while (raw.len > 0 && (raw.at[raw.len - 1] == '\n' || raw.at[raw.len - 1] == '\r' || raw.at[raw.len - 1] == '\0'))
        raw.len--;
    rest = read_pri(raw, s);
    if (rest.at != raw.at && read_5424(rest, s))
        return;
    read_3164(rest, near_us, s);
}

/* ---- frames ---- */

/* False: there is no count here.  *f is not set then. */
static bool counted(struct slice stream, size_t max, struct slice *message, size_t *used, uint64_t *left,
                    enum syslog_frame *f)
{
    uint64_t count = 0;
    size_t i = 0;

    for (; i < stream.len && i < COUNT_DIGITS && is_digit(stream.at[i]); i++)
        count = count * 10 + (uint64_t)(stream.at[i] - '0');
    *f = SYSLOG_FRAME_MORE;
    if (i + 1 >= stream.len)
        return i == stream.len || stream.at[i] == ' ';
    if (stream.at[i] != ' ' || stream.at[i + 1] != '<')
        return false;
    stream = slice_skip(stream, i + 1);
    if (stream.len < (count < max ? count : max))
        return true;
    *message = slice_first(stream, count < max ? (size_t)count : max);
    *used = i + 1 + message->len;
    *left = count - message->len;
    *f = *left > 0 ? SYSLOG_FRAME_LONG : SYSLOG_FRAME_WHOLE;
    return true;
}

enum syslog_frame syslog_frame_read(struct slice stream, size_t max, struct slice *message, size_t *used,
                                    uint64_t *left)
{
    const uint8_t *end;
    enum syslog_frame f;

    *left = 0;
    *used = 0;
    if (stream.len == 0)
        return SYSLOG_FRAME_MORE;
    if (stream.at[0] >= '1' && stream.at[0] <= '9' && counted(stream, max, message, used, left, &f))
        return f;
    end = memchr(stream.at, '\n', stream.len < max + 1 ? stream.len : max + 1);
    if (end) {
        *message = slice_first(stream, (size_t)(end - stream.at));
        *used = message->len + 1;
        return SYSLOG_FRAME_WHOLE;
    }
    if (stream.len <= max)
        return SYSLOG_FRAME_MORE;
    *message = slice_first(stream, max);
    *used = max;
    *left = SYSLOG_LINE;
    return SYSLOG_FRAME_LONG;
}
