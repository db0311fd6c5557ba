/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In place of load.c where clang, bpftool or libbpf was missing when serviola was built. */
#include "sys/iter/load.h"

int iter_load(int link[ITER_LINKS], struct err *e)
{
    for (unsigned i = 0; i < ITER_LINKS; i++)
        link[i] = -1;
    return err_set(e, 0, "they were left out when this serviola was built");
}
