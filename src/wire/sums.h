/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sums - lines of md5sum and sha256sum, as dpkg keeps them and administrators make them, and dpkg's list of packages.
 */
#ifndef SERVIOLA_WIRE_SUMS_H
#define SERVIOLA_WIRE_SUMS_H
#include "base/slice.h"

/* "d41d8cd9...  usr/bin/who": 32 or 64 digits, blanks or a star, a path without ./ or / in front. */
struct sum_line {
    struct slice digits, path; /* borrowed */
};
bool sum_line_read(struct slice line, struct sum_line *s);

/* The next line of /var/lib/dpkg/status that matters here. */
enum status_kind { STATUS_END, STATUS_PACKAGE, STATUS_VERSION, STATUS_CONFIGURATION };
struct status_line {
    enum status_kind kind;
    struct slice value;  /* name or version; of a configuration file its path */
    struct slice digits; /* of a configuration file */
};
void status_next(struct slice *rest, struct status_line *l);
#endif
