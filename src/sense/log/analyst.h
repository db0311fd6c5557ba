/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * analyst - the analysis at work while lines come: a reader of live.h whose findings become events.
 *
 *   log.found        it is there, or goes on; log.proof follows it, up to three times
 *   log.found_over   the last word on it
 *
 * Same matter, same number: F_FLOW.  A matter is told when it begins, when it becomes graver, when its words change (a
 * few times), and when it is over.
 *
 * What was learned stands in the store's folder, in `analysis-0` and `analysis-1`, by turns, every half hour.  At a
 * start the older one is read, and the lines since then come again: what began within that time is known as if there
 * had been no start, and what was told is not told again.  Without either, `learned` is read, which
 * `serviola log analyse --memory` wrote; without that, the store itself is what there is to learn from, in silence.
 */
#ifndef SERVIOLA_SENSE_LOG_ANALYST_H
#define SERVIOLA_SENSE_LOG_ANALYST_H
#include "base/err.h"
#include "sense/log/live.h"
#include "sense/log/settings.h"

/* Adds itself to `l`, which frees it. */
int analyst_add(struct live *l, const struct log_analyse *s, struct err *e);
#endif
