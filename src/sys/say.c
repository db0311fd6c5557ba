/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/say.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

static const char *name = "serviola";
static _Atomic unsigned lost;

void say_name(const char *part)
{
    name = part;
}

/* A pipe that is writable takes PIPE_BUF bytes at once: a line is shorter. */
static void put_line(const char *words)
{
    struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };
    unsigned missed = atomic_exchange(&lost, 0);
    char line[1200];
    struct text t = text_in(line, sizeof(line) - 1);

    if (missed > 0)
        text_addf(&t, "%s: %u lines before this one could not be written\n", name, missed);
    text_addf(&t, "%s: ", name);
    for (const char *c = words; *c; c++)
        text_add(&t, slice_of((unsigned char)*c < 0x20 || *c == 0x7f ? "?" : c, 1)); /* one line stays one line */
    line[t.len] = '\n';
    if (poll(&err, 1, 0) != 1 || !(err.revents & POLLOUT) || write(STDERR_FILENO, line, t.len + 1) < 0)
        atomic_fetch_add(&lost, missed + 1);
}

__attribute__((format(printf, 1, 0))) static void put_format(const char *format, va_list args)
{
    char words[1024];

    if (vsnprintf(words, sizeof(words), format, args) >= 0)
        put_line(words);
}

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put_format(format, args);
    va_end(args);
}

void say_debug(const char *format, ...)
{
    va_list args;

    if (!secure_getenv("SERVIOLA_DEBUG"))
        return;
    va_start(args, format);
    put_format(format, args);
    va_end(args);
}
