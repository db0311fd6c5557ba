/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * domains - when do the domains end that this host lives by?  Their registries are asked, one after the other, seldom.
 *
 * What was known last is kept: a registry that does not answer is told as
 * that, never as the end of a domain.
 */
#ifndef SERVIOLA_SERVICES_DOMAINS_H
#define SERVIOLA_SERVICES_DOMAINS_H
#include "part/part.h"
#include "sense/watch/services/attempt.h"

struct domains;
struct domains *domains_new(struct role *r, struct prober *p, struct err *e);
/* At the start and after a reload; a domain that is as it was goes on. */
void domains_fit(struct domains *d, const struct services *set);
void domains_second(struct domains *d); /* each second: the watch forgets what it does not hear again */
#endif
