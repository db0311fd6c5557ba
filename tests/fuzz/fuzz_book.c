/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The greylist's file, with any bytes in it: it is read, or put aside, and the book works afterwards; what a round
 * writes is read back the same.
 *
 * The first byte says whether a sound head is put in front of the rest.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sense/gate/bookfile.h"
#include "sense/gate/bookmem.h"

enum { NOW = 1700000000, ENTRIES = 100 };

static char folder[] = "/tmp/serviola-fuzz-XXXXXX";
static char path[64];
static uint8_t head[BOOK_PAGE];

static void clean(void)
{
    char aside[80];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    (void)unlink(path);
    (void)unlink(aside);
    (void)rmdir(folder);
}

static struct bookfile *start(struct book_read *read)
{
    struct bookfile *f = bookfile_open(folder, NULL);

    assert(f && bookfile_read(f, ENTRIES, read, NULL));
    return f;
}

static void write_file(const uint8_t *front, size_t front_len, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert(fd >= 0);
    assert(write(fd, front, front_len) == (ssize_t)front_len && write(fd, data, size) == (ssize_t)size);
    (void)close(fd);
}

/* A fresh file's first page is what every file begins with, but for its key. */
static void set_up(void)
{
    struct book_read read;
    struct bookfile *f;
    uint64_t entries;
    int fd;

    assert(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/gate.book", folder);
    (void)atexit(clean);
    f = start(&read);
    assert(bookfile_round(f, &entries, NULL) == 0);
    bookfile_close(f);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert(fd >= 0 && pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head));
    (void)close(fd);
}

static void works(struct bookfile *f, const struct book_read *read)
{
    struct book *b = bookfile_book(f);
    struct book_entry en = { .kind = BOOK_PAIR, .first_s = NOW, .last_s = NOW, .count = 7 };
    struct book_entry got;
    struct book_read again;
    uint64_t entries;
    uint64_t count;

    assert(book_count(b) == read->entries);
    en.key = book_key(b, BOOK_PAIR, SLICE("a"), SLICE("b"), SLICE("c"));
    book_put(b, &en, NOW);
    assert(book_get(b, &en.key, &got) && got.count == 7);
    count = book_count(b);
    assert(bookfile_round(f, &entries, NULL) == 0);
    bookfile_close(f);
    f = start(&again);
    assert(again.damaged == 0 && !again.put_aside && book_count(bookfile_book(f)) == count);
    assert(book_get(bookfile_book(f), &en.key, &got) && got.count == 7);
    bookfile_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct book_read read;
    struct bookfile *f;

    if (path[0] == '\0')
        set_up();
    if (size > 0 && data[0] % 4 == 0)
        write_file(data + 1, size - 1, NULL, 0);
    else
        write_file(head, sizeof(head), data, size);
    f = start(&read);
    works(f, &read);
    return 0;
}
