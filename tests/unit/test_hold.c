/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hand/hold.h"
#include "sense/hunt/hold.h"
#include "sys/chan.h"

static bool passes(struct engine_verdict v, bool any_mail, bool has_data)
{
    return hold_passes(&(struct hold_case){ .engine = v, .any_mail = any_mail, .has_data = has_data });
}

static void handshake_and_greeting_pass(void **state)
{
    (void)state;
    assert_true(passes((struct engine_verdict){ .flow = 1 }, true, false));
    assert_true(passes((struct engine_verdict){ .flow = 1, .handshake = true }, true, true));
}

static void mail_of_an_unknown_host_does_not_leave(void **state)
{
    (void)state;
    assert_false(passes(
        (struct engine_verdict){ .flow = 1, .handshake = true, .confirmed = true, .spoke_mail = true, .found = true },
        true, true));
    assert_false(passes((struct engine_verdict){ .flow = 1, .spoke_mail = true }, true,
                        true)); /* unproven: not blocked, but held */
}

static void where_limits_rule_mail_passes_until_one_is_crossed(void **state)
{
    (void)state;
    assert_true(passes((struct engine_verdict){ .flow = 1, .spoke_mail = true }, false, true));
    assert_false(passes((struct engine_verdict){ .flow = 1, .spoke_mail = true, .found = true }, false, true));
}

static void an_allowed_host_is_never_held(void **state)
{
    (void)state;
    assert_true(
        passes((struct engine_verdict){ .flow = 1, .spoke_mail = true, .found = true, .allowed = true }, true, true));
}

static void a_flow_with_two_stories_is_held(void **state)
{
    struct hold_case c = {
        .engine = { .flow = 1, .handshake = true }, .differs = true, .has_data = true, .fails_open = true
    };

    (void)state;
    assert_false(hold_passes(&c));
}

static void what_can_t_be_followed_goes_the_configured_way(void **state)
{
    struct hold_case c = { .has_data = true };

    (void)state;
    assert_false(hold_passes(&c));
    c.fails_open = true;
    assert_true(hold_passes(&c));
    c.fails_open = false;
    c.has_data = false; /* a SYN, an ACK: no message is in it */
    assert_true(hold_passes(&c));
}

/* ---- over the link ---- */

struct bench { /* a hunt of which only the valve's side is real */
    struct loop *loop;
    struct hold *hold;
    int valve; /* our end: we are the valve */
    unsigned before, judged, held, gone;
    struct engine_verdict next;
    struct engine_frame frame;
    struct addr client, server;
};

static void on_before(void *ctx)
{
    ((struct bench *)ctx)->before++;
}

static struct engine_verdict on_judge(void *ctx, const struct engine_frame *f)
{
    struct bench *b = ctx;

    b->judged++;
    b->frame = *f;
    return b->next;
}

static bool on_any_mail(void *ctx, struct addr who)
{
    (void)ctx;
    return who.family == 4;
}

static void on_held(void *ctx, uint64_t flow, struct addr client, struct addr server)
{
    struct bench *b = ctx;

    assert_int_equal(flow, b->next.flow);
    b->held++;
    b->client = client;
    b->server = server;
}

static void on_gone(void *ctx, const char *why)
{
    struct bench *b = ctx;

    (void)why;
    b->gone++;
    hold_free(b->hold);
    b->hold = NULL;
    loop_stop(b->loop);
}

static void stop(void *ctx)
{
    loop_stop(((struct bench *)ctx)->loop);
}

static void turn(struct bench *b)
{
    struct err e;

    /* what was sent before is there at once; the time is for a first round under valgrind */
    assert_int_not_equal(loop_timer(b->loop, 20000, 0, stop, b), 0);
    assert_int_equal(loop_run(b->loop, &e), 0);
}

static void bench_up(struct bench *b)
{
    struct hold_calls calls = {
        .ctx = b, .before = on_before, .judge = on_judge, .any_mail = on_any_mail, .held = on_held, .gone = on_gone
    };
    struct err e;
    int fds[2];

    memset(b, 0, sizeof(*b));
    assert_int_equal(chan_pair(fds, &e), 0);
    b->loop = loop_new(&e);
    assert_non_null(b->loop);
    b->valve = fds[0];
    b->hold = hold_new(fds[1], b->loop, &calls, false, &e);
    assert_non_null(b->hold);
}

static void bench_down(struct bench *b)
{
    hold_free(b->hold);
    loop_free(b->loop);
    if (b->valve >= 0)
        close(b->valve);
}

/* 10.1.0.2:40000 -> 10.2.0.2:25 with `data`. */
static void say_packet(const struct bench *b, uint32_t id, const char *data, uint32_t lie)
{
    struct {
        struct msg m;
        struct hold_packet p;
        uint8_t ip[200];
    } out = { .m = { .op = HOLD_PACKET }, .p = { .id = id, .family = 4, .offload = 1 } };
    const uint8_t head[40] = { 0x45,        0,    0,    (uint8_t)(40 + strlen(data)),
                               0,           0,    0x40, 0,
                               64,          6,    0,    0,
                               10,          1,    0,    2,
                               10,          2,    0,    2,
                               0x9c,        0x40, 0,    25,
                               [32] = 0x50, 0x18 };

    memcpy(out.ip, head, sizeof(head));
    memcpy(out.ip + sizeof(head), data, strlen(data));
    out.p.len = (uint32_t)(sizeof(head) + strlen(data));
    out.m.len = (uint16_t)(sizeof(out.p) + out.p.len);
    out.p.whole = out.p.len;
    out.p.len += lie;
    assert_true(send(b->valve, &out, sizeof(out.m) + out.m.len, 0) > 0);
}

static size_t heard(const struct bench *b, struct hold_verdict *v, size_t most)
{
    struct {
        struct msg m;
        struct hold_verdict v[HOLD_BATCH];
    } in;
    ssize_t n = recv(b->valve, &in, sizeof(in), MSG_DONTWAIT);
    size_t count = n < (ssize_t)sizeof(in.m) ? 0 : ((size_t)n - sizeof(in.m)) / sizeof(in.v[0]);

    if (count == 0)
        return 0;
    assert_int_equal(in.m.op, HOLD_VERDICT);
    assert_true(count <= most);
    memcpy(v, in.v, count * sizeof(in.v[0]));
    return count;
}

static void packets_are_judged_in_order_and_answered_together(void **state)
{
    struct hold_verdict v[HOLD_BATCH];
    struct bench b;

    (void)state;
    bench_up(&b);
    b.next = (struct engine_verdict){ .flow = 7, .handshake = true };
    say_packet(&b, 100, "EHLO pc\r\n", 0);
    say_packet(&b, 101, "", 0);
    turn(&b);
    hold_flush(b.hold);
    assert_int_equal(b.before, 2); /* the rings first, each time */
    assert_int_equal(b.frame.link, LINK_RAW);
    assert_int_equal(b.frame.sum, SUM_GOOD);
    assert_true(b.frame.held);
    assert_int_equal(heard(&b, v, HOLD_BATCH), 2);
    assert_int_equal(v[0].id, 100);
    assert_int_equal(v[1].id, 101);
    assert_true(v[0].accept && v[1].accept);
    b.next.spoke_mail = true;
    say_packet(&b, 102, "MAIL FROM:<a@b.example>\r\n", 0);
    turn(&b);
    hold_flush(b.hold);
    assert_int_equal(heard(&b, v, HOLD_BATCH), 1);
    assert_int_equal(v[0].accept, 0);
    assert_int_equal(b.held, 1);
    assert_true(addr_eq(b.client, addr_v4(0x0a010002, 40000)));
    assert_true(addr_eq(b.server, addr_v4(0x0a020002, 25)));
    bench_down(&b);
}

static void a_hundred_packets_get_a_hundred_answers(void **state)
{
    struct hold_verdict v[HOLD_BATCH];
    struct bench b;
    size_t n = 0;

    (void)state;
    bench_up(&b);
    b.next.flow = 1;
    for (uint32_t i = 0; i < 100; i++)
        say_packet(&b, i, "x", 0);
    for (int i = 0; i < 100 && b.judged < 100; i++)
        turn(&b);
    hold_flush(b.hold);
    for (size_t got; (got = heard(&b, v, HOLD_BATCH)) > 0; n += got)
        for (size_t i = 0; i < got; i++)
            assert_int_equal(v[i].id, n + i);
    assert_int_equal(n, 100);
    bench_down(&b);
}

static void a_distrusted_flow_is_held_from_then_on(void **state)
{
    struct hold_verdict v[HOLD_BATCH];
    struct bench b;

    (void)state;
    bench_up(&b);
    b.next = (struct engine_verdict){ .flow = 7, .handshake = true };
    hold_distrust(b.hold, 7);
    say_packet(&b, 1, "NOOP\r\n", 0);
    turn(&b);
    hold_flush(b.hold);
    assert_int_equal(heard(&b, v, HOLD_BATCH), 1);
    assert_int_equal(v[0].accept, 0);
    bench_down(&b);
}

static void a_valve_that_lies_about_a_length_is_cut_off(void **state)
{
    struct bench b;

    (void)state;
    bench_up(&b);
    say_packet(&b, 1, "x", 1);
    turn(&b);
    assert_int_equal(b.judged, 0);
    assert_int_equal(b.gone, 1);
    bench_down(&b);
}

static void a_valve_that_ends_is_noticed(void **state)
{
    struct bench b;

    (void)state;
    bench_up(&b);
    close(b.valve);
    b.valve = -1;
    turn(&b);
    assert_int_equal(b.gone, 1);
    bench_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_and_greeting_pass),
        cmocka_unit_test(mail_of_an_unknown_host_does_not_leave),
        cmocka_unit_test(where_limits_rule_mail_passes_until_one_is_crossed),
        cmocka_unit_test(an_allowed_host_is_never_held),
        cmocka_unit_test(a_flow_with_two_stories_is_held),
        cmocka_unit_test(what_can_t_be_followed_goes_the_configured_way),
        cmocka_unit_test(packets_are_judged_in_order_and_answered_together),
        cmocka_unit_test(a_hundred_packets_get_a_hundred_answers),
        cmocka_unit_test(a_distrusted_flow_is_held_from_then_on),
        cmocka_unit_test(a_valve_that_lies_about_a_length_is_cut_off),
        cmocka_unit_test(a_valve_that_ends_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
