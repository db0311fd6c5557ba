/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server's answer of any bytes: what was read whole is not read from less, and what is said again reads the same. */
#include <assert.h>
#include <string.h>

#include "wire/smtpreply.h"

static void check_offer(const struct smtpreply *r)
{
    static char buffer[2 * SMTPREPLY_BYTES];
    struct text t = TEXT_IN(buffer);
    struct smtpreply again;
    struct smtp_offer o, p;

    if (!smtp_offer_read(r, &o) || o.name.len == 0)
        return;
    smtp_offer_write(&o, UINT32_MAX, o.name, &t);
    assert(!t.cut && smtpreply_read(slice_of(t.at, t.len), &again) == SMTPREPLY_OK);
    assert(smtp_offer_read(&again, &p) && p.can == o.can && p.size == o.size);
    assert(slice_eq(p.name, o.name) && slice_eq(p.auth, o.auth) && slice_eq(p.xclient, o.xclient));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buffer[2 * SMTPREPLY_BYTES];
    struct text t = TEXT_IN(buffer);
    struct smtpreply r, again;
    size_t whole;

    if (smtpreply_read(slice_of(data, size), &r) != SMTPREPLY_OK)
        return 0;
    whole = r.all.len;
    assert(r.all.at == data && whole <= size && whole <= SMTPREPLY_BYTES && data[whole - 1] == '\n');
    assert(r.code >= 200 && r.code < 600 && r.lines > 0 && r.lines <= SMTPREPLY_LINES);
    for (size_t n = 0; n < whole; n += 1 + whole / 64)
        assert(smtpreply_read(slice_of(data, n), &again) == SMTPREPLY_MORE);
    smtpreply_write(&r, &t);
    assert(!t.cut && t.len >= 2 && !memchr(t.at, 0, t.len) && !memchr(t.at, 0x1b, t.len));
    if (t.len <= SMTPREPLY_BYTES) {
        assert(smtpreply_read(slice_of(t.at, t.len), &again) == SMTPREPLY_OK);
        assert(again.all.len == t.len && again.code == r.code && again.lines == r.lines);
    }
    check_offer(&r);
    return 0;
}
