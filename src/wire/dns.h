/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns - what a name server's reply says about one question (RFC 1035): records, aliases followed, and for how long.
 *
 * Names are given as text without the final dot.  A byte in a label that no
 * host name has there (a dot, a blank, a control byte, 8-bit) is given as
 * '?', so that a name can neither look like another one nor carry a line end.
 */
#ifndef SERVIOLA_WIRE_DNS_H
#define SERVIOLA_WIRE_DNS_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum dns_kind { DNS_PTR, DNS_A, DNS_AAAA, DNS_MX, DNS_TXT, DNS_NS, DNS_KINDS };
enum dns_code {
    DNS_FOUND,
    DNS_NOTHING, /* the name is there, such a record is not */
    DNS_NO_NAME, /* NXDOMAIN */
    DNS_FAILED,  /* no answer, SERVFAIL, nonsense: ask again later */
};
enum {
    DNS_RECORDS = 64, /* more of an answer are not looked at */
    DNS_NAME = 256,   /* bytes of a name with its terminator */
    DNS_TEXT = 4096,  /* bytes of one TXT; longer ones are left out */
    DNS_ROOM = 20480, /* bytes of all names and texts of an answer */
    DNS_ALIASES = 8,  /* CNAMEs that are followed */
};

struct dns_record {
    struct addr addr;    /* A, AAAA */
    struct slice name;   /* PTR, MX, NS; empty: the root (null MX) */
    uint16_t preference; /* MX */
    struct slice text;   /* TXT: its strings joined */
};
struct dns_answer {
    enum dns_code code;
    uint32_t count;              /* of records that are told */
    bool more;                   /* there were more, or some that are malformed or too large */
    const struct dns_record *at; /* [count]; MX by preference */
};
struct dns_room { /* where an answer that was just read stands */
    struct dns_record at[DNS_RECORDS];
    size_t used;
    uint8_t bytes[DNS_ROOM]; /* names and texts */
};

uint16_t dns_type(enum dns_kind kind); /* the number of the record type */
/*
 * False when the message is malformed or answers another question.  *ttl_s is
 * how long the answer holds: the shortest of the records it rests on, of a
 * negative one what its SOA says (RFC 2308), 0 when it has none.
 */
bool dns_read(struct slice message, enum dns_kind kind, struct slice name, struct dns_room *room,
              struct dns_answer *answer, uint32_t *ttl_s);

/* The name under which the names of an address are kept, "4.3.2.1.in-addr.arpa"; below `zone` that of a DNS list,
 * "4.3.2.1.bl.example".  False when it does not fit. */
bool dns_reverse_name(struct addr who, struct slice zone, char *buffer, size_t size);
/* Is it a name that can be asked for?  Labels of 1 to 63 bytes without blanks, control bytes and backslashes, at most
 * 253 in all; a final dot is allowed. */
bool dns_name_is_sound(struct slice name);
#endif
