/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * updates - apt's own simulation of an upgrade, as a program of a runner (sys/runner.h).
 *
 * The runner is started with the house, before any jail, and is found at
 * UPDATES_RUNNER_FD by the watch; indicators/updates.c asks it.
 */
#ifndef SERVIOLA_WATCH_UPDATES_H
#define SERVIOLA_WATCH_UPDATES_H
#include "sys/runner.h"

enum { UPDATES_RUNNER_FD = 6 };
#define UPDATES_PATIENCE_US (300 * (int64_t)1000000) /* a slow disk, and an old machine */

/* Without the network, a lock or rights, and behind all others. */
static const struct runner_program updates_simulation = {
    .name = "updates",
    .command = "/usr/bin/nice -n 19 /usr/bin/apt-get -s -qq --ignore-hold -o Debug::NoLocking=1 dist-upgrade",
    .answers = 4 << 20,
};
#endif
