/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "journal/expired.h"
#include "journal/writer.h"

enum { AT_ONCE = 256 }; /* segments that one call removes at most */

static int remove_files(int dir, uint64_t segment, struct err *e)
{
    if (folder_unlink(dir, folder_name(segment, "wal").text, e) < 0 ||
        folder_unlink(dir, folder_name(segment, "torn").text, e) < 0)
        return -1;
    return folder_unlink(dir, folder_name(segment, "zst").text, e);
}

int writer_finish_expiry(struct journal *j, struct seg_seal *last, struct err *e)
{
    struct folder_list list = { 0 };
    struct seg_seal seal;
    struct slice rest;
    enum seg_got got;
    uint8_t *at;
    size_t len;
    int result;

    *last = (struct seg_seal){ 0 };
    if (expired_read(j->dir, &at, &len, e) < 0)
        return -1;
    rest = slice_of(at, len);
    while ((got = expired_next(&rest, &seal)) != SEG_END)
        if (got == SEG_GOT && seal_is_signed(&seal))
            *last = seal;
    free(at);
    result = last->segment > 0 ? folder_read_list(j->dir, &list, e) : 0;
    for (size_t i = 0; result == 0 && i < list.count && list.at[i].segment <= last->segment; i++)
        result = remove_files(j->dir, list.at[i].segment, e);
    folder_list_free(&list);
    return result;
}

/* A damaged one is judged by the seal of the next; false when that is no better. */
static bool judge(const struct journal *j, const struct folder_list *list, size_t i, struct seg_seal *seal)
{
    struct seg_seal next;

    if (seal_read_of(j->dir, list->at[i].segment, seal, NULL) == 0)
        return true;
    if (i + 1 == list->count || seal_read_of(j->dir, list->at[i + 1].segment, &next, NULL) < 0)
        return false;
    *seal = (struct seg_seal){ .last_seq = next.first_seq - 1, .sealed_us = next.sealed_us };
    return true;
}

/* What may leave: sealed, over a limit, and all of it before the checkpoint that a replay begins at. */
static size_t choose(const struct journal *j, const struct folder_list *list, int64_t now_us, struct seg_seal *seals,
                     struct journal_expired *x)
{
    const struct journal_limits *l = &j->limits;
    uint64_t total = 0;
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        total += list->at[i].bytes;
    for (size_t i = 0; i < list->count && count < AT_ONCE; i++) {
        const struct folder_entry *entry = &list->at[i];
        struct seg_seal *seal = &seals[count];
        bool too_much = l->total_bytes > 0 && total > l->total_bytes;

        if (entry->wal || entry->segment >= j->head.segment || !judge(j, list, i, seal))
            break;
        if (!too_much && !(l->age_us > 0 && now_us - seal->sealed_us > l->age_us))
            break;
        if (j->kind.content == SEG_EVENTS && seal->last_seq >= j->synced.checkpoint.seq) {
            x->held_back = true;
            break;
        }
        total -= entry->bytes;
        count++;
    }
    return count;
}

int journal_retain(struct journal *j, int64_t now_us, struct journal_expired *x, struct err *e)
{
    struct seg_seal *seals = calloc(AT_ONCE, sizeof(*seals));
    struct folder_list list = { 0 };
    size_t count = 0;
    size_t sound = 0;
    int result = -1;

    *x = (struct journal_expired){ 0 };
    if (!seals || folder_read_list(j->dir, &list, e) < 0)
        goto done;
    count = choose(j, &list, now_us, seals, x);
    for (size_t i = 0; i < count; i++)
        if (seals[i].segment > 0)
            seals[sound++] = seals[i];
    if (sound > 0 && expired_add(j->dir, seals, sound, e) < 0)
        goto done;
    for (size_t i = 0; i < count; i++)
        if (remove_files(j->dir, list.at[i].segment, e) < 0)
            goto done;
    x->segments = count;
    x->last_segment = count > 0 ? list.at[count - 1].segment : 0;
    x->first_seq = sound > 0 ? seals[0].first_seq : 0;
    x->last_seq = sound > 0 ? seals[sound - 1].last_seq : 0;
    result = count > 0 ? folder_sync(j->dir, e) : 0;
done:
    folder_list_free(&list);
    free(seals);
    return result < 0 ? err_wrap(e, "journal: retention") : 0;
}
