/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * landlock - which files, TCP ports and peers are left; a part of sys/jail.
 *
 * The folders are opened while we still may (_open), the rules take hold
 * later (_enter), and then a forbidden file is tried.
 */
#ifndef SERVIOLA_SYS_LANDLOCK_H
#define SERVIOLA_SYS_LANDLOCK_H
#include "sys/jail.h"

/* A ruleset's descriptor (close-on-exec), -1 with an error, or LANDLOCK_ABSENT; *gaps (enum jail_gap) is added to. */
enum { LANDLOCK_ABSENT = -2 };
int landlock_open(const struct jail *j, unsigned *gaps, struct err *e);
/* Closes it.  Then tries to open what must be refused: -1 when it could. */
int landlock_enter(int ruleset, const struct jail *j, struct err *e);
#endif
