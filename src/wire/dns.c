/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/dns.h"

#include <string.h>

#include "base/text.h"

enum { HEADER = 12, TYPE_CNAME = 5, TYPE_SOA = 6, CLASS_IN = 1, RCODE_NO_NAME = 3, LABEL = 63 };

static const uint16_t types[DNS_KINDS] = {
    [DNS_PTR] = 12, [DNS_A] = 1, [DNS_AAAA] = 28, [DNS_MX] = 15, [DNS_TXT] = 16, [DNS_NS] = 2,
};

struct name {
    size_t len;
    uint8_t at[DNS_NAME];
};

struct message {
    struct slice bytes;
    size_t pos;
};

struct rr { /* one resource record */
    struct name owner;
    uint16_t type, class;
    uint32_t ttl;
    size_t data, data_len; /* where its data stands */
};

uint16_t dns_type(enum dns_kind kind)
{
    return types[kind];
}

static bool take(struct message *m, size_t len, const uint8_t **at)
{
    if (m->bytes.len - m->pos < len)
        return false;
    *at = m->bytes.at + m->pos;
    m->pos += len;
    return true;
}

static bool take_u16(struct message *m, uint16_t *value)
{
    const uint8_t *at;

    if (!take(m, 2, &at))
        return false;
    *value = (uint16_t)(at[0] << 8 | at[1]);
    return true;
}

static bool take_u32(struct message *m, uint32_t *value)
{
    uint16_t high;
    uint16_t low;

    if (!take_u16(m, &high) || !take_u16(m, &low))
        return false;
    *value = (uint32_t)high << 16 | low;
    return true;
}

static bool add_label(struct name *n, const uint8_t *at, size_t len)
{
    if (n->len + (n->len > 0) + len >= sizeof(n->at))
        return false;
    if (n->len > 0)
        n->at[n->len++] = '.';
    for (size_t i = 0; i < len; i++)
        n->at[n->len++] = at[i] > ' ' && at[i] < 0x7f && at[i] != '.' && at[i] != '\\' ? at[i] : '?';
    return true;
}

/* Each pointer must lead further back than the last one did, so the way is finite. */
static bool take_name(struct message *m, struct name *n)
{
    struct message in = *m;
    size_t before = m->pos;
    bool jumped = false;

    n->len = 0;
    for (;;) {
        const uint8_t *at;
        size_t len;

        if (!take(&in, 1, &at))
            return false;
        len = *at;
        if (len >= 0xc0) {
            if (!take(&in, 1, &at))
                return false;
            if (!jumped)
                m->pos = in.pos;
            jumped = true;
            in.pos = (len & 0x3f) << 8 | *at;
            if (in.pos >= before)
                return false;
            before = in.pos;
            continue;
        }
        if (len > LABEL)
            return false;
        if (len == 0)
            break;
        if (!take(&in, len, &at) || !add_label(n, at, len))
            return false;
    }
    if (!jumped)
        m->pos = in.pos;
    return true;
}

static bool take_rr(struct message *m, struct rr *r)
{
    const uint8_t *at;
    uint16_t len;

    if (!take_name(m, &r->owner) || !take_u16(m, &r->type) || !take_u16(m, &r->class) || !take_u32(m, &r->ttl) ||
        !take_u16(m, &len))
        return false;
    if (r->ttl > INT32_MAX) /* RFC 2181 section 8 */
        r->ttl = 0;
    r->data = m->pos;
    r->data_len = len;
    return take(m, len, &at);
}

static bool same_name(const struct name *a, struct slice b)
{
    return slice_eq_nocase(slice_of(a->at, a->len), b);
}

static bool room_take(struct dns_room *room, const void *at, size_t len, struct slice *kept)
{
    if (sizeof(room->bytes) - room->used < len)
        return false;
    if (len > 0)
        memcpy(room->bytes + room->used, at, len);
    *kept = slice_of(room->bytes + room->used, len);
    room->used += len;
    return true;
}

/* A name inside of a record's data, which must end where the data does. */
static bool data_name(const struct message *m, const struct rr *r, size_t skip, struct dns_room *room,
                      struct slice *kept)
{
    struct message in = { m->bytes, r->data + skip };
    struct name n;

    if (r->data_len < skip || !take_name(&in, &n) || in.pos != r->data + r->data_len)
        return false;
    return room_take(room, n.at, n.len, kept);
}

static bool data_text(const struct message *m, const struct rr *r, struct dns_room *room, struct slice *kept)
{
    uint8_t joined[DNS_TEXT];
    size_t len = 0;
    struct message in = { slice_first(m->bytes, r->data + r->data_len), r->data };

    while (in.pos < in.bytes.len) {
        const uint8_t *at;
        size_t n;

        if (!take(&in, 1, &at))
            return false;
        n = *at;
        if (!take(&in, n, &at) || n > sizeof(joined) - len)
            return false;
        memcpy(joined + len, at, n);
        len += n;
    }
    return room_take(room, joined, len, kept);
}

static bool data_read(const struct message *m, const struct rr *r, enum dns_kind kind, struct dns_room *room,
                      struct dns_record *record)
{
    const uint8_t *data = m->bytes.at + r->data;

    memset(record, 0, sizeof(*record));
    switch (kind) {
    case DNS_A:
        if (r->data_len == 4)
            record->addr = addr_from_ip(4, data, 0);
        return r->data_len == 4;
    case DNS_AAAA:
        if (r->data_len == 16)
            record->addr = addr_from_ip(6, data, 0);
        return r->data_len == 16;
    case DNS_MX:
        if (r->data_len < 3)
            return false;
        record->preference = (uint16_t)(data[0] << 8 | data[1]);
        return data_name(m, r, 2, room, &record->name);
    case DNS_TXT:
        return data_text(m, r, room, &record->text);
    case DNS_PTR:
    case DNS_NS:
        return data_name(m, r, 0, room, &record->name);
    case DNS_KINDS:
        break;
    }
    return false;
}

/* Follows the aliases among the answers from `name` on; *ttl_s falls to the shortest of theirs. */
static bool follow(struct message m, unsigned answers, struct name *name, uint32_t *ttl_s)
{
    size_t start = m.pos;

    for (int hops = 0; hops < DNS_ALIASES; hops++) {
        bool found = false;

        m.pos = start;
        for (unsigned i = 0; i < answers && !found; i++) {
            struct rr r;
            struct message in;

            if (!take_rr(&m, &r))
                return false;
            if (r.type != TYPE_CNAME || r.class != CLASS_IN || !same_name(&r.owner, slice_of(name->at, name->len)))
                continue;
            in = (struct message){ m.bytes, r.data };
            if (!take_name(&in, name))
                return false;
            found = true;
            *ttl_s = r.ttl < *ttl_s ? r.ttl : *ttl_s;
        }
        if (!found)
            break;
    }
    return true;
}

static bool collect(struct message *m, unsigned answers, enum dns_kind kind, const struct name *name,
                    struct dns_room *room, struct dns_answer *a, uint32_t *ttl_s)
{
    for (unsigned i = 0; i < answers; i++) {
        struct rr r;

        if (!take_rr(m, &r))
            return false;
        if (r.type != types[kind] || r.class != CLASS_IN || !same_name(&r.owner, slice_of(name->at, name->len)))
            continue;
        *ttl_s = r.ttl < *ttl_s ? r.ttl : *ttl_s;
        if (a->count < DNS_RECORDS && data_read(m, &r, kind, room, &room->at[a->count]))
            a->count++;
        else
            a->more = true;
    }
    return true;
}

/* How long "there is none" holds; 0 when no SOA stands among the authorities. */
static uint32_t negative_ttl(struct message m, unsigned authorities)
{
    struct rr r;

    for (unsigned i = 0; i < authorities && take_rr(&m, &r); i++) {
        struct message in = { slice_first(m.bytes, r.data + r.data_len), r.data };
        struct name skipped;
        const uint8_t *at;
        uint32_t least;

        if (r.type != TYPE_SOA)
            continue;
        if (!take_name(&in, &skipped) || !take_name(&in, &skipped) || !take(&in, 16, &at) || !take_u32(&in, &least))
            return 0;
        return least < r.ttl ? least : r.ttl;
    }
    return 0;
}

static void sort_mx(struct dns_record *at, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct dns_record one = at[i];
        uint32_t j = i;

        for (; j > 0 && at[j - 1].preference > one.preference; j--)
            at[j] = at[j - 1];
        at[j] = one;
    }
}

static struct slice without_dot(struct slice name)
{
    return name.len > 0 && name.at[name.len - 1] == '.' ? slice_first(name, name.len - 1) : name;
}

bool dns_read(struct slice message, enum dns_kind kind, struct slice name, struct dns_room *room, struct dns_answer *a,
              uint32_t *ttl_s)
{
    struct message m = { message, HEADER };
    struct name asked;
    uint16_t type;
    uint16_t class;
    unsigned code;
    uint32_t ttl = UINT32_MAX;
    unsigned answers;
    unsigned authorities;

    room->used = 0;
    a->code = DNS_FAILED;
    a->count = 0;
    a->more = false;
    a->at = room->at;
    *ttl_s = 0;
    if (message.len < HEADER || !(message.at[2] & 0x80) || message.at[4] != 0 || message.at[5] != 1)
        return false;
    code = message.at[3] & 0x0f;
    answers = (unsigned)(message.at[6] << 8 | message.at[7]);
    authorities = (unsigned)(message.at[8] << 8 | message.at[9]);
    if (!take_name(&m, &asked) || !take_u16(&m, &type) || !take_u16(&m, &class) || type != types[kind] ||
        class != CLASS_IN || !same_name(&asked, without_dot(name)))
        return false;
    if (code != 0 && code != RCODE_NO_NAME)
        return true;
    if (!follow(m, answers, &asked, &ttl) || !collect(&m, answers, kind, &asked, room, a, &ttl))
        return false;
    if (code == RCODE_NO_NAME)
        a->count = 0;
    a->code = code == RCODE_NO_NAME ? DNS_NO_NAME : a->count > 0 ? DNS_FOUND : DNS_NOTHING;
    *ttl_s = a->code == DNS_FOUND ? ttl : negative_ttl(m, authorities);
    if (kind == DNS_MX)
        sort_mx(room->at, a->count);
    return true;
}

bool dns_reverse_name(struct addr who, struct slice zone, char *buffer, size_t size)
{
    struct text t = text_in(buffer, size);

    if (who.family == 4)
        for (unsigned i = 4; i-- > 0;)
            text_addf(&t, "%u.", (unsigned)who.ip[i]);
    else
        for (unsigned i = 16; i-- > 0;)
            text_addf(&t, "%x.%x.", (unsigned)who.ip[i] & 15, (unsigned)who.ip[i] >> 4);
    if (zone.len > 0)
        text_add(&t, without_dot(zone));
    else
        text_word(&t, who.family == 4 ? "in-addr.arpa" : "ip6.arpa");
    return !t.cut && dns_name_is_sound(slice_of(buffer, t.len));
}

bool dns_name_is_sound(struct slice name)
{
    size_t label = 0;

    name = without_dot(name);
    if (name.len == 0 || name.len > 253)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];

        if (c == '.' && label == 0)
            return false;
        if (c <= ' ' || c >= 0x7f || c == '\\')
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL)
            return false;
    }
    return label > 0;
}
