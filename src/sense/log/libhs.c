/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/libhs.h"

#include <dlfcn.h>
#include <pthread.h>

struct libhs libhs;
static struct err why;
static int result;

static int load(struct err *e)
{
    void *library = dlopen("libhs.so.5", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return err_set(e, 0, "expressions want libhs (apt install libvectorscan5): %s", dlerror());
#define LOAD(name)                                                                                                     \
    *(void **)&libhs.name = dlsym(library, "hs_" #name);                                                               \
    if (!libhs.name)                                                                                                   \
        return err_set(e, 0, "this libhs has no hs_" #name);
    LIBHS_CALLS(LOAD)
#undef LOAD
    return 0;
}

static void load_once(void)
{
    result = load(&why);
}

int libhs_load(struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load_once);
    return result < 0 ? err_set(e, why.code, "%s", why.text) : 0;
}
