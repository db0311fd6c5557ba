/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 8 };

struct page {
    _Atomic uint64_t writings;
    int64_t at_us;
    uint32_t count, zero;
    struct value at[VALUES_MOST];
};

struct board {
    int fd; /* -1: a reader's */
    struct page *page;
};

struct board *board_new(struct err *e)
{
    struct board *b = calloc(1, sizeof(*b));

    if (!b) {
        (void)err_set(e, ENOMEM, "the board");
        return NULL;
    }
    b->page = MAP_FAILED;
    b->fd = memfd_create("serviola-values", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (b->fd >= 0 && ftruncate(b->fd, sizeof(struct page)) == 0)
        b->page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
    if (b->page != MAP_FAILED &&
        fcntl(b->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0)
        return b;
    (void)err_set(e, errno, "the board");
    board_free(b);
    return NULL;
}

int board_fd(const struct board *b)
{
    return b->fd;
}

void board_write(struct board *b, const struct values *v, int64_t at_us)
{
    struct page *p = b->page;

    (void)atomic_fetch_add(&p->writings, 1);
    atomic_thread_fence(memory_order_seq_cst);
    p->at_us = at_us;
    p->count = v->count;
    memcpy(p->at, v->at, v->count * sizeof(v->at[0]));
    atomic_thread_fence(memory_order_seq_cst);
    (void)atomic_fetch_add(&p->writings, 1);
}

struct board *board_open(int fd, struct err *e)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct board *b;
    struct stat st;
    void *at;

    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 || st.st_size != (off_t)sizeof(struct page)) {
        (void)err_set(e, 0, "these are not the watch's values");
        return NULL;
    }
    at = mmap(NULL, sizeof(struct page), PROT_READ, MAP_SHARED, fd, 0);
    b = at == MAP_FAILED ? NULL : calloc(1, sizeof(*b));
    if (!b) {
        (void)err_set(e, errno, "the watch's values");
        if (at != MAP_FAILED)
            (void)munmap(at, sizeof(struct page));
        return NULL;
    }
    *b = (struct board){ .fd = -1, .page = at };
    return b;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    if (b->page != MAP_FAILED)
        (void)munmap(b->page, sizeof(struct page));
    if (b->fd >= 0)
        (void)close(b->fd);
    free(b);
}

uint32_t board_read(const struct board *b, struct value *at, int64_t *at_us)
{
    const struct page *p = b->page;

    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t before = atomic_load(&p->writings);
        uint32_t count = p->count < VALUES_MOST ? p->count : VALUES_MOST;

        *at_us = p->at_us;
        memcpy(at, p->at, count * sizeof(at[0]));
        atomic_thread_fence(memory_order_seq_cst);
        if (before % 2 == 0 && before == atomic_load(&p->writings))
            return count;
    }
    return 0;
}
