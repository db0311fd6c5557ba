/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load - puts the iterators (walk.bpf.c) into the kernel.
 *
 * That takes some 40 ms, once; what stays are descriptors of links, which
 * may be inherited: whoever has them reads (read.h) without libbpf and
 * without the right to load anything.
 *
 * record.h    what is read
 * kernel.h    what walk.bpf.c knows of the kernel's own structs
 */
#ifndef SERVIOLA_SYS_ITER_LOAD_H
#define SERVIOLA_SYS_ITER_LOAD_H
#include <stdbool.h>

#include "base/err.h"

enum { ITER_TASKS, ITER_FILES, ITER_TCP, ITER_UDP, ITER_UNIX, ITER_GLANCE, ITER_LINKS };

/* Close-on-exec descriptors, the caller's; -1 with nothing open and why not. */
int iter_load(int link[ITER_LINKS], struct err *e);
void iter_unload(int link[ITER_LINKS]);

bool iter_is_link(int fd);
/* Whether `first` and those behind it are such links: somebody loaded them for us. */
bool iter_kept(int first, int link[ITER_LINKS]);
#endif
