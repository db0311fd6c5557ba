/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * settings - the `metrics:` section of the configuration.
 */
#ifndef SERVIOLA_METRICS_SETTINGS_H
#define SERVIOLA_METRICS_SETTINGS_H
#include "conf/schema.h"

struct metrics_settings {
    struct addr listen; /* family 0: nobody can read them */
};

extern const struct key metrics_keys[];
#endif
