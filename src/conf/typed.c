/* SPDX-License-Identifier: GPL-3.0-or-later */
/* typed - one value of each type, and the sentence for when it is none. */
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "base/words.h"
#include "conf/near.h"
#include "conf/value.h"
#include "conf/walk.h"

static void wrong(struct walk *w, const struct node *n, const char *must_be)
{
    conf_fault(w, n, "%s must be %s, not \"%s\"", w->path.at, words_in(must_be), conf_shown(n->text).text);
}

static void read_bool(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    bool value;

    (void)k;
    if (!value_bool(n->text, &value))
        wrong(w, n, "yes or no");
    else
        memcpy(to, &value, sizeof(value));
}

static void write_limit(struct text *t, enum key_type type, int64_t value)
{
    if (type == KEY_SPAN)
        value_write_span(t, value);
    else if (type == KEY_BYTES)
        value_write_bytes(t, (uint64_t)value);
    else
        value_write_number(t, (uint64_t)value);
}

static bool in_range(struct walk *w, const struct key *k, const struct node *n, uint64_t value)
{
    char low[32];
    char high[32];
    struct text l = TEXT_IN(low);
    struct text h = TEXT_IN(high);

    if ((k->min == 0 && k->max == 0) || (value >= (uint64_t)k->min && value <= (uint64_t)k->max))
        return true;
    write_limit(&l, k->type, k->min);
    write_limit(&h, k->type, k->max);
    conf_fault(w, n, "%s is %s and must lie between %s and %s", w->path.at, conf_shown(n->text).text, low, high);
    return false;
}

static void read_number(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    uint64_t value;

    if (k->type == KEY_NUMBER ? !value_number(n->text, &value) : !value_bytes(n->text, &value))
        wrong(w, n, k->type == KEY_NUMBER ? "a number such as 12, 12k or 3M" : "a size such as 512, 64KiB or 16MiB");
    else if (in_range(w, k, n, value))
        memcpy(to, &value, sizeof(value));
}

static void read_span(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    int64_t us;

    if (!value_span(n->text, &us))
        wrong(w, n, "a time with its unit, such as 250ms, 30s, 5min, 2h or 36d");
    else if (in_range(w, k, n, (uint64_t)us))
        memcpy(to, &us, sizeof(us));
}

static void read_word(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    char list[160];
    struct text t = TEXT_IN(list);
    const char *near;

    for (int i = 0; k->words[i]; i++) {
        if (slice_eq(n->text, slice_text(k->words[i]))) {
            memcpy(to, &i, sizeof(i));
            return;
        }
    }
    near = near_of(n->text, k->words);
    if (near) {
        conf_fault(w, n, "%s can't be \"%s\"; did you mean \"%s\"?", w->path.at, conf_shown(n->text).text, near);
        return;
    }
    for (int i = 0; k->words[i] && !k->words_are; i++)
        text_addf(&t, "%s%s", i == 0 ? "" : k->words[i + 1] ? ", " : " or ", k->words[i]);
    wrong(w, n, k->words_are ? k->words_are : list);
}

static void read_text(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    for (size_t i = 0; i < n->text.len; i++) {
        if (n->text.at[i] < 0x20 || n->text.at[i] == 0x7f) {
            conf_fault(w, n, "%s holds a control character", w->path.at);
            return;
        }
    }
    if (n->text.len >= k->size) {
        conf_fault(w, n, "%s is %zu bytes long; it may have %zu", w->path.at, n->text.len, k->size - 1);
        return;
    }
    memset(to, 0, k->size);
    if (n->text.len > 0)
        memcpy(to, n->text.at, n->text.len);
}

/* fe80::1%eth0 means something beside one interface alone; no part of us keeps the interface. */
static bool is_scoped(struct walk *w, const struct node *n)
{
    if (n->text.len == 0 || !memchr(n->text.at, '%', n->text.len))
        return false;
    conf_fault(w, n,
               "%s: \"%s\" names an interface behind its %%, which can't be taken here; write an address of that "
               "host which needs none, such as fd00::1",
               w->path.at, conf_shown(n->text).text);
    return true;
}

static void read_addr(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    struct addr a = { 0 };

    if (is_scoped(w, n))
        return;
    if (!(n->text.len == 0 && k->def && k->def[0] == '\0') && !addr_read(n->text, &a) && !addr_read_port(n->text, &a))
        wrong(w, n, "an address such as 192.0.2.1, 192.0.2.1:25 or [2001:db8::1]:25");
    else
        memcpy(to, &a, sizeof(a));
}

/* ---- lists: false when the element is wrong, which was said ---- */

static bool add_prefix(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    struct key_prefixes *list = (struct key_prefixes *)(void *)to;
    struct prefix p;

    (void)k;
    if (!prefix_read(n->text, &p)) {
        conf_fault(w, n,
                   "%s: \"%s\" is no network such as 192.0.2.0/24 or 2001:db8::/32, with nothing behind its length",
                   w->path.at, conf_shown(n->text).text);
        return false;
    }
    list->at[list->count].net = p.net; /* by member: the byte between elements stays 0, for comparing */
    list->at[list->count++].bits = p.bits;
    return true;
}

static bool add_addr(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    struct key_addrs *list = (struct key_addrs *)(void *)to;
    struct addr a;

    (void)k;
    if (is_scoped(w, n))
        return false;
    if (!addr_read(n->text, &a) && !addr_read_port(n->text, &a)) {
        conf_fault(w, n, "%s: \"%s\" is no address such as 192.0.2.1:25 or \"[2001:db8::1]:25\"", w->path.at,
                   conf_shown(n->text).text);
        return false;
    }
    list->at[list->count++] = a;
    return true;
}

static bool add_port(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    struct key_ports *list = (struct key_ports *)(void *)to;
    uint64_t port;

    (void)k;
    if (!slice_to_u64(n->text, &port) || port < 1 || port > 65535) {
        conf_fault(w, n, "%s: \"%s\" is no port; they go from 1 to 65535", w->path.at, conf_shown(n->text).text);
        return false;
    }
    list->at[list->count++] = (uint16_t)port;
    return true;
}

static bool add_name(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    struct key_names *list = (struct key_names *)(void *)to;
    size_t most = k->max > 0 ? (size_t)k->max : KEY_NAME_LEN - 1;
    bool fits = n->text.len > 0 && n->text.len <= most;

    for (size_t i = 0; i < n->text.len && fits; i++)
        fits = n->text.at[i] > ' ' && n->text.at[i] < 0x7f && n->text.at[i] != '/';
    if (!fits) {
        conf_fault(w, n, "%s: \"%s\" is no name; it has 1 to %zu letters and no blank or slash", w->path.at,
                   conf_shown(n->text).text, most);
        return false;
    }
    memset(list->at[list->count], 0, KEY_NAME_LEN);
    memcpy(list->at[list->count++], n->text.at, n->text.len);
    return true;
}

struct list_type {
    uint32_t cap;
    size_t first, each; /* offset of the array, size of an element */
    bool (*add)(struct walk *w, const struct key *k, char *to, const struct node *n);
};

static const struct list_type list_types[KEY_TYPES] = {
    [KEY_PREFIXES] = { KEY_PREFIX_CAP, offsetof(struct key_prefixes, at), sizeof(struct prefix), add_prefix },
    [KEY_ADDRS] = { KEY_ADDR_CAP, offsetof(struct key_addrs, at), sizeof(struct addr), add_addr },
    [KEY_PORTS] = { KEY_PORT_CAP, offsetof(struct key_ports, at), sizeof(uint16_t), add_port },
    [KEY_NAMES] = { KEY_NAME_CAP, offsetof(struct key_names, at), KEY_NAME_LEN, add_name },
};

static bool repeats(const struct list_type *type, const char *to)
{
    uint32_t count;
    const char *last;

    memcpy(&count, to, sizeof(count));
    last = to + type->first + (count - 1) * type->each;
    for (const char *p = to + type->first; p < last; p += type->each)
        if (memcmp(p, last, type->each) == 0)
            return true;
    return false;
}

static void read_list(struct walk *w, const struct key *k, char *to, const struct node *n)
{
    const struct list_type *type = &list_types[k->type];
    const struct node *nodes = w->tree->nodes;
    bool alone = n->type == NODE_SCALAR;
    uint32_t count = 0;

    memset(to, 0, k->size);
    for (const struct node *item = alone ? n : &nodes[n->first]; item != nodes;
         item = alone ? nodes : &nodes[item->next]) {
        if (item->type != NODE_SCALAR)
            conf_fault(w, item, "%s is a plain list; nothing can be nested in it", w->path.at);
        else if (count == type->cap) {
            conf_fault(w, item, "%s holds more than %u entries", w->path.at, type->cap);
            return;
        } else if (type->add(w, k, to, item)) {
            count++;
            if (repeats(type, to))
                conf_fault(w, item, "%s names \"%s\" twice", w->path.at, conf_shown(item->text).text);
        }
    }
}

void conf_value(struct walk *w, const struct key *k, char *to, uint32_t at)
{
    static void (*const readers[KEY_TYPES])(struct walk *, const struct key *, char *, const struct node *) = {
        [KEY_BOOL] = read_bool,  [KEY_NUMBER] = read_number, [KEY_BYTES] = read_number, [KEY_SPAN] = read_span,
        [KEY_WORD] = read_word,  [KEY_TEXT] = read_text,     [KEY_ADDR] = read_addr,    [KEY_PREFIXES] = read_list,
        [KEY_PORTS] = read_list, [KEY_NAMES] = read_list,    [KEY_ADDRS] = read_list,
    };
    const struct node *n = &w->tree->nodes[at];
    bool is_list = list_types[k->type].add != NULL;

    if (n->type == NODE_MAP || (n->type == NODE_LIST && !is_list))
        conf_fault(w, n, "%s is one value, not %s", w->path.at,
                   n->type == NODE_MAP ? _("a block of keys") : _("a list"));
    else if (n->type == NODE_SCALAR && n->empty)
        conf_fault(w, n, "%s has no value; write one, or leave the line out", w->path.at);
    else
        readers[k->type](w, k, to, n);
}
