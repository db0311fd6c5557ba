/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/sdfile.h"

#include <endian.h>
#include <string.h>
#include <zstd.h>

enum {                /* offsets in the header and in objects */
       FLAGS_AT = 12, /* what a reader must understand */
       ID_AT = 24,
       NUMBERS_AT = 72,
       HEADER_SIZE_AT = 88,
       ARENA_SIZE_AT = 96,
       OBJECT_HEAD = 16,
       OBJECT_FLAGS_AT = 1,
       OBJECT_SIZE_AT = 8,
       ENTRY_HEAD = 64,
       ENTRY_NUMBER_AT = 16,
       ENTRY_TIME_AT = 24,
       DATA_HEAD = 64,
       DATA_HEAD_COMPACT = 72,
};
enum { TYPE_DATA = 1, TYPE_ENTRY = 3, TYPES = 8 };
enum { PACKED_XZ = 1, PACKED_LZ4 = 2, PACKED_ZSTD = 4 };
enum { FILE_COMPACT = 16 };
enum { NAME_MOST = 64 };

static uint64_t number_at(struct slice s, uint64_t at)
{
    uint64_t n;

    memcpy(&n, s.at + at, sizeof(n));
    return le64toh(n);
}

static bool is_head(struct slice s)
{
    return s.len >= SDFILE_HEAD && memcmp(s.at, "LPKSHHRH", 8) == 0;
}

bool sdfile_is_cut(struct slice head, uint64_t len)
{
    uint64_t front;
    uint64_t arena;

    if (!is_head(head))
        return false;
    front = number_at(head, HEADER_SIZE_AT);
    arena = number_at(head, ARENA_SIZE_AT);
    return front > len || arena > len - front;
}

bool sdfile_begin(struct sdfile *f, struct slice file)
{
    uint64_t front;
    uint32_t flags;

    if (!is_head(file))
        return false;
    front = number_at(file, HEADER_SIZE_AT);
    if (front < SDFILE_HEAD || front % 8 != 0 || front > file.len)
        return false;
    memcpy(&flags, file.at + FLAGS_AT, sizeof(flags));
    f->file = file;
    f->at = front;
    f->compact = le32toh(flags) & FILE_COMPACT;
    memcpy(f->id, file.at + ID_AT, SDFILE_ID);
    memcpy(f->numbers, file.at + NUMBERS_AT, SDFILE_ID);
    f->packed_otherwise = f->number = f->at_us = 0;
    f->items = slice_of(NULL, 0);
    return true;
}

/* The whole object at this place; false: there is none. */
static bool object_at(const struct sdfile *f, uint64_t at, unsigned type, size_t least, struct slice *object)
{
    uint64_t size;

    if (at % 8 != 0 || at > f->file.len || f->file.len - at < OBJECT_HEAD)
        return false;
    size = number_at(f->file, at + OBJECT_SIZE_AT);
    if (size < least || size > f->file.len - at || (type != 0 && f->file.at[at] != type))
        return false;
    *object = slice_of(f->file.at + at, (size_t)size);
    return true;
}

bool sdfile_next(struct sdfile *f)
{
    struct slice object;

    while (object_at(f, f->at, 0, OBJECT_HEAD, &object) && object.at[0] > 0 && object.at[0] < TYPES) {
        bool entry = object.at[0] == TYPE_ENTRY && object.len >= ENTRY_HEAD;

        f->at += (object.len + 7) & ~(uint64_t)7;
        if (!entry)
            continue;
        f->number = number_at(object, ENTRY_NUMBER_AT);
        f->at_us = number_at(object, ENTRY_TIME_AT);
        f->items = slice_skip(object, ENTRY_HEAD);
        return true;
    }
    return false;
}

/* As much as there is room for; 0: it could not be unpacked. */
static size_t unpack(struct slice packed, uint8_t *to, size_t room)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = { packed.at, packed.len, 0 };
    ZSTD_outBuffer out = { to, room, 0 };
    size_t before;
    size_t left = 1;

    while (z && left > 0 && out.pos < room) {
        before = out.pos + in.pos;
        left = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_isError(left) || out.pos + in.pos == before)
            break;
    }
    (void)ZSTD_freeDStream(z);
    return out.pos;
}

static bool begins_with(struct slice field, struct slice name)
{
    return field.len > name.len && field.at[name.len] == '=' && memcmp(field.at, name.at, name.len) == 0;
}

/* True: this is the field, and *value what is behind "NAME=". */
static bool look_at(struct sdfile *f, struct slice data, struct slice name, struct slice *value)
{
    struct slice field = slice_skip(data, f->compact ? DATA_HEAD_COMPACT : DATA_HEAD);
    unsigned how = data.at[OBJECT_FLAGS_AT] & (PACKED_XZ | PACKED_LZ4 | PACKED_ZSTD);
    uint8_t start[NAME_MOST];

    if (how == PACKED_ZSTD) {
        if (!begins_with(slice_of(start, unpack(field, start, sizeof(start))), name))
            return false;
        field = slice_of(f->room, unpack(field, f->room, sizeof(f->room)));
    } else if (how != 0) {
        f->packed_otherwise++;
        return false;
    }
    if (!begins_with(field, name))
        return false;
    *value = slice_skip(field, name.len + 1);
    return true;
}

struct slice sdfile_value(struct sdfile *f, struct slice name)
{
    const size_t step = f->compact ? 4 : 16;

    for (size_t i = 0; i + step <= f->items.len && name.len + 1 < NAME_MOST; i += step) {
        struct slice data;
        struct slice value;
        uint64_t at = 0;
        uint32_t short_at;

        if (f->compact) {
            memcpy(&short_at, f->items.at + i, sizeof(short_at));
            at = le32toh(short_at);
        } else
            at = number_at(f->items, i);
        if (object_at(f, at, TYPE_DATA, f->compact ? DATA_HEAD_COMPACT : DATA_HEAD, &data) &&
            look_at(f, data, name, &value))
            return value;
    }
    return slice_of(NULL, 0);
}
