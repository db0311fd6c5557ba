/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_search - what serviola log search consists of. */
#ifndef SERVIOLA_CMD_LOG_SEARCH_H
#define SERVIOLA_CMD_LOG_SEARCH_H
#include "sense/log/search.h"

/* Lines behind `last` that match, as they come into the store, until the process is ended or nobody reads what it
 * prints.  -1: the store can't be read any more. */
int log_follow(struct lines *l, const struct search *s, uint64_t last,
               void (*seen)(void *own, const struct log_line *line), void *own, struct err *e);
#endif
