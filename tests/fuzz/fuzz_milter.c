/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a mail server sends to a filter, of any bytes: packets, and the bodies of each kind. */
#include <assert.h>
#include <string.h>

#include "wire/milter.h"

static void check_body(const uint8_t *data, size_t size, const struct milter_packet *p)
{
    struct slice rest, text;
    char room[64];
    struct text t = TEXT_IN(room);
    struct addr a;
    char command;

    assert(p->body.len == 0 || (p->body.at > data && p->body.at + p->body.len <= data + size));
    rest = p->body;
    while (milter_text(&rest, &text))
        assert(text.len == 0 || !memchr(text.at, 0, text.len));
    if (milter_connection(p->body, &a))
        assert(a.family == 0 || a.family == 4 || a.family == 6);
    (void)milter_macros(p->body, &command, &rest);
    if (milter_options_write(p->body, &t))
        assert(t.len == 17 && !t.cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct milter_packet p;

    while (milter_packet_read(in, &p) == MILTER_OK) {
        assert(p.used >= 5 && p.used <= in.len && p.used <= MILTER_BYTES);
        check_body(in.at, in.len, &p);
        in = slice_skip(in, p.used);
    }
    return 0;
}
