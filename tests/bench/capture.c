/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture - what the packet ring costs, beside the ways it was chosen over.
 *
 *   capture lat  IF_TX IF_RX WAY N         N frames, 3 ms apart: from the sender's clock to the reader's
 *   capture load IF_TX IF_RX WAY PER_S S   S seconds of PER_S mail frames a second: found, lost, CPU of the reader
 *   capture other IF_TX IF_RX WAY PER_S S  the same with frames that the filter must not let through
 *
 * WAY: ring (sys/ring), v3-1 v3-8 (TPACKET_V3, blocks retired after 1 or 8 ms), recv.  Both interfaces are in this
 * network namespace, the two ends of a veth; capture.sh makes them.  Prints one line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sys/ring.h"

enum { RING_BYTES = 4 << 20, BATCH = 32, STAMP_AT = 60, MOST = 1 << 16 };

struct reader {
    const char *interface, *way;
    atomic_bool stop, ready;
    bool stamps;
    uint64_t found, lost;
    double cpu_s;
    size_t count;
    double late_us[MOST];
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(3);
}

/* A bound socket with the filter the hand would set: IPv4, TCP, port 25 on either end. */
static int packet_socket(const char *interface)
{
    struct sock_filter code[] = {
        { 0x28, 0, 0, 12 },    { 0x15, 0, 7, ETH_P_IP }, { 0x30, 0, 0, 23 }, { 0x15, 0, 5, IPPROTO_TCP },
        { 0x28, 0, 0, 34 },    { 0x15, 2, 0, 25 },       { 0x28, 0, 0, 36 }, { 0x15, 0, 1, 25 },
        { 0x6, 0, 0, 262144 }, { 0x6, 0, 0, 0 },
    };
    struct sock_fprog filter = { .len = sizeof code / sizeof *code, .filter = code };
    struct sockaddr_ll at = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_ALL),
                              .sll_ifindex = (int)if_nametoindex(interface) };
    struct packet_mreq all = { .mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
    int yes = 1;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes) < 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0)
        die("packet socket");
    return fd;
}

static void seen(struct reader *r, const uint8_t *at, size_t len)
{
    int64_t sent_ns;

    r->found++;
    if (!r->stamps || len < STAMP_AT + sizeof sent_ns || r->count == MOST)
        return;
    memcpy(&sent_ns, at + STAMP_AT, sizeof sent_ns);
    r->late_us[r->count++] = (double)(now_ns(CLOCK_MONOTONIC) - sent_ns) / 1e3;
}

static void ring_frame(void *ctx, const struct ring_frame *f)
{
    seen(ctx, f->bytes.at, f->bytes.len);
}

static void read_ring(struct reader *r)
{
    struct err e;
    struct ring *ring = ring_open(packet_socket(r->interface), RING_BYTES, &e);

    if (!ring) {
        fprintf(stderr, "%s\n", e.text);
        exit(3);
    }
    r->ready = true;
    while (!r->stop) {
        struct pollfd wait = { .fd = ring_fd(ring), .events = POLLIN };
        int64_t nap_us;

        if (poll(&wait, 1, 50) <= 0)
            continue;
        while ((nap_us = ring_nap_us(ring, ring_read(ring, SIZE_MAX, ring_frame, r), now_ns(CLOCK_MONOTONIC) / 1000)) >
               0)
            usleep((useconds_t)nap_us);
    }
    r->lost = ring_counts(ring).lost;
    ring_close(ring);
}

static void read_v3(struct reader *r, unsigned retire_ms)
{
    int fd = packet_socket(r->interface);
    int version = TPACKET_V3;
    struct tpacket_req3 q = { .tp_block_size = 1 << 18,
                              .tp_block_nr = RING_BYTES >> 18,
                              .tp_frame_size = 2048,
                              .tp_frame_nr = RING_BYTES / 2048,
                              .tp_retire_blk_tov = retire_ms };
    struct tpacket_stats_v3 stats;
    socklen_t len = sizeof stats;
    uint8_t *map;

    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof q) < 0 ||
        (map = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
        die("TPACKET_V3");
    r->ready = true;
    for (unsigned k = 0; !r->stop;) {
        struct tpacket_block_desc *block = (void *)(map + (size_t)k * q.tp_block_size);
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        const struct tpacket3_hdr *h;

        if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
            poll(&wait, 1, 50);
            continue;
        }
        h = (const void *)((const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt);
        for (unsigned i = 0; i < block->hdr.bh1.num_pkts; i++) {
            seen(r, (const uint8_t *)h + h->tp_mac, h->tp_snaplen);
            h = (const void *)((const uint8_t *)h + h->tp_next_offset);
        }
        __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        k = (k + 1) % q.tp_block_nr;
    }
    getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
    r->lost = stats.tp_drops;
    close(fd);
}

static void read_recv(struct reader *r)
{
    int fd = packet_socket(r->interface);
    int room = RING_BYTES;
    static uint8_t frame[1 << 18];
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    r->ready = true;
    while (!r->stop) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };

        poll(&wait, 1, 50);
        while ((n = recv(fd, frame, sizeof frame, MSG_DONTWAIT)) > 0)
            seen(r, frame, (size_t)n);
    }
    getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
    r->lost = stats.tp_drops;
    close(fd);
}

static void *reader_body(void *arg)
{
    struct reader *r = arg;
    int64_t start_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);

    if (strncmp(r->way, "v3-", 3) == 0)
        read_v3(r, (unsigned)atoi(r->way + 3));
    else if (strcmp(r->way, "recv") == 0)
        read_recv(r);
    else
        read_ring(r);
    r->cpu_s = (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) / 1e9;
    return NULL;
}

/* Ethernet, IPv4 10.0.0.1 -> 10.0.0.2, TCP; `n` picks the client's port. */
static void frame_fill(uint8_t *f, size_t len, uint16_t port, unsigned n)
{
    static const uint8_t head[54] = {
        2,    0, 0,  0, 0, 1, 2,  0, 0, 0, 0,  2, 8, 0, 0x45, 0, 0, 0, 0,           1,
        0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0,    0, 0, 0, [46] = 0x50, 0x18
    };

    memset(f, 'x', len);
    memcpy(f, head, sizeof head);
    f[16] = (uint8_t)((len - 14) >> 8);
    f[17] = (uint8_t)(len - 14);
    f[34] = (uint8_t)(0x80 | (n >> 8 & 0x3f));
    f[35] = (uint8_t)n;
    f[36] = (uint8_t)(port >> 8);
    f[37] = (uint8_t)port;
}

static int sender_socket(const char *interface)
{
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
    int yes = 1;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof to) < 0)
        die(interface);
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
    return fd;
}

static uint64_t send_load(const char *interface, uint16_t port, uint64_t per_s, double seconds)
{
    static uint8_t frames[BATCH][1514];
    static const size_t sizes[4] = { 66, 120, 66, 1514 }; /* ACKs, a command or a reply, some of a message */
    struct mmsghdr batch[BATCH] = { 0 };
    struct iovec parts[BATCH];
    int fd = sender_socket(interface);
    int64_t start_ns = now_ns(CLOCK_MONOTONIC);
    uint64_t sent = 0;

    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ frames[i], sizes[i % 4] };
        frame_fill(frames[i], sizes[i % 4], port, i);
        batch[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    for (int64_t gone_ns = 0; gone_ns < (int64_t)(seconds * 1e9); gone_ns = now_ns(CLOCK_MONOTONIC) - start_ns) {
        int n;

        if (sent * 1000000000 / per_s > (uint64_t)gone_ns)
            continue; /* pace: this core is the sender's alone */
        n = sendmmsg(fd, batch, BATCH, 0);
        sent += n > 0 ? (uint64_t)n : 0;
    }
    close(fd);
    return sent;
}

static void send_stamps(const char *interface, unsigned count)
{
    uint8_t frame[120];
    int fd = sender_socket(interface);

    for (unsigned i = 0; i < count; i++) {
        int64_t t_ns;

        frame_fill(frame, sizeof frame, 25, i);
        t_ns = now_ns(CLOCK_MONOTONIC);
        memcpy(frame + STAMP_AT, &t_ns, sizeof t_ns);
        if (send(fd, frame, sizeof frame, 0) < 0)
            die("send");
        usleep(3000);
    }
    close(fd);
}

static int later(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct reader r;
    pthread_t thread;
    uint64_t sent = 0;
    bool latency = argc == 6 && strcmp(argv[1], "lat") == 0;

    if (!latency && argc != 7) {
        fprintf(stderr, "usage: capture lat TX RX WAY N | load|other TX RX WAY PER_S SECONDS\n");
        return 2;
    }
    r.interface = argv[3];
    r.way = argv[4];
    r.stamps = latency;
    if (pthread_create(&thread, NULL, reader_body, &r) != 0)
        die("thread");
    while (!r.ready)
        usleep(1000);
    if (latency)
        send_stamps(argv[2], (unsigned)atoi(argv[5]));
    else
        sent = send_load(argv[2], strcmp(argv[1], "load") == 0 ? 25 : 443, (uint64_t)atoll(argv[5]), atof(argv[6]));
    usleep(100000);
    r.stop = true;
    pthread_join(thread, NULL);
    if (latency) {
        qsort(r.late_us, r.count, sizeof *r.late_us, later);
        if (r.count == 0)
            return 1;
        printf("%-5s n=%zu median_us=%.0f p99_us=%.0f max_us=%.0f\n", r.way, r.count, r.late_us[r.count / 2],
               r.late_us[r.count * 99 / 100], r.late_us[r.count - 1]);
        return 0;
    }
    printf("%-5s %s sent=%llu found=%llu lost=%llu cpu_s=%.3f us_per_frame=%.2f\n", r.way, argv[1],
           (unsigned long long)sent, (unsigned long long)r.found, (unsigned long long)r.lost, r.cpu_s,
           r.cpu_s * 1e6 / (double)(r.found ? r.found : 1));
    return 0;
}
