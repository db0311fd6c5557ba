/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/libarchive.h"

#include <dlfcn.h>
#include <pthread.h>

struct libarchive libarchive;
static struct err why;
static int result;

static int load(struct err *e)
{
    void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return err_set(e, 0, "it wants libarchive (apt install libarchive13): %s", dlerror());
#define LOAD(name)                                                                                                     \
    *(void **)&libarchive.name = dlsym(library, "archive_" #name);                                                     \
    if (!libarchive.name)                                                                                              \
        return err_set(e, 0, "this libarchive has no archive_" #name);
    LIBARCHIVE_CALLS(LOAD)
#undef LOAD
    *(void **)&libarchive.error_number = dlsym(library, "archive_errno");
    return libarchive.error_number ? 0 : err_set(e, 0, "this libarchive has no archive_errno");
}

static void load_once(void)
{
    result = load(&why);
}

int libarchive_load(struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load_once);
    return result < 0 ? err_set(e, why.code, "%s", why.text) : 0;
}

void libarchive_allow_packed(struct archive *a)
{
    (void)libarchive.read_support_filter_gzip(a);
    (void)libarchive.read_support_filter_bzip2(a);
    (void)libarchive.read_support_filter_xz(a);
    (void)libarchive.read_support_filter_lzma(a);
    (void)libarchive.read_support_filter_zstd(a);
    (void)libarchive.read_support_filter_compress(a);
    (void)libarchive.read_support_format_raw(a);
    (void)libarchive.read_support_format_empty(a);
}
