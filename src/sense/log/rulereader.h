/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rulereader - lines held against rules as they come: logcheck's folders, and rules of the configuration.
 *
 * A reader of live.h.  What the rules call an attack or a violation becomes log.found, once for each kind of message
 * on a host, and once an hour while it goes on.  New rules are read by the reading thread, between two lines: the old
 * ones judge what came before, and stay when the new ones are none; no line waits for anybody but its reader.
 */
#ifndef SERVIOLA_SENSE_LOG_RULEREADER_H
#define SERVIOLA_SENSE_LOG_RULEREADER_H
#include "base/err.h"
#include "sense/log/live.h"
#include "sense/log/settings.h"

struct rulereader;
/* Adds itself to `l`, which frees it; NULL with an error.  Without any rules it reads nothing. */
struct rulereader *rulereader_add(struct live *l, const struct log_analyse *s, struct err *e);
/* From the main thread: these from now on.  Copies. */
void rulereader_figures(const struct rulereader *r, uint64_t *rules,
                        uint64_t *unknown); /* in force; lines since start */
void rulereader_renew(struct rulereader *r, const struct log_analyse *s);
#endif
