/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/bookfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/gate/bookmem.h"
#include "sys/whole.h"

enum {
    PER_PAGE = BOOK_PAGE / 32,
    PIECE = 1 << 20,      /* bytes read at once */
    RUN = 64,             /* pages written at once */
    COPY_TRIES = 1000,    /* while the gate writes the very entry */
    SLOTS_MOST = 1 << 30, /* more a file can't say */
};
#define FILE_MAGIC "SVBOOKF1"

struct file_head {
    char magic[8];
    uint64_t slots;
    uint8_t key[BOOK_KEY];
    uint8_t zero[28];
    uint32_t sum;
};
_Static_assert(sizeof(struct file_head) == 64, "as it stands on disk");

struct bookfile {
    struct book *book;
    int folder, fd;
    bool all;        /* every place is to be written */
    bool anew;       /* the file is not of this book: a new one takes its place */
    uint64_t *pages; /* that changed, one bit each */
    uint8_t *run;    /* RUN pages */
};

static uint32_t head_sum(const struct file_head *h)
{
    uint64_t sum = 0xcbf29ce484222325u;
    const uint8_t *at = (const uint8_t *)h;

    for (size_t i = 0; i < offsetof(struct file_head, sum); i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return (uint32_t)(sum ^ sum >> 32);
}

static uint64_t pages_of(const struct book *b)
{
    return (b->slots + PER_PAGE - 1) / PER_PAGE;
}

/* ---- writing ---- */

static int put_bytes(int fd, const void *bytes, size_t len, uint64_t at, struct err *e)
{
    return whole_pwrite(fd, bytes, len, at) < 0 ? err_set(e, errno, "gate.book: write") : 0;
}

/* The gate may be writing it: a copy that is not whole is taken again. */
static struct book_entry copy_entry(const struct book *b, uint64_t slot)
{
    struct book_entry en = { 0 };

    for (int i = 0; i < COPY_TRIES; i++) {
        memcpy(&en, &b->slot[slot], sizeof(en));
        if (en.kind == 0 || en.sum == book_sum(&en))
            break;
        atomic_thread_fence(memory_order_seq_cst);
    }
    if (en.kind == 0 || en.sum != book_sum(&en))
        memset(&en, 0, sizeof(en));
    return en;
}

/* Copies a page's entries into `to`; how many there are. */
static uint64_t copy_page(const struct book *b, uint64_t page, uint8_t *to)
{
    uint64_t entries = 0;

    memset(to, 0, BOOK_PAGE);
    for (uint64_t i = 0; i < PER_PAGE && page * PER_PAGE + i < b->slots; i++) {
        struct book_entry en = copy_entry(b, page * PER_PAGE + i);

        memcpy(to + i * sizeof(en), &en, sizeof(en));
        entries += en.kind != 0;
    }
    return entries;
}

static int put_run(struct bookfile *f, int fd, uint64_t first, uint64_t count, struct err *e)
{
    return put_bytes(fd, f->run, count * BOOK_PAGE, BOOK_PAGE + first * BOOK_PAGE, e);
}

static bool is_marked(const struct bookfile *f, uint64_t page)
{
    return f->pages[page / 64] >> page % 64 & 1;
}

/* From `page` on, the first that is marked; without any, the number of pages. */
static uint64_t next_marked(const struct bookfile *f, uint64_t page, uint64_t pages)
{
    while (page < pages && !is_marked(f, page))
        page = f->pages[page / 64] >> page % 64 == 0 ? (page / 64 + 1) * 64 : page + 1;
    return page < pages ? page : pages;
}

/* Those that are marked, neighbours together; a fresh file keeps its holes. */
static int put_marked(struct bookfile *f, int fd, bool fresh, struct err *e)
{
    uint64_t pages = pages_of(f->book);
    uint64_t page = next_marked(f, 0, pages);

    while (page < pages) {
        uint64_t first = page;
        uint64_t count = 0;

        while (page < pages && count < RUN && is_marked(f, page)) {
            uint64_t entries = copy_page(f->book, page++, f->run + count * BOOK_PAGE);

            if (fresh && entries == 0)
                break;
            count++;
        }
        if (count > 0 && put_run(f, fd, first, count, e) < 0)
            return -1;
        page = next_marked(f, page, pages);
    }
    return 0;
}

static void mark_all(struct bookfile *f)
{
    memset(f->pages, 0xff, (pages_of(f->book) + 63) / 64 * sizeof(*f->pages));
}

/* A whole new file, then its name. */
static int write_anew(struct bookfile *f, struct err *e)
{
    struct file_head head = { .slots = f->book->slots };
    int fd = openat(f->folder, "gate.book.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set(e, errno, "gate.book.new");
    memcpy(head.magic, FILE_MAGIC, sizeof(head.magic));
    memcpy(head.key, f->book->key, BOOK_KEY);
    head.sum = head_sum(&head);
    mark_all(f);
    if (ftruncate(fd, (off_t)(BOOK_PAGE + pages_of(f->book) * BOOK_PAGE)) < 0) {
        (void)err_set(e, errno, "gate.book.new");
        goto fail;
    }
    if (put_bytes(fd, &head, sizeof(head), 0, e) < 0 || put_marked(f, fd, true, e) < 0)
        goto fail;
    if (fdatasync(fd) < 0 || renameat(f->folder, "gate.book.new", f->folder, "gate.book") < 0 || fsync(f->folder) < 0) {
        (void)err_set(e, errno, "gate.book.new");
        goto fail;
    }
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = fd;
    f->anew = false;
    return 0;
fail:
    (void)close(fd);
    return -1;
}

/* What the ring has told since; true: it could not tell all. */
static bool collect(struct bookfile *f, uint64_t *entries)
{
    struct book *b = f->book;
    bool all = atomic_exchange_explicit(&b->head->all, 0, memory_order_acq_rel) != 0;
    uint64_t written = atomic_load_explicit(&b->head->written, memory_order_acquire);
    uint64_t taken = atomic_load_explicit(&b->head->taken, memory_order_relaxed);

    *entries = written - taken;
    if (written - taken > BOOK_RING) { /* nonsense */
        all = true;
        *entries = 0;
    } else {
        for (; taken < written; taken++) {
            uint32_t slot = b->ring[taken % BOOK_RING];

            if (slot < b->slots)
                f->pages[slot / PER_PAGE / 64] |= (uint64_t)1 << slot / PER_PAGE % 64;
        }
    }
    atomic_store_explicit(&b->head->taken, written, memory_order_release);
    return all;
}

int bookfile_round(struct bookfile *f, uint64_t *entries, struct err *e)
{
    int status;

    if (collect(f, entries))
        f->all = true;
    if (f->anew) {
        status = write_anew(f, e);
    } else {
        if (f->all)
            mark_all(f);
        else if (*entries == 0)
            return 0;
        status = put_marked(f, f->fd, false, e);
        if (status == 0 && fdatasync(f->fd) < 0)
            status = err_set(e, errno, "gate.book: fdatasync");
    }
    if (f->all || f->anew)
        *entries = f->book->slots;
    memset(f->pages, 0, (pages_of(f->book) + 63) / 64 * sizeof(*f->pages));
    f->all = status < 0; /* after a failed sync nobody knows what the disk has */
    return status;
}

/* ---- reading ---- */

static bool all_zero(const struct book_entry *en)
{
    static const struct book_entry nothing;

    return memcmp(en, &nothing, sizeof(nothing)) == 0;
}

/* Places that are as many as in memory lie as in memory; of another number, each is put where it belongs now. */
static void take_entries(struct book *b, bool same, const uint8_t *piece, size_t count, uint64_t slot,
                         struct book_read *read)
{
    for (size_t i = 0; i < count; i++, slot++) {
        struct book_entry en;

        memcpy(&en, piece + i * sizeof(en), sizeof(en));
        if (all_zero(&en))
            continue;
        if (en.kind < BOOK_PAIR || en.kind > BOOK_CALLBACK || en.sum != book_sum(&en) ||
            (same && !book_belongs(b, &en, slot))) {
            read->damaged++;
            continue;
        }
        if (same) {
            b->slot[slot] = en;
            b->head->count++;
        } else {
            book_put(b, &en, en.last_s);
        }
        read->entries++;
    }
}

static int read_entries(struct bookfile *f, uint64_t slots, struct book_read *read, struct err *e)
{
    uint8_t *piece = malloc(PIECE);
    uint64_t slot = 0;
    int status = -1;

    if (!piece)
        return err_set(e, ENOMEM, "gate.book");
    while (slot < slots) {
        size_t want = slots - slot < PIECE / 32 ? (size_t)(slots - slot) * 32 : PIECE;
        ssize_t got = whole_pread(f->fd, piece, want, BOOK_PAGE + slot * 32);

        if (got < 0) {
            (void)err_set(e, errno, "gate.book: read");
            goto out;
        }
        take_entries(f->book, slots == f->book->slots, piece, (size_t)got / 32, slot, read);
        if ((size_t)got < want) {
            read->cut = true;
            break;
        }
        slot += want / 32;
    }
    status = 0;
out:
    free(piece);
    return status;
}

static bool head_is_sound(int fd, struct file_head *h)
{
    return whole_pread(fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) &&
           memcmp(h->magic, FILE_MAGIC, sizeof(h->magic)) == 0 && h->sum == head_sum(h) && h->slots >= 2 * BOOK_GROUP &&
           h->slots <= SLOTS_MOST && h->slots % BOOK_GROUP == 0;
}

/* Opens the file when there is one that can be read; f->fd stays -1 when there is none. */
static int open_file(struct bookfile *f, struct file_head *h, struct book_read *read, struct err *e)
{
    if (f->fd >= 0) /* an earlier try */
        (void)close(f->fd);
    f->fd = openat(f->folder, "gate.book", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (f->fd < 0 && errno == ENOENT) {
        read->begun_anew = true;
        return 0;
    }
    if (f->fd < 0)
        return err_set(e, errno, "gate.book");
    if (head_is_sound(f->fd, h))
        return 0;
    read->put_aside = true;
    (void)close(f->fd);
    f->fd = -1;
    if (renameat(f->folder, "gate.book", f->folder, "gate.book.damaged") < 0)
        return err_set(e, errno, "gate.book: it is damaged, and can't be put aside");
    return 0;
}

struct bookfile *bookfile_open(const char *folder, struct err *e)
{
    struct bookfile *f = calloc(1, sizeof(*f));

    if (!f) {
        (void)err_set(e, ENOMEM, "gate.book");
        return NULL;
    }
    f->fd = -1;
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->run = malloc((size_t)RUN * BOOK_PAGE);
    if (f->folder < 0)
        (void)err_set(e, errno, "%s", folder);
    else if (flock(f->folder, LOCK_EX | LOCK_NB) < 0)
        (void)err_set(e, errno, "%s: another serviola keeps its book here", folder);
    else if (!f->run)
        (void)err_set(e, ENOMEM, "gate.book");
    else
        return f;
    bookfile_close(f);
    return NULL;
}

void bookfile_close(struct bookfile *f)
{
    if (!f)
        return;
    book_free(f->book);
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->folder >= 0)
        (void)close(f->folder);
    free(f->pages);
    free(f->run);
    free(f);
}

static int set_book(struct bookfile *f, struct book *b, struct err *e)
{
    uint64_t *pages = b ? calloc((pages_of(b) + 63) / 64, sizeof(*pages)) : NULL;

    if (!pages) {
        book_free(b);
        return b ? err_set(e, ENOMEM, "gate.book") : -1;
    }
    free(f->pages);
    book_free(f->book);
    f->pages = pages;
    f->book = b;
    return 0;
}

struct book *bookfile_read(struct bookfile *f, uint64_t entries, struct book_read *read, struct err *e)
{
    struct file_head head = { .slots = 0 };

    memset(read, 0, sizeof(*read));
    if (open_file(f, &head, read, e) < 0)
        return NULL;
    if (set_book(f, f->fd < 0 ? book_new(-1, entries, e) : book_make(book_slots_for(entries), head.key, e), e) < 0)
        return NULL;
    if (f->fd >= 0 && read_entries(f, head.slots, read, e) < 0)
        return NULL;
    f->anew = f->fd < 0 || head.slots != f->book->slots;
    if (read->cut && !f->anew && ftruncate(f->fd, (off_t)(BOOK_PAGE + pages_of(f->book) * BOOK_PAGE)) < 0)
        f->anew = true;
    f->all = read->damaged > 0 || read->cut; /* half an entry may stand at its end */
    f->book->head->damaged = read->damaged;
    return f->book;
}

int bookfile_adopt(struct bookfile *f, struct book *b, struct err *e)
{
    f->anew = true;
    return set_book(f, b, e);
}

struct book *bookfile_book(struct bookfile *f)
{
    return f->book;
}
