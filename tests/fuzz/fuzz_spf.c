/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An SPF record of any bytes, its terms, and what their macros become; the sender stands before the first line end. */
#include <assert.h>
#include <string.h>

#include "wire/dns.h"
#include "wire/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice record;
    struct slice sender = slice_until(slice_of(data, size), '\n', &record);
    struct spf_facts f = { .sender = sender, .domain = SLICE("d.example"), .helo = sender };
    struct slice rest;
    struct spf_term t;
    size_t terms = 0;

    f.who = size % 2 ? addr_v4((uint32_t)size, 0) : addr_from_ip(6, (const uint8_t *)"0123456789abcdef", 0);
    if (!spf_begin(record, &rest))
        rest = record;
    while (spf_next(&rest, &t) == 1) {
        char name[DNS_NAME];

        assert(++terms <= size);
        assert(strchr("+-~?", t.qualifier) && t.bits4 <= 32 && t.bits6 <= 128);
        assert(t.what != SPF_IP || t.net.net.family == 4 || t.net.net.family == 6);
        assert(t.domain.len == 0 || (t.domain.at >= data && t.domain.at + t.domain.len <= data + size));
        if (spf_expand(t.domain, &f, name, sizeof(name)))
            assert(strlen(name) < sizeof(name) && dns_name_is_sound(slice_text(name)));
    }
    return 0;
}
