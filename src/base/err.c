/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Puts words in front of what is there, ": " between them; cut at the end.  The new words may quote the old ones. */
__attribute__((format(printf, 2, 0))) static void put_before(struct err *e, const char *format, va_list args)
{
    char old[sizeof(e->text)];
    char fresh[sizeof(e->text)];
    struct text t;

    memcpy(old, e->text, sizeof(old));
    (void)vsnprintf(fresh, sizeof(fresh), format, args);
    t = TEXT_IN(e->text);
    text_word(&t, fresh);
    text_word(&t, fresh[0] && old[0] ? ": " : "");
    text_word(&t, old);
}

int(err_set)(struct err *e, int code, const char *format, ...)
{
    const char *words = code ? strerrordesc_np(code) : "";
    struct err fresh = { .code = code };
    va_list args;

    if (!e)
        return -1;
    if (words)
        (void)snprintf(fresh.text, sizeof(fresh.text), "%s", words);
    else
        (void)snprintf(fresh.text, sizeof(fresh.text), "error %d", code);
    va_start(args, format);
    put_before(&fresh, format, args); /* which may quote what *e says now */
    va_end(args);
    *e = fresh;
    return -1;
}

int(err_wrap)(struct err *e, const char *format, ...)
{
    va_list args;

    if (!e)
        return -1;
    va_start(args, format);
    put_before(e, format, args);
    va_end(args);
    return -1;
}
