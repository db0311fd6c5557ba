/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * part - the process that receives and keeps lines (`serviola -x log`).
 */
#ifndef SERVIOLA_SENSE_LOG_PART_H
#define SERVIOLA_SENSE_LOG_PART_H
#include "part/part.h"
#include "sense/log/settings.h"

extern const struct part sense_log;
#endif
