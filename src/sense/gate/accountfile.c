/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/accountfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/crc32c.h"
#include "journal/folder.h"

#define MAGIC   "SVACCTS1"
#define NAME    "gate.accounts"
#define DAMAGED NAME ".damaged"

struct head {
    char magic[8];
    uint64_t len;
    uint32_t sum, zero;
};
_Static_assert(sizeof(struct head) == 24, "as it stands on disk");

static int open_folder(const char *folder, struct err *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? err_set(e, errno, "%s", folder) : fd;
}

/* ---- reading ---- */

static ssize_t get(int fd, void *to, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = read(fd, (uint8_t *)to + got, len - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static bool is_sound(const uint8_t *file, size_t size)
{
    struct head h;

    if (size < sizeof(h))
        return false;
    memcpy(&h, file, sizeof(h));
    return memcmp(h.magic, MAGIC, sizeof(h.magic)) == 0 && h.len == size - sizeof(h) &&
           h.sum == crc32c(0, file + sizeof(h), size - sizeof(h));
}

int accountfile_read(const char *folder, struct slice *kept, void **bytes, bool *aside, struct err *e)
{
    int dir = open_folder(folder, e);
    int fd = dir < 0 ? -1 : openat(dir, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *file = NULL;
    struct stat st;
    ssize_t got = 0;
    int status = -1;

    *kept = slice_of(NULL, 0);
    *bytes = NULL;
    *aside = false;
    if (dir < 0)
        return -1;
    if (fd < 0) {
        status = errno == ENOENT ? 0 : err_set(e, errno, NAME);
        goto out;
    }
    if (fstat(fd, &st) < 0) {
        (void)err_set(e, errno, NAME);
        goto out;
    }
    if (S_ISREG(st.st_mode) && st.st_size <= (off_t)(ACCOUNTFILE_MOST + sizeof(struct head))) {
        file = malloc((size_t)st.st_size + 1);
        got = file ? get(fd, file, (size_t)st.st_size) : -1;
        if (got < 0) {
            (void)err_set(e, file ? errno : ENOMEM, NAME);
            goto out;
        }
    }
    status = 0;
    if (file && is_sound(file, (size_t)got)) {
        *kept = slice_of(file + sizeof(struct head), (size_t)got - sizeof(struct head));
        *bytes = file;
        file = NULL;
    } else {
        *aside = true;
        if (renameat(dir, NAME, dir, DAMAGED) < 0)
            status = err_set(e, errno, NAME ": it is damaged, and can't be put aside");
    }
out:
    free(file);
    if (fd >= 0)
        (void)close(fd);
    (void)close(dir);
    return status;
}

/* ---- writing ---- */

int accountfile_write(const char *folder, struct slice kept, struct err *e)
{
    struct head h = { .magic = MAGIC, .len = kept.len, .sum = crc32c(0, kept.at, kept.len) };
    uint8_t *file = malloc(sizeof(h) + kept.len);
    int dir = file ? open_folder(folder, e) : err_set(e, ENOMEM, NAME);
    int status = -1;

    if (dir >= 0) {
        memcpy(file, &h, sizeof(h));
        memcpy(file + sizeof(h), kept.at, kept.len);
        status = folder_replace(dir, NAME, 0600, slice_of(file, sizeof(h) + kept.len), e);
        (void)close(dir);
    }
    free(file);
    return status;
}
