/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What apt would do, of any bytes: each part of a line lies inside of it, and no more are counted than there are lines.
 */
#include <assert.h>
#include <string.h>

#include "wire/aptsim.h"

static void lies_in(struct slice part, struct slice line)
{
    assert(part.len == 0 || (part.at >= line.at && part.at + part.len <= line.at + line.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct aptsim sum;
    uint32_t security = 0;
    uint32_t all = 0;

    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        struct aptsim_line l;

        if (!aptsim_line_read(line, &l))
            continue;
        lies_in(l.name, line);
        lies_in(l.old, line);
        lies_in(l.now, line);
        lies_in(l.origins, line);
        assert(l.name.len > 0 && l.old.len > 0 && l.now.len > 0);
        all++;
        security += aptsim_is_security(l.origins);
    }
    aptsim_read(slice_of(data, size), &sum);
    assert(sum.all == all && sum.security == security && security <= all);
    return 0;
}
