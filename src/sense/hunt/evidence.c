/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/hunt/mouths.h"

enum {
    FLOWS = 4096,       /* flows whose kept frames are counted; numbers follow each other, so they rarely meet */
    RECORD_ALIGN = 16,  /* every record begins at such a place, so that a filler always fits */
    FRAME_BYTES = 4096, /* kept of one frame */
    FILE_HEAD = 24,     /* pcap: the file's header, */
    FRAME_HEAD = 16,    /* each frame's */
    TAG_BYTES = 4,
};

struct record {    /* in the log, its bytes behind it */
    uint32_t len;  /* of the whole record; flow 0: a filler up to the end of the memory */
    uint32_t kept; /* bytes of the frame that follow */
    uint64_t flow;
    int64_t at_us;
    uint32_t wire_len;
    uint16_t link;
    uint16_t vlans;
    uint16_t tci[2];
    uint32_t zero[3];
};
_Static_assert(sizeof(struct record) % RECORD_ALIGN == 0, "records stay aligned");

struct known { /* how much of a flow was kept */
    uint64_t flow;
    uint32_t frames, bytes;
    uint8_t mac[6]; /* of the client's first Ethernet frame */
    bool has_mac;
};

struct open_case {
    uint64_t flow;
    struct addr who;
    int64_t found_us;
};

struct evidence {
    uint8_t *log; /* [cap], a ring of records */
    size_t cap, flow_bytes;
    uint64_t first, next; /* places of the oldest record and behind the newest; modulo cap */
    struct known known[FLOWS];
    struct mouths mouths;
    struct open_case cases[EVIDENCE_CASES]; /* in the order in which they fall due */
    size_t oldest_case, cases_count;
    uint64_t files;
    uint8_t *pcap; /* the file handed out last; owned */
};

struct evidence *evidence_new(size_t log_bytes, size_t flow_bytes, struct err *e)
{
    struct evidence *v = calloc(1, sizeof(*v));

    if (!v)
        goto fail;
    v->cap = log_bytes / RECORD_ALIGN * RECORD_ALIGN;
    v->flow_bytes = flow_bytes < v->cap / 8 ? flow_bytes : v->cap / 8;
    v->log = calloc(1, v->cap);
    if (!v->log || v->cap < (size_t)8 * FRAME_BYTES)
        goto fail;
    return v;
fail:
    evidence_free(v);
    (void)err_set(e, ENOMEM, "a log of %zu bytes for evidence", log_bytes);
    return NULL;
}

void evidence_free(struct evidence *v)
{
    if (!v)
        return;
    free(v->log);
    free(v->pcap);
    free(v);
}

/* ---- the log ---- */

static struct record *record_at(const struct evidence *v, uint64_t place)
{
    return (void *)(v->log + place % v->cap);
}

/* Room for `len` bytes in one piece; the oldest records leave. */
static struct record *make_room(struct evidence *v, uint32_t len)
{
    size_t to_end = v->cap - v->next % v->cap;
    uint32_t filler = to_end < len ? (uint32_t)to_end : 0;

    while (v->next - v->first + filler + len > v->cap)
        v->first += record_at(v, v->first)->len;
    if (filler) {
        struct record *r = record_at(v, v->next);

        r->len = filler; /* RECORD_ALIGN bytes at least: len, kept and flow are inside */
        r->flow = 0;
        v->next += filler;
    }
    return record_at(v, v->next);
}

static struct known *known_flow(struct evidence *v, uint64_t flow)
{
    struct known *k = &v->known[flow % FLOWS];

    if (k->flow != flow)
        *k = (struct known){ .flow = flow };
    return k;
}

static void blank(uint8_t *bytes, size_t len, size_t secret_at, size_t secret_len)
{
    if (secret_at >= len)
        return;
    memset(bytes + secret_at, '*', secret_len < len - secret_at ? secret_len : len - secret_at);
}

void evidence_packet(struct evidence *v, const struct engine_packet *p)
{
    const struct engine_frame *f = p->frame;
    struct known *k = known_flow(v, p->flow);
    size_t kept = f->bytes.len < FRAME_BYTES ? f->bytes.len : FRAME_BYTES;
    struct record *r;
    uint32_t len;

    if (kept > v->flow_bytes - k->bytes)
        kept = v->flow_bytes - k->bytes;
    if (k->frames == EVIDENCE_FRAMES || kept == 0 || p->flow == 0)
        return;
    len = (uint32_t)((sizeof(*r) + kept + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN);
    r = make_room(v, len);
    *r = (struct record){ .len = len,
                          .kept = (uint32_t)kept,
                          .flow = p->flow,
                          .at_us = f->at_us,
                          .wire_len = (uint32_t)(f->wire_len > kept ? f->wire_len : kept),
                          .link = (uint16_t)f->link,
                          .vlans = (uint16_t)(f->vlans < 2 ? f->vlans : 2),
                          .tci = { f->tci[0], f->tci[1] } };
    memcpy(r + 1, f->bytes.at, kept);
    blank((uint8_t *)(r + 1), kept, p->secret_at, p->secret_len);
    if (p->from_client && !k->has_mac && f->link == LINK_ETHERNET && kept >= 12) {
        memcpy(k->mac, f->bytes.at + 6, sizeof(k->mac));
        k->has_mac = true;
    }
    v->next += len;
    k->frames++;
    k->bytes += (uint32_t)kept;
}

/* ---- cases ---- */

/* A card with many addresses must not push out the files of others. */
static bool has_room(struct evidence *v, uint64_t flow, struct addr who, int64_t now_us)
{
    const struct known *k = &v->known[flow % FLOWS];

    if (v->mouths.since_us == 0 || mouths_over(&v->mouths, now_us))
        mouths_begin(&v->mouths, now_us);
    return mouths_get(&v->mouths, mouth_name(k->flow == flow && k->has_mac ? k->mac : NULL, who), 0)->told++ <
           EVIDENCE_MOUTH;
}

bool evidence_case(struct evidence *v, uint64_t flow, struct addr who, int64_t now_us)
{
    if (flow == 0 || v->cases_count == EVIDENCE_CASES)
        return false;
    for (size_t i = 0; i < v->cases_count; i++)
        if (v->cases[(v->oldest_case + i) % EVIDENCE_CASES].flow == flow)
            return false;
    if (!has_room(v, flow, who, now_us))
        return false;
    v->cases[(v->oldest_case + v->cases_count++) % EVIDENCE_CASES] =
        (struct open_case){ .flow = flow, .who = addr_ip(who), .found_us = now_us };
    return true;
}

size_t evidence_open(const struct evidence *v)
{
    return v->cases_count;
}

/* ---- the file ---- */

/* In this machine's byte order: the magic number says which. */
static uint8_t *put16(uint8_t *to, uint16_t n)
{
    memcpy(to, &n, sizeof(n));
    return to + sizeof(n);
}

static uint8_t *put32(uint8_t *to, uint32_t n)
{
    memcpy(to, &n, sizeof(n));
    return to + sizeof(n);
}

static size_t tags_of(const struct record *r)
{
    return r->link == LINK_ETHERNET && r->kept >= 12 ? r->vlans : 0;
}

/* The frame, with the tags that the card took off back behind the two addresses (IEEE 802.1Q, 802.1ad). */
static uint8_t *put_frame(uint8_t *to, const struct record *r)
{
    const uint8_t *bytes = (const uint8_t *)(r + 1);
    size_t tags = tags_of(r);
    size_t head = tags ? 12 : 0;

    to = put32(to, (uint32_t)(r->at_us / 1000000));
    to = put32(to, (uint32_t)(r->at_us % 1000000));
    to = put32(to, r->kept + (uint32_t)tags * TAG_BYTES);
    to = put32(to, r->wire_len + (uint32_t)tags * TAG_BYTES);
    memcpy(to, bytes, head);
    to += head;
    for (size_t i = 0; i < tags; i++) {
        uint16_t type = tags == 2 && i == 0 ? 0x88a8 : 0x8100;

        *to++ = (uint8_t)(type >> 8);
        *to++ = (uint8_t)type;
        *to++ = (uint8_t)(r->tci[i] >> 8);
        *to++ = (uint8_t)r->tci[i];
    }
    memcpy(to, bytes + head, r->kept - head);
    return to + r->kept - head;
}

/* A pcap file has one link type: that of the flow's first frame; the valve's copies of the same packets are left out.
 */
static bool belongs(const struct record *r, uint64_t flow, const struct record *first)
{
    return r->flow == flow && (!first || r->link == first->link);
}

/* The first frame that is still there, and the size of the file. */
static const struct record *measure(const struct evidence *v, uint64_t flow, size_t *size)
{
    const struct record *first = NULL;

    *size = FILE_HEAD;
    for (uint64_t at = v->first; at < v->next; at += record_at(v, at)->len) {
        const struct record *r = record_at(v, at);

        if (!belongs(r, flow, first))
            continue;
        first = first ? first : r;
        *size += FRAME_HEAD + r->kept + tags_of(r) * TAG_BYTES;
    }
    return first;
}

static bool write_pcap(struct evidence *v, uint64_t flow, struct slice *pcap)
{
    size_t size;
    const struct record *first = measure(v, flow, &size);
    uint8_t *to;

    free(v->pcap);
    v->pcap = first ? malloc(size) : NULL;
    if (!v->pcap)
        return false;
    to = put32(v->pcap, 0xa1b2c3d4); /* microseconds */
    to = put16(put16(to, 2), 4);     /* version 2.4 */
    to = put32(put32(to, 0), 0);
    to = put32(to, FRAME_BYTES + 2 * TAG_BYTES);
    to = put32(to, first->link);
    for (uint64_t at = v->first; at < v->next; at += record_at(v, at)->len)
        if (belongs(record_at(v, at), flow, first))
            to = put_frame(to, record_at(v, at));
    *pcap = slice_of(v->pcap, size);
    return true;
}

/* 20261122t182803: RFC 3339 without its punctuation. */
static void add_when(struct text *t, int64_t at_us)
{
    char when[32];
    struct text w = TEXT_IN(when);

    text_time(&w, at_us, 0);
    for (size_t i = 0; i < w.len; i++)
        if (when[i] >= '0' && when[i] <= '9')
            text_add(t, slice_of(&when[i], 1));
        else if (when[i] == 'T')
            text_word(t, "t");
}

static void name_file(struct evidence *v, const struct open_case *c, char name[64])
{
    struct text t = text_in(name, 64);

    add_when(&t, c->found_us);
    text_addf(&t, "-%s-%u.pcap", addr_ip_text(c->who).text, (unsigned)(v->files++ % 100));
}

bool evidence_take(struct evidence *v, int64_t now_us, struct evidence_file *f)
{
    while (v->cases_count > 0) {
        const struct open_case *c = &v->cases[v->oldest_case];

        if (now_us >= c->found_us && now_us - c->found_us < EVIDENCE_WAIT_US)
            return false;
        v->oldest_case = (v->oldest_case + 1) % EVIDENCE_CASES;
        v->cases_count--;
        if (!write_pcap(v, c->flow, &f->pcap))
            continue;
        f->flow = c->flow;
        f->who = c->who;
        memset(f->name, 0, sizeof(f->name));
        name_file(v, c, f->name);
        return true;
    }
    return false;
}
