/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/accountfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- reading ---- */

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
    int dir = folder_open(folder, e);
    uint8_t *file = NULL;
    size_t len = 0;
    int status = 0;

    *kept = slice_of(NULL, 0);
    *bytes = NULL;
    *aside = false;
    if (dir < 0)
        return -1;
    if (folder_read(dir, NAME, ACCOUNTFILE_MOST + sizeof(struct head), &file, &len, e) == 0 && is_sound(file, len)) {
        *kept = slice_of(file + sizeof(struct head), len - sizeof(struct head));
        *bytes = file;
        file = NULL;
    } else if (file || e->code == EFBIG) {
        *aside = true;
        if (renameat(dir, NAME, dir, DAMAGED) < 0)
            status = err_set(e, errno, NAME ": it is damaged, and can't be put aside");
    } else if (e->code != ENOENT)
        status = -1;
    free(file);
    (void)close(dir);
    return status;
}

/* ---- writing ---- */

int accountfile_write(const char *folder, struct slice kept, struct err *e)
{
    struct head h = { .magic = MAGIC, .len = kept.len, .sum = crc32c(0, kept.at, kept.len) };
    uint8_t *file = malloc(sizeof(h) + kept.len);
    int dir = file ? folder_open(folder, e) : err_set(e, ENOMEM, NAME);
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
