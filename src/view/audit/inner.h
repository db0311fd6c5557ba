/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inner - what the parts of an audit share. */
#ifndef SERVIOLA_VIEW_AUDIT_INNER_H
#define SERVIOLA_VIEW_AUDIT_INNER_H
#include "view/audit/audit.h"
#include "view/explain/inner.h"

/* A socket of the host's own network that others may speak to; UDP ports that are handed out to clients are none. */
enum { UDP_CLIENTS = 32768 };
bool audit_listens(const struct snap *s, const struct snap_socket *k);

void audit_ports(struct explain *x, const struct audit_wish *wish, struct audit *a);
void audit_house(struct explain *x); /* its file systems, its kernel */
int audit_drift(struct explain *x, const struct snap *twin, struct err *e);
#endif
