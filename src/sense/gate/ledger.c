/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/crc32c.h"

#define MAGIC "SVLEDGM1"
enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

struct head {
    char magic[8];
    _Atomic uint64_t len;
    uint8_t zero[48];
};
struct piece {
    uint32_t len, sum;
};
_Static_assert(sizeof(struct head) == 64 && sizeof(struct piece) == 8, "as they stand in memory and on disk");

struct ledger {
    int fd;
    size_t room; /* for pieces: never believed to be what the other side says */
    struct head *head;
    uint8_t *at; /* behind the head */
};

static struct ledger *map(int fd, size_t size, struct err *e)
{
    struct ledger *l = calloc(1, sizeof(*l));
    void *at = l ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (at == MAP_FAILED) {
        (void)err_set(e, l ? errno : ENOMEM, "accounts: %zu bytes of memory", size);
        free(l);
        return NULL;
    }
    *l = (struct ledger){ fd, size - sizeof(struct head), at, (uint8_t *)at + sizeof(struct head) };
    return l;
}

struct ledger *ledger_new(size_t room, struct err *e)
{
    size_t size = sizeof(struct head) + (room < LEDGER_MOST ? room : LEDGER_MOST);
    int fd = memfd_create("serviola-accounts", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct ledger *l = NULL;

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
        (void)err_set(e, errno, "accounts: memory file of %zu bytes", size);
    else
        l = map(fd, size, e);
    if (l)
        memcpy(l->head->magic, MAGIC, sizeof(l->head->magic));
    else if (fd >= 0)
        (void)close(fd);
    return l;
}

struct ledger *ledger_take(int fd, struct err *e)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    struct ledger *l = NULL;

    if (fstat(fd, &st) < 0 || seals < 0 || (seals & SEALS) != SEALS || st.st_size < (off_t)sizeof(struct head) ||
        st.st_size > (off_t)sizeof(struct head) + LEDGER_MOST)
        (void)err_set(e, 0, "accounts: no memory file of ours");
    else
        l = map(fd, (size_t)st.st_size, e);
    if (l && memcmp(l->head->magic, MAGIC, sizeof(l->head->magic)) == 0)
        return l;
    if (l)
        (void)err_set(e, 0, "accounts: the memory file holds something else");
    if (l)
        ledger_free(l);
    else
        (void)close(fd);
    return NULL;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    (void)munmap(l->head, sizeof(struct head) + l->room);
    (void)close(l->fd);
    free(l);
}

int ledger_fd(const struct ledger *l)
{
    return l->fd;
}

static size_t length(const struct ledger *l)
{
    uint64_t len = atomic_load_explicit(&l->head->len, memory_order_acquire);

    return len < l->room ? (size_t)len : l->room;
}

bool ledger_add(struct ledger *l, struct slice piece)
{
    struct piece p = { (uint32_t)piece.len, crc32c(0, piece.at, piece.len) };
    size_t len = length(l);

    if (l->room - len < sizeof(p) || l->room - len - sizeof(p) < piece.len)
        return false;
    memcpy(l->at + len, &p, sizeof(p));
    memcpy(l->at + len + sizeof(p), piece.at, piece.len);
    atomic_store_explicit(&l->head->len, len + sizeof(p) + piece.len, memory_order_release);
    return true;
}

struct slice ledger_bytes(const struct ledger *l)
{
    return slice_of(l->at, length(l));
}

bool ledger_next(struct slice *bytes, struct slice *piece)
{
    struct piece p;

    if (bytes->len < sizeof(p))
        return false;
    memcpy(&p, bytes->at, sizeof(p));
    if (p.len > bytes->len - sizeof(p) || p.len == 0 || crc32c(0, bytes->at + sizeof(p), p.len) != p.sum)
        return false;
    *piece = slice_of(bytes->at + sizeof(p), p.len);
    *bytes = slice_skip(*bytes, sizeof(p) + p.len);
    return true;
}
