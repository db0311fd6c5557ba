/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/metrics/settings.h"

const struct key metrics_keys[] = {
    { .name = "listen",
      .type = KEY_ADDR,
      KEY_AT(struct metrics_settings, listen),
      .def = "",
      .help = "Address and port where /metrics can be read in Prometheus' text form, such as 127.0.0.1:9464; empty: "
              "nowhere. Whoever reaches it can read it, so name one that is not this host's own loopback only behind a "
              "firewall." },
    { .name = NULL },
};
