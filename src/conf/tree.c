/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/tree.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "conf/screen.h"

/* Debian 12's library exports these; its header forgot them (later ones have them, just so). */
const struct fy_mark *fy_token_start_mark(struct fy_token *token);
const struct fy_mark *fy_event_start_mark(struct fy_event *event);
const struct fy_mark *fy_event_end_mark(struct fy_event *event);

/* A block that is being read. */
struct level {
    uint32_t node, last; /* itself; its newest child */
    bool wants_value;    /* a map whose newest child is a key */
    bool bracket;        /* written with { or [ */
};

struct builder {
    struct tree *tree;
    struct conf_faults *faults;
    struct level levels[TREE_DEPTH + 1]; /* the first holds the documents themselves */
    unsigned depth;
    unsigned documents;
};

static int stop(struct builder *b, struct place where, const char *why)
{
    fault_add(b->faults, b->tree->yaml, where, "%s", _(why));
    return -1;
}

static struct place place_of_token(struct fy_token *token, size_t len)
{
    const struct fy_mark *m = token ? fy_token_start_mark(token) : NULL;

    return m ? (struct place){ m->input_pos, len } : NOWHERE;
}

static struct place place_of_event(struct fy_event *event)
{
    const struct fy_mark *from = fy_event_start_mark(event);
    const struct fy_mark *to = fy_event_end_mark(event);

    if (!from)
        return NOWHERE;
    return (struct place){ from->input_pos,
                           to && to->input_pos > from->input_pos ? to->input_pos - from->input_pos : 0 };
}

static bool has_room(struct tree *t)
{
    uint32_t cap = t->nodes_cap ? 2 * t->nodes_cap : 64;
    struct node *more;

    if (t->count < t->nodes_cap)
        return true;
    more = reallocarray(t->nodes, cap, sizeof(*more));
    if (!more)
        return false;
    memset(more + t->nodes_cap, 0, (cap - t->nodes_cap) * sizeof(*more));
    t->nodes = more;
    t->nodes_cap = cap;
    return true;
}

/* Gives the new node's number, or 0 when the tree is full. */
static uint32_t add_node(struct builder *b, enum node_type type, struct place where)
{
    struct level *l = &b->levels[b->depth];
    struct tree *t = b->tree;
    uint32_t n = t->count;

    if (n >= TREE_NODES) {
        (void)stop(b, where, "this is the 65536th value in the file; that is more than a configuration may hold");
        return 0;
    }
    if (!has_room(t)) {
        (void)stop(b, where, "there is no memory to read it");
        return 0;
    }
    t->count++;
    t->nodes[n] = (struct node){ .type = type, .where = where };
    if (l->last)
        t->nodes[l->last].next = n;
    else
        t->nodes[l->node].first = n;
    l->last = n;
    l->wants_value = !l->wants_value;
    return n;
}

static int keep_text(struct builder *b, struct node *n, struct slice text)
{
    struct tree *t = b->tree;

    if (text.len > t->letters_cap - t->letters_used)
        return stop(b, n->where, "the values of this file are too long when they are written out");
    if (text.len > 0)
        memcpy(t->letters + t->letters_used, text.at, text.len);
    n->text = slice_of(t->letters + t->letters_used, text.len);
    t->letters_used += text.len;
    return 0;
}

/* Such values need no room in a configuration, and blank lines in them cost libfyaml quadratic time. */
static bool spans_lines(struct slice yaml, struct place where)
{
    struct slice s = where.at < yaml.len ? slice_first(slice_skip(yaml, where.at), where.len) : slice_of(NULL, 0);

    return s.len > 0 && (memchr(s.at, '\n', s.len) || memchr(s.at, '\r', s.len));
}

static int take_scalar(struct builder *b, struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    const struct level *l = &b->levels[b->depth];
    struct place where = place_of_event(event);
    enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    struct node *node;
    const char *text;
    size_t len = 0;
    uint32_t n;

    if (style == FYSS_LITERAL || style == FYSS_FOLDED || spans_lines(b->tree->yaml, where))
        return stop(b, (struct place){ where.at, 1 }, "a value stands on one line; this one goes on in the next");
    if (where.at == SIZE_MAX && l->last) {
        where = b->tree->nodes[l->last].where; /* nothing is written: the key is the place to look at */
    } else if (style != FYSS_PLAIN) {
        where.at -= where.at > 0 && where.at != SIZE_MAX; /* the quotes belong to what was written */
        where.len += 2;
    }
    n = add_node(b, NODE_SCALAR, where);
    if (!n)
        return -1;
    node = &b->tree->nodes[n];
    text = token ? fy_token_get_text(token, &len) : NULL;
    node->empty = !text || (len == 0 && style == FYSS_PLAIN);
    return keep_text(b, node, slice_of(text, text ? len : 0));
}

static int open_block(struct builder *b, struct fy_event *event, enum node_type type)
{
    struct place where = place_of_event(event);
    uint32_t n;

    if (b->depth >= TREE_DEPTH)
        return stop(b, where, "blocks are nested more than 8 deep here; nothing in a configuration lies that deep");
    n = add_node(b, type, where);
    if (!n)
        return -1;
    b->levels[++b->depth] = (struct level){ .node = n, .bracket = where.len > 0 };
    return 0;
}

static int refuse_extras(struct builder *b, struct fy_token *anchor, struct fy_token *tag)
{
    if (anchor)
        return stop(b, place_of_token(anchor, 1),
                    "anchors (&) have no place here; write the value out where it is needed");
    if (tag)
        return stop(b, place_of_token(tag, 1), "tags (!) have no place here; leave it out");
    return 0;
}

static int take(struct builder *b, struct fy_event *event)
{
    switch (event->type) {
    case FYET_SCALAR:
        return refuse_extras(b, event->scalar.anchor, event->scalar.tag) || take_scalar(b, event);
    case FYET_MAPPING_START:
        return refuse_extras(b, event->mapping_start.anchor, event->mapping_start.tag) ||
               open_block(b, event, NODE_MAP);
    case FYET_SEQUENCE_START:
        return refuse_extras(b, event->sequence_start.anchor, event->sequence_start.tag) ||
               open_block(b, event, NODE_LIST);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        b->depth -= b->depth > 0;
        return 0;
    case FYET_ALIAS:
        return stop(b, place_of_event(event), "aliases (*) have no place here; write the value out");
    case FYET_DOCUMENT_START:
        if (b->documents++ > 0)
            return stop(b, place_of_event(event), "a second document begins here; one file holds one configuration");
        return 0;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END:
    default:
        return 0;
    }
}

/* What libfyaml had to say; its first error, for the others follow from it. */
static void say_syntax(struct builder *b, struct fy_diag *diag)
{
    void *walk = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &walk);
    struct slice yaml = b->tree->yaml;
    struct place where = error ? place_of_token(error->fyt, 1) : NOWHERE;
    char words[160];
    struct text t = TEXT_IN(words);

    text_visible(&t, slice_text(error ? error->msg : _("it can't be read")));
    while (where.at != SIZE_MAX && where.at > 0 && where.at >= yaml.len)
        where.at--; /* "at the end" is the end of the last line */
    fault_add(b->faults, yaml, where, "this is not YAML: %s", words);
}

/* What was read before a fault stands; what was cut in half does not. */
static void close_broken(struct builder *b)
{
    struct tree *t = b->tree;

    t->broken = true;
    for (; b->depth > 0; b->depth--) {
        struct level *l = &b->levels[b->depth];

        if (l->bracket)
            t->nodes[l->node].type = NODE_BROKEN;
        else if (t->nodes[l->node].type == NODE_MAP && l->wants_value)
            (void)add_node(b, NODE_BROKEN, t->nodes[l->last].where);
    }
}

static void parse(struct builder *b)
{
    struct fy_diag_cfg quiet;
    struct fy_diag *diag;
    struct fy_parser *parser = NULL;
    struct fy_event *event;
    int refused = 0;

    fy_diag_cfg_default(&quiet);
    quiet.fp = NULL;
    diag = fy_diag_create(&quiet);
    if (diag) {
        fy_diag_set_collect_errors(diag, true);
        parser = fy_parser_create(&(struct fy_parse_cfg){
            .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag });
    }
    if (!parser || fy_parser_set_string(parser, (const char *)b->tree->yaml.at, b->tree->yaml.len) != 0) {
        refused = stop(b, NOWHERE, "there is no memory to read it");
        goto out;
    }
    while (!refused && (event = fy_parser_parse(parser))) {
        refused = take(b, event);
        fy_parser_event_free(parser, event);
    }
    if (!refused && fy_parser_get_stream_error(parser)) {
        say_syntax(b, diag);
        refused = -1;
    }
out:
    if (refused)
        close_broken(b);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
}

void tree_read(struct tree *t, struct slice yaml, struct conf_faults *faults)
{
    struct builder b = { .tree = t, .faults = faults };

    if (yaml.len >= 3 && memcmp(yaml.at, "\xef\xbb\xbf", 3) == 0)
        yaml = slice_skip(yaml, 3); /* some editors put a byte order mark there */
    *t = (struct tree){ .yaml = yaml, .count = 1, .broken = true };
    if (yaml.len == 0) {
        t->broken = false;
        return;
    }
    if (screen(yaml, faults) < 0)
        return;
    t->broken = false;
    t->letters_cap = 2 * yaml.len; /* the worst that an escape can do is three bytes for two */
    t->letters = malloc(t->letters_cap);
    if (!t->letters || !has_room(t)) {
        fault_add(faults, yaml, NOWHERE, "there is no memory to read it");
        t->broken = true;
        return;
    }
    parse(&b);
    t->root = t->nodes[0].first;
}

void tree_done(struct tree *t)
{
    free(t->nodes);
    free(t->letters);
    *t = (struct tree){ 0 };
}
