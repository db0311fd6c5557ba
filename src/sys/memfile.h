/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * memfile - bytes in a sealed memory file: handed over by descriptor, read by mapping, changed by nobody.
 *
 * Settings, evidence and the program's own image travel like this.  The
 * receiver looks at the seals before it believes the size: a file that can
 * still shrink is a SIGBUS, one that can still be written is a race.
 */
#ifndef SERVIOLA_SYS_MEMFILE_H
#define SERVIOLA_SYS_MEMFILE_H
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

/* A descriptor (close-on-exec) of a file that holds these bytes and can't change any more; -1.  `name` is for people.
 */
int memfile_from(const void *bytes, size_t size, const char *name, struct err *e);

/* The same from an open file, read from its start to its end (`most` bytes at most); may be executed. */
int memfile_copy(int from, size_t most, const char *name, struct err *e);

/* Maps it read-only after looking at its seals and size (> 0); the descriptor stays the caller's and may be closed. */
int memfile_map(int fd, size_t size, const void **at, struct err *e);         /* exactly `size` bytes */
int memfile_map_any(int fd, size_t most, struct slice *bytes, struct err *e); /* 1 to `most` bytes */
void memfile_unmap(const void *at, size_t size);                              /* NULL is fine */
void memfile_close(int fd);                                                   /* -1 is fine */
#endif
