/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cut file of systemd's journal, of any bytes: reading ends, goes forward alone, and what is found lies in it or in
 * its room. */
#include <stdint.h>
#include <stdlib.h>

#include "sense/log/sdfile.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_of(const struct sdfile *f, struct slice value, struct slice all)
{
    bool in_file = value.at >= all.at && value.at + value.len <= all.at + all.len;
    bool in_room = value.at >= f->room && value.at + value.len <= f->room + sizeof(f->room);

    MUST(value.len == 0 || in_file || in_room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sdfile f;
    struct slice all = slice_of(data, size);
    uint64_t before;

    (void)sdfile_is_cut(all, size);
    (void)sdfile_is_cut(all, UINT64_MAX);
    if (!sdfile_begin(&f, all))
        return 0;
    MUST(size >= SDFILE_HEAD);
    for (before = f.at; sdfile_next(&f); before = f.at) {
        MUST(f.at > before && f.at - before >= 16);
        must_be_of(&f, f.items, all);
        must_be_of(&f, sdfile_value(&f, SLICE("MESSAGE")), all);
        must_be_of(&f, sdfile_value(&f, SLICE("_HOSTNAME")), all);
        MUST(sdfile_value(&f, slice_of(data, size < 400 ? size : 400)).len == 0); /* a name that is too long */
    }
    return 0;
}
