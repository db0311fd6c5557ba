/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figures - the part that shows metrics: what the core's status tells, how many events of each kind there were, and the
 * watch's values.
 */
#ifndef SERVIOLA_CORE_FIGURES_H
#define SERVIOLA_CORE_FIGURES_H
#include "part/part.h"

extern const struct part core_figures;
#endif
