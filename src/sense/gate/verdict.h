/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verdict - what the checks' answers come to.
 *
 * verdict_ask starts what can be started, and calls back once everything due
 * at that stage has answered, or the time is over (what is missing then
 * counts as FOUND_UNSURE).  The call-back may come before verdict_ask returns.
 */
#ifndef SERVIOLA_GATE_VERDICT_H
#define SERVIOLA_GATE_VERDICT_H
#include "sense/gate/check.h"

enum verdict_act { VERDICT_PASS, VERDICT_DEFER, VERDICT_REFUSE };
struct verdict {
    enum verdict_act act;
    enum check_id by;        /* the check that decided; CHECKS when it passes */
    unsigned code;           /* 250, 421, 450, 451, 550, 554 */
    const char *enhanced;    /* "4.7.1" */
    char text[VISIT_REASON]; /* what the client reads; ASCII, one line */
};

struct visit *visit_new(struct gate_means *m, const struct gate_listener *at, struct addr peer, struct addr local);
void visit_free(struct visit *v);       /* stops its checks; NULL is fine */
void visit_reset_mail(struct visit *v); /* RSET, or a new MAIL: sender, recipient and what was found about them */

void visit_forget_helo(struct visit *v);                     /* another HELO: what was found about the last one */
void visit_next_recipient(struct visit *v, char *recipient); /* takes it over */
void verdict_ask(struct visit *v, enum stage stage, void (*done)(struct visit *v, const struct verdict *r));
/* The time is over: what has not answered counts as FOUND_UNSURE. */
void verdict_expire(struct visit *v);
/* Without waiting, from what is known: for what the session itself finds (visit_found before). */
struct verdict verdict_now(const struct visit *v, enum stage stage);
#endif
