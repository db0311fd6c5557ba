/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * supervise - starts the house, keeps it up, ends it: `serviola run`.
 *
 * The only process that stays root, with the capabilities that starting
 * others needs and no more.  It reads the configuration (also on SIGHUP; a
 * faulty one changes nothing) and no other foreign byte.  A part that dies is
 * started again; when the core dies, all are.
 */
#ifndef SERVIOLA_CORE_SUPERVISE_H
#define SERVIOLA_CORE_SUPERVISE_H
#include <stdbool.h>
#include <stdint.h>

#include "conf/schema.h"
#include "sense/gate/settings.h"

struct run_options {
    const char *conf_path;       /* NULL: SERVIOLA_CONF, the default place, or built-in defaults */
    int mode;                    /* enum hunt_mode; -1: as configured */
    struct key_names interfaces; /* count 0: as configured */
    struct key_prefixes inside;  /* count 0: as configured */
    bool console;
    bool gate_alone;                       /* `serviola gate`: a gate there must be */
    const struct gate_listener *listener;  /* instead of those configured; NULL: as configured */
    const char *certificate, *key, *state; /* NULL: as configured; `state` is a folder for all that is kept */
};

/* Returns an exit code: 0 after a clean stop, 2 for a faulty configuration, 3 when it could not run. */
int run_house(const struct run_options *o);
#endif
