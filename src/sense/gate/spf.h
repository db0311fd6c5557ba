/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spf - may this client send for that domain (RFC 7208)?  Asked for the greylist's key alone.
 *
 * Bounded as the RFC says: 10 terms that ask the DNS, 2 of them without an
 * answer, 10 names of an MX.  `ptr` never matches (section 5.5 discourages
 * it): the worst that comes of it is that a pass is not seen.
 */
#ifndef SERVIOLA_GATE_SPF_H
#define SERVIOLA_GATE_SPF_H
#include "base/addr.h"
#include "base/slice.h"
#include "sense/gate/dns.h"

enum spf_result { SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_TEMPERROR, SPF_PERMERROR };
const char *spf_words(enum spf_result r); /* "pass" */

struct spf_ask;
/* `sender` is the address of MAIL FROM; with an empty one postmaster@helo is meant.  `done` once unless spf_drop came
 * first, perhaps before this returns (then NULL is returned). */
struct spf_ask *spf_ask(struct dns *d, struct addr who, struct slice sender, struct slice helo,
                        void (*done)(void *ctx, enum spf_result r), void *ctx);
void spf_drop(struct spf_ask *s); /* NULL is fine */
#endif
