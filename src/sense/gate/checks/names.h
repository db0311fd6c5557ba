/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names - the client's reverse names, as `rdns` found them and `confirmed` asks about them.
 *
 * They stand in visit_own(v, CHECK_RDNS) until `confirmed` is done with them:
 * a session that waits must be small.  What comes of them stands in the
 * visit: rdns, rdns_name, organisation.
 */
#ifndef SERVIOLA_GATE_CHECKS_NAMES_H
#define SERVIOLA_GATE_CHECKS_NAMES_H
#include "sense/gate/check.h"
#include "sense/gate/dns.h"

enum { NAMES_MOST = 8 }; /* of an address; more are not followed */

struct names {
    struct visit *visit;
    struct dns_query *query;
    uint32_t count;
    char at[NAMES_MOST][DNS_NAME];
};
void rdns_names_free(struct visit *v); /* drops the question, too; fine when there are none */
#endif
