/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rdap - what a registry says of a domain (RDAP, RFC 9083): when it ends.
 *
 * Of the JSON only what is wanted is looked at: {"ldhName": "example.org", "events": [{"eventAction": "expiration",
 * "eventDate": "2027-08-13T04:00:00Z"}], "status": ["redemption period"]}.  What stands deeper belongs to somebody
 * else.
 */
#ifndef SERVIOLA_WIRE_RDAP_H
#define SERVIOLA_WIRE_RDAP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct rdap {
    struct slice name;  /* ldhName, borrowed; empty: it says none */
    bool ends;          /* it says when */
    int64_t ends_us;    /* since 1970 */
    bool to_be_deleted; /* it has ended; only its owner can still have it back, or nobody */
};
/* False: that is no whole JSON object. */
bool rdap_read(struct slice json, struct rdap *r);
#endif
