/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/columns.h"

static const uint32_t skippable = COLUMNS_ZSTD_MAGIC;
static const char note[] =
    "(lines kept in columns stand here, which zstdcat can't show: serviola log show --raw does)\n";

static int put_skippable(struct seg_out *out, struct slice inner, struct err *e)
{
    const uint32_t len = (uint32_t)inner.len;
    const size_t bound = ZSTD_compressBound(sizeof(note) - 1);
    size_t n;

    if (seg_out_room(out, bound + 2 * sizeof(len) + inner.len, e) < 0)
        return -1;
    n = ZSTD_compress(out->at + out->len, bound, note, sizeof(note) - 1, 1);
    if (ZSTD_isError(n))
        return err_set(e, 0, "zstd: %s", ZSTD_getErrorName(n));
    out->len += n;
    memcpy(out->at + out->len, &skippable, sizeof(skippable));
    memcpy(out->at + out->len + sizeof(skippable), &len, sizeof(len));
    memcpy(out->at + out->len + 2 * sizeof(len), inner.at, inner.len);
    out->len += 2 * sizeof(len) + inner.len;
    return 0;
}

/* Whether exactly the text comes back. */
static bool comes_back(struct slice stored, struct slice text)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    uint8_t *back = malloc(text.len);
    bool same =
        zstd && back && columns_unpack(zstd, stored, back, text.len, NULL) == 0 && memcmp(back, text.at, text.len) == 0;

    free(back);
    ZSTD_freeDCtx(zstd);
    return same;
}

int columns_pack(struct slice text, int level, struct seg_out *out, struct err *e)
{
    struct seg_out body = { 0 };
    struct seg_out frame = { 0 };
    const size_t before = out->len;
    int result = columns_write(text, &body, e);
    size_t n;

    if (result != 0)
        goto done;
    result = seg_out_room(&frame, ZSTD_compressBound(body.len), e);
    if (result < 0)
        goto done;
    n = ZSTD_compress(frame.at, frame.cap, body.at, body.len, level);
    result = ZSTD_isError(n) ? err_set(e, 0, "zstd: %s", ZSTD_getErrorName(n))
                             : put_skippable(out, slice_of(frame.at, n), e);
    if (result == 0 && !comes_back(slice_of(out->at + before, out->len - before), text)) {
        out->len = before;
        result = 1;
    }
done:
    seg_out_free(&frame);
    seg_out_free(&body);
    return result;
}

/* The frame of the body, in the skippable frame behind the note; empty: there is none. */
static struct slice find_inner(struct slice stored)
{
    const size_t note_len = ZSTD_findFrameCompressedSize(stored.at, stored.len);
    uint32_t head[2];
    struct slice inner;

    if (ZSTD_isError(note_len) || stored.len - note_len < sizeof(head))
        return slice_of(NULL, 0);
    memcpy(head, stored.at + note_len, sizeof(head));
    inner = slice_skip(stored, note_len + sizeof(head));
    if (head[0] != skippable || head[1] != inner.len || ZSTD_findFrameCompressedSize(inner.at, inner.len) != inner.len)
        return slice_of(NULL, 0);
    return inner;
}

int columns_unpack(void *zstd, struct slice stored, uint8_t *text, size_t len, struct err *e)
{
    const struct slice inner = find_inner(stored);
    const unsigned long long bytes = inner.len > 0 ? ZSTD_getFrameContentSize(inner.at, inner.len) : 0;
    uint8_t *body;
    int result = -1;
    size_t n;

    if (bytes == 0 || bytes > COLUMNS_BODY_MAX) /* unknown and broken ones are very big */
        return err_set(e, 0, "the payload is no frame of columns");
    body = malloc((size_t)bytes + COLUMNS_BEHIND);
    if (!body)
        return err_set(e, ENOMEM, "columns");
    memset(body + bytes, 0, COLUMNS_BEHIND);
    n = ZSTD_decompressDCtx(zstd, body, (size_t)bytes, inner.at, inner.len);
    if (ZSTD_isError(n) || n != bytes)
        err_set(e, 0, "zstd: %s", ZSTD_isError(n) ? ZSTD_getErrorName(n) : "not so long as it says");
    else
        result = columns_read(slice_of(body, n), text, len, e);
    free(body);
    return result;
}
