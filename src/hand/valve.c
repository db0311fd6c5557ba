/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/valve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "hand/hold.h"
#include "hand/nl.h"
#include "sys/chan.h"
#include "sys/clock.h"
#include "sys/say.h"

enum { PACKETS = 1024, WAIT_US = 2000000, TICKS_PER_WAIT = 16, TURN = 64, HUNT_BYTES = 8 << 20 };
enum { READ_BYTES = HOLD_BYTES + 4096 };

struct waiting { /* one packet in the kernel that nobody has judged yet */
    uint32_t id; /* 0: free */
    int64_t until_us;
};

struct valve {
    struct loop *loop;
    struct chan *core;       /* own */
    struct chan *hunt;       /* own; NULL: nobody judges */
    struct nl nl;            /* own; bound to the queue */
    struct waiting *waiting; /* own; a slot is the id's low bits, as ids follow each other */
    size_t mask, count;
    uint32_t tick; /* timer, while something waits */
    uint16_t queue;
    uint32_t packets;
    int64_t wait_us;
    bool open; /* what nobody judges passes */
    union {
        struct hold_packet head;
        uint8_t bytes[CHAN_BODY];
    } out;
    _Alignas(struct nlmsghdr) char in[READ_BYTES];
};

/* ---- the kernel's queue ---- */

static struct nlmsghdr *begin(void *buffer, const struct valve *v, uint16_t type)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct nfgenmsg *g;

    h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
    h->nlmsg_flags = NLM_F_REQUEST;
    g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
    *g = (struct nfgenmsg){ .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(v->queue) };
    return h;
}

static int bind_queue(struct valve *v, struct err *e)
{
    _Alignas(struct nlmsghdr) char buffer[256] = { 0 };
    struct nfqnl_msg_config_cmd bind_it = { .command = NFQNL_CFG_CMD_BIND };
    struct nfqnl_msg_config_params params = { .copy_range = htonl(HOLD_BYTES), .copy_mode = NFQNL_COPY_PACKET };
    uint32_t flags = NFQA_CFG_F_GSO | (v->open ? NFQA_CFG_F_FAIL_OPEN : 0);
    struct nlmsghdr *h = begin(buffer, v, NFQNL_MSG_CONFIG);
    int quiet = 1;

    h->nlmsg_flags |= NLM_F_ACK;
    mnl_attr_put(h, NFQA_CFG_CMD, sizeof(bind_it), &bind_it);
    mnl_attr_put(h, NFQA_CFG_PARAMS, sizeof(params), &params);
    mnl_attr_put_u32(h, NFQA_CFG_QUEUE_MAXLEN, htonl(v->packets));
    mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
    mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(flags));
    if (nl_ask(&v->nl, h, NULL, NULL) < 0)
        return err_set(e, errno, "the kernel's packet queue %u (another program may hold it)", (unsigned)v->queue);
    (void)mnl_socket_setsockopt(v->nl.socket, NETLINK_NO_ENOBUFS, &quiet, sizeof(quiet));
    return 0;
}

static void decide(struct valve *v, uint32_t id, bool accept)
{
    _Alignas(struct nlmsghdr) char buffer[64] = { 0 };
    struct nfqnl_msg_verdict_hdr verdict = { .verdict = htonl(accept ? NF_ACCEPT : NF_DROP), .id = htonl(id) };
    struct nlmsghdr *h = begin(buffer, v, NFQNL_MSG_VERDICT);

    mnl_attr_put(h, NFQA_VERDICT_HDR, sizeof(verdict), &verdict);
    (void)mnl_socket_sendto(v->nl.socket, h, h->nlmsg_len);
}

/* ---- what waits ---- */

static void settle(struct valve *v, struct waiting *w, bool accept)
{
    decide(v, w->id, accept);
    w->id = 0;
    v->count--;
}

/* Those whose time is over; all of them with `everything`. */
static void settle_over(struct valve *v, bool everything)
{
    int64_t now_us = clock_mono_us();

    for (size_t i = 0; i <= v->mask && v->count > 0; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): nothing is counted before there is room */
        if (v->waiting[i].id != 0 && (everything || v->waiting[i].until_us <= now_us))
            settle(v, &v->waiting[i], v->open);
    if (v->count == 0 && v->tick != 0) {
        loop_untimer(v->loop, v->tick);
        v->tick = 0;
    }
}

static void on_tick(void *ctx)
{
    settle_over(ctx, false);
}

static void wait_for(struct valve *v, uint32_t id)
{
    struct waiting *w = &v->waiting[id & v->mask];

    if (w->id != 0)
        settle(v, w, v->open);
    *w = (struct waiting){ .id = id, .until_us = clock_mono_us() + v->wait_us };
    v->count++;
    if (v->tick == 0)
        v->tick = loop_timer(v->loop, v->wait_us / TICKS_PER_WAIT, v->wait_us / TICKS_PER_WAIT + 1, on_tick, v);
}

static uint32_t number(const struct nlattr *a)
{
    return a && mnl_attr_validate(a, MNL_TYPE_U32) == 0 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

static int on_packet(const struct nlmsghdr *h, void *ctx)
{
    struct valve *v = ctx;
    const struct nlattr *at[NFQA_MAX + 1] = { 0 };
    struct hold_packet head = { 0 };
    struct nfqnl_msg_packet_hdr packet;
    const struct nlattr *a;

    if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
        mnl_nlmsg_get_payload_len(h) < sizeof(struct nfgenmsg))
        return MNL_CB_OK;
    NL_EACH(a, h, sizeof(struct nfgenmsg))
    if (mnl_attr_get_type(a) <= NFQA_MAX)
        at[mnl_attr_get_type(a)] = a;
    if (!at[NFQA_PACKET_HDR] || mnl_attr_get_payload_len(at[NFQA_PACKET_HDR]) < sizeof(packet))
        return MNL_CB_OK;
    memcpy(&packet, mnl_attr_get_payload(at[NFQA_PACKET_HDR]), sizeof(packet));
    head.id = ntohl(packet.packet_id);
    head.in = (int32_t)number(at[NFQA_IFINDEX_INDEV]);
    head.out = (int32_t)number(at[NFQA_IFINDEX_OUTDEV]);
    head.hook = packet.hook;
    head.family = ntohs(packet.hw_protocol) == ETH_P_IPV6 ? 6 : 4;
    head.offload = (uint8_t)(number(at[NFQA_SKB_INFO]) & (NFQA_SKB_CSUMNOTREADY | NFQA_SKB_GSO));
    head.len = at[NFQA_PAYLOAD] ? mnl_attr_get_payload_len(at[NFQA_PAYLOAD]) : 0;
    head.len = head.len > HOLD_BYTES ? HOLD_BYTES : head.len;
    head.whole = at[NFQA_CAP_LEN] ? number(at[NFQA_CAP_LEN]) : head.len;
    v->out.head = head;
    if (head.len > 0)
        memcpy(v->out.bytes + sizeof(head), mnl_attr_get_payload(at[NFQA_PAYLOAD]), head.len);
    if (v->hunt && chan_send(v->hunt, HOLD_PACKET, 0, 0, &v->out, sizeof(head) + head.len, -1) == 0)
        wait_for(v, head.id);
    else
        decide(v, head.id, v->open);
    return MNL_CB_OK;
}

static void on_queue(void *ctx, int fd, int events)
{
    struct valve *v = ctx;

    (void)fd;
    (void)events;
    for (int i = 0; i < TURN; i++) { /* the rest when the loop comes by again: verdicts want their turn */
        ssize_t got = mnl_socket_recvfrom(v->nl.socket, v->in, sizeof(v->in));

        if (got < 0)
            return;
        (void)mnl_cb_run(v->in, (size_t)got, 0, 0, on_packet, v);
    }
}

/* ---- the hunt ---- */

static int on_verdicts(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct valve *v = ctx;
    const struct hold_verdict *said = body;

    (void)from;
    (void)fd;
    if (m->len % sizeof(*said) != 0)
        return -1;
    for (size_t i = 0; i < m->len / sizeof(*said); i++) {
        struct waiting *w = &v->waiting[said[i].id & v->mask];

        if (said[i].id != 0 && w->id == said[i].id) /* else it came too late */
            settle(v, w, said[i].accept != 0);
    }
    return 0;
}

static const struct chan_op verdict_ops[] = {
    { HOLD_VERDICT, "verdict", sizeof(struct hold_verdict), HOLD_BATCH * sizeof(struct hold_verdict), false,
      on_verdicts },
};

static void lose_hunt(struct valve *v)
{
    chan_free(v->hunt);
    v->hunt = NULL;
    settle_over(v, true);
}

static void on_hunt_gone(void *ctx, struct chan *c, const char *why)
{
    (void)c;
    say_debug("link to the hunt: %s", why);
    lose_hunt(ctx);
}

/* Our end becomes v->hunt, the other is returned. */
static int new_hunt(struct valve *v, struct err *e)
{
    int ends[2];

    lose_hunt(v);
    if (chan_pair(ends, e) < 0)
        return -1;
    v->hunt = chan_new(ends[0], "hunt", verdict_ops, 1, v, e);
    if (!v->hunt || chan_attach(v->hunt, v->loop, on_hunt_gone, e) < 0) {
        lose_hunt(v);
        (void)close(ends[1]);
        return -1;
    }
    chan_limit(v->hunt, HUNT_BYTES);
    return ends[1];
}

/* ---- the core ---- */

static int on_hold(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct valve *v = ctx;
    struct err e = { 0 };
    int other = new_hunt(v, &e);
    struct hand_outcome out = { .code = other < 0 ? HAND_FAILED : HAND_OK, .error = other < 0 ? e.code : 0 };

    (void)body;
    (void)fd;
    (void)chan_send(from, HAND_HOLD + HAND_ANSWER, m->id, m->cause, &out, sizeof(out), other);
    if (other >= 0)
        (void)close(other);
    return 0;
}

static int on_stop(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct valve *v = ctx;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    loop_stop(v->loop);
    return 0;
}

static const struct chan_op asks[] = {
    { HAND_HOLD, "hold", 0, 0, false, on_hold },
    { HAND_STOP, "stop", sizeof(struct hand_stop), sizeof(struct hand_stop), false, on_stop },
};

static void on_core_gone(void *ctx, struct chan *c, const char *why)
{
    struct valve *v = ctx;

    (void)c;
    say_debug("link to the core: %s", why);
    loop_stop(v->loop);
}

struct valve *valve_new(struct loop *l, int link, const struct hand_settings *set, struct err *e)
{
    struct valve *v = calloc(1, sizeof(*v));

    if (!v) {
        (void)err_set(e, ENOMEM, "the valve");
        return NULL;
    }
    v->loop = l;
    v->queue = set->hold_queue ? set->hold_queue : HOLD_QUEUE;
    v->packets = set->hold_packets ? set->hold_packets : PACKETS;
    v->wait_us = set->hold_wait_us ? set->hold_wait_us : WAIT_US;
    v->open = set->hold_fails_open;
    v->mask = 255;
    while (v->mask < 4 * (size_t)v->packets && v->mask < 1 << 20)
        v->mask = v->mask * 2 + 1;
    v->waiting = calloc(v->mask + 1, sizeof(*v->waiting));
    v->core = chan_new(link, "core", asks, sizeof(asks) / sizeof(asks[0]), v, e);
    if (!v->waiting)
        (void)err_set(e, ENOMEM, "the valve");
    if (!v->waiting || !v->core || nl_open(&v->nl, NETLINK_NETFILTER, e) < 0) {
        valve_free(v);
        return NULL;
    }
    return v;
}

void valve_free(struct valve *v)
{
    if (!v)
        return;
    if (v->nl.socket)
        lose_hunt(v);
    nl_close(&v->nl);
    chan_free(v->core);
    free(v->waiting);
    free(v);
}

int valve_begin(struct valve *v, unsigned gaps, struct err *e)
{
    struct hand_ready ready = { .gaps = (uint8_t)gaps };

    if (bind_queue(v, e) < 0 || chan_attach(v->core, v->loop, on_core_gone, e) < 0 ||
        loop_watch(v->loop, mnl_socket_get_fd(v->nl.socket), LOOP_IN, on_queue, v, e) < 0)
        return -1;
    return chan_send(v->core, HAND_FACT_READY, 0, 0, &ready, sizeof(ready), -1) < 0 ? err_set(e, 0, "the core is gone")
                                                                                    : 0;
}
