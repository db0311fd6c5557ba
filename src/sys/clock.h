/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock - microseconds now; the wall's and one that can't be set back.
 *
 * Only roles read it; everything below takes the time as an argument.
 */
#ifndef SERVIOLA_SYS_CLOCK_H
#define SERVIOLA_SYS_CLOCK_H
#include <stdint.h>

int64_t clock_wall_us(void); /* since 1970, UTC */
int64_t clock_mono_us(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */
#endif
