/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/pack.h"
#include "journal/pieces.h"
#include "journal/writer.h"

enum { EVENTS_A_BLOCK = SEG_RAW_GOAL / sizeof(struct event) };
static const size_t wal_max = (size_t)2 << 30; /* read whole when its head is damaged */

struct journal_limits journal_default_limits(void)
{
    return (struct journal_limits){
        .segment_bytes = 8 << 20,
        .segment_age_us = (int64_t)86400 * 1000000,
        .total_bytes = 1 << 30,
        .reserve_bytes = 256 << 10,
    };
}

void journal_set_limits(struct journal *j, const struct journal_limits *l)
{
    const uint64_t reserve = j->limits.reserve_bytes;

    j->limits = *l;
    j->limits.reserve_bytes = reserve;
}

static int check_limits(const struct journal_limits *l, struct err *e)
{
    if (l->segment_bytes < 64 << 10 || l->segment_bytes > 1 << 30)
        return err_set(e, EINVAL, "a segment of %llu bytes", (unsigned long long)l->segment_bytes);
    return 0;
}

/* One writer a folder: the lock leaves with the process. */
static int open_locked(const char *folder, struct err *e)
{
    int dir;

    if (mkdir(folder, 0750) < 0 && errno != EEXIST)
        return err_set(e, errno, "mkdir");
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_set(e, errno, "open");
    if (flock(dir, LOCK_EX | LOCK_NB) < 0) {
        err_set(e, errno, errno == EWOULDBLOCK ? "another serviola writes here" : "lock");
        close(dir);
        return -1;
    }
    return dir;
}

/* On a full disk the reserve makes room for what recovery has to write. */
static int recover(struct journal *j, int64_t now_us, struct journal_opened *found, struct err *e)
{
    struct err why = { 0 };
    int result = writer_recover(j, now_us, found, &why);

    if (result < 0 && why.code == ENOSPC && journal_release_reserve(j)) {
        if (j->fd >= 0)
            close(j->fd);
        j->fd = -1;
        j->pending = 0;
        result = writer_recover(j, now_us, found, &why);
    }
    if (result < 0 && e)
        *e = why;
    return result;
}

static int pack_events(void *own, struct seg_scan *wal, const struct seg_head *head, const struct seal_keys *keys,
                       int64_t now_us, struct seg_out *out, struct pack_result *r, struct err *e)
{
    (void)own;
    return pack_segment(wal, head, keys, now_us, out, r, e);
}

struct journal *journal_open(const char *folder, const struct journal_limits *l, int64_t now_us,
                             struct journal_opened *found, struct err *e)
{
    static const struct feed_kind events = { .content = SEG_EVENTS, .pack = pack_events };

    return feed_open(folder, l, &events, now_us, found, e);
}

struct journal *feed_open(const char *folder, const struct journal_limits *l, const struct feed_kind *kind,
                          int64_t now_us, struct journal_opened *found, struct err *e)
{
    struct journal *j = calloc(1, sizeof(*j));

    *found = (struct journal_opened){ 0 };
    if (!j) {
        err_set(e, errno, "journal");
        return NULL;
    }
    j->dir = j->fd = -1;
    j->limits = *l;
    j->kind = *kind;
    if (check_limits(l, e) < 0 || seal_start(e) < 0)
        goto fail;
    j->dir = open_locked(folder, e);
    if (j->dir < 0 || recover(j, now_us, found, e) < 0)
        goto fail;
    (void)journal_restore_reserve(j, NULL);
    memcpy(found->id, j->keys.id, sizeof(found->id));
    found->last_seq = j->synced.last_seq;
    found->segment = j->head.segment;
    return j;
fail:
    err_wrap(e, "journal %s", folder);
    journal_close(j);
    return NULL;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    if (j->dir >= 0)
        close(j->dir);
    seal_keys_forget(&j->keys);
    seg_out_free(&j->out);
    free(j);
}

/* One block at the end of j->out, with the place behind it. */
static int put_block(struct journal *j, const struct event *events, size_t count, struct journal_place *place,
                     struct err *e)
{
    struct slice raw = slice_of(events, count * sizeof(*events));
    struct seg_block b = { .first_seq = events[0].seq,
                           .last_seq = events[count - 1].seq,
                           .min_us = events[0].at_us,
                           .max_us = events[0].at_us,
                           .count = (uint32_t)count,
                           .raw_len = (uint32_t)raw.len,
                           .commits = 1 };

    for (size_t i = 0; i < count; i++) {
        if (events[i].seq <= place->last_seq)
            return err_set(e, EINVAL, "event %llu comes after %llu", (unsigned long long)events[i].seq,
                           (unsigned long long)place->last_seq);
        place->last_seq = events[i].seq;
        b.min_us = events[i].at_us < b.min_us ? events[i].at_us : b.min_us;
        b.max_us = events[i].at_us > b.max_us ? events[i].at_us : b.max_us;
        checkpoint_see(&place->checkpoint, &events[i]);
    }
    memcpy(b.prev, place->chain, SEG_HASH);
    seg_chain(place->chain, SEG_EVENTS, b.count, b.first_seq, raw);
    memcpy(b.chain, place->chain, SEG_HASH);
    return seg_put_raw(&j->out, j->mark, SEG_EVENTS, &b, raw, e);
}

/* What lies behind the good end must not be taken for a part of what is written next. */
static int clean_tail(struct journal *j, struct err *e)
{
    if (!j->tail_dirty)
        return 0;
    if (ftruncate(j->fd, (off_t)j->written.offset) < 0)
        return err_set(e, errno, "cut back");
    j->tail_dirty = false;
    return 0;
}

int writer_write(struct journal *j, struct journal_place *place, struct err *e)
{
    if (clean_tail(j, e) < 0)
        goto fail;
    if (folder_pwrite(j->fd, j->out.at, j->out.len, j->written.offset, e) < 0) {
        j->tail_dirty = true;
        (void)clean_tail(j, NULL);
        goto fail;
    }
    place->offset = j->written.offset + j->out.len;
    j->written = *place;
    return 0;
fail:
    return err_wrap(e, "journal: %s", folder_name(j->head.segment, "wal").text);
}

int journal_append(struct journal *j, const struct event *events, size_t count, struct err *e)
{
    struct journal_place place = j->written;
    int result = 0;

    j->out.len = 0;
    for (size_t i = 0; result == 0 && i < count; i += EVENTS_A_BLOCK)
        result = put_block(j, events + i, count - i < EVENTS_A_BLOCK ? count - i : EVENTS_A_BLOCK, &place, e);
    return result < 0 ? err_wrap(e, "journal: %s", folder_name(j->head.segment, "wal").text)
                      : writer_write(j, &place, e);
}

/*
 * After a failed sync nobody knows which pages reached the disk, and asking
 * again would hear "fine".  So everything since the last good sync is taken
 * back; the caller appends it again and those bytes are written anew.
 */
int journal_sync(struct journal *j, struct err *e)
{
    if (j->written.offset == j->synced.offset)
        return 0;
    if (fdatasync(j->fd) < 0) {
        err_set(e, errno, "sync");
        j->written = j->synced;
        j->tail_dirty = true;
        (void)clean_tail(j, NULL);
        return err_wrap(e, "journal: %s", folder_name(j->head.segment, "wal").text);
    }
    j->synced = j->written;
    return 0;
}

uint64_t journal_last(const struct journal *j)
{
    return j->written.last_seq;
}

uint64_t journal_synced(const struct journal *j)
{
    return j->synced.last_seq;
}

const uint8_t *journal_id(const struct journal *j)
{
    return j->keys.id;
}

bool journal_is_due(const struct journal *j, int64_t now_us)
{
    if (j->pending > 0)
        return true;
    return j->written.offset > j->head_bytes &&
           (j->written.offset >= j->limits.segment_bytes ||
            (j->limits.segment_age_us > 0 && now_us - j->head.opened_us >= j->limits.segment_age_us));
}

int writer_begin(struct journal *j, uint64_t segment, const struct journal_place *from, int64_t now_us, struct err *e)
{
    struct seg_head head = { .segment = segment, .first_seq = from->last_seq + 1, .opened_us = now_us };
    struct file_name name = folder_name(segment, "wal");
    const struct slice none = { 0 };
    uint64_t mark;
    int fd;

    memcpy(head.id, j->keys.id, SEG_HASH);
    memcpy(head.prev, from->chain, SEG_HASH);
    seal_public(segment == j->keys.segment ? j->keys.seed : j->keys.next_seed, head.key);
    randombytes_buf(&mark, sizeof(mark));
    j->out.len = 0;
    if (seg_put(&j->out, mark, SEG_HEAD, j->kind.content, slice_of(&head, sizeof(head)), none, none, e) < 0 ||
        folder_replace(j->dir, name.text, 0640, slice_of(j->out.at, j->out.len), e) < 0)
        return -1;
    fd = openat(j->dir, name.text, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set(e, errno, "%s", name.text);
    if (j->fd >= 0)
        close(j->fd);
    j->fd = fd;
    j->mark = mark;
    j->head = head;
    j->head_bytes = j->out.len;
    j->tail_dirty = false;
    j->written = *from;
    j->written.offset = j->out.len;
    j->synced = j->written;
    return 0;
}

/* The head for the sealed form: the source's own, or what its blocks tell when that is damaged. */
static struct seg_head head_of(const struct journal *j, const struct wal_scan *w, uint64_t segment, int64_t now_us)
{
    struct seg_head head = w->head;

    if (!w->head_ok) {
        head = (struct seg_head){ .segment = segment, .first_seq = w->first_seq, .opened_us = now_us };
        memcpy(head.prev, w->first_prev, SEG_HASH);
    }
    memcpy(head.id, j->keys.id, SEG_HASH);
    seal_public(j->keys.seed, head.key);
    return head;
}

static int finish_pack(struct journal *j, uint64_t segment, struct slice packed, struct err *e)
{
    struct seal_keys next = j->keys;

    if (folder_replace(j->dir, folder_name(segment, "zst").text, 0640, packed, e) < 0)
        return -1;
    seal_keys_advance(&next);
    if (seal_keys_save(j->dir, &next, e) < 0) {
        seal_keys_forget(&next);
        return -1;
    }
    j->keys = next;
    seal_keys_forget(&next);
    return folder_unlink(j->dir, folder_name(segment, "wal").text, e);
}

/* What its head says that stands in the beginning, or all of it when that is damaged. */
static int look(struct journal *j, const char *name, struct slice beginning, struct wal_scan *w, struct err *e)
{
    uint8_t *at;
    size_t len;

    if (wal_look_head(beginning, w))
        return 0;
    if (folder_read(j->dir, name, wal_max, &at, &len, e) < 0)
        return -1;
    wal_look(slice_of(at, len), w);
    free(at);
    return 0;
}

int writer_pack(struct journal *j, uint64_t segment, int64_t now_us, struct journal_sealed *s, struct err *e)
{
    struct file_name name = folder_name(segment, "wal");
    struct seg_out out = { 0 };
    struct pack_result packed;
    struct seg_head head;
    struct pieces wal;
    struct wal_scan w;
    int result = -1;

    if (pieces_open(&wal, j->dir, name.text, e) < 0)
        return -1;
    if (look(j, name.text, wal.scan.file, &w, e) < 0)
        goto done;
    wal.scan.mark = w.mark;
    head = head_of(j, &w, segment, now_us);
    if (j->kind.pack(j->kind.own, &wal.scan, &head, &j->keys, now_us, &out, &packed, e) == 0 &&
        pieces_done(&wal, e) == 0 && finish_pack(j, segment, slice_of(out.at, out.len), e) == 0) {
        *s = (struct journal_sealed){ .segment = segment,
                                      .first_seq = packed.seal.first_seq,
                                      .last_seq = packed.seal.last_seq,
                                      .raw_bytes = packed.seal.raw_bytes,
                                      .stored_bytes = out.len };
        result = 0;
    }
done:
    pieces_close(&wal);
    seg_out_free(&out);
    return result < 0 ? err_wrap(e, "seal %s", name.text) : 0;
}

static int pack_pending(struct journal *j, int64_t now_us, struct journal_sealed *s, struct err *e)
{
    if (j->pending == 0)
        return 0;
    if (writer_pack(j, j->pending, now_us, s, e) < 0)
        return -1;
    j->pending = 0;
    return 0;
}

int journal_rotate(struct journal *j, int64_t now_us, struct journal_sealed *s, struct err *e)
{
    struct journal_place from;
    uint64_t old = j->head.segment;

    *s = (struct journal_sealed){ 0 };
    if (journal_sync(j, e) < 0)
        return -1;
    if (pack_pending(j, now_us, s, e) < 0)
        return err_wrap(e, "journal");
    if (j->written.offset == j->head_bytes)
        return 0;
    from = j->written;
    if (writer_begin(j, old + 1, &from, now_us, e) < 0)
        return err_wrap(e, "journal");
    j->pending = old;
    return pack_pending(j, now_us, s, e) < 0 ? err_wrap(e, "journal") : 0;
}

bool journal_release_reserve(struct journal *j)
{
    return unlinkat(j->dir, "reserve", 0) == 0;
}

int journal_restore_reserve(struct journal *j, struct err *e)
{
    int fd;
    int code;

    if (j->limits.reserve_bytes == 0 || faccessat(j->dir, "reserve", F_OK, 0) == 0)
        return 0;
    fd = openat(j->dir, "reserve.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_set(e, errno, "journal: reserve");
    code = posix_fallocate(fd, 0, (off_t)j->limits.reserve_bytes);
    close(fd);
    if (code == 0 && renameat(j->dir, "reserve.new", j->dir, "reserve") < 0)
        code = errno;
    if (code == 0)
        return 0;
    (void)unlinkat(j->dir, "reserve.new", 0);
    return err_set(e, code, "journal: reserve");
}
