/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sense/xray/iter/load.h"

void iter_unload(int link[ITER_LINKS])
{
    for (size_t i = 0; i < ITER_LINKS; i++) {
        if (link[i] >= 0)
            close(link[i]);
        link[i] = -1;
    }
}

bool iter_kept(int first, int link[ITER_LINKS])
{
    static const char named[] = "anon_inode:bpf_link"; /* "anon_inode:[bpf-link]" on older kernels */

    for (int i = 0; i < ITER_LINKS; i++) {
        char path[40];
        char text[64];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", first + i);
        n = readlink(path, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        if (strcmp(text, named) != 0 && strcmp(text, "anon_inode:[bpf-link]") != 0 &&
            strcmp(text, "anon_inode:bpf-link") != 0)
            return false;
        link[i] = first + i;
    }
    return true;
}
