/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ownlist - has a stolen account brought our own addresses onto the DNS lists?
 *
 * Asked when an account was abused, and 1, 6 and 24 hours later, as lists take
 * their time: each public address of ours on each list of gate.dns_lists.
 * What is new is an event, with the page where one asks to be taken off.
 */
#ifndef SERVIOLA_GATE_OWNLIST_H
#define SERVIOLA_GATE_OWNLIST_H
#include "base/err.h"
#include "sense/gate/check.h"

struct ownlist;
struct ownlist *ownlist_new(struct gate_means *m, struct err *e); /* m is borrowed */
void ownlist_free(struct ownlist *o);                             /* NULL is fine */
void ownlist_begin(struct ownlist *o);                            /* an account was abused */
void ownlist_tick(struct ownlist *o);                             /* now and then: are questions due? */
/* Where one asks `zone` to take an address off; NULL: not known here. */
const char *ownlist_page(struct slice zone);
#endif
