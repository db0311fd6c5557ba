/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of any bytes: its family, where its chains begin and end, its entries. */
#include <assert.h>
#include <string.h>

#include "wire/xtables.h"

static void found(void *own, const struct xtables_rule *rule)
{
    size_t *left = own;

    assert(*left > 0); /* each has bytes of its own, but for the policies */
    (*left)--;
    assert(rule->chain.len < 64 && rule->text.len < 2048);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xtables_heads heads;
    size_t left = size + XTABLES_HOOKS;

    if (size < 1 + sizeof(heads))
        return 0;
    memcpy(&heads, data + 1, sizeof(heads));
    (void)xtables_read(data[0] == 6 ? 6 : 4, &heads, slice_of(data + 1 + sizeof(heads), size - 1 - sizeof(heads)),
                       found, &left);
    return 0;
}
