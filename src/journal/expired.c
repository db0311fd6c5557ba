/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/expired.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "journal/folder.h"

static const char name[] = "expired";
static const size_t file_max = (size_t)1 << 30;

int expired_read(int dir, uint8_t **at, size_t *len, struct err *e)
{
    struct err why;

    if (folder_read(dir, name, file_max, at, len, &why) == 0 || why.code == ENOENT)
        return 0;
    return err_set(e, 0, "%s", why.text);
}

enum seg_got expired_next(struct slice *rest, struct seg_seal *seal)
{
    struct seg_scan scan;
    struct seg_element el;
    enum seg_got got;

    if (rest->len == 0)
        return SEG_END;
    if (!seg_scan_start(&scan, *rest)) {
        *rest = slice_skip(*rest, rest->len);
        return SEG_BAD;
    }
    got = seg_next(&scan, &el);
    *rest = slice_skip(*rest, el.size);
    return got == SEG_GOT && seg_read_seal(&el, seal) ? SEG_GOT : SEG_BAD;
}

int expired_add(int dir, const struct seg_seal *seals, size_t count, struct err *e)
{
    const struct slice none = { 0 };
    struct seg_out out = { 0 };
    int result = 0;

    for (size_t i = 0; result == 0 && i < count; i++) {
        uint64_t mark;

        randombytes_buf(&mark, sizeof(mark));
        result = seg_put(&out, mark, SEG_SEAL, SEG_EVENTS, slice_of(&seals[i], sizeof(seals[i])), none, none, e);
    }
    if (result == 0)
        result = folder_append(dir, name, slice_of(out.at, out.len), e);
    seg_out_free(&out);
    return result;
}
