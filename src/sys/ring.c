/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/ring.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SLOT_BYTES = 1664,       /* header, 1514 bytes of frame, spare for tags; whole cache lines */
    BLOCK_BYTES = 64 << 10,  /* one allocation of the kernel; 39 slots */
    WHOLE_BYTES = 512 << 10, /* the largest frame that comes through the queue (BIG TCP) */
    QUEUE_BYTES = 4 << 20,   /* asked for; the kernel gives what net.core.rmem_max allows */
    NAP_US = 500,
    BUSY_PER_MS = 20, /* frames a millisecond from which naps are cheaper than wake-ups */
};

struct ring {
    int fd;
    uint8_t *map; /* mmap of map_len */
    size_t map_len;
    uint32_t slots, per_block, head;
    uint8_t *whole; /* mmap of WHOLE_BYTES: pages are only taken when such frames come */
    struct ring_counts counts;
    int64_t round_us;   /* when the measured round began */
    uint64_t round_got; /* frames since then */
    bool busy;
};

static int set(int fd, int option, const void *value, socklen_t len, const char *what, struct err *e)
{
    if (setsockopt(fd, SOL_PACKET, option, value, len) < 0)
        return err_set(e, errno, "packet ring: %s", what);
    return 0;
}

static int map_slots(struct ring *r, size_t bytes, struct err *e)
{
    int version = TPACKET_V2;
    int whole = 1;
    struct tpacket_req req = { .tp_block_size = BLOCK_BYTES, .tp_frame_size = SLOT_BYTES };

    r->per_block = BLOCK_BYTES / SLOT_BYTES;
    req.tp_block_nr = (unsigned)(bytes / BLOCK_BYTES);
    req.tp_frame_nr = req.tp_block_nr * r->per_block;
    r->slots = req.tp_frame_nr;
    r->map_len = (size_t)req.tp_block_nr * BLOCK_BYTES;
    if (set(r->fd, PACKET_VERSION, &version, sizeof version, "PACKET_VERSION", e) < 0 ||
        set(r->fd, PACKET_COPY_THRESH, &whole, sizeof whole, "PACKET_COPY_THRESH", e) < 0 ||
        set(r->fd, PACKET_RX_RING, &req, sizeof req, "PACKET_RX_RING", e) < 0)
        return -1;
    r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (r->map == MAP_FAILED) {
        r->map = NULL;
        return err_set(e, errno, "packet ring: mmap");
    }
    return 0;
}

struct ring *ring_open(int fd, size_t bytes, struct err *e)
{
    struct ring *r;
    int queue = QUEUE_BYTES;

    if (bytes < BLOCK_BYTES || bytes > (size_t)1 << 30) {
        err_set(e, 0, "packet ring: %zu bytes; from 64 KiB to 1 GiB", bytes);
        return NULL;
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        err_set(e, errno, "packet ring");
        return NULL;
    }
    r->fd = fd;
    r->whole = mmap(NULL, WHOLE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r->whole == MAP_FAILED) {
        r->whole = NULL;
        err_set(e, errno, "packet ring: memory for large frames");
        goto fail;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue); /* less room only means that more frames come cut */
    if (map_slots(r, bytes, e) < 0)
        goto fail;
    ring_counts(r); /* what was dropped before the ring was there is nobody's loss */
    r->counts = (struct ring_counts){ 0 };
    return r;
fail:
    r->fd = -1;
    ring_close(r);
    return NULL;
}

void ring_close(struct ring *r)
{
    if (!r)
        return;
    if (r->map)
        munmap(r->map, r->map_len);
    if (r->whole)
        munmap(r->whole, WHOLE_BYTES);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}

int ring_fd(const struct ring *r)
{
    return r->fd;
}

static struct tpacket2_hdr *slot_at(const struct ring *r, uint32_t n)
{
    return (void *)(r->map + (size_t)(n / r->per_block) * BLOCK_BYTES + (size_t)(n % r->per_block) * SLOT_BYTES);
}

/* The kernel wrote it on another processor: its header and the heads of all layers are fetched while the one before is
 * worked on. */
static void look_ahead(const struct ring *r)
{
    const uint8_t *next = (const uint8_t *)slot_at(r, r->head + 1 == r->slots ? 0 : r->head + 1);

    __builtin_prefetch(next);
    __builtin_prefetch(next + 64);
    __builtin_prefetch(next + 128);
}

static enum ring_way way_of(const struct tpacket2_hdr *h)
{
    const size_t behind = (sizeof *h + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT;
    const struct sockaddr_ll *from = (const void *)((const uint8_t *)h + behind);

    switch (from->sll_pkttype) {
    case PACKET_HOST:
        return RING_TO_US;
    case PACKET_OUTGOING:
        return RING_FROM_US;
    case PACKET_BROADCAST:
    case PACKET_MULTICAST:
        return RING_TO_MANY;
    default:
        return RING_TO_OTHERS;
    }
}

/* A frame that did not fit its slot waits whole in the socket's queue, in the same order. */
static struct slice whole_frame(struct ring *r, struct slice head)
{
    ssize_t n = recv(r->fd, r->whole, WHOLE_BYTES, MSG_DONTWAIT);

    if (n < 0 && errno == ENETDOWN) /* said once, before what is in the queue */
        n = recv(r->fd, r->whole, WHOLE_BYTES, MSG_DONTWAIT);
    if (n < (ssize_t)head.len || memcmp(r->whole, head.at, head.len) != 0)
        return head;
    return slice_of(r->whole, (size_t)n);
}

static struct ring_frame frame_of(struct ring *r, const struct tpacket2_hdr *h, uint32_t status)
{
    struct ring_frame f = { .bytes = slice_of((const uint8_t *)h + h->tp_mac, h->tp_snaplen),
                            .wire_len = h->tp_len,
                            .at_us = (int64_t)h->tp_sec * 1000000 + h->tp_nsec / 1000,
                            .way = (uint8_t)way_of(h) };

    if (status & TP_STATUS_COPY)
        f.bytes = whole_frame(r, f.bytes);
    if (f.bytes.len < f.wire_len)
        r->counts.cut++;
    if (status & TP_STATUS_VLAN_VALID) {
        f.tagged = true;
        f.tag = h->tp_vlan_tci;
        f.tag_type = status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : 0x8100;
    }
    if (status & TP_STATUS_CSUMNOTREADY)
        f.sum = RING_SUM_NOT_YET;
    else if (status & TP_STATUS_CSUM_VALID)
        f.sum = RING_SUM_FINE;
    return f;
}

size_t ring_read(struct ring *r, size_t most, void (*frame)(void *ctx, const struct ring_frame *f), void *ctx)
{
    size_t got = 0;

    while (got < most) {
        struct tpacket2_hdr *h = slot_at(r, r->head);
        uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);
        struct ring_frame f;

        if (!(status & TP_STATUS_USER))
            break;
        look_ahead(r);
        f = frame_of(r, h, status);
        frame(ctx, &f);
        __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        r->head = r->head + 1 == r->slots ? 0 : r->head + 1;
        got++;
    }
    r->counts.frames += got;
    return got;
}

int64_t ring_nap_us(struct ring *r, size_t got, int64_t now_us)
{
    int64_t span_us = now_us - r->round_us;

    r->round_got += got;
    if (span_us >= 1000) { /* the rate of the last round decides for the next */
        r->busy = r->round_got * 1000 >= (uint64_t)span_us * BUSY_PER_MS;
        r->round_us = now_us;
        r->round_got = 0;
    }
    return r->busy ? NAP_US : 0;
}

uint64_t ring_seen(const struct ring *r)
{
    return r->counts.frames;
}

struct ring_counts ring_counts(struct ring *r)
{
    struct tpacket_stats fresh = { 0 };
    socklen_t len = sizeof fresh;

    if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &fresh, &len) == 0)
        r->counts.lost += fresh.tp_drops;
    return r->counts;
}

int ring_error(struct ring *r)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}
