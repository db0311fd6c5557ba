/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *format, ...)
{
    va_list args;

    if (!e)
        return -1;
    e->code = code;
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    if (code != 0) {
        size_t used = strlen(e->text);

        (void)snprintf(e->text + used, sizeof(e->text) - used, "%s%s", used ? ": " : "", strerrordesc_np(code));
    }
    return -1;
}

int err_wrap(struct err *e, const char *format, ...)
{
    char inner[sizeof(e->text)];
    va_list args;
    size_t used;

    if (!e)
        return -1;
    memcpy(inner, e->text, sizeof(inner));
    va_start(args, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    used = strlen(e->text);
    (void)snprintf(e->text + used, sizeof(e->text) - used, ": %.*s", (int)(sizeof(inner) - 1), inner);
    return -1;
}
