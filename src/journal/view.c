/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/seal.h"

static const uint64_t file_max = (uint64_t)2 << 30;
enum { ELEMENT_MAX = 2 * SEG_RAW_MAX };

struct reader *reader_open_at(int dir, struct err *e)
{
    struct reader *r = calloc(1, sizeof(*r));

    if (seal_start(e) < 0 || !r || !(r->raw = malloc(SEG_RAW_MAX))) {
        err_set(e, ENOMEM, "reader");
        free(r);
        return NULL;
    }
    r->dir = dir;
    r->active.fd = r->sealed.fd = -1;
    return r;
}

struct reader *reader_open(const char *folder, struct err *e)
{
    int dir = folder_open(folder, e);
    struct reader *r = dir < 0 ? NULL : reader_open_at(dir, e);

    if (r)
        r->dir_owned = true;
    else if (dir >= 0)
        close(dir);
    return r;
}

static void view_clear(struct view *v)
{
    if (v->fd >= 0)
        close(v->fd);
    free(v->bytes);
    free(v->scanned);
    *v = (struct view){ .fd = -1 };
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    view_clear(&r->active);
    view_clear(&r->sealed);
    if (r->dir_owned)
        close(r->dir);
    seg_out_free(&r->stored);
    free(r->known);
    free(r->raw);
    free(r);
}

static struct segment_known know(struct reader *r, const struct folder_entry *entry)
{
    struct segment_known k = { .number = entry->segment, .sealed = entry->zst };
    struct file_name name = folder_name(entry->segment, "zst");
    struct seg_seal seal;
    int fd;

    if (!k.sealed || (fd = openat(r->dir, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        return k;
    if (seal_read(fd, &seal, &k.mark, NULL) == 0) {
        k.sound = true;
        k.first_seq = seal.first_seq;
        k.last_seq = seal.last_seq;
        k.min_us = seal.min_us;
        k.max_us = seal.max_us;
        k.index_at = seal.index_at;
    }
    close(fd);
    return k;
}

/* A list that was read while a segment changed its form may lack it: the numbers then have a hole. */
static int list_without_holes(int dir, struct folder_list *list, struct err *e)
{
    for (int tries = 0; tries < 3; tries++) {
        if (tries > 0)
            folder_list_free(list);
        if (folder_read_list(dir, list, e) < 0)
            return -1;
        if (list->count == 0 || list->at[list->count - 1].segment - list->at[0].segment == list->count - 1)
            break;
    }
    return 0;
}

int reader_refresh(struct reader *r, struct err *e)
{
    struct folder_list list = { 0 };
    struct segment_known *known = NULL;
    size_t old = 0;

    if (list_without_holes(r->dir, &list, e) < 0 || !(known = calloc(list.count + 1, sizeof(*known)))) {
        if (list.at)
            folder_list_free(&list);
        return err_wrap(e, "journal");
    }
    for (size_t i = 0; i < list.count; i++) {
        while (old < r->count && r->known[old].number < list.at[i].segment)
            old++;
        if (old < r->count && r->known[old].number == list.at[i].segment && r->known[old].sound && list.at[i].zst)
            known[i] = r->known[old];
        else
            known[i] = know(r, &list.at[i]);
    }
    free(r->known);
    r->known = known;
    r->count = list.count;
    folder_list_free(&list);
    return 0;
}

struct index_entry view_entry(const struct view *v, size_t i)
{
    return v->scanned ? v->scanned[i] : index_at(&v->index, i);
}

static void note_damage(struct view *v, const struct seg_element *el)
{
    if (v->damaged++ == 0)
        (void)snprintf(v->damage, sizeof(v->damage), "%zu bytes at %llu are no whole block", el->size,
                       (unsigned long long)el->offset);
}

static int add_scanned(struct view *v, const struct seg_element *el, const struct seg_block *b, struct err *e)
{
    if (v->count == v->scanned_cap) {
        size_t cap = v->scanned_cap ? v->scanned_cap * 2 : 256;
        struct index_entry *at = realloc(v->scanned, cap * sizeof(*at));

        if (!at)
            return err_set(e, errno, "list of blocks");
        v->scanned = at;
        v->scanned_cap = cap;
    }
    v->scanned[v->count++] = index_entry_unknown(b, el->offset, (uint32_t)el->size);
    return 0;
}

/*
 * Adds the blocks from scanned_to on.  What is not whole at the end of an
 * active file is being written just now.  1: the file was taken back and
 * written anew under us; what is cached is not what it holds.
 */
static int scan(struct view *v, struct slice file, struct err *e)
{
    struct seg_scan s = { .file = file, .at = v->scanned_to, .mark = v->mark };
    struct seg_element el;
    struct seg_element bad = { 0 };
    struct seg_block b;
    enum seg_got got;

    while ((got = seg_next(&s, &el)) != SEG_END) {
        if (got != SEG_GOT) {
            if (!v->sealed && s.at == file.len)
                break;
            bad = el;
            note_damage(v, &el);
        } else if (seg_read_block(&el, &b)) {
            if (v->count > 0 && !v->sealed && bad.size == 0 && memcmp(b.prev, v->chain, SEG_HASH) != 0)
                return 1;
            if (add_scanned(v, &el, &b, e) < 0)
                return -1;
            memcpy(v->chain, b.chain, SEG_HASH);
            bad.size = 0;
        }
        v->scanned_to = s.at;
    }
    return 0;
}

/* All of a file whose index can't be used. */
static int scan_whole(struct reader *r, struct view *v, struct err *e)
{
    struct seg_scan s;
    uint8_t *at;
    size_t len;
    int result = 0;

    if (folder_read(r->dir, v->name.text, file_max, &at, &len, e) < 0)
        return -1;
    v->damaged++;
    (void)snprintf(v->damage, sizeof(v->damage), "its seal or index is damaged");
    if (seg_scan_start(&s, slice_of(at, len))) {
        v->mark = s.mark;
        result = scan(v, slice_of(at, len), e);
    }
    free(at);
    return result;
}

static int load_index(struct view *v, const struct segment_known *k, struct err *e)
{
    struct seg_scan s = { .base = k->index_at, .mark = k->mark };
    struct seg_element el;
    struct stat st;
    uint64_t end;

    if (!k->sound)
        return err_set(e, 0, "no seal");
    if (fstat(v->fd, &st) < 0)
        return err_set(e, errno, "fstat");
    end = (uint64_t)st.st_size - SEG_SEAL_BYTES;
    if (k->index_at >= end || end - k->index_at > SEG_INDEX_MAX + sizeof(struct seg_prefix))
        return err_set(e, 0, "index is not in the file");
    v->len = (size_t)(end - k->index_at);
    v->bytes = malloc(v->len);
    if (!v->bytes)
        return err_set(e, errno, "index");
    if (folder_pread(v->fd, v->bytes, v->len, k->index_at, e) < 0)
        return -1;
    s.file = slice_of(v->bytes, v->len);
    if (seg_next(&s, &el) != SEG_GOT || el.type != SEG_INDEX || !index_read(el.body, &v->index))
        return err_set(e, 0, "index is damaged");
    v->count = v->index.count;
    v->mark = k->mark;
    return 0;
}

/* What was added to the active file since last time; all of it, if it was cut back meanwhile. */
static int grow(struct view *v, struct err *e)
{
    struct seg_scan s;
    struct stat st;
    uint8_t *more;

    if (fstat(v->fd, &st) < 0)
        return err_set(e, errno, "fstat");
    if ((uint64_t)st.st_size > file_max)
        return err_set(e, EFBIG, "%lld bytes", (long long)st.st_size);
    if ((size_t)st.st_size < v->scanned_to)
        return 1;
    more = realloc(v->bytes, (size_t)st.st_size + 1);
    if (!more)
        return err_set(e, errno, "%lld bytes", (long long)st.st_size);
    v->bytes = more;
    v->len = v->scanned_to;
    if (folder_pread(v->fd, v->bytes + v->len, (size_t)st.st_size - v->len, v->len, e) < 0)
        return -1;
    v->len = (size_t)st.st_size;
    if (v->mark == 0) {
        if (!seg_scan_start(&s, slice_of(v->bytes, v->len)))
            return 0;
        v->mark = s.mark;
    }
    return scan(v, slice_of(v->bytes, v->len), e);
}

static int grow_or_begin_anew(struct view *v, struct err *e)
{
    int result = grow(v, e);

    for (int tries = 0; result == 1 && tries < 3; tries++) {
        struct view fresh = { .number = v->number, .name = v->name, .fd = v->fd };

        v->fd = -1;
        view_clear(v);
        *v = fresh;
        result = grow(v, e);
    }
    return result < 0 ? -1 : 0;
}

/* The active file may have been packed, and any file expired, since the list was read. */
static int open_view(struct reader *r, struct view *v, struct segment_known *k, struct err *e)
{
    view_clear(v);
    v->name = folder_name(k->number, k->sealed ? "zst" : "wal");
    v->fd = openat(r->dir, v->name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (v->fd < 0 && errno != ENOENT)
        return err_set(e, errno, "open");
    v->number = k->number;
    v->sealed = k->sealed;
    return 0;
}

struct view *reader_view(struct reader *r, struct segment_known *k, struct err *e)
{
    struct view *v = k->sealed ? &r->sealed : &r->active;

    if (v->number != k->number && open_view(r, v, k, e) < 0)
        return NULL;
    if (v->fd < 0 && !k->sealed) {
        struct folder_entry entry = { .segment = k->number, .zst = true };

        view_clear(v);
        *k = know(r, &entry);
        return reader_view(r, k, e);
    }
    if (v->fd < 0 || (v->sealed && (v->bytes || v->scanned)))
        return v;
    if (!v->sealed)
        return grow_or_begin_anew(v, e) < 0 ? NULL : v;
    if (load_index(v, k, NULL) == 0)
        return v;
    free(v->bytes);
    v->bytes = NULL;
    v->count = 0;
    return scan_whole(r, v, e) < 0 ? NULL : v;
}

int reader_unpack(struct reader *r, struct view *v, const struct index_entry *entry, struct slice *raw, struct err *e)
{
    struct seg_scan s = { .base = entry->offset, .mark = v->mark };
    struct seg_element el;
    struct seg_block b;

    if (r->raw_segment == v->number && r->raw_offset == entry->offset && r->raw_seq == entry->first_seq && v->sealed) {
        *raw = slice_of(r->raw, r->raw_len);
        return 0;
    }
    r->raw_segment = 0;
    if (entry->size > ELEMENT_MAX)
        return err_set(e, 0, "a block of %u bytes", entry->size);
    if (v->sealed) {
        r->stored.len = 0;
        if (seg_out_room(&r->stored, entry->size, e) < 0 ||
            folder_pread(v->fd, r->stored.at, entry->size, entry->offset, e) < 0)
            return -1;
        s.file = slice_of(r->stored.at, entry->size);
    } else
        s.file = slice_first(slice_skip(slice_of(v->bytes, v->len), (size_t)entry->offset), entry->size);
    if (seg_next(&s, &el) != SEG_GOT || !seg_read_block(&el, &b) || b.first_seq != entry->first_seq)
        return err_set(e, 0, "the block is damaged");
    if (seg_unpack(&el, &b, r->raw, e) < 0)
        return -1;
    r->raw_segment = v->sealed ? v->number : 0;
    r->raw_offset = entry->offset;
    r->raw_seq = entry->first_seq;
    r->raw_len = b.raw_len;
    *raw = slice_of(r->raw, r->raw_len);
    return 0;
}
