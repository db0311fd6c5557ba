/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * walk - from the tree of a file into the structs of the parts.  Inside conf/ only.
 */
#ifndef SERVIOLA_CONF_WALK_H
#define SERVIOLA_CONF_WALK_H
#include "base/text.h"
#include "conf/fault.h"
#include "conf/schema.h"
#include "conf/tree.h"

struct walk {
    const struct tree *tree;
    struct conf_faults *faults;
    struct text path; /* where we are: "hunt.limits.window" */
    bool in_default;  /* what is read is a key's default: a fault there is ours */
    bool lax;         /* required keys may be missing */
};

/* `n` NULL: the file as a whole. */
void conf_fault(struct walk *w, const struct node *n, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A word of the file as it may stand in a sentence: visible and short. */
struct shown {
    char text[48];
};
struct shown conf_shown(struct slice s);

/* Reads node `at` as k's type into `to` (all types but TABLE and EACH) or says why not. */
void conf_value(struct walk *w, const struct key *k, char *to, uint32_t at);

/* Only the defaults, with required keys left out. */
int schema_check_defaults(const struct section *sections, void *const *settings, struct conf_faults *faults);
#endif
