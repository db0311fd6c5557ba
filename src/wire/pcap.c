/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/pcap.h"

#include <string.h>

enum ng_block { NG_INTERFACE = 1, NG_PACKET_OLD = 2, NG_SIMPLE = 3, NG_ENHANCED = 6, NG_SECTION = 0x0a0d0d0a };
enum { CLASSIC_HEADER = 24, CLASSIC_RECORD = 16, NG_AROUND = 12 };

static uint32_t get32(const struct pcap_reader *r, const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return r->swapped ? __builtin_bswap32(v) : v;
}

static uint16_t get16(const struct pcap_reader *r, const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, 2);
    return r->swapped ? __builtin_bswap16(v) : v;
}

void pcap_init(struct pcap_reader *r)
{
    memset(r, 0, sizeof(*r));
}

static enum pcap_got bad(struct pcap_reader *r, const char *fault)
{
    r->fault = fault;
    return PCAP_BAD;
}

static enum pcap_got done(struct pcap_reader *r, size_t n, size_t *used, enum pcap_got got)
{
    *used = n;
    r->offset += n;
    return got;
}

static enum pcap_got read_magic(struct pcap_reader *r, struct slice in, size_t *used)
{
    static const struct {
        uint32_t magic;
        bool swapped, nano;
    } kinds[] = {
        { 0xa1b2c3d4, false, false },
        { 0xd4c3b2a1, true, false },
        { 0xa1b23c4d, false, true },
        { 0x4d3cb2a1, true, true },
    };
    uint32_t magic;

    if (in.len < 4)
        return PCAP_MORE;
    memcpy(&magic, in.at, 4);
    if (magic == NG_SECTION) {
        r->format = PCAP_NG;
        return PCAP_NOTHING;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (magic != kinds[i].magic)
            continue;
        if (in.len < CLASSIC_HEADER)
            return PCAP_MORE;
        r->format = PCAP_CLASSIC;
        r->swapped = kinds[i].swapped;
        r->nano = kinds[i].nano;
        r->interfaces = 1;
        r->at[0].link = get32(r, in.at + 20) & 0xffff; /* the upper bits speak of frame check sequences */
        return done(r, CLASSIC_HEADER, used, PCAP_NOTHING);
    }
    return bad(r, "not a capture file: neither pcap nor pcapng");
}

static enum pcap_got next_classic(struct pcap_reader *r, struct slice in, size_t *used, struct pcap_frame *f)
{
    uint32_t len;
    uint32_t fraction;

    if (in.len < CLASSIC_RECORD)
        return PCAP_MORE;
    len = get32(r, in.at + 8);
    if (len > PCAP_RECORD_MAX)
        return bad(r, "a record of an absurd length");
    if (in.len - CLASSIC_RECORD < len)
        return PCAP_MORE;
    fraction = get32(r, in.at + 4);
    f->link = r->at[0].link;
    f->bytes = slice_of(in.at + CLASSIC_RECORD, len);
    f->wire_len = get32(r, in.at + 12);
    f->at_us = (int64_t)get32(r, in.at) * 1000000 + (r->nano ? fraction / 1000 : fraction);
    return done(r, CLASSIC_RECORD + (size_t)len, used, PCAP_FRAME);
}

static int64_t ticks_to_us(uint64_t ticks, uint8_t unit)
{
    static const uint64_t tens[] = { 1,           10,           100,           1000,          10000,
                                     100000,      1000000,      10000000,      100000000,     1000000000,
                                     10000000000, 100000000000, 1000000000000, 10000000000000 };
    unsigned n = unit & 0x7f;

    if (unit & 0x80) {
        if (n > 63)
            return 0;
        uint64_t rest = ticks & ((UINT64_C(1) << n) - 1);
        uint64_t us = n <= 44 ? rest * 1000000 >> n : (rest >> (n - 44)) * 1000000 >> 44;

        return (int64_t)((ticks >> n) * 1000000 + us);
    }
    if (n <= 6)
        return (int64_t)(ticks * tens[6 - n]);
    return n - 6 < sizeof(tens) / sizeof(tens[0]) ? (int64_t)(ticks / tens[n - 6]) : 0;
}

static void read_interface(struct pcap_reader *r, struct slice body)
{
    struct pcap_interface *i;
    struct slice options;

    if (r->interfaces >= PCAP_INTERFACES || body.len < 8) {
        r->interfaces += r->interfaces < UINT32_MAX;
        return;
    }
    i = &r->at[r->interfaces++];
    *i = (struct pcap_interface){ .link = get16(r, body.at), .snap_len = get32(r, body.at + 4), .unit = 6 };
    options = slice_skip(body, 8);
    while (options.len >= 4) {
        uint16_t kind = get16(r, options.at);
        size_t len = get16(r, options.at + 2);

        if (kind == 0 || len > options.len - 4)
            return;
        if (kind == 9 && len == 1)
            i->unit = options.at[4];
        if (kind == 14 && len == 8) {
            uint64_t halves[2] = { get32(r, options.at + 4), get32(r, options.at + 8) };
            unsigned high = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? !r->swapped : r->swapped;

            i->offset_s = (int64_t)(halves[high] << 32 | halves[!high]);
        }
        options = slice_skip(options, 4 + ((len + 3) & ~(size_t)3));
    }
}

static enum pcap_got frame_of(const struct pcap_reader *r, uint32_t interface, uint64_t ticks, struct slice data,
                              uint32_t len, uint32_t wire_len, struct pcap_frame *f)
{
    const struct pcap_interface *i;
    int64_t shift;

    if (interface >= r->interfaces || interface >= PCAP_INTERFACES || len > data.len)
        return PCAP_NOTHING;
    i = &r->at[interface];
    f->link = i->link;
    f->bytes = slice_first(data, len);
    f->wire_len = wire_len;
    if (__builtin_mul_overflow(i->offset_s, INT64_C(1000000), &shift) ||
        __builtin_add_overflow(ticks_to_us(ticks, i->unit), shift, &f->at_us))
        f->at_us = 0;
    return PCAP_FRAME;
}

static enum pcap_got read_block(struct pcap_reader *r, uint32_t type, struct slice body, struct pcap_frame *f)
{
    switch (type) {
    case NG_INTERFACE:
        read_interface(r, body);
        return PCAP_NOTHING;
    case NG_ENHANCED:
        if (body.len < 20)
            return PCAP_NOTHING;
        return frame_of(r, get32(r, body.at), (uint64_t)get32(r, body.at + 4) << 32 | get32(r, body.at + 8),
                        slice_skip(body, 20), get32(r, body.at + 12), get32(r, body.at + 16), f);
    case NG_PACKET_OLD:
        if (body.len < 20)
            return PCAP_NOTHING;
        return frame_of(r, get16(r, body.at), (uint64_t)get32(r, body.at + 4) << 32 | get32(r, body.at + 8),
                        slice_skip(body, 20), get32(r, body.at + 12), get32(r, body.at + 16), f);
    case NG_SIMPLE: {
        uint32_t len;
        uint32_t wire_len;

        if (body.len < 4)
            return PCAP_NOTHING;
        wire_len = get32(r, body.at);
        len = r->at[0].snap_len != 0 && r->at[0].snap_len < wire_len ? r->at[0].snap_len : wire_len;
        len = len < body.len - 4 ? len : (uint32_t)(body.len - 4);
        return frame_of(r, 0, 0, slice_skip(body, 4), len, wire_len, f);
    }
    default:
        return PCAP_NOTHING;
    }
}

/* A section says its own byte order, and forgets all interfaces. */
static bool begin_section(struct pcap_reader *r, struct slice in)
{
    uint32_t magic;

    memcpy(&magic, in.at + 8, 4);
    if (magic != 0x1a2b3c4d && magic != 0x4d3c2b1a)
        return false;
    r->swapped = magic == 0x4d3c2b1a;
    r->interfaces = 0;
    return true;
}

static bool has_packet(uint32_t type)
{
    return type == NG_ENHANCED || type == NG_SIMPLE || type == NG_PACKET_OLD || type == NG_SECTION ||
           type == NG_INTERFACE;
}

static enum pcap_got next_ng(struct pcap_reader *r, struct slice in, size_t *used, struct pcap_frame *f)
{
    uint32_t type;
    uint32_t len;

    if (r->skip > 0) {
        size_t n = r->skip < in.len ? (size_t)r->skip : in.len;

        if (n == 0)
            return PCAP_MORE;
        r->skip -= n;
        return done(r, n, used, PCAP_NOTHING);
    }
    if (in.len < NG_AROUND)
        return PCAP_MORE;
    type = get32(r, in.at);
    if (type == NG_SECTION && !begin_section(r, in))
        return bad(r, "a section without its byte-order mark");
    len = get32(r, in.at + 4);
    if (len < NG_AROUND || len % 4 != 0)
        return bad(r, "a block of an impossible length");
    if (len > PCAP_RECORD_MAX + 64) {
        if (has_packet(type))
            return bad(r, "a block of an absurd length");
        r->skip = len;
        return PCAP_NOTHING;
    }
    if (in.len < len)
        return PCAP_MORE;
    if (get32(r, in.at + len - 4) != len)
        return bad(r, "a block whose two lengths differ");
    return done(r, len, used, read_block(r, type, slice_of(in.at + 8, len - NG_AROUND), f));
}

enum pcap_got pcap_next(struct pcap_reader *r, struct slice in, size_t *used, struct pcap_frame *f)
{
    *used = 0;
    if (r->format == PCAP_UNKNOWN)
        return read_magic(r, in, used);
    return r->format == PCAP_CLASSIC ? next_classic(r, in, used, f) : next_ng(r, in, used, f);
}
