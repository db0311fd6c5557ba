/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cron - the lines of a crontab, crontab(5), and the settings of systemd's timers, systemd.timer(5).
 */
#ifndef SERVIOLA_WIRE_CRON_H
#define SERVIOLA_WIRE_CRON_H
#include <stdbool.h>

#include "base/slice.h"

struct cron_line {
    struct slice when, user, command; /* borrowed; user is empty in a user's own table */
};
/* One line; false when it starts nothing: a comment, a variable, or not to be understood. */
bool cron_line_read(struct slice line, bool has_user, struct cron_line *c);

/* `Name=value` in a unit file: the next one with that name; false when there is none any more. */
bool unit_setting(struct slice *rest, const char *name, struct slice *value);
#endif
