/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A web server's answer of any bytes: how it is cut into pieces changes nothing, and the text is found where it is. */
#include <assert.h>
#include <string.h>

#include "wire/httpreply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct httpreply whole, pieces;
    struct slice wanted = slice_first(slice_of(data, size), size > 0 ? data[0] % 8u : 0);
    struct slice in = slice_skip(slice_of(data, size), 1);
    enum httpreply_got got, again = HTTPREPLY_MORE;
    size_t piece = size > 1 ? 1 + data[1] % 7u : 1;

    httpreply_init(&whole, wanted);
    httpreply_init(&pieces, wanted);
    got = httpreply_feed(&whole, in);
    for (struct slice rest = in; rest.len > 0 && again == HTTPREPLY_MORE; rest = slice_skip(rest, piece))
        again = httpreply_feed(&pieces, slice_first(rest, piece));
    assert(got == again && whole.status == pieces.status && whole.found == pieces.found);
    assert(whole.bytes <= size && whole.line_len <= HTTPREPLY_LINE && whole.lines <= HTTPREPLY_LINES + 1);
    if (got != HTTPREPLY_BAD)
        assert(whole.bytes == pieces.bytes && whole.state == pieces.state);
    if (whole.head_whole)
        assert(whole.status >= 200 && whole.status < 600);
    if (whole.found && wanted.len > 0)
        assert(memmem(in.at, in.len, wanted.at, 1));
    return 0;
}
