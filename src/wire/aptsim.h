/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * aptsim - what `apt-get -s dist-upgrade` says that it would do.
 *
 *     Inst openssl [3.0.15-1] (3.0.17-1 Debian:12.12/oldstable, Debian-Security:12/oldstable-security [amd64]) []
 *
 * One line a package: the version that is there, the one that would come, and where that is offered, as
 * "Label:version/archive".
 */
#ifndef SERVIOLA_WIRE_APTSIM_H
#define SERVIOLA_WIRE_APTSIM_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct aptsim_line {
    struct slice name, old, now;
    struct slice origins; /* with ", " between them, and what they are for behind */
};
/* False for a line that is none of these, and for a package that is not there yet: nothing of it waits. */
bool aptsim_line_read(struct slice line, struct aptsim_line *l);
/* One of them is an archive of security updates: Debian's, Ubuntu's, and those that are called likewise. */
bool aptsim_is_security(struct slice origins);

struct aptsim {
    uint32_t all, security;
};
void aptsim_read(struct slice text, struct aptsim *sum);
#endif
