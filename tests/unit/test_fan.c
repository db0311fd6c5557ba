/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "hand/op.h"
#include "part/link.h"
#include "sense/hunt/fan.h"
#include "sense/hunt/hunt.h"

static const struct key_ports ports = { .count = 2, .at = { 25, 587 } };

/* 10.0.HOST -> 10.9.9.9 as raw IP, or back. */
static void packet(uint8_t p[40], uint16_t host, uint16_t client_port, uint16_t server_port, bool back)
{
    const uint8_t head[20] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6 };
    const uint8_t client[4] = { 10, 0, (uint8_t)(host >> 8), (uint8_t)host };
    const uint8_t server[4] = { 10, 9, 9, 9 };

    memset(p, 0, 40);
    memcpy(p, head, sizeof(head));
    memcpy(p + 12, back ? server : client, 4);
    memcpy(p + 16, back ? client : server, 4);
    p[back ? 22 : 20] = (uint8_t)(client_port >> 8);
    p[back ? 23 : 21] = (uint8_t)client_port;
    p[back ? 20 : 22] = (uint8_t)(server_port >> 8);
    p[back ? 21 : 23] = (uint8_t)server_port;
    p[32] = 0x50;
}

static unsigned owners(const uint8_t *p, size_t len, unsigned of, unsigned *last)
{
    struct engine_frame f = { .link = LINK_RAW, .bytes = slice_of(p, len), .wire_len = len };
    unsigned n = 0;

    for (unsigned i = 0; i < of; i++)
        if (fan_is_ours(&(struct fan_share){ .own = i, .of = of, .seed = 42 }, &f, &ports)) {
            *last = i;
            n++;
        }
    return n;
}

static void each_client_has_one_reader_whatever_it_speaks(void **state)
{
    unsigned used[4] = { 0 };

    (void)state;
    for (uint16_t host = 1; host < 400; host++) {
        uint8_t p[40];
        unsigned first, other;

        packet(p, host, 40000, 25, false);
        assert_int_equal(owners(p, sizeof(p), 4, &first), 1);
        used[first]++;
        packet(p, host, 40000, 25, true);
        assert_int_equal(owners(p, sizeof(p), 4, &other), 1);
        assert_int_equal(other, first);
        packet(p, host, 51234, 587, false);
        assert_int_equal(owners(p, sizeof(p), 4, &other), 1);
        assert_int_equal(other, first);
    }
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(used[i], 50, 150);
}

static void what_has_no_ports_is_everybodys(void **state)
{
    uint8_t p[40];
    unsigned last;

    (void)state;
    packet(p, 1, 40000, 25, false);
    p[6] = 0x20;
    p[7] = 10; /* a later fragment */
    assert_int_equal(owners(p, sizeof(p), 4, &last), 4);
    assert_int_equal(owners(p, 3, 4, &last), 4);
}

static void a_lone_reader_reads_all(void **state)
{
    uint8_t p[40];
    unsigned last;

    (void)state;
    packet(p, 7, 1, 25, false);
    assert_int_equal(owners(p, sizeof(p), 1, &last), 1);
}

/* ---- the part with three readers; we are its core ---- */

struct core {
    struct loop *loop;
    struct chan *link;
    struct role *role;
    unsigned asks, asked[8], started, counters;
};

static int packet_socket(void)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1 };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static int on_ask(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ctx;
    const struct hand_capture *what = body;
    struct hand_captured answer = { .code = HAND_OK, .ifindex = 1, .link_type = ARPHRD_LOOPBACK };
    int got = packet_socket();

    (void)fd;
    assert_in_range(m->id, 1, 3);
    c->asked[m->id]++;
    c->asks++;
    memcpy(answer.name, what->name, sizeof(answer.name));
    assert_int_equal(chan_send(from, HAND_CAPTURE + HAND_ANSWER, m->id, 0, &answer, sizeof(answer), got), 0);
    close(got);
    return 0;
}

static int on_event(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ctx;
    struct event ev;

    (void)from;
    (void)m;
    (void)fd;
    memcpy(&ev, body, sizeof(ev));
    c->started += ev.kind == EV_HUNT_STARTED;
    return 0;
}

static int on_counters(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ctx;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    if (++c->counters == 3) /* every reader has said something */
        sense_hunt.stop(c->role);
    return 0;
}

static const struct chan_op core_ops[] = {
    { HAND_CAPTURE, "capture", sizeof(struct hand_capture), sizeof(struct hand_capture), false, on_ask },
    { LINK_EVENT, "event", sizeof(struct event), sizeof(struct event), false, on_event },
    { LINK_COUNTERS, "counters", sizeof(struct link_counters), sizeof(struct link_counters), false, on_counters },
};

static void on_ended(void *ctx, struct chan *link, const char *why)
{
    (void)link;
    print_message("%s\n", why);
    loop_stop(((struct core *)ctx)->loop);
}

static void give_up(void *ctx)
{
    loop_stop(ctx);
}

static struct hunt_settings *settings_of_three(void)
{
    struct hunt_settings *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->mode = HUNT_OBSERVE;
    s->interfaces.count = 1;
    memcpy(s->interfaces.at[0], "lo", 3);
    s->ports = ports;
    s->flows = s->sources = s->half_open = 1000;
    s->reorder_bytes = s->reorder_total = s->fragments_bytes = 1 << 20;
    s->line_bytes = 2048;
    s->idle_us = s->half_open_us = s->closed_us = 1000000;
    s->limits.window_us = 1000000;
    s->ring_bytes = 256 << 10;
    s->threads = 3;
    s->evidence = true;
    s->evidence_bytes = 65536;
    return s;
}

static void three_readers_work_and_end_as_one(void **state)
{
    struct hand_link lo = { .name = "lo", .ifindex = 1, .link_type = ARPHRD_LOOPBACK, .up = 1 };
    struct hunt_settings *settings = settings_of_three();
    static struct role role; /* the part lives as long as the process, and is reached from here */
    struct core core = { .role = &role };
    struct err e = { 0 };
    int ends[2];

    (void)state;
    role = (struct role){ .part = &sense_hunt, .settings = settings, .settings_size = sizeof(*settings) };
    if (unshare(CLONE_NEWNET) < 0) {
        free(settings);
        skip(); /* needs root */
    }
    assert_int_equal(chan_pair(ends, &e), 0);
    role.loop = core.loop = loop_new(&e);
    role.core = chan_new(ends[0], "core", sense_hunt.ops, sense_hunt.ops_count, &role, &e);
    core.link = chan_new(ends[1], "hunt", core_ops, sizeof(core_ops) / sizeof(core_ops[0]), &core, &e);
    assert_int_equal(chan_attach(role.core, role.loop, on_ended, &e), 0);
    assert_int_equal(chan_attach(core.link, core.loop, on_ended, &e), 0);
    assert_int_equal(sense_hunt.open(&role, &e), 0);
    assert_int_equal(sense_hunt.run(&role, &e), 0);
    assert_int_equal(chan_send(core.link, HAND_FACT_LINK, 0, 0, &lo, sizeof(lo), -1), 0);
    assert_int_equal(chan_send(core.link, HAND_FACT_LINKS_KNOWN, 0, 0, NULL, 0, -1), 0);
    assert_int_not_equal(loop_timer(role.loop, 20000000, 0, give_up, role.loop), 0);
    assert_int_equal(loop_run(role.loop, &e), 0);
    assert_int_equal(core.asks, 3); /* one for each reader, */
    assert_int_equal(core.asked[1] && core.asked[2] && core.asked[3], 1);
    assert_int_equal(core.started, 1); /* one for the people */
    assert_int_equal(core.counters, 3);
    chan_free(role.core);
    chan_free(core.link);
    loop_free(role.loop);
    free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_one_reader_whatever_it_speaks),
        cmocka_unit_test(what_has_no_ports_is_everybodys),
        cmocka_unit_test(a_lone_reader_reads_all),
        cmocka_unit_test(three_readers_work_and_end_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
