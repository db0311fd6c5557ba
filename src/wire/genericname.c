/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/genericname.h"

#include <string.h>

#include "base/text.h"

enum { NAME = 256, NUMBERS = 64, FORM = 80 };

static const char *const changing_words[] = {
    /* the address is somebody else's tomorrow */
    "cgn",   "cgnat", "client", "dhcp", "dial", "dialin", "dialup", "dip",  "dyn",         "dynamic", "dynamicip",
    "dynip", "gprs",  "home",   "ipcp", "isdn", "lte",    "mobile", "nat",  "pool",        "pools",   "ppp",
    "pppoe", "res",   "resnet", "umts", "user", "wifi",   "wimax",  "wlan", "residential",
};
static const char *const line_words[] = {
    /* how the house is connected */
    "adsl",  "async", "broadband", "cable", "cablemodem", "catv", "cpe", "cust",  "customer", "docsis", "dsl",
    "fiber", "fibre", "ftth",      "fttx",  "hfc",        "hsd",  "hsi", "modem", "sdsl",     "vdsl",   "xdsl",
};
static const char *const fixed_words[] = { "business", "fix", "fixed", "static", "statip" };
static const char *const mail_words[] = {
    "mail",     "mailer", "mailout", "mout",   "mta",  "mx",      "out",
    "outbound", "relay",  "sender",  "server", "smtp", "smtpout", "srv",
};
enum theme { CHANGING, LINE, FIXED, MAIL, THEMES };
static const struct {
    const char *const *words;
    size_t count;
} themes[THEMES] = {
    [CHANGING] = { changing_words, sizeof(changing_words) / sizeof(changing_words[0]) },
    [LINE] = { line_words, sizeof(line_words) / sizeof(line_words[0]) },
    [FIXED] = { fixed_words, sizeof(fixed_words) / sizeof(fixed_words[0]) },
    [MAIL] = { mail_words, sizeof(mail_words) / sizeof(mail_words[0]) },
};

struct number { /* one run of digits */
    size_t at, len;
    uint64_t value; /* UINT64_MAX: too long */
};

struct reading {
    char name[NAME]; /* lower case */
    size_t len;
    struct number number[NUMBERS];
    size_t numbers;
    struct slice said[THEMES]; /* a word of each; empty: none */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static void read_numbers(struct reading *r)
{
    for (size_t i = 0; i < r->len && r->numbers < NUMBERS;) {
        struct number *n = &r->number[r->numbers];
        size_t end = i;

        while (end < r->len && is_digit(r->name[end]))
            end++;
        if (end > i) {
            *n = (struct number){ .at = i, .len = end - i, .value = UINT64_MAX };
            (void)slice_to_u64(slice_of(r->name + i, end - i), &n->value);
            r->numbers++;
        }
        i = end + 1;
    }
}

static void note_word(struct reading *r, struct slice word, struct slice as_written)
{
    for (int theme = 0; theme < THEMES; theme++)
        for (size_t i = 0; i < themes[theme].count; i++)
            if (slice_eq(word, slice_text(themes[theme].words[i])))
                r->said[theme] = as_written;
}

/* A word is a run of letters: "dyn" stands in dyn-7.isp.example, not in generaldynamics.com; and never at the end,
 * where .mobile is a top-level domain and home.pl somebody's name. */
static void read_words(struct reading *r, struct slice whole)
{
    size_t end = r->len;

    for (int dots = 0; end > 0 && dots < 2; end--)
        dots += r->name[end - 1] == '.';
    for (size_t i = 0; i < end;) {
        size_t stop = i;

        while (stop < end && is_letter(r->name[stop]))
            stop++;
        note_word(r, slice_of(r->name + i, stop - i), slice_first(slice_skip(whole, i), stop - i));
        i = stop + 1;
    }
}

/* Does the next number follow with one sign between? */
static bool are_neighbours(const struct reading *r, const struct number *n)
{
    size_t end = n[0].at + n[0].len;

    return n[1].at == end + 1 && (strchr("-._x", r->name[end]));
}

static bool has_number(const struct reading *r, uint64_t value, size_t least_digits)
{
    for (size_t i = 0; i < r->numbers; i++)
        if (r->number[i].value == value && r->number[i].len >= least_digits)
            return true;
    return false;
}

/* `count` octets one after the other, each with or without leading zeros. */
static bool has_octets(const struct reading *r, const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i + count <= r->numbers; i++) {
        const struct number *n = &r->number[i];
        size_t k = 0;

        while (k < count && n[k].value == octets[k] && n[k].len <= 3 && (k + 1 == count || are_neighbours(r, &n[k])))
            k++;
        if (k == count)
            return true;
    }
    return false;
}

static bool has_text(const struct reading *r, const char *form)
{
    size_t len = strlen(form);

    return len > 0 && len <= r->len && memmem(r->name, r->len, form, len);
}

/* Octets run together: 001002003004, 1234, 01020304 in hexadecimal. */
enum style { PADDED, PLAIN, HEX };
static bool has_joined(const struct reading *r, const uint8_t *o, size_t count, enum style style)
{
    char form[FORM];
    struct text t = TEXT_IN(form);

    for (size_t i = 0; i < count; i++)
        if (style == HEX)
            text_addf(&t, "%02x", (unsigned)o[i]);
        else
            text_addf(&t, "%0*u", style == PADDED ? 3 : 1, (unsigned)o[i]);
    if (style == HEX)
        return has_text(r, form);
    for (size_t i = 0; i < r->numbers; i++) /* a whole run of digits */
        if (r->number[i].len == t.len && memcmp(r->name + r->number[i].at, form, t.len) == 0)
            return style == PADDED || t.len >= 8;
    return false;
}

static uint64_t joined_value(const uint8_t *o, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | o[i];
    return value;
}

static const char *find_v4(const struct reading *r, const uint8_t *ip)
{
    const uint8_t back[4] = { ip[3], ip[2], ip[1], ip[0] };

    if (has_octets(r, ip, 4))
        return "its address";
    if (has_octets(r, back, 4))
        return "its address reversed";
    if (has_joined(r, ip, 4, PADDED) || has_joined(r, back, 4, PADDED) || has_joined(r, ip, 4, PLAIN) ||
        has_joined(r, back, 4, PLAIN))
        return "its address in one row of digits";
    if (has_joined(r, ip, 4, HEX) || has_joined(r, back, 4, HEX))
        return "its address in hexadecimal";
    if (has_number(r, joined_value(ip, 4), 8) || has_number(r, joined_value(back, 4), 8))
        return "its address as one number";
    return NULL;
}

static const char *find_v4_end(const struct reading *r, const uint8_t *ip)
{
    const uint8_t back[2] = { ip[3], ip[2] };

    if (has_octets(r, ip + 2, 2) || has_octets(r, back, 2) || has_joined(r, ip + 2, 2, PADDED) ||
        has_number(r, joined_value(ip + 2, 2), 4))
        return "the end of its address";
    return NULL;
}

/* The groups from `first` on, between them `sign`. */
static bool has_groups(const struct reading *r, const uint8_t *ip, size_t first, bool padded, const char *sign)
{
    char form[FORM];
    struct text t = TEXT_IN(form);

    for (size_t i = first; i < 8; i++) {
        text_word(&t, i > first ? sign : "");
        text_addf(&t, "%0*x", padded ? 4 : 1, (unsigned)ip[2 * i] << 8 | ip[2 * i + 1]);
    }
    return has_text(r, form);
}

static bool has_nibbles(const struct reading *r, const uint8_t *ip, size_t first, bool back, const char *sign)
{
    char form[FORM];
    struct text t = TEXT_IN(form);

    for (size_t i = first; i < 32; i++) {
        size_t at = back ? 31 - (i - first) : i;

        text_word(&t, i > first ? sign : "");
        text_addf(&t, "%x", at % 2 ? ip[at / 2] & 15U : (unsigned)ip[at / 2] >> 4);
    }
    return has_text(r, form);
}

/* As it is written (RFC 5952), with `sign` for each colon. */
static bool has_written(const struct reading *r, const uint8_t *ip, char sign)
{
    struct addr_words w = addr_ip_text(addr_from_ip(6, ip, 0));

    for (char *c = w.text; *c; c++)
        *c = *c == ':' ? sign : *c;
    return strlen(w.text) >= 9 && has_text(r, w.text);
}

/* An interface number like ::19 says nothing; one that fills its half does. */
static bool is_long_host(const uint8_t *ip)
{
    return ip[8] != 0 || ip[9] != 0 || ip[10] != 0 || ip[11] != 0;
}

static const char *find_v6(const struct reading *r, const uint8_t *ip)
{
    static const char *const signs[] = { "-", ".", "_", "" };

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        const char *sign = signs[i];

        if (has_nibbles(r, ip, 0, false, sign) || (sign[0] && has_groups(r, ip, 0, false, sign)) ||
            has_groups(r, ip, 0, true, sign) || (sign[0] && has_written(r, ip, sign[0])))
            return "its address";
        if (has_nibbles(r, ip, 0, true, sign))
            return "its address reversed";
        if (is_long_host(ip) && (has_nibbles(r, ip, 16, false, sign) || has_nibbles(r, ip, 16, true, sign) ||
                                 has_groups(r, ip, 4, true, sign) || (sign[0] && has_groups(r, ip, 4, false, sign))))
            return "the host's half of its address";
    }
    return NULL;
}

/* The words alone, with a number of three digits and more: ppp-1234.isp.example. */
static const char *find_number(const struct reading *r)
{
    for (size_t i = 0; i < r->numbers; i++)
        if (r->number[i].len >= 3)
            return "a number";
    return NULL;
}

enum generic generic_name(struct slice name, struct addr who, struct generic_hit *hit)
{
    struct reading r = { .len = name.len < NAME - 1 ? name.len : NAME - 1 };
    struct slice kept = { 0 };
    struct slice home;

    for (size_t i = 0; i < r.len; i++)
        r.name[i] = (char)(name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i]);
    read_numbers(&r);
    read_words(&r, name);
    *hit = (struct generic_hit){ .how = who.family == 4 ? find_v4(&r, who.ip) : find_v6(&r, who.ip) };
    home = r.said[CHANGING].len > 0 ? r.said[CHANGING] : r.said[LINE];
    if (r.said[CHANGING].len == 0)
        kept = r.said[FIXED].len > 0 ? r.said[FIXED] : home.len == 0 ? r.said[MAIL] : kept;
    if (hit->how) {
        hit->word = kept.len > 0 ? kept : home;
        return kept.len > 0 ? GENERIC_OWNED : GENERIC_YES;
    }
    if (home.len == 0 || r.said[FIXED].len > 0 || r.said[MAIL].len > 0)
        return GENERIC_NOT;
    hit->word = home;
    hit->how = who.family == 4 ? find_v4_end(&r, who.ip) : NULL;
    if (!hit->how)
        hit->how = find_number(&r);
    return hit->how ? GENERIC_YES : GENERIC_NOT;
}
