/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/iter/read.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BYTES_MOST = 256 << 20, BYTES_FIRST = 1 << 20, BYTES_LEFT = 256 << 10 };

int iter_open(int link)
{
    union bpf_attr a;

    memset(&a, 0, sizeof(a));
    a.iter_create.link_fd = (uint32_t)link;
    return (int)syscall(SYS_bpf, BPF_ITER_CREATE, &a, sizeof(a));
}

int iter_take_rest(int fd, struct iter_bytes *b)
{
    for (;;) {
        ssize_t n;

        if (b->cap - b->len < BYTES_LEFT) {
            size_t cap = b->cap ? 2 * b->cap : BYTES_FIRST;
            uint8_t *more = cap <= BYTES_MOST ? realloc(b->at, cap) : NULL;

            if (!more) {
                errno = ENOMEM;
                return -1;
            }
            b->at = more;
            b->cap = cap;
        }
        n = read(fd, b->at + b->len, b->cap - b->len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return (int)n;
        b->len += (size_t)n;
    }
}

int iter_take(int link, struct iter_bytes *b)
{
    int fd = iter_open(link);
    int status;

    if (fd < 0)
        return -1;
    status = iter_take_rest(fd, b);
    close(fd);
    return status;
}

const struct iter_head *iter_next(const struct iter_bytes *b, size_t *at)
{
    const struct iter_head *h = (const void *)(b->at + *at);

    if (b->len - *at < sizeof(*h) || h->size < sizeof(*h) || h->size % 8 != 0 || h->size > b->len - *at)
        return NULL;
    *at += h->size;
    return h;
}

bool iter_is(const struct iter_head *h, unsigned kind, size_t least)
{
    return h->kind == kind && h->size >= least;
}

bool iter_tells_of(const struct iter_bytes *b, int64_t pid)
{
    const struct iter_head *h;
    size_t at = 0;

    while ((h = iter_next(b, &at)))
        if (h->pid == pid)
            return true;
    return false;
}
