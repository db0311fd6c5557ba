/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names - the client's reverse names, and whether one of them leads back to it; looked up once for all checks.
 *
 * What is found stands in the visit: rdns, rdns_name, organisation.
 */
#ifndef SERVIOLA_GATE_CHECKS_NAMES_H
#define SERVIOLA_GATE_CHECKS_NAMES_H
#include "sense/gate/check.h"

enum { NAMES_MOST = 8 }; /* of an address; more are not followed */

/* Calls `known` once v->rdns is known, perhaps before this returns; `known` may be the visit's end. */
void names_want(struct visit *v, enum check_id id, void (*known)(struct visit *v));
/* This check needs them no more; fine when it never did.  The last one to leave drops the questions. */
void names_leave(struct visit *v, enum check_id id);
#endif
