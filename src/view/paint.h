/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * paint - colours, on terminals alone.
 */
#ifndef SERVIOLA_VIEW_PAINT_H
#define SERVIOLA_VIEW_PAINT_H
#include <stdbool.h>

#include "journal/event.h"

enum paint { PAINT_PLAIN, PAINT_DIM, PAINT_BOLD, PAINT_GREEN, PAINT_YELLOW, PAINT_RED };

/* A terminal, NO_COLOR unset or empty, TERM neither unset nor "dumb". */
bool paint_wanted(int fd);
const char *paint_on(bool wanted, enum paint p); /* "" when not wanted */
const char *paint_off(bool wanted);
enum paint paint_of(enum grade g);
#endif
