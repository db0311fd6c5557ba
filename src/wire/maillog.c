/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/maillog.h"

#include <string.h>

#include "wire/maillog_inner.h"

bool maillog_take(struct slice *s, const char *prefix)
{
    size_t n = strlen(prefix);

    if (s->len < n || memcmp(s->at, prefix, n) != 0)
        return false;
    *s = slice_skip(*s, n);
    return true;
}

bool maillog_split(struct slice s, const char *word, struct slice *before, struct slice *after)
{
    size_t n = strlen(word);
    const uint8_t *at = s.len >= n ? memmem(s.at, s.len, word, n) : NULL;

    if (!at)
        return false;
    *before = slice_of(s.at, (size_t)(at - s.at));
    *after = slice_skip(s, before->len + n);
    return true;
}

bool maillog_has(struct slice s, const char *word)
{
    return s.len > 0 && memmem(s.at, s.len, word, strlen(word)) != NULL;
}

struct slice maillog_angle(struct slice s)
{
    struct slice after;

    if (s.len > 0 && s.at[0] == '<')
        return slice_until(slice_skip(s, 1), '>', &after);
    return s;
}

bool maillog_peer(struct slice s, struct slice *name, struct addr *at, struct slice *after)
{
    struct slice rest;
    struct slice before = slice_until(s, '[', &rest);
    struct slice ip = slice_until(rest, ']', after);

    if (before.len == s.len || ip.len == rest.len || !addr_read(ip, at))
        return false;
    *name = before;
    return true;
}

struct slice maillog_value(struct slice s, const char *key)
{
    size_t n = strlen(key);
    struct slice after;

    for (size_t from = 0; from + n <= s.len;) {
        const uint8_t *at = memmem(s.at + from, s.len - from, key, n);
        size_t i;

        if (!at)
            break;
        from = (size_t)(at - s.at) + n;
        if (at != s.at && at[-1] != ' ')
            continue;
        s = slice_skip(s, from);
        if (s.len > 0 && s.at[0] == '<')
            return slice_until(slice_skip(s, 1), '>', &after);
        for (i = 0; i < s.len && s.at[i] != ',' && s.at[i] != ' ' && s.at[i] != ';'; i++)
            ;
        return slice_first(s, i);
    }
    return slice_of(NULL, 0);
}

uint64_t maillog_number(struct slice s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.len && i < 18 && s.at[i] >= '0' && s.at[i] <= '9'; i++)
        n = n * 10 + (uint64_t)(s.at[i] - '0');
    return n;
}

int64_t maillog_seconds(struct slice s)
{
    struct slice fraction;
    struct slice whole = slice_until(s, '.', &fraction);
    uint64_t seconds = maillog_number(slice_first(whole, 9));
    uint64_t us = 0;
    uint64_t unit = 100000;

    for (size_t i = 0; i < fraction.len && unit > 0 && fraction.at[i] >= '0' && fraction.at[i] <= '9'; i++, unit /= 10)
        us += unit * (uint64_t)(fraction.at[i] - '0');
    return (int64_t)(seconds * 1000000 + us);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* 5.7.1 (RFC 3463); how long it is, 0 when none begins here. */
static size_t enhanced_length(struct slice s)
{
    size_t i = 2;
    unsigned dots = 1;

    if (s.len < 5 || (s.at[0] != '2' && s.at[0] != '4' && s.at[0] != '5') || s.at[1] != '.')
        return 0;
    for (; i < s.len && i < 9 && (is_digit(s.at[i]) || (s.at[i] == '.' && dots == 1 && is_digit(s.at[i - 1]))); i++)
        dots += s.at[i] == '.';
    return dots == 2 && is_digit(s.at[i - 1]) ? i : 0;
}

struct slice maillog_status(struct slice reason)
{
    struct slice code = slice_of(NULL, 0);

    for (size_t i = 0; i < reason.len && i < 300; i++) {
        struct slice here = slice_skip(reason, i);
        size_t n;

        if (i > 0 && reason.at[i - 1] != ' ' && reason.at[i - 1] != '-' && reason.at[i - 1] != '(' &&
            reason.at[i - 1] != '#')
            continue;
        n = enhanced_length(here);
        if (n > 0)
            return slice_first(here, n);
        if (code.len == 0 && here.len > 3 && (here.at[0] == '2' || here.at[0] == '4' || here.at[0] == '5') &&
            is_digit(here.at[1]) && is_digit(here.at[2]) && (here.at[3] == ' ' || here.at[3] == '-'))
            code = slice_first(here, 3);
    }
    return code;
}

static struct slice last_part(struct slice program)
{
    for (size_t i = program.len; i > 0; i--)
        if (program.at[i - 1] == '/')
            return slice_skip(program, i);
    return program;
}

bool maillog_read(struct slice program, struct slice text, struct maillog *m)
{
    static const struct {
        const char *begins;
        enum maillog_server server;
        void (*read)(struct slice text, struct maillog *m);
    } servers[] = {
        { "exim", MAILLOG_EXIM, maillog_exim },          { "qmail", MAILLOG_QMAIL, maillog_qmail },
        { "vpopmail", MAILLOG_QMAIL, maillog_vpopmail }, { "vchkpw", MAILLOG_QMAIL, maillog_vpopmail },
        { "dovecot", MAILLOG_DOVECOT, maillog_dovecot },
    };
    struct slice rest = program;

    if (program.len < 4) /* no mail server has so short a name; spares most lines the comparisons */
        return false;
    if (maillog_take(&rest, "postfix")) {
        memset(m, 0, sizeof(*m));
        m->server = MAILLOG_POSTFIX;
        maillog_postfix(last_part(program), text, m);
        return true;
    }
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        if (!maillog_take(&rest, servers[i].begins))
            continue;
        memset(m, 0, sizeof(*m));
        m->server = servers[i].server;
        servers[i].read(text, m);
        return true;
    }
    return false;
}

const char *maillog_what_name(enum maillog_what w)
{
    static const char *const names[MAILLOG_WHATS] = { "other",    "connected",    "disconnected", "accepted",
                                                      "named",    "queued",       "started",      "sent",
                                                      "deferred", "bounced",      "removed",      "rejected",
                                                      "login",    "login_failed", "logout",       "lost" };

    return w < MAILLOG_WHATS ? names[w] : "?";
}

static bool has_nocase(struct slice s, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= s.len; i++)
        if ((s.at[i] | 0x20) == (uint8_t)(word[0] | 0x20) && slice_starts_nocase(slice_skip(s, i), slice_of(word, n)))
            return true;
    return false;
}

static bool ends_name(uint8_t c)
{
    return c == ' ' || c == ';' || c == ',' || c == ')' || c == '(' || c == '<' || c == '"' || c == '\'';
}

/* The word behind `using` and its like, when it looks like a zone: zen.spamhaus.org. */
static struct slice list_name(struct slice s)
{
    static const char *const before[] = { "blocked using ", "listed at ", "listed by ", "listed in ", "listed on " };
    struct slice head, tail;

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        size_t n = 0;

        if (!maillog_split(s, before[i], &head, &tail))
            continue;
        while (n < tail.len && n < 100 && !ends_name(tail.at[n]))
            n++;
        while (n > 0 && tail.at[n - 1] == '.')
            n--;
        if (n > 3 && memchr(tail.at, '.', n))
            return slice_first(tail, n);
    }
    return slice_of(NULL, 0);
}

bool maillog_is_listed(struct slice reason, struct slice *list, struct addr *host)
{
    static const char *const words[] = { "blocked using", "listed at ", "listed by ", "listed in ",
                                         "listed on ",    "blacklist",  "black list", "blocklist",
                                         "block list",    "block-list", "dnsbl",      "spamhaus",
                                         "spamcop",       "barracuda",  " RBL",       "poor reputation" };
    bool listed = false;
    struct slice rest = reason;

    memset(host, 0, sizeof(*host));
    *list = slice_of(NULL, 0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !listed; i++)
        listed = has_nocase(reason, words[i]);
    if (!listed)
        return false;
    *list = list_name(reason);
    while (rest.len > 0 && host->family == 0) {
        size_t n = 0;

        while (n < rest.len && (is_digit(rest.at[n]) || rest.at[n] == '.' || rest.at[n] == ':' ||
                                ((rest.at[n] | 0x20) >= 'a' && (rest.at[n] | 0x20) <= 'f')))
            n++;
        if (n >= 7 && n < 46)
            (void)addr_read(slice_first(rest, rest.at[n - 1] == '.' || rest.at[n - 1] == ':' ? n - 1 : n), host);
        rest = slice_skip(rest, n + 1);
    }
    return true;
}
