/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spf - the terms of an SPF record and its macros (RFC 7208 sections 4.5, 5, 6, 7); nobody is asked anything here.
 */
#ifndef SERVIOLA_WIRE_SPF_H
#define SERVIOLA_WIRE_SPF_H
#include <stdbool.h>

#include "base/addr.h"
#include "base/slice.h"
#include "base/text.h"

enum spf_what {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP, /* ip4 and ip6 */
    SPF_EXISTS,
    SPF_REDIRECT,
    SPF_OTHER, /* an unknown modifier, and exp: of no consequence */
};
struct spf_term {
    enum spf_what what;
    char qualifier;       /* + - ~ ? */
    struct slice domain;  /* with its macros; empty: the current one */
    uint8_t bits4, bits6; /* A, MX: how much of an address must be the same */
    struct prefix net;    /* IP */
};

/* Is it an SPF record, v=spf1 ...?  *terms is what follows. */
bool spf_begin(struct slice text, struct slice *terms);
/* The next term of what is left: 1; 0 at the end, -1 when it is malformed. */
int spf_next(struct slice *rest, struct spf_term *term);

struct spf_facts {       /* what macros stand for */
    struct slice sender; /* local@domain */
    struct slice domain; /* the one whose record it is */
    struct slice helo;
    struct addr who;
};
/* False when a macro is malformed, or what comes out is no name that can be asked for. */
bool spf_expand(struct slice spec, const struct spf_facts *facts, char *buffer, size_t size);
#endif
