/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of countries from anybody: each line is read or its fault lies within it; networks are sound and of a country
 * of two letters; and what compiles is found again, under the longest prefix.
 */
#include <assert.h>
#include <stdbool.h>

#include "sense/gate/listcompile.h"
#include "sense/gate/lists.h"
#include "sys/memfile.h"
#include "wire/countries.h"

static bool lines_are_sound(struct slice text)
{
    bool good = true;

    while (text.len > 0) {
        struct slice line = slice_until(text, '\n', &text);
        struct countries c;
        enum countries_got got = countries_read(line, &c);

        if (got == COUNTRIES_BAD) {
            assert(c.fault && (c.at.len == 0 || (c.at.at >= line.at && c.at.at + c.at.len <= line.at + line.len)));
            good = false;
        }
        if (got != COUNTRIES_NETWORKS)
            continue;
        assert(c.country >> 8 >= 'A' && c.country >> 8 <= 'Z' && c.count > 0 && c.count <= COUNTRIES_NETS);
        for (unsigned i = 0; i < c.count; i++)
            assert(c.net[i].bits <= (c.net[i].net.family == 4 ? 32 : 128) && prefix_has(c.net[i], c.net[i].net));
    }
    return good;
}

static void all_are_found(const struct lists *l, struct slice text)
{
    while (text.len > 0) {
        struct countries c;

        if (countries_read(slice_until(text, '\n', &text), &c) != COUNTRIES_NETWORKS)
            continue;
        for (unsigned i = 0; i < c.count; i++)
            assert(lists_country(l, c.net[i].net) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct listcompile *c = listcompile_new(NULL);
    bool good = lines_are_sound(text);
    struct lists *l;
    int fd = -1;

    assert(c);
    assert((listcompile_countries(c, "fuzz", text, NULL) == 0) == good);
    if (good)
        fd = listcompile_finish(c, NULL);
    l = fd < 0 ? NULL : lists_map(fd, NULL);
    assert(!good || l);
    if (l)
        all_are_found(l, text);
    lists_free(l);
    memfile_close(fd);
    listcompile_free(c);
    return 0;
}
