/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "sense/log/mask.h"

struct template
{
    char *text; /* owned; as struct masked has it */
    size_t len;
    uint64_t lines;
    uint32_t next; /* in its bough: an id, or 0 */
};

/* The second floor: templates with as many words and the same first one. */
struct bough {
    uint32_t first, count;
};

struct templates {
    struct template_caps caps;
    uint64_t seed;
    struct template *all; /* `caps.templates` places; that of id n is all[n - 1] */
    uint32_t count;
    struct table *boughs;    /* hash of number and first word -> struct bough */
    struct table *spellings; /* hash of a masked message -> uint32_t id */
    struct template_told told;
    struct masked looked_at; /* by templates_look, and its hash */
    uint64_t looked_key;
};

const struct template_caps template_usual = { .templates = 20000, .children = 256, .spellings = 65536 };

struct templates *templates_new(const struct template_caps *caps, uint64_t seed, struct err *e)
{
    struct templates *t = calloc(1, sizeof(*t));

    if (!t)
        goto no_memory;
    t->caps = *caps;
    t->seed = seed;
    t->all = calloc(caps->templates, sizeof(*t->all));
    if (!t->all)
        goto no_memory;
    t->boughs = table_new(caps->templates, sizeof(uint64_t), sizeof(struct bough), seed, e);
    t->spellings = table_new(caps->spellings, sizeof(uint64_t), sizeof(uint32_t), seed, e);
    if (t->boughs && t->spellings)
        return t;
    templates_free(t);
    return NULL;
no_memory:
    templates_free(t);
    (void)err_set(e, ENOMEM, "log templates");
    return NULL;
}

void templates_free(struct templates *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->count; i++)
        free(t->all[i].text); /* NOLINT(clang-analyzer-core.NullDereference): none is counted before there is room */
    free(t->all);
    table_free(t->boughs);
    table_free(t->spellings);
    free(t);
}

static struct slice next_word(struct slice *s)
{
    return slice_until(*s, ' ', s);
}

/* Behind these words, and behind `word=`, a name may stand. */
static bool announces_name(struct slice word)
{
    static const char names[][10] = { "for",    "from",  "to",    "by",     "of",      "at",      "on",      "in",
                                      "with",   "via",   "as",    "into",   "user",    "ruser",   "account", "login",
                                      "group",  "host",  "rhost", "client", "program", "process", "unit",    "service",
                                      "device", "iface", "named", "called", "logname", "mailbox", "domain",  "sender" };

    while (word.len > 0 && (word.at[word.len - 1] == ':' || word.at[word.len - 1] == ','))
        word.len--;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_eq_nocase(word, slice_text(names[i])))
            return true;
    return false;
}

static bool is_mark(struct slice s)
{
    return s.len == 1 && s.at[0] == TEMPLATE_MARK;
}

/* How many bytes two words share when only what follows may differ: 0 behind `for`, 5 in user=root, -1: it may not. */
static int shared_part(struct slice before, struct slice a, struct slice b)
{
    struct slice value_a, value_b;
    struct slice key = slice_until(a, '=', &value_a);

    if (key.len < a.len && slice_eq(key, slice_until(b, '=', &value_b)) && announces_name(key))
        return value_a.len > 0 && value_b.len > 0 ? (int)key.len + 1 : -1;
    return announces_name(before) && !announces_name(a) && !announces_name(b) ? 0 : -1;
}

enum likeness { UNLIKE, ALIKE, SAME };

/* SAME: word for word, or <*> stands in the template; ALIKE: they differ, but only in names.  `both`: their template.
 */
static enum likeness compare(struct slice template, struct slice message, struct masked *both)
{
    enum likeness like = SAME;
    struct slice before = SLICE("");

    both->len = 0;
    for (bool first = true; template.len > 0 || message.len > 0; first = false) {
        struct slice a = next_word(&template);
        struct slice b = next_word(&message);
        int shared = (int)a.len;

        if (!slice_eq(a, b) && !is_mark(a)) {
            shared = shared_part(before, a, b);
            if (shared < 0)
                return UNLIKE;
            if ((size_t)shared + 1 != a.len || a.at[shared] != TEMPLATE_MARK)
                like = ALIKE;
        }
        if (both->len + (size_t)shared + 2 > sizeof(both->text))
            return UNLIKE;
        if (!first)
            both->text[both->len++] = ' ';
        memcpy(both->text + both->len, a.at, (size_t)shared);
        both->len += (size_t)shared;
        if ((size_t)shared < a.len)
            both->text[both->len++] = TEMPLATE_MARK;
        before = a;
    }
    return like;
}

static struct slice words_of(const struct template *t)
{
    return slice_of(t->text, t->len);
}

/* The template below `b` that fits, made more general if need be; 0: none. */
static uint32_t find_like(struct templates *t, const struct bough *b, struct slice message)
{
    struct masked both;
    uint32_t alike = 0;

    for (uint32_t id = b->first; id != 0; id = t->all[id - 1].next) {
        enum likeness like = compare(words_of(&t->all[id - 1]), message, &both);

        if (like == SAME)
            return id;
        if (like == ALIKE && alike == 0)
            alike = id;
    }
    if (alike != 0) {
        struct template *k = &t->all[alike - 1];

        (void)compare(words_of(k), message, &both);
        memcpy(k->text, both.text, both.len); /* it got no longer: <*> is one byte, a word at least one */
        k->len = both.len;
    }
    return alike;
}

static uint32_t add(struct templates *t, struct bough *b, struct slice words)
{
    struct template *k;

    if (t->count == t->caps.templates) {
        t->told.no_room++;
        return 0;
    }
    if (b->count == t->caps.children) {
        t->told.no_child++;
        return 0;
    }
    k = &t->all[t->count];
    k->text = malloc(words.len + 1);
    if (!k->text) {
        t->told.no_room++;
        return 0;
    }
    memcpy(k->text, words.at, words.len);
    k->len = words.len;
    k->next = b->first;
    b->first = ++t->count;
    b->count++;
    return b->first;
}

/* The long way through the tree. */
static uint32_t find_or_add(struct templates *t, const struct masked *m)
{
    struct slice words = slice_of(m->text, m->len);
    struct slice rest = words;
    struct slice first = next_word(&rest);
    uint64_t key = hash_bytes(first.at, first.len, t->seed + m->words);
    struct bough *b = table_find(t->boughs, &key);
    uint32_t id = 0;

    if (b)
        id = find_like(t, b, words);
    else if (t->count < t->caps.templates) /* so there are never more boughs than places */
        b = table_add(t->boughs, &key, NULL, NULL, NULL);
    if (id == 0 && b)
        id = add(t, b, words);
    else if (id == 0)
        t->told.no_room++;
    return id;
}

void templates_look(struct templates *t, struct slice message)
{
    mask_message(message, &t->looked_at);
    t->looked_key = hash_bytes(t->looked_at.text, t->looked_at.len, t->seed);
}

uint32_t templates_learn_it(struct templates *t)
{
    const struct masked *m = &t->looked_at;
    const uint32_t *known = table_find(t->spellings, &t->looked_key);
    uint32_t id = known ? *known : find_or_add(t, m);

    t->told.lines++;
    t->told.cut += m->cut;
    if (id == 0)
        return 0;
    t->all[id - 1].lines++;
    if (!known)
        *(uint32_t *)table_add(t->spellings, &t->looked_key, NULL, NULL, NULL) = id;
    return id;
}

uint32_t templates_learn(struct templates *t, struct slice message)
{
    templates_look(t, message);
    return templates_learn_it(t);
}

uint32_t templates_count(const struct templates *t)
{
    return t->count;
}

struct template_told templates_told(const struct templates *t)
{
    return t->told;
}

struct slice template_words(const struct templates *t, uint32_t id, uint64_t *lines)
{
    const struct template *k = &t->all[id - 1];

    *lines = k->lines;
    return words_of(k);
}

void templates_save(const struct templates *t, struct bytes_out *to)
{
    bytes_put(to, t->count, 4);
    for (uint32_t i = 0; i < t->count; i++) {
        bytes_put_slice(to, words_of(&t->all[i]));
        bytes_put(to, t->all[i].lines, 8);
    }
}

/* Words with one space between them, and no control byte but the mark. */
static bool is_sound(struct slice words)
{
    bool gap = true;

    for (size_t i = 0; i < words.len; i++) {
        if ((words.at[i] == ' ' && gap) || (words.at[i] < ' ' && words.at[i] != TEMPLATE_MARK))
            return false;
        gap = words.at[i] == ' ';
    }
    return words.len == 0 || !gap;
}

static uint32_t load_one(struct templates *t, struct slice words)
{
    struct slice rest = words;
    struct slice first = next_word(&rest);
    size_t count = first.len > 0;
    uint64_t key;
    struct bough *b;

    while (rest.len > 0) {
        (void)next_word(&rest);
        count++;
    }
    key = hash_bytes(first.at, first.len, t->seed + count);
    b = table_find(t->boughs, &key);
    if (!b)
        b = table_add(t->boughs, &key, NULL, NULL, NULL);
    return add(t, b, words);
}

int templates_load(struct templates *t, struct bytes_in *from, struct err *e)
{
    uint32_t count = (uint32_t)bytes_get(from, 4);

    from->bad = from->bad || count > t->caps.templates || t->count > 0;
    for (uint32_t i = 0; i < count && !from->bad; i++) {
        struct slice words = bytes_get_slice(from, TEMPLATE_BYTES);
        uint64_t lines = bytes_get(from, 8);

        from->bad = from->bad || !is_sound(words) || load_one(t, words) != i + 1;
        if (!from->bad)
            t->all[i].lines = lines;
    }
    return from->bad ? err_set(e, 0, "templates are not sound") : 0;
}
