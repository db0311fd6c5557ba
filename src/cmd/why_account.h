/* SPDX-License-Identifier: GPL-3.0-or-later */
/* why_account - `serviola why ACCOUNT`. */
#ifndef SERVIOLA_CMD_WHY_ACCOUNT_H
#define SERVIOLA_CMD_WHY_ACCOUNT_H
#include <stdbool.h>

#include "base/slice.h"
#include "cmd/sight.h"

/* Prints what is known of the account; an exit code, or -1: nothing is known of one of that name. */
int why_account(struct sight *s, struct slice account, bool json);
#endif
