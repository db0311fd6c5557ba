/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reel - pictures as bytes, one frame each: whole ones (keys), and between them what changed.
 *
 *     frame: struct reel_head, then `len` bytes, zstd; padded to 8 bytes
 *     raw:   new names of values; values that changed; processes and sockets
 *            by place: what came, went, changed; listeners when any changed
 *
 * Numbers are LEB128, differences zig-zag, a double its 8 bytes, all little-
 * endian as the machine is.  A reader believes nothing: places, names and
 * lengths are bounded, and a frame that is not whole ends the reel.
 */
#ifndef SERVIOLA_WATCH_REEL_H
#define SERVIOLA_WATCH_REEL_H
#include "base/err.h"
#include "base/slice.h"
#include "sense/watch/facts.h"
#include "sense/watch/values.h"

enum {
    REEL_MAGIC = 0x31524c53, /* "SLR1" */
    REEL_PROCESSES = 32768,
    REEL_SOCKETS = 131072,
    REEL_LISTENERS = 1024,
    REEL_RAW = 16 << 20, /* longest raw frame */
};

struct reel_head {
    uint32_t magic;
    uint32_t len; /* bytes behind this head, without the padding */
    uint32_t raw;
    uint32_t crc; /* CRC32C of those bytes */
    uint32_t key; /* 1: a whole picture */
    uint32_t zero;
    int64_t at_us, mono_us;
};
_Static_assert(sizeof(struct reel_head) == 40, "a frame's head");

struct reel_writer;
struct reel_writer *reel_writer_new(struct err *e);
void reel_writer_free(struct reel_writer *w); /* NULL is fine */
/* The next frame; borrowed until the next call.  Empty: it could not be made, and the next one is a key. */
struct slice reel_write(struct reel_writer *w, const struct facts *f, const struct values *v, bool key);

struct reel_process {
    struct fact_process is;
    uint64_t step_ticks; /* CPU since the picture before; 0 too when it was not in it */
};

struct reel_picture { /* the reader's own */
    int64_t at_us, mono_us;
    int64_t step_us;                /* since the picture before; 0: there is none */
    struct reel_process *processes; /* state 0: no process */
    uint32_t processes_room;
    struct fact_socket *sockets;
    uint32_t sockets_room;
    struct fact_listener *listeners;
    uint32_t listeners_count;
    struct values values;
    bool whole; /* a key was read */
};

struct reel_reader;
struct reel_reader *reel_reader_new(struct err *e);
void reel_reader_free(struct reel_reader *r);
/* The frame at the start of *rest, which is moved on behind it.  1: read, 0: the end, -1: it is damaged (the rest can't
 * be read). */
int reel_read(struct reel_reader *r, struct slice *rest, struct err *e);
const struct reel_picture *reel_picture(const struct reel_reader *r);

/* The head of the frame at the start; false at the end, or when it is none.  Without looking inside. */
bool reel_peek(struct slice rest, struct reel_head *h);
size_t reel_size(const struct reel_head *h); /* of the frame, padding included */
#endif
