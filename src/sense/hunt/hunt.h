/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hunt - the part: watches interfaces and reports who inside sends mail to the outside.
 *
 *   hunt.c      the part: facts and settings in, events out, timers
 *   capture.c   interfaces: which ones, asked for, lost, found again; frames into the engine
 *   twins.c     a flow that crosses this host is read once
 *   fan.c       several readers, where one core does not keep up
 *   hold.c      the valve's packets: judged by the engine, answered
 *   learn.c     which hosts look like mail servers of the house
 *   evidence.c  the first packets of a flow, kept until a finding wants them
 *   engine.h    frames to findings
 */
#ifndef SERVIOLA_HUNT_HUNT_H
#define SERVIOLA_HUNT_HUNT_H
#include "part/part.h"

extern const struct part sense_hunt;
#endif
