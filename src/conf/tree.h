/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tree - YAML as a tree of a bounded size, with the place of every word.  Inside conf/ only.
 *
 * libfyaml reads the YAML.  Anchors, aliases, tags, directives and second
 * documents are faults here: a configuration needs none of them, and without
 * them a file can't grow when it is read.  So are values of several lines.
 */
#ifndef SERVIOLA_CONF_TREE_H
#define SERVIOLA_CONF_TREE_H
#include <stdint.h>

#include "base/slice.h"
#include "conf/fault.h"

enum { TREE_DEPTH = 8, TREE_NODES = 1 << 16 };

enum node_type {
    NODE_SCALAR,
    NODE_MAP, /* children: key, value, key, value ... */
    NODE_LIST,
    NODE_BROKEN, /* a bracket that was never closed: said already, nothing to read in it */
};

struct node {
    enum node_type type;
    bool empty; /* a scalar that is not written at all, as in `key:` */
    struct place where;
    struct slice text;    /* of a scalar, without quotes; lies in the tree */
    uint32_t first, next; /* child, sibling; 0 for none */
};

struct tree {
    struct slice yaml;  /* borrowed */
    struct node *nodes; /* owned; the first is never used, so that 0 says none */
    uint32_t count, nodes_cap;
    uint32_t root; /* 0: the file says nothing */
    char *letters; /* owned: what node texts point into */
    size_t letters_used, letters_cap;
    bool broken; /* reading stopped at a fault; what stands before it is in the tree */
};

/* Always leaves a tree, perhaps an empty or a broken one, and says in `faults` why. */
void tree_read(struct tree *t, struct slice yaml, struct conf_faults *faults);
void tree_done(struct tree *t);
#endif
