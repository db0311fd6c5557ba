/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recorder's file, written by whoever: read in bounds, whole or not at
 * all.  The first byte says how the rest comes: as a file, or as the inside
 * of one frame, so that the fuzzer need not find out about zstd and checksums.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/crc32c.h"
#include "sense/watch/reel.h"

static void look(const struct reel_picture *p)
{
    assert(p->processes_room <= REEL_PROCESSES && p->sockets_room <= REEL_SOCKETS);
    assert(p->listeners_count <= REEL_LISTENERS && p->values.count <= VALUES_MOST);
    for (uint32_t i = 0; i < p->values.count; i++)
        assert(memchr(p->values.at[i].name, '\0', VALUE_NAME));
    for (uint32_t i = 0; i < p->sockets_room; i++)
        assert(p->sockets[i].local.family == 0 || p->sockets[i].local.family == 4 || p->sockets[i].local.family == 6);
}

static size_t frame_of(const uint8_t *data, size_t size, uint8_t *room, size_t most)
{
    struct reel_head h = { .magic = REEL_MAGIC, .raw = (uint32_t)size, .key = 1, .at_us = 1, .mono_us = 1 };
    size_t n = ZSTD_compress(room + sizeof(h), most - sizeof(h) - 8, data, size, 1);

    if (ZSTD_isError(n))
        return 0;
    h.len = (uint32_t)n;
    h.crc = crc32c(0, room + sizeof(h), n);
    memcpy(room, &h, sizeof(h));
    memset(room + sizeof(h) + n, 0, 8);
    return reel_size(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reel_reader *r;
    static uint8_t room[1 << 17];
    struct slice rest = slice_of(data, size);
    struct err e;

    if (!r && !(r = reel_reader_new(&e)))
        return 0;
    if (size > 0 && data[0] % 2 && size < sizeof(room) / 2)
        rest = slice_of(room, frame_of(data + 1, size - 1, room, sizeof(room)));
    while (reel_read(r, &rest, &e) == 1)
        look(reel_picture(r));
    return 0;
}
