/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A name server's reply of any bytes, read and kept as the gate does; before it the kind and the name that were asked.
 */
#include <assert.h>
#include <string.h>

#include "sense/gate/dns_cache.h"

static void check_name(struct slice name)
{
    assert(name.len < DNS_NAME);
    for (size_t i = 0; i < name.len; i++)
        assert(name.at[i] > ' ' && name.at[i] < 0x7f && name.at[i] != '\\');
}

static void check_answer(const struct dns_answer *a, enum dns_kind kind)
{
    assert(a->count <= DNS_RECORDS);
    assert((a->code == DNS_FOUND) == (a->count > 0));
    for (uint32_t i = 0; i < a->count; i++) {
        const struct dns_record *r = &a->at[i];

        check_name(r->name);
        assert(r->text.len <= DNS_TEXT);
        assert(kind != DNS_A || r->addr.family == 4);
        assert(kind != DNS_AAAA || r->addr.family != 0);
        assert(kind != DNS_MX || i == 0 || a->at[i - 1].preference <= r->preference);
    }
}

static void keep(const struct dns_answer *a)
{
    struct dns_kept *k = dns_kept_new(a, 1);

    assert(k && k->answer.code == a->code && k->answer.count == a->count);
    for (uint32_t i = 0; i < a->count; i++)
        assert(slice_eq(a->at[i].name, k->at[i].name) && slice_eq(a->at[i].text, k->at[i].text));
    dns_kept_let_go(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct slice name;
    struct dns_question q;
    struct dns_room room;
    struct dns_answer a;
    enum dns_kind kind;
    uint32_t ttl_s;

    if (size < 2)
        return 0;
    kind = (enum dns_kind)(data[0] % DNS_KINDS);
    name = slice_first(slice_skip(rest, 2), data[1]);
    rest = slice_skip(rest, 2 + name.len);
    assert(dns_question_set(&q, kind, name) == dns_name_is_sound(name));
    if (!dns_read(rest, kind, name, &room, &a, &ttl_s))
        return 0;
    assert(room.used <= DNS_ROOM && ttl_s <= INT32_MAX);
    check_answer(&a, kind);
    keep(&a);
    return 0;
}
