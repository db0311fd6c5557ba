/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/writer.h"

enum { FILE_MODE = 0640 };
static const size_t segment_most = (size_t)2 << 30;

static int put_block(struct journal *j, const struct feed_block *from, struct journal_place *place, struct err *e)
{
    struct seg_block b = { .first_seq = from->first_seq,
                           .last_seq = from->first_seq + from->records - 1,
                           .min_us = from->min_us,
                           .max_us = from->max_us,
                           .count = from->records,
                           .raw_len = (uint32_t)from->payload.len,
                           .commits = 1 };

    if (from->records == 0 || from->payload.len == 0 || from->payload.len > SEG_RAW_MAX ||
        from->first_seq <= place->last_seq)
        return err_set(e, EINVAL, "a block of %u records and %zu bytes from %llu on, behind %llu", from->records,
                       from->payload.len, (unsigned long long)from->first_seq, (unsigned long long)place->last_seq);
    memcpy(b.prev, place->chain, SEG_HASH);
    seg_chain(place->chain, j->kind.content, b.count, b.first_seq, from->payload);
    memcpy(b.chain, place->chain, SEG_HASH);
    place->last_seq = b.last_seq;
    return seg_put_raw(&j->out, j->mark, j->kind.content, &b, from->payload, e);
}

/* Block by block, as long as the processor has it at hand; all of them, or none is counted. */
int feed_append(struct journal *j, const struct feed_block *blocks, size_t count, struct err *e)
{
    const struct journal_place before = j->written;
    struct journal_place place = before;

    for (size_t i = 0; i < count; i++) {
        j->out.len = 0;
        if (put_block(j, &blocks[i], &place, e) < 0)
            err_wrap(e, "journal");
        else if (writer_write(j, &place, e) == 0)
            continue;
        j->tail_dirty = j->tail_dirty || j->written.offset != before.offset;
        j->written = before;
        return -1;
    }
    return 0;
}

bool feed_is_pending(const struct journal *j)
{
    return __atomic_load_n(&j->pending, __ATOMIC_ACQUIRE) > 0;
}

uint64_t feed_active_bytes(const struct journal *j)
{
    return j->written.offset - j->head_bytes;
}

bool feed_open_head(const struct journal *j, int64_t now_us, struct seg_seal *s)
{
    const struct journal_place *here = &j->synced;

    if (feed_is_pending(j) || here->last_seq < j->head.first_seq)
        return false;
    *s = (struct seg_seal){ .segment = j->head.segment,
                            .first_seq = j->head.first_seq,
                            .last_seq = here->last_seq,
                            .sealed_us = now_us,
                            .records = here->last_seq - j->head.first_seq + 1 };
    memcpy(s->prev, j->head.prev, SEG_HASH);
    memcpy(s->chain, here->chain, SEG_HASH);
    seal_sign(&j->keys, s);
    return true;
}

int feed_begin(struct journal *j, int64_t now_us, struct err *e)
{
    struct journal_place from;
    uint64_t old = j->head.segment;

    if (feed_is_pending(j) || feed_active_bytes(j) == 0)
        return 0;
    if (journal_sync(j, e) < 0)
        return -1;
    from = j->written;
    if (writer_begin(j, old + 1, &from, now_us, e) < 0)
        return err_wrap(e, "journal");
    __atomic_store_n(&j->pending, old, __ATOMIC_RELEASE);
    return 0;
}

/* Keys and the pending segment belong to this side as long as one waits: feed_begin does nothing then. */
int feed_pack(struct journal *j, int64_t now_us, struct journal_sealed *s, struct err *e)
{
    uint64_t pending = __atomic_load_n(&j->pending, __ATOMIC_ACQUIRE);

    *s = (struct journal_sealed){ 0 };
    if (pending == 0)
        return 0;
    if (writer_pack(j, pending, now_us, s, e) < 0)
        return err_wrap(e, "journal");
    __atomic_store_n(&j->pending, 0, __ATOMIC_RELEASE);
    return 0;
}

/* 1 when it may stay as it is: packed again already, or not sound. */
static int pack_one_again(struct journal *j, uint64_t segment, int64_t before_us, int64_t now_us, struct err *e)
{
    struct file_name name = folder_name(segment, "zst");
    int fd = openat(j->dir, name.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct seg_out out = { 0 };
    struct seg_seal seal;
    uint64_t mark;
    uint8_t *at;
    size_t len;
    bool anew = false;
    int result = 1;

    if (fd < 0)
        return 1; /* it has left */
    if (seal_read(fd, &seal, &mark, NULL) == 0)
        (void)seal_index_at(fd, &seal, mark, &anew);
    else
        anew = true;
    (void)close(fd);
    if (anew)
        return 1;
    if (seal.sealed_us > before_us)
        return 0;
    if (folder_read(j->dir, name.text, segment_most, &at, &len, e) < 0)
        return -1;
    result = j->kind.pack_again(j->kind.own, slice_of(at, len), mark, &seal, &j->keys, now_us, &out, e);
    if (result == 1 && out.len > 0 && out.len < len &&
        folder_replace(j->dir, name.text, FILE_MODE, slice_of(out.at, out.len), e) < 0)
        result = -1;
    seg_out_free(&out);
    free(at);
    return result;
}

int feed_pack_again(struct journal *j, uint64_t *segment, int64_t before_us, int64_t now_us, struct err *e)
{
    struct folder_list list = { 0 };
    uint64_t next = 0;
    int result = j->kind.pack_again ? folder_read_list(j->dir, &list, e) : 0;

    for (size_t i = 0; next == 0 && i < list.count; i++)
        if (list.at[i].segment > *segment && list.at[i].zst && !list.at[i].wal)
            next = list.at[i].segment;
    folder_list_free(&list);
    if (result < 0 || next == 0)
        return result < 0 ? err_wrap(e, "journal") : 0;
    result = pack_one_again(j, next, before_us, now_us, e);
    if (result == 1)
        *segment = next;
    return result < 0 ? err_wrap(e, "journal") : result;
}
