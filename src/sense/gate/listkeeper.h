/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listkeeper - role `lists`: the administrator's list files, compiled when they change, and handed to the gate.
 *
 * Looks at the files each second; what it could not read or understand leaves
 * the old lists in force (gate.lists_refused).  At the start, when there are
 * none, the sound ones of them are.
 */
#ifndef SERVIOLA_GATE_LISTKEEPER_H
#define SERVIOLA_GATE_LISTKEEPER_H
#include "part/part.h"

extern const struct part gate_lists;
#endif
