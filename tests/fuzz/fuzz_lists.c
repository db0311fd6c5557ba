/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list file from anybody: its first byte says of which kind.  What compiles is found again.  And the memory file
 * itself, with bytes of it changed: it is refused, or looked up in without harm.
 */
#include <assert.h>
#include <string.h>

#include "sense/gate/listcompile.h"
#include "sense/gate/lists.h"
#include "sys/memfile.h"

enum { IMAGE = 1 << 16 };

static void look(const struct lists *l, struct slice text)
{
    static const struct addr four = { .family = 4, .ip = { 192, 0, 2, 1 } };
    static const struct addr six = { .family = 6, .ip = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };
    struct list_hit h;

    (void)lists_addr(l, four, &h);
    (void)lists_addr(l, six, &h);
    for (int what = GATE_LIST_RDNS; what <= GATE_LIST_HELO; what++) {
        (void)lists_name(l, (enum gate_list_what)what, slice_first(text, 255), &h);
        (void)lists_name(l, (enum gate_list_what)what, SLICE("a.example.net"), &h);
    }
}

/* Each address that stands in the text is in the list, at its line or a longer prefix's. */
static void finds_its_addresses(const struct lists *l, struct slice text)
{
    while (text.len > 0) {
        struct slice line = slice_trim(slice_until(text, '\n', &text));
        struct prefix net;
        struct list_hit h;

        if (prefix_read(line, &net))
            assert(lists_addr(l, net.net, &h) && h.line > 0 && strcmp(h.list, "fuzz") == 0);
    }
}

static void change_bytes(int fd, struct slice data)
{
    static uint8_t image[IMAGE];
    struct slice bytes;
    struct lists *l;
    int changed;

    if (memfile_map_any(fd, sizeof(image), &bytes, NULL) < 0)
        return;
    memcpy(image, bytes.at, bytes.len);
    for (size_t i = 0; i + 2 < data.len && i < 30; i += 3)
        image[(size_t)(data.at[i] << 8 | data.at[i + 1]) % bytes.len] ^= data.at[i + 2];
    changed = memfile_from(image, bytes.len, "fuzz", NULL);
    l = changed < 0 ? NULL : lists_map(changed, NULL);
    if (l)
        look(l, data);
    lists_free(l);
    memfile_close(changed);
    memfile_unmap(bytes.at, bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gate_list list = { .name = "fuzz", .file = "fuzz", .means = GATE_LIST_REFUSE };
    struct listcompile *c = listcompile_new(NULL);
    struct slice text = slice_skip(slice_of(data, size), 1);
    int fd = -1;

    assert(c);
    list.what = size > 0 ? data[0] % 3 : 0;
    if (listcompile_add(c, &list, text, NULL) == 0)
        fd = listcompile_finish(c, NULL);
    if (fd >= 0) {
        struct lists *l = lists_map(fd, NULL);

        assert(l);
        look(l, text);
        if (list.what == GATE_LIST_ADDRESSES)
            finds_its_addresses(l, text);
        lists_free(l);
        change_bytes(fd, text);
    }
    memfile_close(fd);
    listcompile_free(c);
    return 0;
}
