/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/writer.h"

static const size_t file_max = (size_t)2 << 30;
static const size_t torn_max = 1 << 20; /* of a damaged segment's bytes that are kept aside */

void wal_look(struct slice bytes, struct wal_scan *w)
{
    struct seg_scan scan;
    struct seg_element el;
    struct seg_block b;
    uint64_t bad = 0;
    enum seg_got got;

    *w = (struct wal_scan){ .any = seg_scan_start(&scan, bytes) };
    w->mark = scan.mark;
    while (w->any && (got = seg_next(&scan, &el)) != SEG_END) {
        if (got != SEG_GOT) {
            bad += el.size;
            continue;
        }
        w->damaged += bad;
        bad = 0;
        w->good_end = el.offset + el.size;
        if (el.offset == 0)
            w->head_ok = seg_read_head(&el, &w->head);
        if (!seg_read_block(&el, &b))
            continue;
        if (w->blocks++ == 0) {
            w->first_seq = b.first_seq;
            memcpy(w->first_prev, b.prev, SEG_HASH);
        }
        w->end.last_seq = b.last_seq;
        memcpy(w->end.chain, b.chain, SEG_HASH);
    }
    if (w->head_ok && w->blocks == 0) {
        w->end.last_seq = w->head.first_seq - 1;
        memcpy(w->end.chain, w->head.prev, SEG_HASH);
    }
    w->end.offset = w->good_end;
}

bool wal_look_head(struct slice beginning, struct wal_scan *w)
{
    struct seg_scan scan;
    struct seg_element el;

    *w = (struct wal_scan){ .any = seg_scan_start(&scan, beginning) };
    w->mark = scan.mark;
    w->head_ok = w->any && seg_next(&scan, &el) == SEG_GOT && seg_read_head(&el, &w->head);
    return w->head_ok;
}

/* All bytes that belong to no whole element, up to torn_max, go into NNN.torn. */
static int keep_torn(struct journal *j, uint64_t segment, struct slice bytes, const struct wal_scan *w, struct err *e)
{
    struct seg_scan scan = { .file = bytes, .mark = w->mark };
    struct seg_out out = { 0 };
    struct seg_element el;
    enum seg_got got;
    int result = 0;

    while (result == 0 && out.len < torn_max && (got = seg_next(&scan, &el)) != SEG_END) {
        struct slice bad = slice_first(slice_skip(bytes, (size_t)el.offset), el.size);

        if (got == SEG_GOT)
            continue;
        bad = slice_first(bad, torn_max - out.len);
        result = seg_out_room(&out, bad.len, e);
        if (result == 0) {
            memcpy(out.at + out.len, bad.at, bad.len);
            out.len += bad.len;
        }
    }
    if (result == 0)
        result = folder_replace(j->dir, folder_name(segment, "torn").text, 0640, slice_of(out.at, out.len), e);
    seg_out_free(&out);
    return result;
}

/* The active segment goes on where its last whole block ends. */
static int go_on(struct journal *j, uint64_t segment, const struct wal_scan *w, size_t len, struct err *e)
{
    struct file_name name = folder_name(segment, "wal");

    j->fd = openat(j->dir, name.text, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (j->fd < 0)
        return err_set(e, errno, "%s", name.text);
    if (len > w->good_end && (ftruncate(j->fd, (off_t)w->good_end) < 0))
        return err_set(e, errno, "%s: cut", name.text);
    if (fsync(j->fd) < 0)
        return err_set(e, errno, "%s: sync", name.text);
    j->mark = w->mark;
    j->head = w->head;
    j->head_bytes = sizeof(struct seg_prefix) + sizeof(struct seg_head);
    j->written = w->end;
    j->synced = w->end;
    return 0;
}

/* The keys for `segment`: those on disk, moved on by one if a crash came between seal and key, or new ones. */
static int fit_keys(struct journal *j, uint64_t segment, const uint8_t id[SEG_HASH], struct journal_opened *found,
                    struct err *e)
{
    struct seg_seal seal;
    uint8_t key[SEG_HASH];

    if (j->keys.segment == segment || (j->pending > 0 && j->keys.segment == j->pending && segment == j->pending + 1))
        return 0;
    if (j->keys.segment > 0 && j->keys.segment + 1 == segment) {
        seal_public(j->keys.next_seed, key);
        if (seal_read_of(j->dir, j->keys.segment, &seal, NULL) == 0 && memcmp(seal.next_key, key, SEG_HASH) == 0) {
            seal_keys_advance(&j->keys);
            return seal_keys_save(j->dir, &j->keys, e);
        }
    }
    found->key_lost = !found->fresh;
    if (id)
        memcpy(j->keys.id, id, SEG_HASH);
    seal_keys_make(&j->keys, segment);
    return seal_keys_save(j->dir, &j->keys, e);
}

/* Where the newest sealed segment ends: by its seal, or by its blocks when that is damaged. */
static int end_of_sealed(struct journal *j, uint64_t segment, struct journal_place *end, uint8_t id[SEG_HASH],
                         struct err *e)
{
    struct seg_seal seal;
    struct wal_scan w;
    uint8_t *at;
    size_t len;

    *end = (struct journal_place){ 0 };
    if (seal_read_of(j->dir, segment, &seal, NULL) == 0) {
        end->last_seq = seal.last_seq;
        memcpy(end->chain, seal.chain, SEG_HASH);
        memcpy(id, seal.id, SEG_HASH);
        return 0;
    }
    if (folder_read(j->dir, folder_name(segment, "zst").text, file_max, &at, &len, e) < 0)
        return -1;
    wal_look(slice_of(at, len), &w);
    free(at);
    *end = w.end;
    memcpy(id, w.head.id, SEG_HASH);
    return 0;
}

/* One .wal: `last` is the newest, the others wait to be packed. */
static int take_wal(struct journal *j, uint64_t segment, bool last, int64_t now_us, struct journal_opened *found,
                    struct err *e)
{
    struct file_name name = folder_name(segment, "wal");
    struct journal_sealed sealed;
    struct wal_scan w;
    uint8_t *at;
    size_t len;
    int result;

    if (folder_read(j->dir, name.text, file_max, &at, &len, e) < 0)
        return -1;
    wal_look(slice_of(at, len), &w);
    if (w.damaged > 0 || w.good_end < len) {
        found->torn_segment = segment;
        found->torn_bytes = w.damaged + (len - w.good_end);
    }
    result = found->torn_segment == segment ? keep_torn(j, segment, slice_of(at, len), &w, e) : 0;
    free(at);
    if (result < 0 || fit_keys(j, segment, w.head_ok ? w.head.id : NULL, found, e) < 0)
        return -1;
    if (!w.any || (!w.head_ok && w.blocks == 0))
        return folder_unlink(j->dir, name.text, e);
    if (last && w.head_ok && w.damaged == 0)
        return go_on(j, segment, &w, len, e);
    if (j->pending == 0 && writer_pack(j, segment, now_us, &sealed, e) == 0)
        return 0;
    if (last || j->pending > 0 || e->code != ENOSPC)
        return -1;
    j->pending = segment; /* the disk is full: it is packed when there is room, and the next one goes on */
    return 0;
}

/* Both forms of one segment: the sealed one is whole by construction, unless its disk says otherwise. */
static int choose_form(struct journal *j, struct folder_entry *entry, struct err *e)
{
    struct seg_seal seal;
    bool sealed = seal_read_of(j->dir, entry->segment, &seal, NULL) == 0;

    if (folder_unlink(j->dir, folder_name(entry->segment, sealed ? "wal" : "zst").text, e) < 0)
        return -1;
    entry->wal = !sealed;
    entry->zst = sealed;
    return 0;
}

static int load_keys(struct journal *j, bool fresh, struct err *e)
{
    struct err why = { 0 };

    if (seal_keys_load(j->dir, &j->keys, &why) == 0)
        return 0;
    if (why.code != 0 && why.code != ENOENT && why.code != EFBIG)
        return err_set(e, 0, "%s", why.text);
    j->keys = (struct seal_keys){ 0 };
    if (!fresh)
        return 0;
    seal_keys_make(&j->keys, 1);
    return seal_keys_save(j->dir, &j->keys, e);
}

/* No active segment was left: a new one behind the newest that is sealed, or expired, or the first of all. */
static int begin_behind(struct journal *j, const struct folder_list *list, const struct seg_seal *expired,
                        int64_t now_us, struct journal_opened *found, struct err *e)
{
    uint64_t before = list->count > 0 ? list->at[list->count - 1].segment : expired->segment;
    struct journal_place end = { .last_seq = expired->last_seq };
    uint8_t id[SEG_HASH];

    memcpy(end.chain, expired->segment > 0 ? expired->chain : j->keys.id, SEG_HASH);
    memcpy(id, expired->segment > 0 ? expired->id : j->keys.id, SEG_HASH);
    if (list->count > 0 && end_of_sealed(j, before, &end, id, e) < 0)
        return -1;
    if (fit_keys(j, before + 1, id, found, e) < 0)
        return -1;
    end.offset = 0;
    return writer_begin(j, before + 1, &end, now_us, e);
}

static int find_checkpoint(struct journal *j, struct err *e)
{
    struct reader *r;
    int result;

    if (j->kind.content != SEG_EVENTS)
        return 0;
    r = reader_open_at(j->dir, e);
    result = r ? replay_checkpoint(r, &j->synced.checkpoint, e) : -1;
    reader_close(r);
    j->written.checkpoint = j->synced.checkpoint;
    return result;
}

int writer_recover(struct journal *j, int64_t now_us, struct journal_opened *found, struct err *e)
{
    struct folder_list list = { 0 };
    struct seg_seal expired;
    int result = -1;

    if (folder_remove_unfinished(j->dir, e) < 0 || writer_finish_expiry(j, &expired, e) < 0 ||
        folder_read_list(j->dir, &list, e) < 0)
        goto done;
    found->fresh = list.count == 0 && expired.segment == 0;
    if (load_keys(j, found->fresh, e) < 0)
        goto done;
    for (size_t i = 0; i < list.count; i++) {
        if (list.at[i].wal && list.at[i].zst && choose_form(j, &list.at[i], e) < 0)
            goto done;
        if (list.at[i].wal && take_wal(j, list.at[i].segment, i + 1 == list.count, now_us, found, e) < 0)
            goto done;
    }
    if (j->fd < 0) {
        folder_list_free(&list);
        if (folder_read_list(j->dir, &list, e) < 0 || begin_behind(j, &list, &expired, now_us, found, e) < 0)
            goto done;
    }
    result = find_checkpoint(j, e);
done:
    folder_list_free(&list);
    return result;
}
