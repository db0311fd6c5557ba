/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * number - counts that people read: 1,234,567.
 */
#ifndef SERVIOLA_VIEW_NUMBER_H
#define SERVIOLA_VIEW_NUMBER_H
#include <stdint.h>

struct number_words {
    char text[32];
};
struct number_words number_words(uint64_t n);
/* "s" unless n is 1. */
const char *number_s(uint64_t n);
#endif
