/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * describe - a key in words, for whatever is printed from the schemas.  Inside conf/ only.
 */
#ifndef SERVIOLA_CONF_DESCRIBE_H
#define SERVIOLA_CONF_DESCRIBE_H
#include "base/text.h"
#include "conf/schema.h"

/* A help text as whole sentences: a large letter first, a full stop last. */
void describe_help(struct text *t, const char *help);
/* "One of off, observe or block.", "From 64 to 16M."; nothing for what the default shows well enough. */
void describe_values(struct text *t, const struct key *k);
/* One end of its range, spelled as in the file: "366d", "64KiB". */
void describe_limit(struct text *t, const struct key *k, int64_t value);
/* What may stand there, as a placeholder: "NUMBER", "[NETWORK, ...]". */
const char *describe_type(const struct key *k);
/* The default as it is to be written behind the key; nothing for TABLE and required keys. */
void describe_default(struct text *t, const struct key *k);
#endif
