/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/library.h"

#include <dlfcn.h>
#include <string.h>

/* POSIX gives pointers to functions through void *, which C does not. */
static void put(const struct library_call *call, void *function)
{
    memcpy(call->to, &function, sizeof(function));
}

int library_open(const struct library *l, const struct library_call *calls, size_t count, struct err *e)
{
    void *library = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);
    const char *missing = NULL;

    for (size_t i = 0; i < count; i++) {
        void *function = library ? dlsym(library, calls[i].name) : NULL;

        missing = function || missing ? missing : calls[i].name;
        put(&calls[i], function);
    }
    if (library && !missing)
        return 0;
    for (size_t i = 0; i < count; i++)
        put(&calls[i], NULL);
    if (!library)
        return err_set(e, 0, "%s (apt install %s): %s", l->wanted, l->package, dlerror());
    return err_set(e, 0, "%s (apt install %s): this %s has no %s", l->wanted, l->package, l->soname, missing);
}
