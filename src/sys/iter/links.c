/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/iter/load.h"

void iter_unload(int link[ITER_LINKS])
{
    for (size_t i = 0; i < ITER_LINKS; i++) {
        if (link[i] >= 0)
            close(link[i]);
        link[i] = -1;
    }
}

bool iter_is_link(int fd)
{
    static const char *const names[] = { "anon_inode:bpf_link", "anon_inode:[bpf-link]", "anon_inode:bpf-link" };
    char path[40];
    char text[64];
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    n = readlink(path, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

bool iter_kept(int first, int link[ITER_LINKS])
{
    for (int i = 0; i < ITER_LINKS; i++) {
        if (!iter_is_link(first + i))
            return false;
        link[i] = first + i;
    }
    return true;
}
