/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/net.h"

static bool among(const struct addr *at, size_t count, struct addr one)
{
    for (size_t i = 0; i < count; i++)
        if (addr_eq_ip(at[i], one))
            return true;
    return false;
}

/* The next word of a line, behind blanks. */
static struct slice word(struct slice *line)
{
    struct slice rest = slice_trim(*line);
    size_t n = 0;

    while (n < rest.len && rest.at[n] != ' ' && rest.at[n] != '\t')
        n++;
    *line = slice_skip(rest, n);
    return slice_first(rest, n);
}

size_t net_resolvers_read(struct slice text, struct addr *at, size_t most)
{
    size_t count = 0;

    while (text.len > 0 && count < most) {
        struct slice line = slice_until(text, '\n', &text);
        struct slice scope;
        struct addr one;

        if (!slice_eq(word(&line), SLICE("nameserver")))
            continue;
        if (addr_read(slice_until(word(&line), '%', &scope), &one) && !among(at, count, one))
            at[count++] = one;
    }
    return count;
}
