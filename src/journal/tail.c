/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; Debian 12's headers are older */
#endif

enum { HEAD_BYTES = 4096, SLOT_WORDS = sizeof(struct event) / 8, SLOTS_MAX = 1 << 24 };
static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

struct tail_head { /* the first page of the memory file */
    char magic[8];
    uint64_t slots;
    uint64_t first;
    uint64_t next; /* written with release order after the slot */
    uint64_t synced;
};
static const char magic[8] = "SVtail1";

struct tail {
    struct tail_head *head;
    uint64_t (*slot)[SLOT_WORDS]; /* word 0 is the event's seq */
    uint64_t slots;               /* a copy: what others map is not asked again */
    size_t bytes;
    int fd; /* -1 for a reader */
};
_Static_assert(offsetof(struct event, seq) == 0, "a slot's first word says whose it is");

static int map(struct tail *t, int fd, int protection, struct err *e)
{
    void *at = mmap(NULL, t->bytes, protection, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        return err_set(e, errno, "mmap");
    t->head = at;
    t->slot = (void *)((char *)at + HEAD_BYTES);
    return 0;
}

static int make_file(size_t bytes, struct err *e)
{
    int fd = memfd_create("serviola-tail", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("serviola-tail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_set(e, errno, "memfd_create");
    if (ftruncate(fd, (off_t)bytes) < 0) {
        err_set(e, errno, "ftruncate");
        close(fd);
        return -1;
    }
    return fd;
}

struct tail *tail_new(size_t slots, uint64_t first, struct err *e)
{
    struct tail *t;

    if (slots == 0 || slots > SLOTS_MAX || first == 0) {
        err_set(e, EINVAL, "tail: %zu slots, first event %llu", slots, (unsigned long long)first);
        return NULL;
    }
    t = calloc(1, sizeof(*t));
    if (!t) {
        err_set(e, errno, "tail");
        return NULL;
    }
    t->slots = slots;
    t->bytes = HEAD_BYTES + slots * sizeof(struct event);
    t->fd = make_file(t->bytes, e);
    if (t->fd < 0 || map(t, t->fd, PROT_READ | PROT_WRITE, e) < 0)
        goto fail;
    memcpy(t->head->magic, magic, sizeof(magic));
    t->head->slots = slots;
    t->head->first = first;
    t->head->synced = first - 1;
    __atomic_store_n(&t->head->next, first, __ATOMIC_RELEASE);
    if (fcntl(t->fd, F_ADD_SEALS, seals) < 0) {
        err_set(e, errno, "seal");
        goto fail;
    }
    return t;
fail:
    err_wrap(e, "tail");
    tail_free(t);
    return NULL;
}

struct tail *tail_open(int fd, struct err *e)
{
    struct tail *t = calloc(1, sizeof(*t));
    struct stat st;

    if (!t) {
        err_set(e, errno, "tail");
        return NULL;
    }
    t->fd = -1;
    if ((fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &st) < 0 || st.st_size < HEAD_BYTES) {
        err_set(e, 0, "not a sealed tail");
        goto fail;
    }
    t->bytes = (size_t)st.st_size;
    if (map(t, fd, PROT_READ, e) < 0)
        goto fail;
    t->slots = t->head->slots;
    if (memcmp(t->head->magic, magic, sizeof(magic)) != 0 || t->slots == 0 || t->slots > SLOTS_MAX ||
        t->bytes != HEAD_BYTES + t->slots * sizeof(struct event)) {
        err_set(e, 0, "not a tail of this version");
        goto fail;
    }
    return t;
fail:
    err_wrap(e, "tail");
    tail_free(t);
    return NULL;
}

void tail_free(struct tail *t)
{
    if (!t)
        return;
    if (t->head)
        munmap(t->head, t->bytes);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

int tail_fd(const struct tail *t)
{
    return t->fd;
}

/*
 * The words of a slot are stored with release and read with acquire order:
 * a reader that saw one new word then also sees that the seq was cleared.
 */
uint64_t tail_append(struct tail *t, struct event *ev)
{
    uint64_t seq = t->head->next;
    uint64_t *slot = t->slot[seq % t->slots];
    uint64_t words[SLOT_WORDS];

    ev->seq = seq;
    memcpy(words, ev, sizeof(words));
    __atomic_store_n(&slot[0], 0, __ATOMIC_RELAXED);
    for (size_t i = 1; i < SLOT_WORDS; i++)
        __atomic_store_n(&slot[i], words[i], __ATOMIC_RELEASE);
    __atomic_store_n(&slot[0], seq, __ATOMIC_RELEASE);
    __atomic_store_n(&t->head->next, seq + 1, __ATOMIC_RELEASE);
    return seq;
}

void tail_set_synced(struct tail *t, uint64_t seq)
{
    __atomic_store_n(&t->head->synced, seq, __ATOMIC_RELEASE);
}

void tail_begin(struct tail *t, uint64_t next)
{
    __atomic_store_n(&t->head->first, next, __ATOMIC_RELEASE);
    __atomic_store_n(&t->head->synced, next - 1, __ATOMIC_RELEASE);
    __atomic_store_n(&t->head->next, next, __ATOMIC_RELEASE);
}

static uint64_t first_of(const struct tail *t)
{
    return __atomic_load_n(&t->head->first, __ATOMIC_ACQUIRE);
}

uint64_t tail_next(const struct tail *t)
{
    return __atomic_load_n(&t->head->next, __ATOMIC_ACQUIRE);
}

uint64_t tail_oldest(const struct tail *t)
{
    uint64_t next = tail_next(t);

    uint64_t first = first_of(t);

    return next - first > t->slots ? next - t->slots : first;
}

uint64_t tail_synced(const struct tail *t)
{
    return __atomic_load_n(&t->head->synced, __ATOMIC_ACQUIRE);
}

enum tail_got tail_get(const struct tail *t, uint64_t seq, struct event *ev)
{
    const uint64_t *slot = t->slot[seq % t->slots];
    uint64_t words[SLOT_WORDS];

    if (seq >= tail_next(t))
        return TAIL_NOT_YET;
    if (seq < first_of(t) || __atomic_load_n(&slot[0], __ATOMIC_ACQUIRE) != seq)
        return TAIL_GONE;
    words[0] = seq;
    for (size_t i = 1; i < SLOT_WORDS; i++)
        words[i] = __atomic_load_n(&slot[i], __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&slot[0], __ATOMIC_RELAXED) != seq)
        return TAIL_GONE;
    memcpy(ev, words, sizeof(*ev));
    return TAIL_GOT;
}
