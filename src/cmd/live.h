/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live - words on the command line that stand in for keys of the configuration: `run` and `hunt` share them.
 */
#ifndef SERVIOLA_CMD_LIVE_H
#define SERVIOLA_CMD_LIVE_H
#include <stdbool.h>

#include "conf/schema.h"

extern const char *const live_modes[]; /* "off", "observe", ...: enum hunt_mode; NULL-ended */

/* `eth0,eth1`; false when a name is empty or too long, or there are too many. */
bool live_interfaces(const char *list, struct key_names *names);
/* `10.1.0.0/16,fd00:20::/64`; false likewise, or when one is no network. */
bool live_networks(const char *list, struct key_prefixes *nets);
#endif
