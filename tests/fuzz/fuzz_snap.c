/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture from anybody: its archive, and each of its lines; what is read is explained, and written the same again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "snap/file.h"
#include "snap/line.h"
#include "snap/redact.h"
#include "view/change.h"
#include "view/html.h"

static char line[LINE_MOST], again[LINE_MOST];

/* Once read, a record keeps its line. */
static void keeps_its_line(const struct snap *s, enum snap_part part)
{
    const uint8_t *record = s->part[part].at;

    for (size_t i = 0; i < s->part[part].count; i++, record += snap_kinds[part].size) {
        struct snap *other = snap_new(NULL);
        struct text t = TEXT_IN(line);
        struct text u = TEXT_IN(again);

        assert(other);
        snap_line_write(&t, part, record);
        if (!t.cut && snap_line_read(other, part, slice_text(line), NULL) == 0) {
            snap_line_write(&u, part, other->part[part].at);
            assert(strcmp(line, again) == 0);
        }
        snap_free(other);
    }
}

/* Whatever it holds, its page has no script and no control byte. */
static void page_is_harmless(const struct snap *s, const struct findings *f)
{
    char *at = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&at, &len);

    assert(to && html_page(s, f, to, NULL) == 0 && fclose(to) == 0);
    assert(!strstr(at, "<script"));
    for (size_t i = 0; i < len; i++)
        assert((uint8_t)at[i] >= 0x20 || at[i] == '\n');
    free(at);
}

static void on_change(void *own, const struct change *c)
{
    (void)own;
    for (const char *at = c->text; *at; at++)
        assert((uint8_t)*at >= 0x20 && *at != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snap *s = snap_new(NULL);
    struct slice text = slice_of(data, size);
    struct findings *f;

    assert(s);
    if (snap_tar_read(text, s, NULL) < 0 && size > 0) {
        /* No archive: the first byte chooses a part, the rest are its lines. */
        enum snap_part part = (enum snap_part)(data[0] % SNAP_PARTS);

        text = slice_skip(text, 1);
        while (text.len > 0)
            (void)snap_line_read(s, part, slice_until(text, '\n', &text), NULL);
        keeps_its_line(s, part);
    }
    f = explain(s, NULL);
    for (size_t i = 0; f && i < f->count; i++)
        for (const char *c = f->at[i].text; *c; c++)
            assert((uint8_t)*c >= 0x20 && *c != 0x7f);
    if (f)
        page_is_harmless(s, f);
    free(f);
    assert(change_tell(s, s, on_change, NULL, NULL) >= 0);
    (void)snap_redact(s, NULL);
    snap_free(s);
    return 0;
}
