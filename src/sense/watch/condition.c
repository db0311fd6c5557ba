/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/condition.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "sense/watch/condition_node.h"

struct judge {
    struct condition *x;
    const struct values *v;
    int64_t mono_us;
    bool at_once;       /* a `for` need not have run */
    bool lenient;       /* what was never known is not so */
    struct reason *why; /* NULL: told already, or not asked for */
};

/* `*` stands for any bytes; both ends with NUL. */
static bool fits(const char *pattern, const char *name)
{
    const char *star = NULL;
    const char *back = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            back = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++back;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static enum truth compare(enum compare how, double value, double limit)
{
    bool is = false;

    if (isnan(value))
        return TRUTH_UNKNOWN;
    switch (how) {
    case COMPARE_GT:
        is = value > limit;
        break;
    case COMPARE_LT:
        is = value < limit;
        break;
    case COMPARE_GE:
        is = value >= limit;
        break;
    case COMPARE_LE:
        is = value <= limit;
        break;
    case COMPARE_EQ:
        is = !islessgreater(value, limit);
        break;
    case COMPARE_NE:
        is = islessgreater(value, limit);
        break;
    }
    return is ? TRUTH_YES : TRUTH_NO;
}

static void tell(const struct judge *j, const struct node *n, const struct value *value)
{
    static const char *const signs[] = { ">", "<", ">=", "<=", "==", "!=" };
    struct text t = TEXT_IN(j->why->words);

    if (j->why->name[0])
        return;
    memcpy(j->why->name, value->name, sizeof(j->why->name));
    j->why->value = value->number;
    j->why->limit = n->limit;
    j->why->since_us = n->since_us;
    text_addf(&t, "%s is %.6g (%s %.6g)", value->name, value->number, signs[n->compare], n->limit);
}

/* Any value that fits and for which it holds; not known when none is known. */
static enum truth judge_compare(const struct judge *j, struct node *n)
{
    enum truth best = TRUTH_UNKNOWN;
    const struct value *which = NULL;
    bool was_known = false;
    int one = n->any ? -1 : values_find(j->v, slice_text(n->name));

    for (uint32_t i = n->any ? 0 : (uint32_t)(one < 0 ? 0 : one); i < j->v->count; i++) {
        enum truth here = TRUTH_UNKNOWN;

        if (n->any ? fits(n->name, j->v->at[i].name) : one >= 0) {
            here = compare(n->compare, j->v->at[i].number, n->limit);
            was_known = was_known || j->v->at[i].was_known;
        }
        if (here == TRUTH_YES || (here == TRUTH_NO && best == TRUTH_UNKNOWN)) {
            best = here;
            which = &j->v->at[i];
        }
        if (best == TRUTH_YES || !n->any)
            break;
    }
    if (best == TRUTH_UNKNOWN && j->lenient && !was_known)
        return TRUTH_NO;
    if (best == TRUTH_NO)
        n->since_us = NOT_SINCE;
    else if (best == TRUTH_YES && n->since_us == NOT_SINCE)
        n->since_us = j->mono_us;
    if (best == TRUTH_YES && j->why)
        tell(j, n, which);
    return best;
}

/* What is not known neither begins nor ends a time. */
static enum truth judge_for(const struct judge *j, struct node *n, enum truth inside)
{
    if (inside == TRUTH_NO)
        n->since_us = NOT_SINCE;
    else if (inside == TRUTH_YES && n->since_us == NOT_SINCE)
        n->since_us = j->mono_us;
    if (inside != TRUTH_YES || j->at_once)
        return inside;
    return j->mono_us - n->since_us >= n->span_us ? TRUTH_YES : TRUTH_NO;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as CONDITION_NODES */
static enum truth judge(const struct judge *j, uint8_t which)
{
    struct node *n = &j->x->at[which];
    struct judge quiet = *j;
    enum truth left;
    enum truth right;

    switch (n->kind) {
    case NODE_COMPARE:
        return judge_compare(j, n);
    case NODE_NOT:
        quiet.why = NULL; /* what does not hold is no reason */
        left = judge(&quiet, n->left);
        return left == TRUTH_UNKNOWN ? left : left == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
    case NODE_FOR:
        return judge_for(j, n, judge(j, n->left));
    case NODE_AND:
        left = judge(j, n->left);
        right = judge(j, n->right); /* always: its `for` runs on */
        return left == TRUTH_NO || right == TRUTH_NO ? TRUTH_NO : left == TRUTH_YES ? right : left;
    case NODE_OR:
        left = judge(j, n->left);
        quiet.why = left == TRUTH_YES ? NULL : j->why;
        right = judge(&quiet, n->right);
        return left == TRUTH_YES || right == TRUTH_YES ? TRUTH_YES : left == TRUTH_NO ? right : left;
    }
    return TRUTH_UNKNOWN;
}

enum truth condition_judge(struct condition *x, const struct values *v, int64_t mono_us, struct reason *why)
{
    struct judge j = { .x = x, .v = v, .mono_us = mono_us, .why = why };

    if (why) {
        memset(why, 0, sizeof(*why));
        why->since_us = mono_us;
    }
    return judge(&j, x->root);
}

enum truth condition_still(struct condition *x, const struct values *v, int64_t mono_us, bool at_once)
{
    struct judge j = { .x = x, .v = v, .mono_us = mono_us, .at_once = at_once, .lenient = true };

    return judge(&j, x->root);
}

const char *condition_name(const struct condition *x, uint32_t n)
{
    for (uint32_t i = 0; i < x->count; i++)
        if (x->at[i].kind == NODE_COMPARE && n-- == 0)
            return x->at[i].name;
    return NULL;
}

void condition_reset(struct condition *x)
{
    for (uint32_t i = 0; i < x->count; i++)
        x->at[i].since_us = NOT_SINCE;
}
