/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * policy - the gate's verdicts for a Postfix that keeps its port 25 (check_policy_service).
 *
 *   smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination,
 *       check_policy_service inet:127.0.0.1:10031
 *
 * Asked at any stage, best at RCPT.  What is refused is answered with code
 * and words, what is deferred DEFER_IF_PERMIT, the rest DUNNO.  A request is
 * a visit of its own; what it costs to find out is in the caches of dns.h and
 * book.h, so the second recipient is cheap.  Users who logged in are not
 * checked by their address: warden.h says whether they may send.
 */
#ifndef SERVIOLA_GATE_POLICY_H
#define SERVIOLA_GATE_POLICY_H
#include "base/err.h"
#include "sense/gate/check.h"

struct policy;
struct warden;
/* Takes the listening `fd` over.  `m` and `w` are borrowed; w may be NULL. */
struct policy *policy_new(struct gate_means *m, struct warden *w, int fd, struct err *e);
void policy_free(struct policy *p);   /* NULL is fine */
void policy_reload(struct policy *p); /* m->set has changed */
#endif
