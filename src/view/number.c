/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/number.h"

#include <string.h>

#include "base/words.h"

struct number_words number_words(uint64_t n)
{
    struct number_words w;
    char *at = w.text + sizeof(w.text) - 1;
    char mark = _("1,234")[1]; /* what stands between thousands */
    unsigned digits = 0;

    *at = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--at = mark;
        *--at = (char)('0' + n % 10);
        n /= 10;
        digits++;
    } while (n > 0);
    memmove(w.text, at, strlen(at) + 1);
    return w;
}
