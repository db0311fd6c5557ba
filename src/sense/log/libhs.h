/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libhs - the scanner for many expressions at once (Vectorscan, Hyperscan); loaded when the first set wants it.
 *
 * With the C++ library that it needs it is 11 MB, which every process of serviola reads into memory and keeps there
 * (sys/lock.h); the log's part alone, and `serviola log`, scan.
 */
#ifndef SERVIOLA_SENSE_LOG_LIBHS_H
#define SERVIOLA_SENSE_LOG_LIBHS_H
#include <hs/hs.h>

#include "base/err.h"

#define LIBHS_CALLS(CALL)                                                                                              \
    CALL(expression_info)                                                                                              \
    CALL(free_compile_error)                                                                                           \
    CALL(compile_multi)                                                                                                \
    CALL(compile_lit_multi)                                                                                            \
    CALL(free_database)                                                                                                \
    CALL(alloc_scratch)                                                                                                \
    CALL(free_scratch)                                                                                                 \
    CALL(scan)

struct libhs {
#define LIBHS_MEMBER(name) __typeof__(&hs_##name) name;
    LIBHS_CALLS(LIBHS_MEMBER)
#undef LIBHS_MEMBER
};
extern struct libhs libhs; /* hs_scan is libhs.scan; all NULL before it is loaded */

int libhs_load(struct err *e); /* again and again, by any thread; before a jail without files */
#endif
