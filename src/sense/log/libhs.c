/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/libhs.h"

#include <pthread.h>

#include "sys/library.h"

struct libhs libhs;
static struct err why;
static int result;

static void load_once(void)
{
    static const struct library library = { "libhs.so.5", "libvectorscan5", "expressions want libhs" };
#define CALL(name) { "hs_" #name, &libhs.name },
    static const struct library_call calls[] = { LIBHS_CALLS(CALL) };
#undef CALL

    result = library_open(&library, calls, sizeof(calls) / sizeof(*calls), &why);
}

int libhs_load(struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load_once);
    return result < 0 ? err_set(e, why.code, "%s", why.text) : 0;
}
