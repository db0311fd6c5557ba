/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pemtext - the text of a certificate, a key or a list of revoked ones, read from a file that an admin named.
 *
 * Read by root and handed on unread: all that is judged here is that it is a
 * file of a sane size which looks like PEM (RFC 7468).
 */
#ifndef SERVIOLA_SYS_PEMTEXT_H
#define SERVIOLA_SYS_PEMTEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The length of the text, 1 to cap - 1; -1 with the path and the way out.
 * `open_to_all`, which may be NULL, says whether everybody on the host may read it.
 */
ssize_t pemtext_read(const char *path, char *room, size_t cap, bool *open_to_all, struct err *e);
#endif
