/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * number - counts that people read: 1,234,567; the mark between them is a matter of the language.
 */
#ifndef SERVIOLA_VIEW_NUMBER_H
#define SERVIOLA_VIEW_NUMBER_H
#include <stdint.h>

struct number_words {
    char text[32];
};
struct number_words number_words(uint64_t n);
#endif
