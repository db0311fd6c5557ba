/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * milter - the filter's side of the protocol that Sendmail and Postfix speak to mail filters, version 2 to 6.
 *
 * A packet is a length (4 bytes, network order), a letter, and what belongs
 * to it.  Only what a filter needs that looks at the envelope is read here;
 * it asks in the first answer not to be told headers and bodies.
 */
#ifndef SERVIOLA_WIRE_MILTER_H
#define SERVIOLA_WIRE_MILTER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"
#include "base/text.h"

enum { MILTER_BYTES = 16384 }; /* the longest packet that is read, its length included */
enum milter_got { MILTER_OK, MILTER_MORE, MILTER_BAD };

struct milter_packet {
    char letter;       /* O options, D macros, C connection, H HELO, M MAIL, R RCPT, A abort, E end of message, Q quit,
                          K quit, and another connection follows, T DATA, others */
    struct slice body; /* behind the letter */
    size_t used;
};

enum milter_got milter_packet_read(struct slice in, struct milter_packet *p);

/* The next text of a body, each with a NUL behind it; false: none is left, or its NUL is missing. */
bool milter_text(struct slice *rest, struct slice *text);
/* C: the client's address; family 0 when it is a unix socket or unknown.  False: malformed. */
bool milter_connection(struct slice body, struct addr *client);
/* D: the command that the macros belong to; *rest is then name, value, name, value ... for milter_text. */
bool milter_macros(struct slice body, char *command, struct slice *rest);

/* The answer to O: no changes are made, headers and bodies are not wanted.  False: malformed, or too old a version. */
bool milter_options_write(struct slice body, struct text *t);
void milter_go_on_write(struct text *t);
/* A reply of the server's: `code` 4xx or 5xx, one line. */
void milter_reply_write(unsigned code, const char *enhanced, const char *words, struct text *t);
#endif
