/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * part - the part "probe": asks each service whether it is there, and says when it is not.
 *
 *   part.c      when each is probed, and what follows from its answers
 *   telling.c   that as events, and as values for the watch
 *   attempt.h   one probe under way; its kinds
 *   judge.h     down since when, or coming and going
 *   front.h     what a service is behind: others, and our own network
 *
 * It has no files and no clock but its own: it goes on while the disk hangs,
 * and a server that says nothing, or too much, costs it one socket.
 */
#ifndef SERVIOLA_SERVICES_PART_H
#define SERVIOLA_SERVICES_PART_H
#include "part/part.h"
#include "sense/watch/services/settings.h"

extern const struct part sense_services;

/* Whether what was opened before the jail for `old` does not do for `now`. */
bool services_need_restart(const struct services *old, const struct services *now);
#endif
