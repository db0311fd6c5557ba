/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/countries.h"

#include <string.h>

enum { FIELDS = 8 };

static enum countries_got bad(struct countries *c, struct slice at, const char *fault)
{
    c->at = at;
    c->fault = fault;
    return COUNTRIES_BAD;
}

/* ZZ, * and nothing name no country: COUNTRIES_NOTHING. */
static enum countries_got read_country(struct slice word, struct countries *c)
{
    uint8_t two[2];

    if (word.len == 0 || slice_eq(word, SLICE("*")) || slice_eq_nocase(word, SLICE("ZZ")))
        return COUNTRIES_NOTHING;
    for (size_t i = 0; i < 2 && word.len == 2; i++) {
        two[i] = word.at[i] & (uint8_t)~0x20;
        if (two[i] < 'A' || two[i] > 'Z')
            word.len = 0;
    }
    if (word.len != 2)
        return bad(c, word, "a country has two letters (ISO 3166)");
    c->country = (uint16_t)(two[0] << 8 | two[1]);
    return COUNTRIES_NETWORKS;
}

static enum countries_got read_prefix(struct slice word, struct countries *c)
{
    if (!prefix_read(word, &c->net[0]))
        return bad(c, word, "this is no address and no prefix (192.0.2.0/24; bits behind the length must be 0)");
    c->count = 1;
    return COUNTRIES_NETWORKS;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* PREFIX CC */
static enum countries_got read_pair(struct slice line, struct countries *c)
{
    size_t n = 0;
    struct slice country;
    enum countries_got got;

    while (n < line.len && !is_blank(line.at[n]))
        n++;
    country = slice_trim(slice_skip(line, n));
    got = read_prefix(slice_first(line, n), c);
    if (got != COUNTRIES_NETWORKS)
        return got;
    return country.len == 0 ? bad(c, line, "the country is missing") : read_country(country, c);
}

static enum countries_got read_geofeed(struct slice line, struct countries *c)
{
    struct slice rest;
    struct slice prefix = slice_trim(slice_until(line, ',', &rest));
    struct slice country = slice_trim(slice_until(rest, ',', &rest));
    enum countries_got got = read_prefix(prefix, c);

    return got == COUNTRIES_NETWORKS ? read_country(country, c) : got;
}

/* ---- a registry's ---- */

/* `count` addresses from `start` on, as prefixes. */
static enum countries_got read_range(struct slice start, struct slice count, struct countries *c)
{
    struct addr a;
    uint64_t left;
    uint64_t from;

    if (!addr_read(start, &a) || a.family != 4 || a.port != 0)
        return bad(c, start, "this is no IPv4 address");
    if (!slice_to_u64(count, &left) || left == 0)
        return bad(c, count, "this is no number of addresses");
    from = (uint64_t)a.ip[0] << 24 | (uint64_t)a.ip[1] << 16 | (uint64_t)a.ip[2] << 8 | a.ip[3];
    if (left > ((uint64_t)1 << 32) - from)
        return bad(c, count, "there are not so many addresses behind that one");
    while (left > 0) {
        unsigned bits = 0;
        uint8_t ip[16] = { (uint8_t)(from >> 24), (uint8_t)(from >> 16), (uint8_t)(from >> 8), (uint8_t)from };

        while (bits < 32 && (from & (((uint64_t)2 << bits) - 1)) == 0 && (uint64_t)2 << bits <= left)
            bits++;
        if (c->count == COUNTRIES_NETS)
            return bad(c, count, "these are too many networks for one line");
        c->net[c->count++] = prefix_of(addr_from_ip(4, ip, 0), (uint8_t)(32 - bits));
        from += (uint64_t)1 << bits;
        left -= (uint64_t)1 << bits;
    }
    return COUNTRIES_NETWORKS;
}

static enum countries_got read_v6(struct slice start, struct slice bits, struct countries *c)
{
    struct addr a;
    uint64_t n;

    if (!addr_read(start, &a) || a.family != 6)
        return bad(c, start, "this is no IPv6 address");
    if (!slice_to_u64(bits, &n) || n > 128)
        return bad(c, bits, "this is no length of a prefix");
    c->net[0] = prefix_of(a, (uint8_t)n);
    c->count = 1;
    return COUNTRIES_NETWORKS;
}

/* registry|cc|type|start|value|date|status[|...]; heads have a number first, sums the word `summary`. */
static enum countries_got read_registry(struct slice line, struct countries *c)
{
    struct slice field[FIELDS];
    size_t count = 0;
    enum countries_got got;

    while (count < FIELDS && line.len > 0)
        field[count++] = slice_trim(slice_until(line, '|', &line));
    if (field[0].len > 0 && field[0].at[0] >= '0' && field[0].at[0] <= '9')
        return COUNTRIES_NOTHING;
    if (count == 6 && slice_eq(field[5], SLICE("summary")))
        return COUNTRIES_NOTHING;
    if (count < 7)
        return bad(c, field[0], "a registry's line has seven fields or more");
    if (slice_eq(field[2], SLICE("asn")) ||
        !(slice_eq(field[6], SLICE("allocated")) || slice_eq(field[6], SLICE("assigned"))))
        return COUNTRIES_NOTHING;
    if (slice_eq(field[2], SLICE("ipv4")))
        got = read_range(field[3], field[4], c);
    else if (slice_eq(field[2], SLICE("ipv6")))
        got = read_v6(field[3], field[4], c);
    else
        got = bad(c, field[2], "a registry gives asn, ipv4 and ipv6");
    return got == COUNTRIES_NETWORKS ? read_country(field[1], c) : got;
}

enum countries_got countries_read(struct slice line, struct countries *c)
{
    memset(c, 0, sizeof(*c));
    line = slice_trim(line);
    if (line.len > 0 && line.at[0] != '#' && line.at[0] != ';' && memchr(line.at, '|', line.len))
        return read_registry(line, c);
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] == '#' || line.at[i] == ';')
            line = slice_trim(slice_first(line, i));
    if (line.len == 0)
        return COUNTRIES_NOTHING;
    return memchr(line.at, ',', line.len) ? read_geofeed(line, c) : read_pair(line, c);
}
