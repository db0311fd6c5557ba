/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * payload - lines as a block holds them (store.h has the form): written in the receiver's memory, read back from disk.
 */
#ifndef SERVIOLA_SENSE_LOG_PAYLOAD_H
#define SERVIOLA_SENSE_LOG_PAYLOAD_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "sense/log/line.h"
#include "sense/log/lines.h"

enum {
    PAYLOAD_MARK = 0x1e,
    PAYLOAD_PEER_MAX = 256,
    PAYLOAD_MARK_MAX = 512,
};

struct payload { /* one commit that grows; zeroed with at and cap set */
    uint8_t *at;
    size_t len, cap;
    uint32_t records;
    int64_t min_us, max_us; /* of at_us */
    int64_t at_us, near_us; /* of the last mark ... */
    uint64_t origin_seq;    /* of the last line */
    enum log_way way;
    uint32_t peer_len;
    uint8_t peer[PAYLOAD_PEER_MAX]; /* ... as it was given */
};
void payload_clear(struct payload *p);
/* False: no room for it.  `digest`: 32 bytes, or NULL. */
bool payload_put(struct payload *p, const struct log_line *line, const uint8_t *digest);
/* Equal for lines that the same host, certificate or file handed to us. */
uint64_t payload_source(enum log_way way, struct slice peer);
#endif
