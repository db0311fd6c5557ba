/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ranges - networks as the kernel's interval sets want them: sorted, none overlapping, none touching another.
 */
#ifndef SERVIOLA_HAND_RANGES_H
#define SERVIOLA_HAND_RANGES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct range {
    uint8_t first[16];
    uint8_t behind[16]; /* the first address that is not in it; unset with to_the_end */
    bool to_the_end;    /* it holds the last address there is */
};

/* Those of one family (4 or 6); `out` has room for `count`.  Returns how many. */
size_t ranges_of(const struct prefix *at, size_t count, uint8_t family, struct range *out);
#endif
