/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ports - where the settings say that lines are received from the network, and what a reload may change.
 */
#ifndef SERVIOLA_SENSE_LOG_PORTS_H
#define SERVIOLA_SENSE_LOG_PORTS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "sense/log/line.h"
#include "sense/log/settings.h"

struct log_port {
    struct addr at; /* with its port */
    enum log_way way;
};
enum { LOG_PORTS = 5 * KEY_ADDR_CAP };

/* All of them, each once; returns how many. */
size_t log_ports(const struct log_settings *s, struct log_port at[LOG_PORTS]);

bool log_port_eq(const struct log_port *a, const struct log_port *b);
bool log_port_is_named(const struct log_settings *s, const struct log_port *port);

/* What can't change under a running part: the first key of it that differs, or NULL. */
const char *log_needs_restart(const struct log_settings *old, const struct log_settings *now);
/* Puts `old`'s into `now`, so that all else of it may be taken. */
void log_keep_fixed(const struct log_settings *old, struct log_settings *now);
#endif
