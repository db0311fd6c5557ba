/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smtp - the command grammar, as clients really write it (RFC 5321, 3030, 3207, 4954).
 *
 * Any letter case, blanks anywhere, brackets or none.  A reader of worms must
 * understand whatever some server would.
 */
#ifndef SERVIOLA_WIRE_SMTP_H
#define SERVIOLA_WIRE_SMTP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum smtp_verb {
    SMTP_HELO,
    SMTP_EHLO,
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA,
    SMTP_BDAT,
    SMTP_STARTTLS,
    SMTP_AUTH,
    SMTP_RSET,
    SMTP_QUIT,
    SMTP_ELSE /* known, and without meaning here: NOOP, VRFY, XCLIENT ... */
};

struct smtp_command {
    enum smtp_verb verb;
    struct slice argument;  /* behind the verb, blanks trimmed */
    struct slice path;      /* MAIL, RCPT: the address without brackets, quotes kept; empty for <> */
    bool path_whole;        /* the closing bracket was there */
    uint64_t chunk;         /* BDAT: octets that follow the line; 0 when malformed: such a command carries none */
    struct slice mechanism; /* AUTH */
    struct slice initial;   /* AUTH: the initial response; a secret */
};

/* One line, its line end included or not.  False: no command that we know. */
bool smtp_command_read(struct slice line, struct smtp_command *c);
/* Could this beginning of a line still become a command that carries no secret? */
bool smtp_is_harmless_start(struct slice start);
/* Where the secret of an AUTH line begins; `line.len` when it has none (or is no AUTH line). */
size_t smtp_secret_at(struct slice line);

/* The first line of a reply, from its first four bytes: `250-`, `250 `.  False: no reply. */
bool smtp_reply_read(struct slice line, unsigned *code, bool *last);
/* What follows the @; without one, empty.  A domain's final dot is taken off. */
struct slice smtp_domain(struct slice path);
/* Decodes base64 (RFC 4648) into `out`, at most `size` bytes; false when it is none. */
bool smtp_base64(struct slice text, uint8_t *out, size_t size, size_t *len);
#endif
