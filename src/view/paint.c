/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/paint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool paint_wanted(int fd)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return !(no && *no) && term && *term && strcmp(term, "dumb") != 0 && isatty(fd);
}

const char *paint_on(bool wanted, enum paint p)
{
    static const char *const codes[] = {
        [PAINT_PLAIN] = "",         [PAINT_DIM] = "\033[2m",     [PAINT_BOLD] = "\033[1m",
        [PAINT_GREEN] = "\033[32m", [PAINT_YELLOW] = "\033[33m", [PAINT_RED] = "\033[1;31m",
    };

    return wanted ? codes[p] : "";
}

const char *paint_off(bool wanted)
{
    return wanted ? "\033[0m" : "";
}

enum paint paint_of(enum grade g)
{
    return g == GRADE_ALARM ? PAINT_RED : g == GRADE_WARN ? PAINT_YELLOW : PAINT_PLAIN;
}
