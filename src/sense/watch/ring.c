/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/watch/reel.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

struct frames {
    int fd;
    uint64_t size;
    uint8_t *map;
    struct ring_page *page; /* its start */
};

struct frames *frames_new(uint64_t size, struct err *e)
{
    struct frames *r = calloc(1, sizeof(*r));

    if (!r) {
        err_set(e, ENOMEM, "the recorder's memory");
        return NULL;
    }
    r->map = MAP_FAILED;
    r->size = (size < RING_LEAST ? RING_LEAST : size) & ~(uint64_t)7;
    r->fd = memfd_create("serviola-recorder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (r->fd >= 0 && ftruncate(r->fd, (off_t)(RING_PAGE + r->size)) == 0)
        r->map = mmap(NULL, RING_PAGE + r->size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (r->map == MAP_FAILED ||
        fcntl(r->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
        err_set(e, errno, "the recorder's memory");
        frames_free(r);
        return NULL;
    }
    r->page = (struct ring_page *)(void *)r->map;
    r->page->magic = RING_MAGIC;
    r->page->size = r->size;
    return r;
}

void frames_free(struct frames *r)
{
    if (!r)
        return;
    if (r->map != MAP_FAILED)
        (void)munmap(r->map, RING_PAGE + r->size);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}

int frames_fd(const struct frames *r)
{
    return r->fd;
}

uint64_t frames_bytes(const struct frames *r)
{
    return atomic_load(&r->page->to) - atomic_load(&r->page->from);
}

static void copy_out(const uint8_t *ring, uint64_t size, uint64_t from, void *to, size_t len)
{
    uint64_t at = from % size;
    size_t first = len < size - at ? len : (size_t)(size - at);

    memcpy(to, ring + at, first);
    memcpy((uint8_t *)to + first, ring, len - first);
}

static void copy_in(struct frames *r, uint64_t to, struct slice bytes)
{
    uint64_t at = to % r->size;
    size_t first = bytes.len < r->size - at ? bytes.len : (size_t)(r->size - at);

    memcpy(r->map + RING_PAGE + at, bytes.at, first);
    memcpy(r->map + RING_PAGE, bytes.at + first, bytes.len - first);
}

void frames_add(struct frames *r, struct slice frame, int64_t oldest_us)
{
    uint64_t from = atomic_load(&r->page->from);
    uint64_t to = atomic_load(&r->page->to);

    if (frame.len == 0 || frame.len > r->size)
        return;
    while (from < to) {
        struct reel_head h;

        copy_out(r->map + RING_PAGE, r->size, from, &h, sizeof(h));
        if (to + frame.len - from <= r->size && h.mono_us >= oldest_us)
            break;
        from += reel_size(&h);
    }
    atomic_store(&r->page->from, from);
    atomic_thread_fence(memory_order_seq_cst); /* nobody believes what is overwritten now */
    copy_in(r, to, frame);
    atomic_store(&r->page->to, to + frame.len);
}

/* What the writer overtook while it was copied is cut off the front. */
static int copy_all(const uint8_t *map, uint64_t size, uint8_t **at, size_t *len, struct err *e)
{
    const struct ring_page *page = (const struct ring_page *)(const void *)map;
    uint64_t from = atomic_load(&page->from);
    uint64_t to = atomic_load(&page->to);
    uint64_t now;
    uint8_t *copy;

    if (page->magic != RING_MAGIC || page->size != size || to < from || to - from > size)
        return err_set(e, 0, "this is not the recorder's memory");
    copy = malloc((size_t)(to - from) + 1);
    if (!copy)
        return err_set(e, ENOMEM, "the recorder's past");
    copy_out(map + RING_PAGE, size, from, copy, (size_t)(to - from));
    atomic_thread_fence(memory_order_seq_cst);
    now = atomic_load(&page->from);
    now = now < from ? from : now > to ? to : now;
    *len = (size_t)(to - now);
    memmove(copy, copy + (now - from), *len);
    *at = copy;
    return 0;
}

int frames_copy(int fd, uint8_t **at, size_t *len, struct err *e)
{
    struct stat st;
    const uint8_t *map;
    int seals = fcntl(fd, F_GET_SEALS);
    int rc;

    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 || st.st_size <= RING_PAGE ||
        (uint64_t)st.st_size > RING_PAGE + RING_MOST)
        return err_set(e, 0, "this is not the recorder's memory");
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return err_set(e, errno, "the recorder's memory");
    rc = copy_all(map, (uint64_t)st.st_size - RING_PAGE, at, len, e);
    (void)munmap((void *)(uintptr_t)map, (size_t)st.st_size);
    return rc;
}
