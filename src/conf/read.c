/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/read.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "conf/fault.h"
#include "conf/near.h"
#include "conf/screen.h"
#include "conf/tree.h"
#include "conf/walk.h"
#include "sys/whole.h"

struct shown conf_shown(struct slice s)
{
    struct shown w;
    struct text t = TEXT_IN(w.text);

    text_visible(&t, slice_first(s, 40));
    if (s.len > 40 || t.cut)
        memcpy(w.text + (t.len > 40 ? 40 : t.len), "...", 4);
    return w;
}

void conf_fault(struct walk *w, const struct node *n, const char *format, ...)
{
    char sentence[sizeof(((struct conf_fault *)0)->text)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), words_in(format), args);
    va_end(args);
    if (w->in_default)
        fault_add(w->faults, w->tree->yaml, NOWHERE, "the built-in default is wrong: %s", sentence);
    else
        fault_add(w->faults, w->tree->yaml, n ? n->where : NOWHERE, "%s", sentence);
}

static void fill_table(struct walk *w, const struct key *keys, char *base, uint32_t at);

/* "hunt" and "mode" give "hunt.mode"; undone by cutting w->path back to the length that is returned. */
static size_t enter(struct walk *w, const char *name)
{
    size_t before = w->path.len;

    if (before > 0)
        text_word(&w->path, ".");
    text_word(&w->path, name);
    return before;
}

static void leave(struct walk *w, size_t before)
{
    w->path.len = before;
    w->path.at[before] = '\0';
    w->path.cut = false;
}

/* ---- the keys of one block ---- */

static void unknown_key(struct walk *w, const struct key *keys, const struct node *n)
{
    struct near near = near_to(n->text);

    if (w->faults->count < FAULT_CAP) /* those over the cap are not shown: no work for them */
        for (const struct key *k = keys; k->name; k++)
            near_try(&near, k->name);
    if (near.word)
        conf_fault(w, n, "unknown key \"%s\" in %s; did you mean \"%s\"?", conf_shown(n->text).text, w->path.at,
                   near.word);
    else
        conf_fault(w, n, "unknown key \"%s\" in %s; `serviola check --defaults` shows every key",
                   conf_shown(n->text).text, w->path.at);
}

/* Which value stands for which key: values[i] for keys[i], 0 for none. */
static void sort_pairs(struct walk *w, const struct key *keys, const struct node *map, uint32_t values[KEY_CAP])
{
    const struct node *nodes = w->tree->nodes;
    uint32_t places[KEY_CAP] = { 0 };

    for (uint32_t at = map->first; at; at = nodes[nodes[at].next].next) {
        const struct node *n = &nodes[at];
        size_t i = 0;

        while (keys[i].name && !(n->type == NODE_SCALAR && slice_eq(n->text, slice_text(keys[i].name))))
            i++;
        if (n->type != NODE_SCALAR)
            conf_fault(w, n, "a key in %s must be a plain word", w->path.at);
        else if (!keys[i].name)
            unknown_key(w, keys, n);
        else if (places[i])
            conf_fault(w, n, "%s.%s stands twice; it was set in line %u already", w->path.at, keys[i].name,
                       fault_line(w->tree->yaml, nodes[places[i]].where.at));
        else {
            places[i] = at;
            values[i] = n->next;
        }
    }
}

static bool is_absent(const struct walk *w, uint32_t at)
{
    return at == 0 || w->tree->nodes[at].type == NODE_BROKEN;
}

/* Only a block with keys may stand here, or nothing at all behind the colon. */
static bool is_block(struct walk *w, uint32_t at)
{
    const struct node *n = &w->tree->nodes[at];

    if (n->type == NODE_MAP)
        return true;
    if (!(n->type == NODE_SCALAR && n->empty))
        conf_fault(w, n, "%s must be a block of keys, each `key: value` on a line of its own", w->path.at);
    return false;
}

/* ---- named blocks ---- */

/* Several words are fine: "disk hangs". */
static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
              c == '.' || (c == ' ' && i > 0 && i + 1 < s.len)))
            return false;
    }
    return s.len > 0 && s.len < KEY_NAME_LEN;
}

static bool is_taken(const struct key *k, const char *array, uint32_t count, struct slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_eq(slice_text(array + i * k->size), name))
            return true;
    return false;
}

static void read_each(struct walk *w, const struct key *k, char *base, uint32_t at)
{
    const struct node *nodes = w->tree->nodes;
    char *array = base + k->offset;
    uint32_t count = 0;

    if (!is_block(w, at))
        return;
    for (uint32_t name = nodes[at].first; name; name = nodes[nodes[name].next].next) {
        const struct node *n = &nodes[name];
        char *element = array + count * k->size;
        size_t before;

        if (count == k->cap) {
            conf_fault(w, n, "%s holds more than %u blocks", w->path.at, k->cap);
            break;
        }
        if (n->type != NODE_SCALAR || !is_name(n->text)) {
            conf_fault(w, n, "a name in %s is 1 to 31 letters, digits, dots, - and _", w->path.at);
            continue;
        }
        if (is_taken(k, array, count, n->text)) {
            conf_fault(w, n, "%s.%s stands twice", w->path.at, conf_shown(n->text).text);
            continue;
        }
        memset(element, 0, k->size);
        memcpy(element, n->text.at, n->text.len);
        before = enter(w, element);
        if (!is_absent(w, n->next))
            (void)is_block(w, n->next);
        fill_table(w, k->sub, element, n->next);
        leave(w, before);
        count++;
    }
    memcpy(base + k->count_at, &count, sizeof(count));
}

/* ---- defaults and values ---- */

static void read_key(struct walk *w, const struct key *k, char *base, uint32_t at)
{
    uint32_t none = 0;

    if (k->type != KEY_EACH) {
        conf_value(w, k, base + k->offset, at);
        return;
    }
    memcpy(base + k->count_at, &none, sizeof(none));
    read_each(w, k, base, at);
}

/* A default is YAML too, and is read by the same way; a wrong one is our own bug and is told as one. */
static void read_default(struct walk *w, const struct key *k, char *base)
{
    struct tree tree;
    struct walk inner = *w;
    bool is_word = k->type < KEY_ADDRS || k->type == KEY_TABLE;

    inner.tree = &tree;
    inner.in_default = true;
    if (is_word) { /* a word alone: no YAML rules for it */
        struct node nodes[2] = { 0 };

        nodes[1] = (struct node){ .type = NODE_SCALAR, .text = slice_text(k->def) };
        tree = (struct tree){ .yaml = SLICE(""), .nodes = nodes, .count = 2, .root = 1 };
        read_key(&inner, k, base, 1);
        return;
    }
    tree_read(&tree, slice_text(k->def), w->faults);
    if (tree.root)
        read_key(&inner, k, base, tree.root);
    else if (k->type == KEY_EACH)
        memset(base + k->count_at, 0, sizeof(uint32_t));
    else
        memset(base + k->offset, 0, k->size);
    tree_done(&tree);
}

static void fill_key(struct walk *w, const struct key *k, char *base, uint32_t at, const struct node *block)
{
    if (k->type == KEY_TABLE) {
        if (!is_absent(w, at))
            (void)is_block(w, at);
        fill_table(w, k->sub, base + k->offset, at);
        return;
    }
    if (k->def)
        read_default(w, k, base);
    else if (at == 0 && !w->lax && !w->tree->broken)
        conf_fault(w, block, "%s is missing; it has no default", w->path.at);
    if (!is_absent(w, at))
        read_key(w, k, base, at);
}

/* `at`: the block's node; 0 or no block: the defaults alone hold.  What is missing is missed there. */
static void fill_table(struct walk *w, const struct key *keys, char *base, uint32_t at)
{
    uint32_t values[KEY_CAP] = { 0 };
    const struct node *block = at ? &w->tree->nodes[at] : NULL;
    bool is_map = block && block->type == NODE_MAP;

    if (strcmp(keys[0].name, "*") == 0) {
        fill_key(w, &keys[0], base, is_map ? at : 0, block);
        return;
    }
    if (is_map)
        sort_pairs(w, keys, block, values);
    for (size_t i = 0; keys[i].name; i++) {
        size_t before = enter(w, keys[i].name);

        assert(i < KEY_CAP);
        fill_key(w, &keys[i], base, values[i], block);
        leave(w, before);
    }
}

/* ---- the file ---- */

static void unknown_section(struct walk *w, const struct section *sections, const struct node *n)
{
    struct near near = near_to(n->text);

    if (w->faults->count < FAULT_CAP)
        for (const struct section *s = sections; s->name; s++)
            near_try(&near, s->name);
    if (near.word)
        conf_fault(w, n, "unknown section \"%s\"; did you mean \"%s\"?", conf_shown(n->text).text, near.word);
    else
        conf_fault(w, n, "unknown section \"%s\"; `serviola check --defaults` shows them all",
                   conf_shown(n->text).text);
}

/* values[i]: the block of sections[i] */
static void sort_sections(struct walk *w, const struct section *sections, uint32_t values[KEY_CAP])
{
    const struct node *nodes = w->tree->nodes;
    const struct node *root = &nodes[w->tree->root];
    uint32_t places[KEY_CAP] = { 0 };

    if (root->type != NODE_MAP) {
        if (root->type != NODE_BROKEN && !root->empty)
            conf_fault(w, root, "the file must begin with a section such as `hunt:`");
        return;
    }
    for (uint32_t at = root->first; at; at = nodes[nodes[at].next].next) {
        size_t i = 0;

        while (sections[i].name &&
               !(nodes[at].type == NODE_SCALAR && slice_eq(nodes[at].text, slice_text(sections[i].name))))
            i++;
        if (!sections[i].name)
            unknown_section(w, sections, &nodes[at]);
        else if (places[i])
            conf_fault(w, &nodes[at], "the section %s stands twice; it began in line %u", sections[i].name,
                       fault_line(w->tree->yaml, nodes[places[i]].where.at));
        else {
            places[i] = at;
            values[i] = nodes[at].next;
        }
    }
}

static void read_sections(struct walk *w, const struct section *sections, void *const *settings)
{
    uint32_t values[KEY_CAP] = { 0 };

    if (w->tree->root)
        sort_sections(w, sections, values);
    for (size_t i = 0; sections[i].name; i++) {
        size_t before = enter(w, sections[i].name);

        assert(i < KEY_CAP);
        if (!is_absent(w, values[i]))
            (void)is_block(w, values[i]);
        fill_table(w, sections[i].keys, settings[i], values[i]);
        leave(w, before);
    }
}

static int read_all(struct slice yaml, const struct section *sections, void *const *settings, bool lax,
                    struct conf_faults *faults)
{
    struct tree tree;
    char path[128];
    struct walk w = { .tree = &tree, .faults = faults, .path = TEXT_IN(path), .lax = lax };

    tree_read(&tree, yaml, faults);
    if (!tree.broken || tree.root)
        read_sections(&w, sections, settings);
    tree_done(&tree);
    return faults->count ? -1 : 0;
}

static void begin(struct conf_faults *faults, const char *file_name)
{
    struct text t = TEXT_IN(faults->file);

    faults->count = 0;
    text_visible(&t, slice_text(file_name));
}

int conf_read(struct slice yaml, const char *file_name, const struct section *sections, void *const *settings,
              struct conf_faults *faults)
{
    begin(faults, file_name);
    return read_all(yaml, sections, settings, false, faults);
}

/* At most one byte over the limit, which is then a fault of screen(). */
int conf_read_file(const char *path, const struct section *sections, void *const *settings, struct conf_faults *faults)
{
    char *bytes = malloc(SCREEN_BYTES + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t len = fd < 0 || !bytes ? -1 : whole_read(fd, bytes, SCREEN_BYTES + 1);
    int result = -1;

    begin(faults, path);
    if (len < 0)
        fault_add(faults, SLICE(""), NOWHERE, "it can't be read: %s", strerror(errno));
    else
        result = read_all(slice_of(bytes, (size_t)len), sections, settings, false, faults);
    if (fd >= 0)
        close(fd);
    free(bytes);
    return result;
}

int schema_check_defaults(const struct section *sections, void *const *settings, struct conf_faults *faults)
{
    begin(faults, "defaults");
    return read_all(SLICE(""), sections, settings, true, faults);
}
