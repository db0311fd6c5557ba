/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * installed - the packages of this host, as dpkg writes them into /var/lib/dpkg/status.
 */
#ifndef SERVIOLA_WIRE_INSTALLED_H
#define SERVIOLA_WIRE_INSTALLED_H
#include <stdbool.h>

#include "base/slice.h"

struct installed {
    struct slice name, version, architecture; /* borrowed */
};
/* The next package that is installed, not only remembered; false at the end. */
bool installed_next(struct slice *rest, struct installed *p);
#endif
