/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * library - a shared library that few are to carry: opened when somebody wants its functions, and never closed.
 *
 * What a program is linked with is read into the memory of each part of
 * serviola and kept there (sys/lock.h).  Open it before a jail without files.
 */
#ifndef SERVIOLA_SYS_LIBRARY_H
#define SERVIOLA_SYS_LIBRARY_H
#include <stddef.h>

#include "base/err.h"

struct library {
    const char *soname;  /* "libhs.so.5" */
    const char *package; /* Debian's, for who has it not */
    const char *wanted;  /* "expressions want libhs" */
};
struct library_call {
    const char *name;
    void *to; /* address of a pointer to function of its type */
};
/* All of them, or -1 and all are NULL: "WANTED (apt install PACKAGE): why".  Again is fine. */
int library_open(const struct library *l, const struct library_call *calls, size_t count, struct err *e);
#endif
