/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * genericname - is a host name one that a provider makes from the address: 4-3-2-1.dsl.isp.example?
 *
 * The whole address in the name is enough: its octets in either order with
 * any signs between, padded with zeros, in hexadecimal, as one number; of
 * IPv6 the groups or nibbles, or the half that names the host.  A part of it
 * (the last two octets) counts only beside a word like "dsl" or "pool".
 */
#ifndef SERVIOLA_WIRE_GENERICNAME_H
#define SERVIOLA_WIRE_GENERICNAME_H
#include "base/addr.h"
#include "base/slice.h"

enum generic {
    GENERIC_NOT,
    GENERIC_OWNED, /* made from the address, but says "static" or "mail", and no word that speaks against it */
    GENERIC_YES,
};
struct generic_hit {
    const char *how;   /* "its address reversed" */
    struct slice word; /* that the name says, too: "dsl"; may be empty */
};
/* *hit is filled but for GENERIC_NOT.  Only the first 255 bytes of a name are looked at. */
enum generic generic_name(struct slice name, struct addr who, struct generic_hit *hit);
#endif
