/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An evidence file of hostile bytes: whatever it says, a check writes nothing and ends with a verdict. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sense/log/unpack.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct unpack_result r;
    struct err e = { 0 };
    int fd = memfd_create("evidence", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (unpack_file(path, -1, 1 << 20, &r, &e) < 0)
        MUST(strncmp(e.text, path, strlen(path)) == 0 && strlen(e.text) < sizeof(e.text));
    else
        MUST(r.bytes <= 1 << 20);
    (void)close(fd);
    return 0;
}
