/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mode - the hunt's modes in words.
 *
 * The numbers are enum hunt_mode (sense/hunt/settings.h), which this floor
 * does not see; cmd/status.c, which sees both, holds them together.
 */
#ifndef SERVIOLA_VIEW_MODE_H
#define SERVIOLA_VIEW_MODE_H
#include <stdbool.h>

enum mode { MODE_OFF, MODE_OBSERVE, MODE_LEARN, MODE_BLOCK, MODE_HOLD, MODES };

const char *mode_name(unsigned mode); /* "observe"; "?" for no mode */
const char *mode_what(unsigned mode); /* what it does, one clause */
bool mode_blocks(unsigned mode);
#endif
