/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * why_account - may this user's mail go out, and why: told from what the gate reported of the account.
 *
 * Pure: who asks brings the events.
 */
#ifndef SERVIOLA_VIEW_WHY_ACCOUNT_H
#define SERVIOLA_VIEW_WHY_ACCOUNT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "journal/event.h"

enum account_state {
    ACCOUNT_UNKNOWN,
    ACCOUNT_SUSPECTED,
    ACCOUNT_STOPPED,
    ACCOUNT_OVER,
    ACCOUNT_RELEASED,
    ACCOUNT_STATES
};
const char *account_state_name(enum account_state s); /* "stopped" */

/* Whether the event is one of those that matter, and about this account; letters small or not. */
bool account_is_meant(const struct event *ev, struct slice account);

struct account_verdict {
    enum account_state state;
    const struct event *abused;   /* the newest; NULL: none */
    const struct event *decision; /* that made the state so; NULL: none */
    int64_t until_us;             /* ACCOUNT_STOPPED, ACCOUNT_OVER */
};
/* `about`: events that account_is_meant holds for, oldest first. */
struct account_verdict account_judge(const struct event *about, size_t count, int64_t now_us);
/* One paragraph. */
void account_answer(struct text *t, struct slice account, const struct account_verdict *v, int64_t now_us);
#endif
