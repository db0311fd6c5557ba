/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/proxyproto.h"

#include <stdio.h>
#include <string.h>

static const uint8_t signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };
enum { V1_LEAST = 15 /* PROXY UNKNOWN, CR LF */, V2_HEAD = 16, V2_IPV4 = 12, V2_IPV6 = 36, TLV_HEAD = 3 };

/* ---- version 1 ---- */

static bool read_port(struct slice word, uint16_t *port)
{
    uint64_t n;

    if (word.len == 0 || word.len > 5 || (word.len > 1 && word.at[0] == '0') || !slice_to_u64(word, &n) || n > 65535)
        return false;
    *port = (uint16_t)n;
    return true;
}

/* TCP6 may carry a v4-mapped address, which is folded: the spelling counts. */
static bool reads_as(uint8_t family, struct slice word, struct addr *a)
{
    return addr_read(word, a) && (memchr(word.at, ':', word.len) != NULL) == (family == 6);
}

static enum proxyproto_got read_v1_line(struct slice line, struct proxyproto *p)
{
    struct slice rest = slice_skip(line, 6);
    struct slice family = slice_until(rest, ' ', &rest);
    struct slice word[4];
    uint8_t wanted = slice_eq(family, SLICE("TCP4")) ? 4 : slice_eq(family, SLICE("TCP6")) ? 6 : 0;

    if (slice_eq(family, SLICE("UNKNOWN"))) {
        p->local = true;
        return PROXYPROTO_OK;
    }
    for (int i = 0; i < 4; i++)
        word[i] = slice_until(rest, ' ', &rest);
    if (wanted == 0 || rest.len > 0 || !reads_as(wanted, word[0], &p->src) || !reads_as(wanted, word[1], &p->dst))
        return PROXYPROTO_BAD;
    return read_port(word[2], &p->src.port) && read_port(word[3], &p->dst.port) ? PROXYPROTO_OK : PROXYPROTO_BAD;
}

static enum proxyproto_got read_v1(struct slice in, struct proxyproto *p)
{
    struct slice window = slice_first(in, PROXYPROTO_V1_MOST);
    const uint8_t *end = memchr(window.at, '\n', window.len);
    struct slice line;

    if (!end)
        return in.len >= PROXYPROTO_V1_MOST ? PROXYPROTO_BAD : PROXYPROTO_MORE;
    line = slice_first(window, (size_t)(end - window.at));
    p->used = line.len + 1;
    if (line.len < 7 || line.at[line.len - 1] != '\r' || memchr(line.at, '\0', line.len))
        return PROXYPROTO_BAD;
    line.len--;
    if (memchr(line.at, '\r', line.len) || line.at[line.len - 1] == ' ')
        return PROXYPROTO_BAD;
    return read_v1_line(line, p);
}

/* ---- version 2 ---- */

static bool tlvs_fit(struct slice rest)
{
    while (rest.len > 0) {
        size_t len;

        if (rest.len < TLV_HEAD)
            return false;
        len = (size_t)rest.at[1] << 8 | rest.at[2];
        if (len > rest.len - TLV_HEAD)
            return false;
        rest = slice_skip(rest, TLV_HEAD + len);
    }
    return true;
}

static uint16_t port_at(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static enum proxyproto_got read_v2(struct slice in, struct proxyproto *p)
{
    struct slice body;
    size_t len;
    size_t ends;

    if (in.len < V2_HEAD)
        return PROXYPROTO_MORE;
    len = (size_t)in.at[14] << 8 | in.at[15];
    if (in.at[12] >> 4 != 2 || (in.at[12] & 15) > 1 || V2_HEAD + len > PROXYPROTO_V2_MOST)
        return PROXYPROTO_BAD;
    if (in.len < V2_HEAD + len)
        return PROXYPROTO_MORE;
    body = slice_first(slice_skip(in, V2_HEAD), len);
    p->used = V2_HEAD + len;
    if ((in.at[12] & 15) == 0) { /* LOCAL: whatever follows is passed over */
        p->local = true;
        return PROXYPROTO_OK;
    }
    if (in.at[13] == 0x00) { /* UNSPEC */
        p->local = true;
        return PROXYPROTO_OK;
    }
    if (in.at[13] != 0x11 && in.at[13] != 0x21)
        return PROXYPROTO_BAD; /* no TCP */
    ends = in.at[13] == 0x11 ? V2_IPV4 : V2_IPV6;
    if (len < ends || !tlvs_fit(slice_skip(body, ends)))
        return PROXYPROTO_BAD;
    p->src = addr_from_ip(in.at[13] == 0x11 ? 4 : 6, body.at, port_at(body.at + ends - 4));
    p->dst = addr_from_ip(in.at[13] == 0x11 ? 4 : 6, body.at + (ends - 4) / 2, port_at(body.at + ends - 2));
    return PROXYPROTO_OK;
}

enum proxyproto_got proxyproto_read(struct slice in, struct proxyproto *p)
{
    size_t known = in.len < sizeof(signature) ? in.len : sizeof(signature);

    memset(p, 0, sizeof(*p));
    if (in.len == 0)
        return PROXYPROTO_MORE;
    if (memcmp(in.at, signature, known) == 0)
        return known < sizeof(signature) ? PROXYPROTO_MORE : read_v2(in, p);
    known = in.len < 6 ? in.len : 6;
    if (memcmp(in.at, "PROXY ", known) != 0)
        return PROXYPROTO_BAD;
    return known < 6 ? PROXYPROTO_MORE : read_v1(in, p);
}

size_t proxyproto_wants(struct slice in)
{
    size_t known = in.len < sizeof(signature) ? in.len : sizeof(signature);

    if (in.len < V1_LEAST)
        return V1_LEAST - in.len;
    if (memcmp(in.at, signature, known) != 0)
        return 1; /* only the line's end tells where it is */
    if (in.len < V2_HEAD)
        return V2_HEAD - in.len;
    known = V2_HEAD + ((size_t)in.at[14] << 8 | in.at[15]);
    return known > in.len ? known - in.len : 1;
}

/* ---- writing ---- */

/* As IPv6, an IPv4 address in its mapped form. */
static void put_v6(struct addr a, uint8_t *to)
{
    memset(to, 0, 16);
    if (a.family == 4) {
        to[10] = to[11] = 0xff;
        memcpy(to + 12, a.ip, 4);
    } else
        memcpy(to, a.ip, 16);
}

size_t proxyproto_write_v1(struct addr src, struct addr dst, uint8_t *out, size_t size)
{
    char line[192];
    bool four = src.family == 4 && dst.family == 4;
    int n;

    if (src.family == 0 || dst.family == 0)
        n = snprintf(line, sizeof(line), "PROXY UNKNOWN\r\n");
    else
        n = snprintf(line, sizeof(line), "PROXY TCP%d %s%s %s%s %u %u\r\n", four ? 4 : 6,
                     !four && src.family == 4 ? "::ffff:" : "", addr_ip_text(src).text,
                     !four && dst.family == 4 ? "::ffff:" : "", addr_ip_text(dst).text, (unsigned)src.port,
                     (unsigned)dst.port);
    if (n < 0 || n > PROXYPROTO_V1_MOST || (size_t)n > size)
        return 0;
    memcpy(out, line, (size_t)n);
    return (size_t)n;
}

size_t proxyproto_write_v2(struct addr src, struct addr dst, uint8_t *out, size_t size)
{
    bool known = src.family != 0 && dst.family != 0;
    bool four = src.family == 4 && dst.family == 4;
    size_t ends = !known ? 0 : four ? V2_IPV4 : V2_IPV6;
    uint8_t *at = out + V2_HEAD;

    if (size < V2_HEAD + ends)
        return 0;
    memcpy(out, signature, sizeof(signature));
    out[12] = known ? 0x21 : 0x20;
    out[13] = !known ? 0x00 : four ? 0x11 : 0x21;
    out[14] = 0;
    out[15] = (uint8_t)ends;
    if (!known)
        return V2_HEAD;
    if (four) {
        memcpy(at, src.ip, 4);
        memcpy(at + 4, dst.ip, 4);
    } else {
        put_v6(src, at);
        put_v6(dst, at + 16);
    }
    at += ends - 4;
    at[0] = (uint8_t)(src.port >> 8);
    at[1] = (uint8_t)src.port;
    at[2] = (uint8_t)(dst.port >> 8);
    at[3] = (uint8_t)dst.port;
    return V2_HEAD + ends;
}
