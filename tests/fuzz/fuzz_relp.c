/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RELP of any bytes: a frame lies in them, and what is not whole in the beginning of a stream is not refused before its
 * end. */
#include <stdint.h>
#include <stdlib.h>

#include "wire/relp.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice stream = slice_of(data, size);
    struct relp_frame f;
    struct relp_frame part;

    while (relp_frame_read(stream, 256, &f) == RELP_WHOLE) {
        MUST(f.used > 0 && f.used <= stream.len && f.data.len <= 256 && f.command.len > 0);
        MUST(f.data.at >= stream.at && f.data.at + f.data.len < stream.at + f.used);
        for (size_t n = 0; n < f.used; n++)
            MUST(relp_frame_read(slice_first(stream, n), 256, &part) == RELP_MORE);
        stream = slice_skip(stream, f.used);
    }
    return 0;
}
