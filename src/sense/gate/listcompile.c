/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/listcompile.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.h"
#include "sense/gate/listform.h"
#include "sys/memfile.h"
#include "wire/countries.h"

enum {
    ENTRIES_MOST = 32 << 20, /* of all lists */
    TEXTS_MOST = 1 << 30,    /* bytes of names, of one kind */
    BITS = 128,
};

struct entry { /* of an address list */
    struct list_key from;
    uint32_t value;
    uint8_t bits;
    uint8_t allow;
};
struct named { /* of a name list */
    uint64_t text;
    uint32_t value;
    uint16_t len;
    uint8_t below, allow, pattern;
};
struct grown { /* an array that grows */
    void *at;
    size_t count, room;
};
struct names {
    struct grown named, texts;
    size_t patterns;
};

struct listcompile {
    struct list_head head;
    struct grown entries[2];   /* struct entry; IPv4, IPv6 */
    struct grown countries[2]; /* the same */
    struct names names[LIST_NAMES];
    struct grown image; /* bytes of the memory file */
};

/* ---- arrays ---- */

static void *grow(struct grown *g, size_t row, size_t rows, struct err *e)
{
    void *at;

    if (!g->at || g->count + rows > g->room) {
        size_t room = (g->count + rows) * 3 / 2 + 1024;

        at = realloc(g->at, room * row);
        if (!at) {
            (void)err_set(e, ENOMEM, "lists");
            return NULL;
        }
        g->at = at;
        g->room = room;
    }
    at = (uint8_t *)g->at + g->count * row;
    g->count += rows;
    return at;
}

struct listcompile *listcompile_new(struct err *e)
{
    struct listcompile *c = calloc(1, sizeof(*c));

    if (!c) {
        (void)err_set(e, ENOMEM, "lists");
        return NULL;
    }
    memcpy(c->head.magic, LIST_MAGIC, sizeof(c->head.magic));
    return c;
}

void listcompile_free(struct listcompile *c)
{
    if (!c)
        return;
    free(c->entries[0].at);
    free(c->entries[1].at);
    free(c->countries[0].at);
    free(c->countries[1].at);
    free(c->image.at);
    for (size_t i = 0; i < LIST_NAMES; i++) {
        free(c->names[i].named.at);
        free(c->names[i].texts.at);
    }
    free(c);
}

uint64_t listcompile_count(const struct listcompile *c)
{
    return c->head.entries;
}

/* ---- one line ---- */

struct place {
    const struct gate_list *list; /* NULL: countries */
    const char *file;
    uint32_t line, value;
    struct slice all; /* the whole line, for the column */
};

static int fault(const struct place *p, struct slice at, struct err *e, const char *what)
{
    size_t column = at.at ? (size_t)(at.at - p->all.at) + 1 : 1;

    return err_set(e, 0, "%s:%u:%zu: %s", p->file, p->line, column, what);
}

static int add_address(struct listcompile *c, const struct place *p, struct slice text, struct err *e)
{
    struct prefix net;
    struct entry *en;

    if (!prefix_read(text, &net))
        return fault(p, text, e, "this is no address and no prefix (192.0.2.0/24; bits behind the length must be 0)");
    en = grow(&c->entries[net.net.family == 6], sizeof(*en), 1, e);
    if (!en)
        return -1;
    *en = (struct entry){
        .from = list_key(net.net), .value = p->value, .bits = net.bits, .allow = p->list->means == GATE_LIST_ALLOW
    };
    return 0;
}

static int add_text(struct names *n, const struct place *p, struct slice text, struct named fresh, struct err *e)
{
    struct named *slot;
    uint8_t *to;

    if (n->texts.count + text.len > TEXTS_MOST)
        return fault(p, text, e, "the names are too many");
    fresh.text = n->texts.count;
    fresh.len = (uint16_t)text.len;
    fresh.value = p->value;
    fresh.allow = p->list->means == GATE_LIST_ALLOW;
    to = grow(&n->texts, 1, text.len, e);
    slot = to ? grow(&n->named, sizeof(*slot), 1, e) : NULL;
    if (!slot)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.at[i];

        to[i] = !fresh.pattern && byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
    }
    *slot = fresh;
    return 0;
}

static int add_pattern(struct names *n, const struct place *p, struct slice text, struct err *e)
{
    PCRE2_UCHAR words[128];
    PCRE2_SIZE at;
    int code;
    pcre2_code *compiled;

    if (text.len == 0 || text.len > LIST_PATTERN_MOST)
        return fault(p, text, e, "a pattern has 1 to 512 bytes");
    if (n->patterns == LIST_PATTERNS)
        return fault(p, text, e, "more than 256 patterns; names without slashes cost nothing");
    compiled = pcre2_compile(text.at, text.len, PCRE2_CASELESS, &code, &at, NULL);
    if (!compiled) {
        (void)pcre2_get_error_message(code, words, sizeof(words));
        return fault(p, slice_skip(text, at), e, (const char *)words);
    }
    pcre2_code_free(compiled);
    n->patterns++;
    return add_text(n, p, text, (struct named){ .pattern = 1 }, e);
}

static int add_name(struct names *n, const struct place *p, struct slice text, struct err *e)
{
    struct named fresh = { .pattern = 0 };
    struct slice name = text;

    if (name.len > 1 && name.at[0] == '*' && name.at[1] == '.')
        name = slice_skip(name, 1);
    if (name.len > 0 && name.at[0] == '.') {
        fresh.below = 1;
        name = slice_skip(name, 1);
    }
    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len > LIST_NAME_MOST)
        return fault(p, text, e, "a name has 1 to 255 bytes");
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == '/' || name.at[i] == '*')
            return fault(p, slice_skip(name, i), e, "this can't stand in a name; a pattern stands between two slashes");
    return add_text(n, p, name, fresh, e);
}

/* The text between the slashes; a slash in it is written \/.  False: there is no second one, or something follows. */
static bool read_pattern(struct slice line, struct slice *text)
{
    size_t i = 1;
    struct slice after;

    while (i < line.len && line.at[i] != '/')
        i += line.at[i] == '\\' ? 2 : 1;
    if (i >= line.len)
        return false;
    *text = slice_of(line.at + 1, i - 1);
    after = slice_trim(slice_skip(line, i + 1));
    return after.len == 0 || after.at[0] == '#' || after.at[0] == ';';
}

static struct slice without_comment(struct slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] == '#' || line.at[i] == ';')
            return slice_trim(slice_first(line, i));
    return slice_trim(line);
}

static int add_line(struct listcompile *c, const struct place *p, struct err *e)
{
    struct slice line = slice_trim(p->all);
    struct slice text;

    if (line.len > 0 && line.at[0] == '/' && p->list->what != GATE_LIST_ADDRESSES) {
        if (!read_pattern(line, &text))
            return fault(p, line, e, "a pattern stands between two slashes, and nothing but a comment behind it");
        return add_pattern(&c->names[p->list->what - GATE_LIST_RDNS], p, text, e);
    }
    text = without_comment(line);
    if (text.len == 0)
        return 0;
    if (p->list->what == GATE_LIST_ADDRESSES)
        return add_address(c, p, text, e);
    return add_name(&c->names[p->list->what - GATE_LIST_RDNS], p, text, e);
}

static uint64_t rows(const struct listcompile *c)
{
    return c->entries[0].count + c->entries[1].count + c->countries[0].count + c->countries[1].count +
           c->names[0].named.count + c->names[1].named.count;
}

int listcompile_add(struct listcompile *c, const struct gate_list *l, struct slice text, struct err *e)
{
    struct place p = { .list = l, .file = l->file };
    uint32_t number = c->head.lists_count;

    if (number == GATE_LISTS)
        return err_set(e, 0, "%s: there are more than %d lists", l->file, GATE_LISTS);
    memcpy(c->head.lists[number].name, l->name, sizeof(l->name));
    c->head.lists[number].name[sizeof(l->name) - 1] = '\0';
    c->head.lists[number].means = (uint32_t)l->means;
    c->head.lists[number].what = (uint32_t)l->what;
    c->head.lists_count++;
    while (text.len > 0) {
        p.all = slice_until(text, '\n', &text);
        p.line++;
        p.value = number << LIST_LINE_BITS | p.line;
        if (p.line == LIST_LINES_MOST || rows(c) == ENTRIES_MOST)
            return fault(&p, p.all, e, "the lists are too long");
        if (add_line(c, &p, e) < 0)
            return -1;
    }
    c->head.entries = rows(c);
    return 0;
}

static int add_networks(struct listcompile *c, const struct countries *nets, struct err *e)
{
    for (unsigned i = 0; i < nets->count; i++) {
        struct entry *en = grow(&c->countries[nets->net[i].net.family == 6], sizeof(*en), 1, e);

        if (!en)
            return -1;
        *en = (struct entry){ .from = list_key(nets->net[i].net), .value = nets->country, .bits = nets->net[i].bits };
    }
    return 0;
}

int listcompile_countries(struct listcompile *c, const char *file, struct slice text, struct err *e)
{
    struct place p = { .file = file };

    while (text.len > 0) {
        struct countries nets;
        enum countries_got got;

        p.all = slice_until(text, '\n', &text);
        p.line++;
        got = countries_read(p.all, &nets);
        if (got == COUNTRIES_BAD)
            return fault(&p, nets.at, e, nets.fault);
        if (p.line == LIST_LINES_MOST || rows(c) >= ENTRIES_MOST)
            return fault(&p, p.all, e, "the lists are too long");
        if (got == COUNTRIES_NETWORKS && add_networks(c, &nets, e) < 0)
            return -1;
    }
    c->head.entries = rows(c);
    return 0;
}

/* ---- the memory file ---- */

static int add_part(struct listcompile *c, struct list_part *part, size_t row, size_t count, void **at, struct err *e)
{
    size_t gap = (8 - c->image.count % 8) % 8;
    uint8_t *to = grow(&c->image, 1, gap + row * count, e);

    if (!to)
        return -1;
    memset(to, 0, gap + row * count);
    *part = (struct list_part){ c->image.count - row * count, count };
    *at = to + gap;
    return 0;
}

static bool key_less(struct list_key a, struct list_key b)
{
    return a.high < b.high || (a.high == b.high && a.low < b.low);
}

/* The same in whole groups of LIST_FAN; what fills up the last one is above all keys. */
static int add_groups(struct listcompile *c, struct list_part *part, size_t row, size_t count, void **at, struct err *e)
{
    size_t more = (LIST_FAN - count % LIST_FAN) % LIST_FAN;

    if (add_part(c, part, row, count + more, at, e) < 0)
        return -1;
    part->count = count;
    memset((uint8_t *)*at + count * row, 0xff, more * row);
    return 0;
}

static int by_address(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (key_less(x->from, y->from) || key_less(y->from, x->from))
        return key_less(x->from, y->from) ? -1 : 1;
    if (x->bits != y->bits)
        return x->bits < y->bits ? -1 : 1;
    if (x->allow != y->allow)
        return x->allow > y->allow ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static struct list_key last_of(const struct entry *en)
{
    struct list_key k = en->from;

    if (en->bits < 64) {
        k.high |= UINT64_MAX >> en->bits;
        k.low = UINT64_MAX;
    } else if (en->bits < BITS) {
        k.low |= UINT64_MAX >> (en->bits - 64);
    }
    return k;
}

struct range { /* what holds from here on */
    struct list_key from;
    uint32_t value;
};

struct sweep { /* over the sorted entries: which of them hold the place where we are, the longest on top */
    struct range *out;
    size_t count;
    struct {
        struct list_key last;
        uint32_t value;
    } open[BITS + 2];
    size_t depth;
};

static void begin_range(struct sweep *s, struct list_key from, uint32_t value)
{
    struct range *before = &s->out[s->count - 1];

    if (before->from.high == from.high && before->from.low == from.low) {
        before->value = value;
        s->count -= s->count > 1 && s->out[s->count - 2].value == value;
    } else if (before->value != value) {
        s->out[s->count++] = (struct range){ from, value };
    }
}

/* Leaves what ends before `next` (NULL: all). */
static void leave(struct sweep *s, const struct list_key *next)
{
    while (s->depth > 0 && (!next || key_less(s->open[s->depth - 1].last, *next))) {
        struct list_key k = s->open[--s->depth].last;

        if (++k.low == 0 && ++k.high == 0)
            return; /* it was the last address of all */
        begin_range(s, k, s->depth > 0 ? s->open[s->depth - 1].value : 0);
    }
}

/* `out` has room for 2 x count + 1. */
static size_t sweep_entries(const struct entry *en, size_t count, struct range *out)
{
    struct sweep s = { .out = out, .count = 1 };

    out[0] = (struct range){ { 0, 0 }, 0 };
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && en[i].bits == en[i - 1].bits && en[i].from.high == en[i - 1].from.high &&
            en[i].from.low == en[i - 1].from.low)
            continue; /* the first of the same counts */
        leave(&s, &en[i].from);
        s.open[s.depth].last = last_of(&en[i]);
        s.open[s.depth++].value = en[i].value;
        begin_range(&s, en[i].from, en[i].value);
    }
    leave(&s, NULL);
    return s.count;
}

static int add_levels(struct listcompile *c, struct list_tree *t, struct err *e)
{
    uint64_t below = t->ranges.count;
    uint64_t from = t->ranges.at;
    size_t row = sizeof(struct list_range);

    for (size_t i = 0; i < LIST_LEVELS; i++) {
        uint64_t count = below > LIST_FAN ? (below + LIST_FAN - 1) / LIST_FAN : 0;
        void *at;

        if (add_groups(c, &t->levels[i], sizeof(uint64_t), count, &at, e) < 0)
            return -1;
        for (uint64_t k = 0; k < count; k++)
            memcpy((uint8_t *)at + k * sizeof(uint64_t), (uint8_t *)c->image.at + from + k * LIST_FAN * row,
                   sizeof(uint64_t));
        below = count;
        from = t->levels[i].at;
        row = sizeof(uint64_t);
    }
    return 0;
}

/* Only IPv4's first 20 bits are spread well enough. */
static int add_top(struct listcompile *c, struct list_tree *t, struct err *e)
{
    bool wanted = t != &c->head.trees[1] && t != &c->head.countries[1] && t->ranges.count >= LIST_TOP_FROM;
    const struct list_range *ranges;
    uint32_t *to;
    void *at;
    size_t range = 0;

    if (add_part(c, &t->top, sizeof(uint32_t), wanted ? LIST_TOP : 0, &at, e) < 0)
        return -1;
    to = at;
    ranges = (const struct list_range *)(const void *)((const uint8_t *)c->image.at + t->ranges.at);
    for (size_t i = 0; wanted && i + 1 < LIST_TOP; i++) {
        while (range + 1 < t->ranges.count && ranges[range + 1].from <= (uint64_t)i << (64 - LIST_TOP_BITS))
            range++;
        to[i] = (uint32_t)range;
    }
    if (wanted)
        to[LIST_TOP - 1] = (uint32_t)(t->ranges.count - 1);
    return 0;
}

struct halves {                /* ranges of 128 bits as ranges of 64 and their subs */
    struct list_range *ranges; /* NULL: only counted */
    struct list_sub *subs;
    size_t ranges_count, subs_count;
};

static void put_range(struct halves *h, uint64_t from, uint32_t value, size_t subs)
{
    if (h->ranges)
        h->ranges[h->ranges_count] = (struct list_range){ from, value, (uint32_t)subs };
    h->ranges_count++;
}

static void put_sub(struct halves *h, uint64_t from, uint32_t value)
{
    if (h->subs)
        h->subs[h->subs_count] = (struct list_sub){ .from = from, .value = value };
    h->subs_count++;
}

static void split(struct halves *h, const struct range *r, size_t count)
{
    for (size_t i = 0; i < count;) {
        uint64_t high = r[i].from.high;
        size_t first = h->subs_count;
        uint32_t before = i > 0 ? r[i - 1].value : 0;
        size_t end = i + 1;

        while (end < count && r[end].from.high == high)
            end++;
        if (end == i + 1 && r[i].from.low == 0) {
            put_range(h, high, r[i].value, 0);
            i = end;
            continue;
        }
        if (r[i].from.low != 0)
            put_sub(h, 0, before);
        for (; i < end; i++)
            put_sub(h, r[i].from.low, r[i].value);
        put_range(h, high, (uint32_t)first, h->subs_count - first);
        if (high != UINT64_MAX && (end == count || r[end].from.high != high + 1 || r[end].from.low != 0))
            put_range(h, high + 1, r[end - 1].value, 0);
    }
}

static int add_halves(struct listcompile *c, struct list_tree *t, const struct range *r, size_t count, struct err *e)
{
    struct halves h = { 0 };
    struct halves sizes = { 0 };
    void *ranges;
    void *subs;

    split(&sizes, r, count);
    if (add_part(c, &t->subs, sizeof(struct list_sub), sizes.subs_count, &subs, e) < 0 ||
        add_groups(c, &t->ranges, sizeof(struct list_range), sizes.ranges_count, &ranges, e) < 0)
        return -1;
    h.subs = (struct list_sub *)(void *)((uint8_t *)c->image.at + t->subs.at); /* it may have moved */
    h.ranges = ranges;
    split(&h, r, count);
    return add_levels(c, t, e) < 0 ? -1 : add_top(c, t, e);
}

static int add_tree(struct listcompile *c, struct list_tree *t, struct grown *entries, struct err *e)
{
    struct range *out = malloc((2 * entries->count + 1) * sizeof(*out));
    size_t count = 0;
    int status;

    if (!out)
        return err_set(e, ENOMEM, "lists");
    if (entries->count > 0) {
        qsort(entries->at, entries->count, sizeof(struct entry), by_address);
        count = sweep_entries(entries->at, entries->count, out);
    }
    status = add_halves(c, t, out, count, e);
    free(out);
    return status;
}

/* Into the hash; the first of the same name stays, unless an allow comes. */
static int place_name(struct list_name *slots, uint64_t count, const uint8_t *texts, const struct named *n,
                      const uint8_t key[16], uint8_t *allows, struct err *e)
{
    struct slice text = slice_of(texts + n->text, n->len);
    uint64_t hash = list_hash(key, text);

    for (uint64_t i = 0; i < LIST_PROBES; i++) {
        uint64_t at = (hash + i) & (count - 1);
        struct list_name *s = &slots[at];
        bool same =
            s->len > 0 && s->hash == hash && s->below == n->below && slice_eq(slice_of(texts + s->text, s->len), text);

        if (s->len > 0 && !same)
            continue;
        if (same && (allows[at] || !n->allow))
            return 0;
        *s = (struct list_name){
            .hash = hash, .text = (uint32_t)n->text, .len = n->len, .below = n->below, .value = n->value
        };
        allows[at] = n->allow;
        return 0;
    }
    return err_set(e, 0, "lists: too many names fall on one place; try again");
}

static int add_slots(struct listcompile *c, struct list_names *head, const struct names *n, struct err *e)
{
    const struct named *named = n->named.at;
    uint64_t count = 1;
    uint8_t *allows;
    void *at;
    int status = 0;

    if (n->named.count == n->patterns)
        return add_part(c, &head->slots, sizeof(struct list_name), 0, &at, e);
    while (count < 2 * n->named.count)
        count *= 2;
    allows = calloc(count, 1);
    if (!allows)
        return err_set(e, ENOMEM, "lists");
    status = add_part(c, &head->slots, sizeof(struct list_name), count, &at, e);
    for (size_t i = 0; i < n->named.count && status == 0; i++)
        if (!named[i].pattern)
            status = place_name(at, count, n->texts.at, &named[i], head->key, allows, e);
    free(allows);
    return status;
}

static int add_patterns(struct listcompile *c, struct list_names *head, const struct names *n, struct err *e)
{
    const struct named *named = n->named.at;
    struct list_pattern *to;
    void *at;

    if (add_part(c, &head->patterns, sizeof(struct list_pattern), n->patterns, &at, e) < 0)
        return -1;
    to = at;
    for (unsigned allow = 2; allow-- > 0;) /* those that allow first */
        for (size_t i = 0; i < n->named.count; i++)
            if (named[i].pattern && named[i].allow == allow)
                *to++ = (struct list_pattern){ .text = (uint32_t)named[i].text,
                                               .len = named[i].len,
                                               .value = named[i].value };
    return 0;
}

static int add_names(struct listcompile *c, struct list_names *head, const struct names *n, struct err *e)
{
    void *at;

    randombytes_buf(head->key, sizeof(head->key));
    if (add_slots(c, head, n, e) < 0 || add_patterns(c, head, n, e) < 0 ||
        add_part(c, &head->texts, 1, n->texts.count, &at, e) < 0)
        return -1;
    if (n->texts.count > 0)
        memcpy(at, n->texts.at, n->texts.count);
    return 0;
}

int listcompile_finish(struct listcompile *c, struct err *e)
{
    uint8_t *head = grow(&c->image, 1, sizeof(c->head), e);

    if (!head)
        return -1;
    memset(head, 0, sizeof(c->head));
    for (size_t i = 0; i < 2; i++)
        if (add_tree(c, &c->head.trees[i], &c->entries[i], e) < 0 ||
            add_tree(c, &c->head.countries[i], &c->countries[i], e) < 0)
            return -1;
    for (size_t i = 0; i < LIST_NAMES; i++)
        if (add_names(c, &c->head.names[i], &c->names[i], e) < 0)
            return -1;
    c->head.size = c->image.count;
    memcpy(c->image.at, &c->head, sizeof(c->head));
    return memfile_from(c->image.at, c->image.count, "serviola-lists", e);
}
