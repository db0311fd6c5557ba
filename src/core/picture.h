/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * picture - the part that takes an x-ray when a trigger asks for it: started for that alone, and then it ends.
 *
 * It looks with root's rights before its jail, as `serviola xray` does; what
 * it saw is explained and packed inside the jail.  Findings are events, the
 * file goes to the scribe as a memory file: neither waits for a disk.
 */
#ifndef SERVIOLA_CORE_PICTURE_H
#define SERVIOLA_CORE_PICTURE_H
#include "part/part.h"

extern const struct part core_picture;
#endif
