/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/spf.h"

#include <string.h>

#include "wire/dns.h"

enum { MACRO = 512, LABELS = 128 };

static struct slice word_next(struct slice *rest)
{
    while (rest->len > 0 && rest->at[0] == ' ')
        *rest = slice_skip(*rest, 1);
    return slice_until(*rest, ' ', rest);
}

bool spf_begin(struct slice text, struct slice *terms)
{
    *terms = text;
    return slice_starts_nocase(text, SLICE("v=spf1")) && slice_eq_nocase(word_next(terms), SLICE("v=spf1"));
}

/* Takes `/24` or, with two slashes, `//64` from the end; false when the number is none. */
static bool take_bits(struct slice *s, size_t slashes, unsigned most, uint8_t *bits)
{
    size_t digits = 0;
    uint64_t n;

    *bits = (uint8_t)most;
    while (digits < s->len && s->at[s->len - digits - 1] >= '0' && s->at[s->len - digits - 1] <= '9')
        digits++;
    if (s->len < digits + slashes || memcmp(s->at + s->len - digits - slashes, "//", slashes) != 0)
        return true;
    if (slashes == 1 && s->len > digits + 1 && s->at[s->len - digits - 2] == '/')
        return false; /* //64 twice */
    if (!slice_to_u64(slice_skip(*s, s->len - digits), &n) || n > most)
        return false;
    *bits = (uint8_t)n;
    s->len -= digits + slashes;
    return true;
}

static bool read_net(struct slice value, bool six, struct spf_term *t)
{
    uint8_t bits;
    struct addr a;

    if (!take_bits(&value, 1, six ? 128 : 32, &bits) || !addr_read(value, &a) ||
        six != (memchr(value.at, ':', value.len) != NULL))
        return false;
    if (six && a.family == 4) { /* the v4-mapped form, folded */
        t->net = prefix_of(a, bits > 96 ? bits - 96U : 0);
        return bits >= 96;
    }
    t->net = prefix_of(a, bits);
    return true;
}

static bool read_mechanism(struct slice name, struct slice value, bool has_value, struct spf_term *t)
{
    static const struct {
        const char *name;
        enum spf_what what;
    } names[] = {
        { "all", SPF_ALL }, { "include", SPF_INCLUDE }, { "a", SPF_A },    { "mx", SPF_MX },
        { "ptr", SPF_PTR }, { "ip4", SPF_IP },          { "ip6", SPF_IP }, { "exists", SPF_EXISTS },
    };
    size_t i = 0;

    while (i < sizeof(names) / sizeof(names[0]) && !slice_eq_nocase(name, slice_text(names[i].name)))
        i++;
    if (i == sizeof(names) / sizeof(names[0]))
        return false;
    t->what = names[i].what;
    t->domain = value;
    switch (t->what) {
    case SPF_ALL:
        return !has_value && value.len == 0;
    case SPF_INCLUDE:
    case SPF_EXISTS:
        return has_value && value.len > 0;
    case SPF_IP:
        t->domain = slice_of(NULL, 0);
        return has_value && read_net(value, (name.at[2] == '6'), t);
    case SPF_A:
    case SPF_MX:
        if (!take_bits(&t->domain, 2, 128, &t->bits6) || !take_bits(&t->domain, 1, 32, &t->bits4))
            return false;
        return (t->domain.len > 0) == has_value;
    case SPF_PTR:
        return (value.len > 0) == has_value;
    case SPF_REDIRECT:
    case SPF_OTHER:
        break;
    }
    return false;
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.at[i] | 0x20;

        if (!(c >= 'a' && c <= 'z') && (i == 0 || (!(s.at[i] >= '0' && s.at[i] <= '9') && !strchr("-_.", s.at[i]))))
            return false;
    }
    return s.len > 0;
}

/* The name of a term ends at the first of : / = */
static size_t name_length(struct slice word)
{
    size_t n = 0;

    while (n < word.len && word.at[n] != ':' && word.at[n] != '/' && word.at[n] != '=')
        n++;
    return n;
}

int spf_next(struct slice *rest, struct spf_term *t)
{
    struct slice word = word_next(rest);
    struct slice name;
    size_t n;

    *t = (struct spf_term){ .what = SPF_OTHER, .qualifier = '+', .bits4 = 32, .bits6 = 128 };
    if (word.len == 0)
        return 0;
    n = name_length(word);
    if (n < word.len && word.at[n] == '=') {
        name = slice_first(word, n);
        if (slice_eq_nocase(name, SLICE("redirect"))) {
            t->what = SPF_REDIRECT;
            t->domain = slice_skip(word, n + 1);
            return t->domain.len > 0 ? 1 : -1;
        }
        return is_name(name) ? 1 : -1;
    }
    if (strchr("+-~?", word.at[0]) && word.at[0]) {
        t->qualifier = (char)word.at[0];
        word = slice_skip(word, 1);
        n--;
    }
    if (n < word.len && word.at[n] == ':')
        return read_mechanism(slice_first(word, n), slice_skip(word, n + 1), true, t) ? 1 : -1;
    return read_mechanism(slice_first(word, n), slice_skip(word, n), false, t) ? 1 : -1;
}

/* --- macros --- */

static struct slice domain_of(struct slice sender)
{
    struct slice after = sender;

    for (size_t i = 0; i < sender.len; i++)
        if (sender.at[i] == '@')
            after = slice_skip(sender, i + 1);
    return after;
}

static struct slice local_of(struct slice sender)
{
    size_t n = sender.len - domain_of(sender).len;

    return n > 1 ? slice_first(sender, n - 1) : SLICE("postmaster");
}

static bool macro_value(uint8_t letter, const struct spf_facts *f, struct text *t)
{
    switch (letter | 0x20) {
    case 's':
        text_add(t, f->sender);
        return true;
    case 'l':
        text_add(t, local_of(f->sender));
        return true;
    case 'o':
        text_add(t, domain_of(f->sender));
        return true;
    case 'd':
        text_add(t, f->domain);
        return true;
    case 'h':
        text_add(t, f->helo);
        return true;
    case 'p':
        text_word(t, "unknown");
        return true;
    case 'v':
        text_word(t, f->who.family == 4 ? "in-addr" : "ip6");
        return true;
    case 'i':
        if (f->who.family == 4)
            text_word(t, addr_ip_text(f->who).text);
        else
            for (unsigned i = 0; i < 32; i++)
                text_addf(t, "%s%x", i ? "." : "", i % 2 ? f->who.ip[i / 2] & 15U : (unsigned)f->who.ip[i / 2] >> 4);
        return true;
    default:
        return false;
    }
}

/* Splits at the delimiters, reverses, keeps the last `keep` parts, joins with dots. */
static void add_parts(struct text *out, struct slice value, struct slice delimiters, bool reverse, uint64_t keep)
{
    struct slice part[LABELS];
    size_t count = 0;
    size_t first;

    if (delimiters.len == 0)
        delimiters = SLICE(".");
    part[count++] = slice_first(value, 0);
    for (size_t i = 0; i < value.len; i++)
        if (!memchr(delimiters.at, value.at[i], delimiters.len))
            part[count - 1] = slice_of(part[count - 1].at, part[count - 1].len + 1);
        else if (count < LABELS)
            part[count++] = slice_of(value.at + i + 1, 0);
        else
            break;
    first = keep > 0 && keep < count ? count - keep : 0;
    for (size_t i = first; i < count; i++) {
        text_word(out, i > first ? "." : "");
        text_add(out, part[reverse ? count - 1 - i : i]);
    }
}

static bool is_delimiter(uint8_t c)
{
    return c != 0 && strchr(".-+,/_=", c);
}

/* What stands between %{ and }. */
static bool add_macro(struct text *out, struct slice macro, const struct spf_facts *f)
{
    char value[MACRO];
    struct text t = TEXT_IN(value);
    size_t n = 1;
    uint64_t keep = 0;
    bool reverse;

    if (macro.len == 0 || !macro_value(macro.at[0], f, &t) || t.cut)
        return false;
    while (n < macro.len && macro.at[n] >= '0' && macro.at[n] <= '9')
        n++;
    if (n > 1 && (!slice_to_u64(slice_of(macro.at + 1, n - 1), &keep) || keep == 0))
        return false;
    reverse = n < macro.len && (macro.at[n] | 0x20) == 'r';
    n += reverse;
    for (size_t i = n; i < macro.len; i++)
        if (!is_delimiter(macro.at[i]))
            return false;
    add_parts(out, slice_of(value, t.len), slice_skip(macro, n), reverse, keep);
    return true;
}

bool spf_expand(struct slice spec, const struct spf_facts *f, char *buffer, size_t size)
{
    char all[MACRO];
    struct text t = TEXT_IN(all);
    struct slice name;

    while (spec.len > 0) {
        struct slice before = slice_until(spec, '%', &spec);
        bool macro = before.at + before.len < spec.at; /* the % was there */
        struct slice inside;

        text_add(&t, before);
        if (!macro)
            break;
        if (spec.len == 0)
            return false;
        if (spec.at[0] == '{') {
            size_t had = spec.len;

            inside = slice_until(slice_skip(spec, 1), '}', &spec);
            if (inside.len + 1 >= had || !add_macro(&t, inside, f))
                return false;
            continue;
        }
        if (!strchr("%_-", spec.at[0]) || spec.at[0] == 0)
            return false;
        text_word(&t, spec.at[0] == '%' ? "%" : spec.at[0] == '_' ? " " : "%20");
        spec = slice_skip(spec, 1);
    }
    if (t.cut)
        return false;
    name = slice_of(all, t.len);
    while (name.len > 253) { /* section 7.3: labels leave from the left */
        struct slice after;

        (void)slice_until(name, '.', &after);
        name = after;
    }
    return dns_name_is_sound(name) && text_cstr(buffer, size, name);
}
