/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ports - what follows from the settings for others than the gate itself.
 *
 * The TCP ports that it connects to, as its jail allows no other: those of
 * the servers behind, of callbacks, and of name servers.
 */
#ifndef SERVIOLA_GATE_PORTS_H
#define SERVIOLA_GATE_PORTS_H
#include "sense/gate/settings.h"

enum { GATE_PORTS = GATE_LISTENERS + 2 + KEY_ADDR_CAP };
/* Each once; how many. */
size_t gate_ports(const struct gate_settings *set, uint16_t at[GATE_PORTS]);
/* Whether a jail made for `old` is wide enough for `now`. */
bool gate_ports_suffice(const struct gate_settings *old, const struct gate_settings *now);
/* Whether there is anything for a gate to do: a listener, the policy service, or logs of mail servers. */
bool gate_is_wanted(const struct gate_settings *set);
/* Whether it is meant for others than this host: `outside`, where auto is yes unless it listens on loopback alone. */
bool gate_is_outside(const struct gate_listener *l);
#endif
