/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/libarchive.h"

#include <pthread.h>

#include "sys/library.h"

struct libarchive libarchive;
static struct err why;
static int result;

static void load_once(void)
{
    static const struct library library = { "libarchive.so.13", "libarchive13", "it wants libarchive" };
#define CALL(name) { "archive_" #name, &libarchive.name },
    static const struct library_call calls[] = { LIBARCHIVE_CALLS(CALL){ "archive_errno", &libarchive.error_number } };
#undef CALL

    result = library_open(&library, calls, sizeof(calls) / sizeof(*calls), &why);
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
