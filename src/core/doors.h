/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * doors - what the hand has to know of the gate: where it listens, whom it stands before, what it guards.
 */
#ifndef SERVIOLA_CORE_DOORS_H
#define SERVIOLA_CORE_DOORS_H
#include <stdbool.h>

#include "core/settings.h"

/* Whether findings of the gate block. */
bool doors_block(const struct house_settings *h);
/* Every port that it listens at, once; how many. */
size_t doors_ports(const struct house_settings *h, uint16_t at[HAND_LISTENS]);
/* Fills the gate's share of the hand's settings. */
void doors_tell_hand(const struct house_settings *h, const struct found *found, struct hand_settings *hand);
#endif
