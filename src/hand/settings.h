/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - is what the core hands over something the hand can work with?
 */
#ifndef SERVIOLA_HAND_SETTINGS_H
#define SERVIOLA_HAND_SETTINGS_H
#include "base/err.h"
#include "hand/op.h"

enum { HAND_TOTAL_MAX = 1000000 }; /* blocks; about 60 MiB of kernel memory */

int settings_check(const struct hand_settings *set, struct err *e); /* -1 names the field */
#endif
