/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/rdap.h"

#include "wire/syslog.h"

/* RFC 3339, from one end to the other. */
static bool read_date(struct slice date, int64_t *us)
{
    struct syslog said = { 0 };

    if (date.len < 20 || date.at[4] != '-' || syslog_stamp(date, 0, &said) != date.len || !said.stamped)
        return false;
    *us = said.stamp_us;
    return true;
}

/* What is left of the text; nothing is left of one that makes no sense. */
struct json {
    struct slice rest;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static uint8_t peek(struct json *j) /* 0: the end */
{
    while (j->rest.len > 0 && is_blank(j->rest.at[0]))
        j->rest = slice_skip(j->rest, 1);
    return j->rest.len > 0 ? j->rest.at[0] : 0;
}

static bool eat(struct json *j, uint8_t c)
{
    if (peek(j) != c)
        return false;
    j->rest = slice_skip(j->rest, 1);
    return true;
}

/* Between its quotes, as it stands there. */
static bool eat_string(struct json *j, struct slice *s)
{
    size_t n = 0;

    if (!eat(j, '"'))
        return false;
    while (n < j->rest.len && j->rest.at[n] != '"')
        n += j->rest.at[n] == '\\' ? 2 : 1;
    if (n >= j->rest.len)
        return false;
    *s = slice_first(j->rest, n);
    j->rest = slice_skip(j->rest, n + 1);
    return true;
}

/* A value of any kind; brackets are counted, whichever they are. */
static bool eat_value(struct json *j)
{
    struct slice ignored;
    size_t depth = 0;

    do {
        uint8_t c = peek(j);

        if (c == 0)
            return false;
        if (c == '"') {
            if (!eat_string(j, &ignored))
                return false;
            continue;
        }
        if ((c == '}' || c == ']' || c == ',' || c == ':') && depth == 0)
            return false;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        j->rest = slice_skip(j->rest, 1);
        if (depth == 0 && c != '}' && c != ']') /* a number or a word */
            while (j->rest.len > 0 && !is_blank(j->rest.at[0]) && j->rest.at[0] != ',' && j->rest.at[0] != '}' &&
                   j->rest.at[0] != ']')
                j->rest = slice_skip(j->rest, 1);
    } while (depth > 0);
    return true;
}

/* "key": or the end of the object, which `ended` tells. */
static bool eat_key(struct json *j, bool first, struct slice *key, bool *ended)
{
    *ended = eat(j, '}');
    return *ended || ((first || eat(j, ',')) && eat_string(j, key) && eat(j, ':'));
}

static bool eat_event(struct json *j, struct rdap *r)
{
    struct slice action = { 0 };
    struct slice date = { 0 };
    struct slice key;
    bool ended = false;

    if (!eat(j, '{'))
        return eat_value(j);
    for (bool first = true; eat_key(j, first, &key, &ended) && !ended; first = false) {
        bool text = peek(j) == '"';

        if (text && slice_eq(key, SLICE("eventAction")) ? !eat_string(j, &action)
            : text && slice_eq(key, SLICE("eventDate")) ? !eat_string(j, &date)
                                                        : !eat_value(j))
            return false;
    }
    if (ended && !r->ends && slice_eq_nocase(action, SLICE("expiration")))
        r->ends = read_date(date, &r->ends_us);
    return ended;
}

static bool eat_status(struct json *j, struct rdap *r)
{
    struct slice word;

    if (peek(j) != '"')
        return eat_value(j);
    if (!eat_string(j, &word))
        return false;
    if (slice_eq_nocase(word, SLICE("redemption period")) || slice_eq_nocase(word, SLICE("pending delete")))
        r->to_be_deleted = true;
    return true;
}

static bool eat_list(struct json *j, struct rdap *r, bool (*each)(struct json *j, struct rdap *r))
{
    if (!eat(j, '['))
        return eat_value(j);
    if (eat(j, ']'))
        return true;
    do
        if (!each(j, r))
            return false;
    while (eat(j, ','));
    return eat(j, ']');
}

bool rdap_read(struct slice json, struct rdap *r)
{
    struct json j = { json };
    struct slice key;
    bool ended = false;

    *r = (struct rdap){ 0 };
    if (!eat(&j, '{'))
        return false;
    for (bool first = true; eat_key(&j, first, &key, &ended) && !ended; first = false)
        if (slice_eq(key, SLICE("events"))                       ? !eat_list(&j, r, eat_event)
            : slice_eq(key, SLICE("status"))                     ? !eat_list(&j, r, eat_status)
            : slice_eq(key, SLICE("ldhName")) && peek(&j) == '"' ? !eat_string(&j, &r->name)
                                                                 : !eat_value(&j))
            return false;
    (void)peek(&j);
    return ended && j.rest.len == 0; /* a zero is no end */
}
