/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenSSL's SHA-256 uses the processor's own instructions and is nearly twice as fast as libsodium's hashes.  Its older
 * calls, because EVP reads files at its first use, which a jail does not allow. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "journal/segment.h"

#include <errno.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/columns.h"
#include "journal/crc32c.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "these structs are the bytes on disk");

static const char magic[4] = { 'S', 'V', 'L', 'A' };
enum { RAW_BLOCK_MAX = 128 << 10 };
enum { MAGIC_AT = offsetof(struct seg_prefix, magic), MARK_AT = offsetof(struct seg_prefix, mark) };

static uint32_t element_crc(const uint8_t *at, size_t len)
{
    static const uint8_t zeros[4];
    const size_t crc_at = offsetof(struct seg_prefix, crc);
    uint32_t c = crc32c(crc32c(0, at, crc_at), zeros, sizeof(zeros));

    return crc32c(c, at + sizeof(struct seg_prefix), len - sizeof(struct seg_prefix));
}

/* Whether an element of whatever mark begins at `rest`; from there on the file has `left` bytes. */
static bool read_frame(struct slice rest, uint64_t left, struct seg_prefix *p, struct seg_element *el)
{
    size_t frame;

    if (rest.len < sizeof(*p))
        return false;
    memcpy(p, rest.at, sizeof(*p));
    frame = 8 + (size_t)p->zstd_len;
    if (p->zstd_magic != SEG_ZSTD_MAGIC || memcmp(p->magic, magic, sizeof(magic)) != 0 || p->version != SEG_VERSION ||
        frame < sizeof(*p) || frame > sizeof(*p) + SEG_INDEX_MAX || frame > rest.len || p->stored_len > left - frame ||
        p->crc != element_crc(rest.at, frame))
        return false;
    el->type = (enum seg_type)p->type;
    el->content = (enum seg_content)p->content;
    el->size = frame + p->stored_len;
    el->whole = slice_first(rest, frame);
    el->body = slice_skip(el->whole, sizeof(*p));
    return true;
}

static bool read_prefix(struct slice rest, struct seg_prefix *p, struct seg_element *el)
{
    if (!read_frame(rest, rest.len, p, el))
        return false;
    el->stored = slice_first(slice_skip(rest, el->whole.len), p->stored_len);
    return true;
}

/* The first place from `from` on where an element begins; the end when there is none.  NULL mark: any. */
static size_t find_element(struct slice file, size_t from, const uint64_t *mark, struct seg_prefix *p)
{
    const void *needle = mark ? (const void *)mark : magic;
    const size_t needle_len = mark ? sizeof(*mark) : sizeof(magic);
    const size_t needle_at = mark ? MARK_AT : MAGIC_AT;
    struct seg_element el;

    while (from + needle_at < file.len) {
        const uint8_t *hit = memmem(file.at + from + needle_at, file.len - from - needle_at, needle, needle_len);

        if (!hit)
            break;
        from = (size_t)(hit - file.at) - needle_at;
        if (read_prefix(slice_skip(file, from), p, &el))
            return from;
        from++;
    }
    return file.len;
}

bool seg_scan_start(struct seg_scan *s, struct slice file)
{
    struct seg_prefix p;

    *s = (struct seg_scan){ .file = file };
    if (find_element(file, 0, NULL, &p) == file.len)
        return false;
    s->mark = p.mark;
    return true;
}

static bool is_block(const struct seg_element *el)
{
    return el->type == SEG_BLOCK || el->type == SEG_COLUMNS;
}

static bool block_is_whole(const struct seg_element *el)
{
    struct seg_block b;

    return seg_read_block(el, &b) && crc32c(0, el->stored.at, el->stored.len) == b.stored_crc;
}

static bool is_here(const struct seg_scan *s, struct seg_element *el)
{
    struct seg_prefix p;

    *el = (struct seg_element){ .offset = s->base + s->at };
    return read_prefix(slice_skip(s->file, s->at), &p, el) && p.mark == s->mark;
}

/* Behind what is no element.  One that is cut by the end of the piece begins within SEG_BLOCK_MAX of it. */
static size_t step_over(const struct seg_scan *s)
{
    const size_t from = s->at + 1;
    struct seg_prefix p;
    const size_t to = find_element(s->file, from, &s->mark, &p);

    if (to < s->file.len || s->left == 0)
        return to;
    return to - from > SEG_BLOCK_MAX ? to - SEG_BLOCK_MAX : from;
}

enum seg_got seg_next(struct seg_scan *s, struct seg_element *el)
{
    bool sound;

    while (!(sound = is_here(s, el)) && s->more && s->more(s))
        continue;
    if (s->at >= s->file.len)
        return SEG_END;
    if (!sound) {
        const size_t to = step_over(s);

        el->size = to - s->at;
        s->at = to;
        return SEG_BAD;
    }
    s->at += el->size;
    return is_block(el) && !block_is_whole(el) ? SEG_DAMAGED : SEG_GOT;
}

bool seg_peek(struct slice beginning, uint64_t left, uint64_t mark, struct seg_element *el)
{
    struct seg_prefix p;

    *el = (struct seg_element){ 0 };
    return beginning.len <= left && read_frame(beginning, left, &p, el) && p.mark == mark;
}

bool seg_read_head(const struct seg_element *el, struct seg_head *h)
{
    if (el->type != SEG_HEAD || el->body.len != sizeof(*h))
        return false;
    memcpy(h, el->body.at, sizeof(*h));
    return h->segment > 0;
}

bool seg_read_block(const struct seg_element *el, struct seg_block *b)
{
    if (!is_block(el) || el->body.len < sizeof(*b))
        return false;
    memcpy(b, el->body.at, sizeof(*b));
    return b->count > 0 && b->raw_len > 0 && b->raw_len <= SEG_RAW_MAX && b->commits > 0 &&
           b->commits <= SEG_COMMITS_MAX && b->commits <= b->count && b->first_seq > 0 && b->first_seq <= b->last_seq &&
           b->last_seq - b->first_seq >= b->count - 1 && b->min_us <= b->max_us && el->size > el->whole.len;
}

bool seg_read_seal(const struct seg_element *el, struct seg_seal *s)
{
    if (el->type != SEG_SEAL || el->body.len != sizeof(*s))
        return false;
    memcpy(s, el->body.at, sizeof(*s));
    return s->segment > 0 && s->index_at > 0;
}

bool seg_read_anew(const struct seg_element *el, struct seg_anew *a)
{
    if (el->type != SEG_ANEW || el->body.len != sizeof(*a))
        return false;
    memcpy(a, el->body.at, sizeof(*a));
    return true;
}

bool seg_read_vouch(const struct seg_element *el, struct seg_vouch *v)
{
    if (el->type != SEG_VOUCH || el->body.len != sizeof(*v))
        return false;
    memcpy(v, el->body.at, sizeof(*v));
    return true;
}

int seg_unpack_by(void *zstd, const struct seg_element *el, const struct seg_block *b, uint8_t *raw, struct err *e)
{
    size_t n;

    if (el->type == SEG_COLUMNS)
        return columns_unpack(zstd, el->stored, raw, b->raw_len, e);
    if (ZSTD_findFrameCompressedSize(el->stored.at, el->stored.len) != el->stored.len ||
        ZSTD_getFrameContentSize(el->stored.at, el->stored.len) != b->raw_len)
        return err_set(e, 0, "the payload is not one zstd frame of %u bytes", b->raw_len);
    n = ZSTD_decompressDCtx(zstd, raw, b->raw_len, el->stored.at, el->stored.len);
    if (ZSTD_isError(n))
        return err_set(e, 0, "zstd: %s", ZSTD_getErrorName(n));
    if (n != b->raw_len)
        return err_set(e, 0, "the payload has %zu bytes instead of %u", n, b->raw_len);
    return 0;
}

int seg_unpack(const struct seg_element *el, const struct seg_block *b, uint8_t *raw, struct err *e)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    int result = zstd ? seg_unpack_by(zstd, el, b, raw, e) : err_set(e, ENOMEM, "zstd");

    ZSTD_freeDCtx(zstd);
    return result;
}

static bool read_number(struct slice *s, uint32_t *n)
{
    uint64_t value = 0;

    for (unsigned shift = 0; s->len > 0 && shift < 35; shift += 7) {
        uint8_t byte = s->at[0];

        *s = slice_skip(*s, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *n = (uint32_t)value;
            return value <= UINT32_MAX;
        }
    }
    return false;
}

struct seg_commits seg_commits_of(const struct seg_element *el, const struct seg_block *b)
{
    return (struct seg_commits){
        .list = slice_skip(el->body, sizeof(*b)), .left = b->commits, .records = b->count, .bytes = b->raw_len
    };
}

bool seg_next_commit(struct seg_commits *c, uint32_t *records, uint32_t *bytes)
{
    if (c->left == 0)
        return false;
    *records = c->records;
    *bytes = c->bytes;
    if (c->left > 1 && (!read_number(&c->list, records) || !read_number(&c->list, bytes)))
        return false;
    if (*records == 0 || *records > c->records || *bytes == 0 || *bytes > c->bytes || (c->left == 1 && c->list.len > 0))
        return false;
    c->records -= *records;
    c->bytes -= *bytes;
    c->left--;
    return true;
}

bool seg_commits_fit(const struct seg_element *el, const struct seg_block *b)
{
    struct seg_commits commits = seg_commits_of(el, b);
    uint32_t records;
    uint32_t bytes;

    while (seg_next_commit(&commits, &records, &bytes))
        continue;
    return commits.left == 0 && commits.records == 0 && commits.bytes == 0;
}

void seg_chain(uint8_t chain[SEG_HASH], enum seg_content content, uint32_t records, uint64_t first_seq,
               struct slice payload)
{
    static const char tag[16] = { 's', 'e', 'r', 'v', 'i', 'o', 'l', 'a', ' ', 'c', 'h', 'a', 'i', 'n', ' ', '1' };
    struct {
        uint16_t content, zero;
        uint32_t records;
        uint64_t first_seq, bytes;
    } about = { (uint16_t)content, 0, records, first_seq, payload.len };
    SHA256_CTX h;

    (void)SHA256_Init(&h);
    (void)SHA256_Update(&h, tag, sizeof(tag));
    (void)SHA256_Update(&h, chain, SEG_HASH);
    (void)SHA256_Update(&h, &about, sizeof(about));
    (void)SHA256_Update(&h, payload.at, payload.len);
    (void)SHA256_Final(chain, &h);
}

void seg_hash(uint8_t out[SEG_HASH], struct slice s)
{
    crypto_generichash(out, SEG_HASH, s.at, s.len, NULL, 0);
}

void seg_digest(uint8_t out[SEG_HASH], struct slice s)
{
    (void)SHA256(s.at, s.len, out);
}

int seg_out_room(struct seg_out *out, size_t more, struct err *e)
{
    size_t cap = out->cap ? out->cap : 64 << 10;
    uint8_t *at;

    while (cap - out->len < more)
        cap *= 2;
    if (cap == out->cap)
        return 0;
    at = realloc(out->at, cap);
    if (!at)
        return err_set(e, errno, "%zu bytes", cap);
    out->at = at;
    out->cap = cap;
    return 0;
}

void seg_out_free(struct seg_out *out)
{
    free(out->at);
    *out = (struct seg_out){ 0 };
}

static void put(struct seg_out *out, const void *at, size_t len)
{
    if (len > 0)
        memcpy(out->at + out->len, at, len);
    out->len += len;
}

static struct seg_prefix prefix_of(uint64_t mark, enum seg_type type, enum seg_content content, size_t body,
                                   size_t stored)
{
    struct seg_prefix p = { .zstd_magic = SEG_ZSTD_MAGIC,
                            .zstd_len = (uint32_t)(sizeof(p) - 8 + body),
                            .type = (uint8_t)type,
                            .version = SEG_VERSION,
                            .content = (uint16_t)content,
                            .mark = mark,
                            .stored_len = (uint32_t)stored };

    memcpy(p.magic, magic, sizeof(magic));
    return p;
}

int seg_put(struct seg_out *out, uint64_t mark, enum seg_type type, enum seg_content content, struct slice body,
            struct slice more, struct slice stored, struct err *e)
{
    struct seg_prefix p = prefix_of(mark, type, content, body.len + more.len, stored.len);
    size_t start = out->len;

    if (seg_out_room(out, sizeof(p) + body.len + more.len + stored.len, e) < 0)
        return -1;
    put(out, &p, sizeof(p));
    put(out, body.at, body.len);
    put(out, more.at, more.len);
    p.crc = element_crc(out->at + start, out->len - start);
    memcpy(out->at + start, &p, sizeof(p));
    put(out, stored.at, stored.len);
    return 0;
}

/* RFC 8878, 3.1.1: a frame header with Single_Segment and a 4-byte size, then Raw_Blocks of at most 128 KiB. */
static void put_raw_frame(struct seg_out *out, struct slice raw) /* there is room */
{
    static const uint8_t lead[5] = { 0x28, 0xb5, 0x2f, 0xfd, 0xa0 };
    uint32_t size = (uint32_t)raw.len;

    put(out, lead, sizeof(lead));
    put(out, &size, 4);
    do {
        struct slice piece = slice_first(raw, RAW_BLOCK_MAX);
        uint32_t header = (uint32_t)piece.len << 3;

        raw = slice_skip(raw, piece.len);
        header |= raw.len == 0;
        put(out, &header, 3);
        put(out, piece.at, piece.len);
    } while (raw.len > 0);
}

int seg_put_raw(struct seg_out *out, uint64_t mark, enum seg_content content, struct seg_block *b, struct slice raw,
                struct err *e)
{
    const size_t stored = 9 + raw.len + 3 * (raw.len > 0 ? (raw.len + RAW_BLOCK_MAX - 1) / RAW_BLOCK_MAX : 1);
    struct seg_prefix p = prefix_of(mark, SEG_BLOCK, content, sizeof(*b), stored);
    const size_t head = sizeof(p) + sizeof(*b);
    uint8_t *start;

    if (seg_out_room(out, head + stored, e) < 0)
        return -1;
    start = out->at + out->len;
    out->len += head;
    put_raw_frame(out, raw);
    b->stored_crc = crc32c(0, start + head, stored);
    memcpy(start, &p, sizeof(p));
    memcpy(start + sizeof(p), b, sizeof(*b));
    p.crc = element_crc(start, head);
    memcpy(start, &p, sizeof(p));
    return 0;
}

int seg_put_number(struct seg_out *out, uint64_t n, struct err *e)
{
    if (seg_out_room(out, 10, e) < 0)
        return -1;
    for (; n >= 0x80; n >>= 7)
        out->at[out->len++] = (uint8_t)(n | 0x80);
    out->at[out->len++] = (uint8_t)n;
    return 0;
}
