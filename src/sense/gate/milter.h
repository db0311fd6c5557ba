/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * milter - the gate's verdicts for a mail server that keeps its port 25 and knows mail filters (Sendmail, Postfix).
 *
 *   smtpd_milters = inet:127.0.0.1:10032
 *
 * A connection is a visit, asked about at each stage as a session of our own
 * would be; headers and bodies are not wanted.  Spoken here and not by
 * libmilter: that takes a thread for each client, and brings signals and
 * waiting of its own into the jail.
 */
#ifndef SERVIOLA_GATE_MILTER_H
#define SERVIOLA_GATE_MILTER_H
#include "base/err.h"
#include "sense/gate/check.h"

struct milter;
struct warden;
/* Takes the listening `fd` over.  `m` and `w` are borrowed; w may be NULL. */
struct milter *milter_new(struct gate_means *m, struct warden *w, int fd, struct err *e);
void milter_free(struct milter *f);   /* NULL is fine */
void milter_reload(struct milter *f); /* m->set has changed */
#endif
