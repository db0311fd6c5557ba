/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * condition_node - an expression inside: for condition_read.c and condition.c.
 */
#ifndef SERVIOLA_WATCH_CONDITION_NODE_H
#define SERVIOLA_WATCH_CONDITION_NODE_H
#include "sense/watch/condition.h"

enum node_kind { NODE_COMPARE, NODE_NOT, NODE_FOR, NODE_AND, NODE_OR };
enum compare { COMPARE_GT, COMPARE_LT, COMPARE_GE, COMPARE_LE, COMPARE_EQ, COMPARE_NE };
#define NOT_SINCE INT64_MIN

struct node {
    enum node_kind kind;
    uint8_t left, right; /* nodes with smaller numbers than this one */
    enum compare compare;
    bool any; /* the name holds a * */
    char name[VALUE_NAME];
    double limit;
    int64_t span_us;  /* FOR */
    int64_t since_us; /* FOR and COMPARE: boot clock: true since then; NOT_SINCE: it is not */
};

struct condition {
    uint32_t count;
    uint8_t root;
    struct node at[CONDITION_NODES];
};
#endif
