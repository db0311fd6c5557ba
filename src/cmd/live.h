/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live - words on the command line that stand in for keys of the configuration: `run` and `hunt` share them.
 */
#ifndef SERVIOLA_CMD_LIVE_H
#define SERVIOLA_CMD_LIVE_H
#include <stdbool.h>

#include "base/slice.h"
#include "cmd/options.h"
#include "conf/schema.h"

extern const char *const live_modes[]; /* "off", "observe", ...: enum hunt_mode; NULL-ended */

/* `eth0,eth1`; false when a name is empty or too long, or there are too many: *wrong is the first that can't be taken.
 */
bool live_interfaces(const char *list, struct key_names *names, struct slice *wrong);
/* `10.1.0.0/16,fd00:20::/64`; false likewise, or when one is no network. */
bool live_networks(const char *list, struct key_prefixes *nets, struct slice *wrong);
/* Says so, and what would be right; gives EXIT_USAGE. */
int live_wrong_interface(const struct usage *u, struct slice wrong);
int live_wrong_network(const struct usage *u, struct slice wrong);
#endif
