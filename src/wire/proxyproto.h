/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxyproto - the PROXY protocol, versions 1 and 2: who the client behind a proxy is.
 *
 * Read as the specification has it (haproxy.org, proxy-protocol.txt): one
 * line of at most 107 bytes that ends with CR LF, single blanks, no leading
 * zeros; or the binary header with its length.  TLVs are passed over, and
 * must fit.
 */
#ifndef SERVIOLA_WIRE_PROXYPROTO_H
#define SERVIOLA_WIRE_PROXYPROTO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum { PROXYPROTO_V1_MOST = 107, PROXYPROTO_MOST = 216, PROXYPROTO_V2_MOST = 16 + 4096 };
enum proxyproto_got { PROXYPROTO_OK, PROXYPROTO_MORE, PROXYPROTO_BAD };

struct proxyproto {
    bool local; /* the proxy itself (LOCAL), or nobody it can name (UNKNOWN): src and dst are none */
    struct addr src, dst;
    size_t used; /* bytes of the header */
};

/* `in` begins with the header.  PROXYPROTO_MORE never asks for more than PROXYPROTO_V2_MOST bytes. */
enum proxyproto_got proxyproto_read(struct slice in, struct proxyproto *p);

/* How many bytes may be read behind `in` without passing the header's end, where something else begins (TLS): at least
 * 1 as long as proxyproto_read says MORE. */
size_t proxyproto_wants(struct slice in);

/* Into `out` of PROXYPROTO_MOST bytes or more; how many.  Ends of two families become IPv6; no family: UNKNOWN, LOCAL.
 */
size_t proxyproto_write_v1(struct addr src, struct addr dst, uint8_t *out, size_t size);
size_t proxyproto_write_v2(struct addr src, struct addr dst, uint8_t *out, size_t size);
#endif
