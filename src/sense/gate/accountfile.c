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

#define FIRST_MAGIC "SVACCTS1"
#define MAGIC       "SVACCTS2"
#define NAME        "gate.accounts"
#define DAMAGED     NAME ".damaged"

struct first_head {
    char magic[8];
    uint64_t len;
    uint32_t sum, zero;
};
struct head {
    char magic[8];
    uint64_t zero;
};
_Static_assert(sizeof(struct first_head) == 24 && sizeof(struct head) == 16, "as they stand on disk");

/* ---- reading ---- */

static bool is_of(struct slice file, struct slice magic)
{
    return slice_eq(slice_first(file, magic.len), magic);
}

static bool first_is_sound(struct slice file)
{
    struct first_head h;

    if (file.len < sizeof(h))
        return false;
    memcpy(&h, file.at, sizeof(h));
    return h.len == file.len - sizeof(h) && h.sum == crc32c(0, file.at + sizeof(h), file.len - sizeof(h));
}

/* How much of it, from its beginning, is sound. */
static size_t sound(struct slice file)
{
    struct slice rest = slice_skip(file, sizeof(struct head));
    struct slice piece;

    if (is_of(file, SLICE(FIRST_MAGIC)))
        return first_is_sound(file) ? file.len : 0;
    if (!is_of(file, SLICE(MAGIC)) || !ledger_next(&rest, &piece))
        return 0;
    while (ledger_next(&rest, &piece)) {
    }
    return file.len - rest.len;
}

int accountfile_read(const char *folder, struct slice *kept, void **bytes, struct accountfile_found *found,
                     struct err *e)
{
    int dir = folder_open(folder, e);
    uint8_t *file = NULL;
    size_t len = 0;
    int status = 0;

    *kept = slice_of(NULL, 0);
    *bytes = NULL;
    *found = (struct accountfile_found){ .aside = false };
    if (dir < 0)
        return -1;
    if (folder_read(dir, NAME, ACCOUNTFILE_MOST, &file, &len, e) == 0)
        *kept = slice_of(file, sound(slice_of(file, len)));
    found->cut = kept->len > 0 && kept->len < len;
    if (kept->len > 0) {
        *bytes = file;
        file = NULL;
    } else if (file || e->code == EFBIG) {
        found->aside = true;
        if (renameat(dir, NAME, dir, DAMAGED) < 0)
            status = err_set(e, errno, NAME ": it is damaged, and can't be put aside");
    } else if (e->code != ENOENT)
        status = -1;
    free(file);
    (void)close(dir);
    return status;
}

struct slice accountfile_content(struct slice kept, bool *first)
{
    *first = is_of(kept, SLICE(FIRST_MAGIC));
    return slice_skip(kept, *first ? sizeof(struct first_head) : sizeof(struct head));
}

/* ---- writing ---- */

static int begin(int dir, struct slice pieces, struct err *e)
{
    const struct head h = { .magic = MAGIC };
    uint8_t *file = malloc(sizeof(h) + pieces.len);
    int status;

    if (!file)
        return err_set(e, ENOMEM, NAME);
    memcpy(file, &h, sizeof(h));
    memcpy(file + sizeof(h), pieces.at, pieces.len);
    status = folder_replace(dir, NAME, 0600, slice_of(file, sizeof(h) + pieces.len), e);
    free(file);
    return status;
}

static int append(int fd, struct slice pieces, size_t at, struct err *e)
{
    if (folder_pwrite(fd, pieces.at, pieces.len, at, e) == 0 && fdatasync(fd) == 0)
        return 0;
    (void)err_set(e, errno, NAME);
    (void)!ftruncate(fd, (off_t)at);
    return -1;
}

/* The file, when it is as long as we left it; -1: somebody else had a hand in it. */
static int open_as_left(int dir, size_t len)
{
    int fd = openat(dir, NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || (fstat(fd, &st) == 0 && st.st_size == (off_t)len))
        return fd;
    (void)close(fd);
    return -1;
}

int accountfile_write(const char *folder, struct slice pieces, size_t written, struct err *e)
{
    int dir = folder_open(folder, e);
    int fd = dir >= 0 && written > 0 ? open_as_left(dir, sizeof(struct head) + written) : -1;
    int status = -1;

    if (fd >= 0)
        status = append(fd, slice_skip(pieces, written), sizeof(struct head) + written, e);
    else if (dir >= 0)
        status = begin(dir, pieces, e);
    if (fd >= 0)
        (void)close(fd);
    if (dir >= 0)
        (void)close(dir);
    return status;
}
