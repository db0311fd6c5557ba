/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/whole.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

static ssize_t read_on(int fd, void *at, size_t cap, bool placed, uint64_t offset)
{
    size_t len = 0;

    while (len < cap) {
        uint8_t *to = (uint8_t *)at + len;
        ssize_t n = placed ? pread(fd, to, cap - len, (off_t)(offset + len)) : read(fd, to, cap - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int write_on(int fd, const void *at, size_t len, bool placed, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        const uint8_t *from = (const uint8_t *)at + done;
        ssize_t n = placed ? pwrite(fd, from, len - done, (off_t)(offset + done)) : write(fd, from, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

ssize_t whole_read(int fd, void *at, size_t cap)
{
    return read_on(fd, at, cap, false, 0);
}

ssize_t whole_pread(int fd, void *at, size_t cap, uint64_t offset)
{
    return read_on(fd, at, cap, true, offset);
}

int whole_write(int fd, const void *at, size_t len)
{
    return write_on(fd, at, len, false, 0);
}

int whole_pwrite(int fd, const void *at, size_t len, uint64_t offset)
{
    return write_on(fd, at, len, true, offset);
}
