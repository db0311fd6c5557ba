/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/clock.h"

#include <time.h>

static int64_t read_us(clockid_t which)
{
    struct timespec t;

    (void)clock_gettime(which, &t); /* can't fail for a clock that exists */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}
