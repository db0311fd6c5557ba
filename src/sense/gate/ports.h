/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ports - the TCP ports that the gate connects to: its jail allows no other.
 *
 * Those of the servers behind, of callbacks, and of name servers.
 */
#ifndef SERVIOLA_GATE_PORTS_H
#define SERVIOLA_GATE_PORTS_H
#include "sense/gate/settings.h"

enum { GATE_PORTS = GATE_LISTENERS + 2 + KEY_ADDR_CAP };
/* Each once; how many. */
size_t gate_ports(const struct gate_settings *set, uint16_t at[GATE_PORTS]);
/* Whether a jail made for `old` is wide enough for `now`. */
bool gate_ports_suffice(const struct gate_settings *old, const struct gate_settings *now);
#endif
