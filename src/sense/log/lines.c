/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "journal/folder.h"
#include "journal/seal.h"
#include "journal/segment.h"
#include "sense/log/shelf.h"

static const size_t file_max = (size_t)4 << 30;
enum { STORED_MAX = 2 * SEG_RAW_MAX, OPEN_MOST = 256 };

struct shelf { /* one segment */
    uint64_t number;
    bool sealed;
    int fd; /* kept open, so that what is known of it holds after it was sealed or packed again; -1: there are too many
             */
    uint64_t bytes; /* of a sealed one: another size is another packing */
    uint64_t mark;
    void *map; /* of a sealed one: its index, page-aligned */
    size_t map_len;
    struct lines_block *blocks;
    size_t count, cap;
    uint64_t scanned_to; /* of an active one */
    bool keep_open;
    bool has_id;
    uint8_t id[SEG_HASH]; /* of the store, as this segment says */
    uint64_t damaged;
    char damage[160];
};

struct lines {
    int dir;
    bool dir_owned;
    struct shelf *shelves; /* by number */
    size_t count;
    struct lines_block *flat; /* all blocks of all shelves */
    uint32_t *shelf_of;       /* of each of them */
    size_t flat_count;
    uint64_t damaged;
    char damage[256];
};

static void shelf_done(struct shelf *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    if (s->map)
        (void)munmap(s->map, s->map_len);
    free(s->blocks);
    *s = (struct shelf){ .fd = -1 };
}

static int add_block(struct shelf *s, const struct lines_block *b, struct err *e)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 256;
        struct lines_block *at = realloc(s->blocks, cap * sizeof(*at));

        if (!at)
            return err_set(e, errno, "list of blocks");
        s->blocks = at;
        s->cap = cap;
    }
    s->blocks[s->count++] = *b;
    return 0;
}

/* ---- blocks found by reading the file ---- */

static int add_found(struct shelf *s, const struct seg_element *el, const struct seg_block *from, struct err *e)
{
    struct lines_block b = { .segment = s->number,
                             .offset = el->offset,
                             .size = (uint32_t)el->size,
                             .count = from->count,
                             .first_seq = from->first_seq,
                             .last_seq = from->last_seq,
                             .min_us = from->min_us,
                             .max_us = from->max_us,
                             .time_min_us = INT64_MIN,
                             .time_max_us = INT64_MAX,
                             .severities = 0xff };

    memset(b.hosts, 0xff, sizeof(b.hosts));
    memset(b.programs, 0xff, sizeof(b.programs));
    return add_block(s, &b, e);
}

static void note_damage(struct shelf *s, const struct seg_element *el)
{
    if (s->damaged++ == 0)
        (void)snprintf(s->damage, sizeof(s->damage), "%zu bytes at %llu are no whole block", el->size,
                       (unsigned long long)el->offset);
}

/* `bytes` begin at `base` of the file.  What is not whole at the end of an active file is being written just now. */
static int scan(struct shelf *s, struct slice bytes, uint64_t base, struct err *e)
{
    struct seg_scan scan = { .file = bytes, .base = base, .mark = s->mark };
    struct seg_element el;
    struct seg_block b;
    enum seg_got got;

    if (base == 0) {
        if (!seg_scan_start(&scan, bytes))
            return 0;
        s->mark = scan.mark;
    }
    while ((got = seg_next(&scan, &el)) != SEG_END) {
        if (got != SEG_GOT) {
            if (!s->sealed && scan.at == bytes.len)
                break;
            note_damage(s, &el);
        } else if (seg_read_block(&el, &b) && el.content == SEG_LINES && add_found(s, &el, &b, e) < 0)
            return -1;
        s->scanned_to = base + scan.at;
    }
    return 0;
}

/* What an active file has from scanned_to on, each byte of it. */
static int scan_rest(struct shelf *s, uint64_t size, struct err *e)
{
    size_t len = (size_t)(size - s->scanned_to);
    uint8_t *bytes = malloc(len);
    int result;

    if (!bytes)
        return err_set(e, ENOMEM, "active segment");
    result = folder_pread(s->fd, bytes, len, s->scanned_to, e);
    if (result == 0)
        result = scan(s, slice_of(bytes, len), s->scanned_to, e);
    free(bytes);
    return result;
}

/* 0 too when the first element is not sound: then scan_rest looks for another. */
static int find_mark(struct shelf *s, uint64_t size, struct err *e)
{
    uint8_t bytes[512];
    struct slice head = slice_of(bytes, size < sizeof(bytes) ? (size_t)size : sizeof(bytes));
    struct seg_scan scan;
    struct seg_element el;
    struct seg_head first = { 0 };

    if (folder_pread(s->fd, bytes, head.len, 0, e) < 0)
        return -1;
    if (seg_scan_start(&scan, head)) {
        s->mark = scan.mark;
        s->has_id = seg_next(&scan, &el) == SEG_GOT && seg_read_head(&el, &first);
        memcpy(s->id, first.id, SEG_HASH);
    }
    return 0;
}

/* Only the beginnings of blocks are read, as long as they are sound: who loads a block sees whether its payload is. */
static int step_over(struct shelf *s, uint64_t size, struct err *e)
{
    uint8_t window[4096];
    struct slice here = { 0 };

    while (s->scanned_to < size) {
        struct seg_element el;
        struct seg_block b;

        if (!seg_peek(here, size - s->scanned_to, s->mark, &el)) {
            uint64_t left = size - s->scanned_to;

            if (here.at == window)
                return 0;
            here = slice_of(window, left < sizeof(window) ? (size_t)left : sizeof(window));
            if (folder_pread(s->fd, window, here.len, s->scanned_to, e) < 0)
                return -1;
            continue;
        }
        if (s->scanned_to + el.size == size)
            return 0; /* the last one may be half written: its payload is looked at too */
        el.offset = s->scanned_to;
        if (seg_read_block(&el, &b) && el.content == SEG_LINES && add_found(s, &el, &b, e) < 0)
            return -1;
        s->scanned_to += el.size;
        here = el.size < here.len ? slice_skip(here, el.size) : (struct slice){ 0 };
    }
    return 0;
}

/* What an active file has behind scanned_to. */
static int grow(struct shelf *s, struct err *e)
{
    struct stat st;
    uint64_t size;

    if (fstat(s->fd, &st) < 0)
        return err_set(e, errno, "active segment");
    size = st.st_size < 0 ? 0 : (uint64_t)st.st_size;
    if (size <= s->scanned_to || size > file_max)
        return 0;
    if (s->scanned_to == 0 && find_mark(s, size, e) < 0)
        return -1;
    if (s->mark != 0 && step_over(s, size, e) < 0)
        return -1;
    return scan_rest(s, size, e);
}

static int scan_whole(int dir, struct shelf *s, const char *why, struct err *e)
{
    uint8_t *bytes;
    size_t len;
    int result;

    if (folder_read(dir, folder_name(s->number, "zst").text, file_max, &bytes, &len, e) < 0)
        return -1;
    s->damaged++;
    (void)snprintf(s->damage, sizeof(s->damage), "%s", why);
    result = scan(s, slice_of(bytes, len), 0, e);
    free(bytes);
    return result;
}

/* ---- blocks as the index tells them ---- */

static int read_index(struct shelf *s, struct slice body, uint64_t index_at, struct err *e)
{
    struct shelf_index head;
    struct slice filters;

    if (body.len < sizeof(head))
        return 1;
    memcpy(&head, body.at, sizeof(head));
    body = slice_skip(body, sizeof(head));
    if (body.len != head.entries * sizeof(struct shelf_entry) + head.filter_bytes)
        return 1;
    filters = slice_skip(body, head.entries * sizeof(struct shelf_entry));
    for (uint32_t i = 0; i < head.entries; i++) {
        struct shelf_entry from;
        struct lines_block b = { .segment = s->number, .known = true };

        memcpy(&from, body.at + i * sizeof(from), sizeof(from));
        if (from.filter_at > filters.len || from.filter_len > filters.len - from.filter_at || from.size > STORED_MAX ||
            from.offset > index_at || from.first_seq > from.last_seq)
            return 1;
        b.offset = from.offset;
        b.size = from.size;
        b.count = from.count;
        b.first_seq = from.first_seq;
        b.last_seq = from.last_seq;
        b.min_us = from.min_us;
        b.max_us = from.max_us;
        b.time_min_us = from.time_min_us;
        b.time_max_us = from.time_max_us;
        memcpy(b.hosts, from.hosts, sizeof(b.hosts));
        memcpy(b.programs, from.programs, sizeof(b.programs));
        b.severities = from.severities;
        b.filter = slice_of(filters.at + from.filter_at, from.filter_len);
        if (add_block(s, &b, e) < 0)
            return -1;
    }
    return 0;
}

/* 0 read, 1 can't be used, -1. */
static int map_index(struct shelf *s, int fd, const struct seg_seal *seal, uint64_t mark, struct err *e)
{
    const uint64_t page = 4096;
    bool anew;
    const uint64_t index_at = seal_index_at(fd, seal, mark, &anew);
    uint64_t from = index_at & ~(page - 1);
    struct seg_scan scan = { .base = index_at, .mark = mark };
    struct seg_element el;
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size < 0 || index_at >= (uint64_t)st.st_size)
        return 1;
    s->mark = mark;
    s->map_len = (size_t)((uint64_t)st.st_size - from);
    s->map = mmap(NULL, s->map_len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, (off_t)from);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return err_set(e, errno, "map the index");
    }
    scan.file = slice_skip(slice_of(s->map, s->map_len), (size_t)(index_at - from));
    if (seg_next(&scan, &el) != SEG_GOT || el.type != SEG_INDEX || el.content != SEG_LINES)
        return 1;
    return read_index(s, el.body, index_at, e);
}

static int open_sealed(int dir, struct shelf *s, struct err *e)
{
    int fd = openat(dir, folder_name(s->number, "zst").text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct seg_seal seal;
    uint64_t mark;
    int result = 1;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(e, errno, "segment %llu", (unsigned long long)s->number);
    if (seal_read(fd, &seal, &mark, NULL) == 0) {
        s->has_id = true;
        memcpy(s->id, seal.id, SEG_HASH);
        result = map_index(s, fd, &seal, mark, e);
    }
    if (s->keep_open)
        s->fd = fd;
    else
        (void)close(fd);
    if (result <= 0)
        return result;
    s->count = 0;
    return scan_whole(dir, s, "its seal or index is damaged", e);
}

static int open_active(int dir, struct shelf *s, struct err *e)
{
    s->fd = openat(dir, folder_name(s->number, "wal").text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (s->fd < 0)
        return errno == ENOENT ? 0 : err_set(e, errno, "segment %llu", (unsigned long long)s->number);
    return grow(s, e);
}

/* ---- the whole store ---- */

struct lines *lines_open_at(int dir, struct err *e)
{
    struct lines *l = calloc(1, sizeof(*l));

    if (!l || seal_start(e) < 0) {
        err_set(e, ENOMEM, "lines");
        free(l);
        return NULL;
    }
    l->dir = dir;
    if (lines_refresh(l, e) == 0)
        return l;
    lines_close(l);
    return NULL;
}

struct lines *lines_open(const char *folder, struct err *e)
{
    int dir = folder_open(folder, e);
    struct lines *l = dir < 0 ? NULL : lines_open_at(dir, e);

    if (l)
        l->dir_owned = true;
    else if (dir >= 0)
        (void)close(dir);
    return l;
}

void lines_close(struct lines *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->count; i++)
        shelf_done(&l->shelves[i]);
    if (l->dir_owned)
        (void)close(l->dir);
    free(l->shelves);
    free(l->flat);
    free(l->shelf_of);
    free(l);
}

static int flatten(struct lines *l, struct err *e)
{
    struct lines_block *flat;
    uint32_t *shelf_of;
    size_t count = 0;

    for (size_t i = 0; i < l->count; i++)
        count += l->shelves[i].count;
    flat = realloc(l->flat, (count + 1) * sizeof(*flat));
    if (flat)
        l->flat = flat;
    shelf_of = realloc(l->shelf_of, (count + 1) * sizeof(*shelf_of));
    if (shelf_of)
        l->shelf_of = shelf_of;
    if (!flat || !shelf_of)
        return err_set(e, ENOMEM, "list of blocks");
    l->flat_count = 0;
    l->damaged = 0;
    l->damage[0] = '\0';
    for (size_t i = 0; i < l->count; i++) {
        const struct shelf *s = &l->shelves[i];

        if (s->damaged > 0 && l->damaged == 0)
            (void)snprintf(l->damage, sizeof(l->damage), "segment %llu: %s", (unsigned long long)s->number, s->damage);
        l->damaged += s->damaged;
        for (size_t k = 0; k < s->count; k++) {
            l->shelf_of[l->flat_count] = (uint32_t)i;
            l->flat[l->flat_count++] = s->blocks[k];
        }
    }
    return 0;
}

/* The shelf of that number as it was, if it still has that form. */
static bool keep(struct lines *l, size_t *old, const struct folder_entry *entry, struct shelf *s)
{
    while (*old < l->count && l->shelves[*old].number < entry->segment)
        (*old)++;
    if (*old == l->count || l->shelves[*old].number != entry->segment || l->shelves[*old].sealed != entry->zst ||
        (entry->zst && l->shelves[*old].bytes != entry->bytes))
        return false;
    *s = l->shelves[*old];
    l->shelves[*old] = (struct shelf){ .number = entry->segment, .fd = -1 };
    return true;
}

int lines_refresh(struct lines *l, struct err *e)
{
    struct folder_list list = { 0 };
    struct shelf *fresh = NULL;
    size_t count = 0;
    size_t old = 0;
    int result = folder_read_list(l->dir, &list, e);

    if (result == 0 && !(fresh = calloc(list.count + 1, sizeof(*fresh))))
        result = err_set(e, ENOMEM, "lines");
    for (size_t i = 0; result == 0 && i < list.count; i++) {
        struct shelf *s = &fresh[count++];

        if (keep(l, &old, &list.at[i], s))
            result = s->sealed ? 0 : grow(s, e);
        else {
            *s = (struct shelf){ .number = list.at[i].segment,
                                 .sealed = list.at[i].zst,
                                 .fd = -1,
                                 .bytes = list.at[i].bytes,
                                 .keep_open = i + OPEN_MOST >= list.count };
            result = s->sealed ? open_sealed(l->dir, s, e) : open_active(l->dir, s, e);
        }
    }
    folder_list_free(&list);
    if (fresh) {
        for (size_t i = 0; i < l->count; i++)
            shelf_done(&l->shelves[i]);
        free(l->shelves);
        l->shelves = fresh;
        l->count = count;
    }
    return result < 0 ? err_wrap(e, "log store") : flatten(l, e);
}

int lines_watch(const struct lines *l)
{
    char path[32];
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", l->dir);
    if (fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

const uint8_t *lines_id(const struct lines *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->shelves[i].has_id)
            return l->shelves[i].id;
    return NULL;
}

size_t lines_count(const struct lines *l)
{
    return l->flat_count;
}

const struct lines_block *lines_block(const struct lines *l, size_t i)
{
    return &l->flat[i];
}

size_t lines_find(const struct lines *l, uint64_t seq)
{
    size_t from = 0;
    size_t to = l->flat_count;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (l->flat[mid].last_seq < seq)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

uint64_t lines_damaged(const struct lines *l, const char **what)
{
    *what = l->damage;
    return l->damaged;
}

/* ---- one block ---- */

void lines_room_done(struct lines_room *room)
{
    free(room->stored);
    free(room->raw);
    ZSTD_freeDCtx(room->zstd);
    *room = (struct lines_room){ 0 };
}

static int room_ready(struct lines_room *room, struct err *e)
{
    if (!room->stored)
        room->stored = malloc(STORED_MAX);
    if (!room->raw)
        room->raw = malloc(SEG_RAW_MAX);
    if (!room->zstd)
        room->zstd = ZSTD_createDCtx();
    return room->stored && room->raw && room->zstd ? 0 : err_set(e, ENOMEM, "room for a block");
}

static int read_stored(const struct lines *l, const struct shelf *s, const struct lines_block *b,
                       struct lines_room *room, struct err *e)
{
    int fd = s->fd;
    int result;

    if (b->size > STORED_MAX)
        return err_set(e, 0, "a block of %u bytes", b->size);
    if (fd < 0)
        fd = openat(l->dir, folder_name(s->number, "zst").text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set(e, errno, "open");
    result = folder_pread(fd, room->stored, b->size, b->offset, e);
    if (fd != s->fd)
        (void)close(fd);
    return result;
}

int lines_load(const struct lines *l, size_t block, struct lines_room *room, struct slice *payload, struct err *e)
{
    const struct lines_block *b = &l->flat[block];
    const struct shelf *s = &l->shelves[l->shelf_of[block]];
    struct seg_scan scan = { .base = b->offset, .mark = s->mark };
    struct seg_element el;
    struct seg_block head;

    if (room_ready(room, e) < 0 || read_stored(l, s, b, room, e) < 0)
        goto fail;
    scan.file = slice_of(room->stored, b->size);
    if (seg_next(&scan, &el) != SEG_GOT || !seg_read_block(&el, &head) || el.content != SEG_LINES ||
        head.first_seq != b->first_seq) {
        err_set(e, 0, "it is damaged, or was packed again meanwhile");
        goto fail;
    }
    if (seg_unpack_by(room->zstd, &el, &head, room->raw, e) < 0)
        goto fail;
    *payload = slice_of(room->raw, head.raw_len);
    return 0;
fail:
    return err_wrap(e, "segment %llu, block at %llu", (unsigned long long)b->segment, (unsigned long long)b->offset);
}
