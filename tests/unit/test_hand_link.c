/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hand as its own process: what is said over its links, and the valve. */
#include "hand_world.h"

static struct {
    unsigned seen[256]; /* by op */
    struct hand_outcome outcome;
    struct hand_captured captured;
    struct hand_link lan;
    uint32_t tracked, cut_ids; /* of all answers to HAND_KILL: connections, and the ids as a sum */
    int32_t cut_error;
    int fd;
} heard;

static int on_any(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)ctx;
    (void)from;
    heard.seen[m->op]++;
    if (fd >= 0)
        heard.fd = fd;
    if (m->op == HAND_BLOCK + HAND_ANSWER || m->op == HAND_HOLD + HAND_ANSWER)
        memcpy(&heard.outcome, body, sizeof(heard.outcome));
    if (m->op == HAND_CAPTURE + HAND_ANSWER)
        memcpy(&heard.captured, body, sizeof(heard.captured));
    if (m->op == HAND_KILL + HAND_ANSWER) {
        struct hand_killed killed;

        memcpy(&killed, body, sizeof(killed));
        heard.tracked += killed.tracked;
        heard.cut_ids += m->id;
        heard.cut_error = killed.error;
    }
    if (m->op == HAND_FACT_LINK && strcmp(((const struct hand_link *)body)->name, "lan0") == 0)
        memcpy(&heard.lan, body, sizeof(heard.lan));
    return 0;
}

static int on_packet(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd);

#define ROW(op)                                                                                                        \
    {                                                                                                                  \
        (op), "any", 0, CHAN_BODY, true, on_any                                                                        \
    }
static const struct chan_op core_ops[] = {
    ROW(HAND_BLOCK + HAND_ANSWER), ROW(HAND_CAPTURE + HAND_ANSWER),
    ROW(HAND_LIST + HAND_ANSWER),  ROW(HAND_HOLD + HAND_ANSWER),
    ROW(HAND_FACT_LINK),           ROW(HAND_FACT_LINKS_KNOWN),
    ROW(HAND_FACT_TABLE),          ROW(HAND_FACT_READY),
    ROW(HAND_FACT_LIFTED),         ROW(HAND_KILL + HAND_ANSWER),
};

static const struct chan_op hunt_ops[] = { { HOLD_PACKET, "packet", sizeof(struct hold_packet), CHAN_BODY, false,
                                             on_packet } };

static int serve_cutter(int link)
{
    struct loop *l = loop_new(&e);
    struct cutter *c = l ? cutter_new(l, link, &e) : NULL;
    int rc = c && cutter_begin(c, &e) == 0 ? loop_run(l, &e) : -1;

    cutter_free(c);
    loop_free(l);
    return rc < 0;
}

/* As main.c does it, without the jail; the cutter ends when its link does. */
static int fork_cutter(int core)
{
    int ends[2];

    if (chan_pair(ends, &e) < 0)
        return -1;
    if (fork() == 0) {
        (void)close(ends[0]);
        (void)close(core);
        _exit(serve_cutter(ends[1]));
    }
    (void)close(ends[1]);
    return ends[0];
}

static int serve(int link, bool valve)
{
    int to_cutter = valve ? -1 : fork_cutter(link);
    struct loop *l = loop_new(&e);
    const void *at_settings = NULL;
    int settings = memfile_from(&set, sizeof(set), "settings", &e);
    void *own;
    int rc;

    if (!l || settings < 0 || memfile_map(settings, sizeof(set), &at_settings, &e) < 0)
        return 1;
    own = valve ? (void *)valve_new(l, link, at_settings, &e) : (void *)act_new(l, link, to_cutter, at_settings, &e);
    rc = own && (valve ? valve_begin(own, 0, &e) : act_begin(own, 0, &e)) == 0 ? loop_run(l, &e) : -1;
    if (rc < 0)
        (void)fprintf(stderr, "%s\n", e.text);
    if (valve)
        valve_free(own);
    else
        act_free(own);
    loop_free(l);
    return rc < 0;
}

static struct chan *start(bool valve, pid_t *child)
{
    int ends[2];
    struct chan *c;

    assert_int_equal(chan_pair(ends, &e), 0);
    *child = fork();
    if (*child == 0) {
        (void)close(ends[0]);
        _exit(serve(ends[1], valve));
    }
    (void)close(ends[1]);
    memset(&heard, 0, sizeof(heard));
    heard.fd = -1;
    c = chan_new(ends[0], "hand", core_ops, sizeof(core_ops) / sizeof(core_ops[0]), NULL, &e);
    assert_non_null(c);
    return c;
}

static void hear(struct chan *c, unsigned op, unsigned times)
{
    for (int i = 0; i < 100 && heard.seen[op] < times; i++)
        assert_int_equal(chan_wait(c, 50000, &e), 0);
    assert_true(heard.seen[op] >= times);
}

static int end_of(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int leave_the_table_to_the_child(void **state)
{
    (void)walled(state);
    return torn_down(state);
}

static void over_the_link_it_blocks_captures_and_reports(void **state)
{
    struct hand_block ask = { .who = at("10.1.0.7"), .seconds = 60 };
    struct hand_capture named = { "lan0" };
    struct hand_capture unrouted = { "pc0" };
    struct hand_stop stop = { .clear = 1 };
    struct sock_filter pass = { BPF_RET | BPF_K, 0, 0, 0xffff };
    struct sock_fprog program = { 1, &pass };
    pid_t child;
    struct chan *c = start(false, &child);

    (void)state;
    hear(c, HAND_FACT_LINKS_KNOWN, 1);
    assert_int_equal(heard.seen[HAND_FACT_READY], 1);
    assert_int_equal(heard.seen[HAND_FACT_TABLE], 1);
    assert_true(heard.lan.routed && heard.lan.up && !heard.lan.default_route);
    assert_int_equal(chan_send(c, HAND_BLOCK, 1, 0, &ask, sizeof(ask), -1), 0);
    hear(c, HAND_BLOCK + HAND_ANSWER, 1);
    assert_int_equal(heard.outcome.code, HAND_OK);
    assert_int_equal(chan_send(c, HAND_CAPTURE, 2, 0, &unrouted, sizeof(unrouted), -1), 0);
    hear(c, HAND_CAPTURE + HAND_ANSWER, 1);
    assert_int_equal(heard.captured.code, HAND_NOT_NAMED);
    assert_int_equal(heard.fd, -1);
    assert_int_equal(chan_send(c, HAND_CAPTURE, 3, 0, &named, sizeof(named), -1), 0);
    hear(c, HAND_CAPTURE + HAND_ANSWER, 2);
    assert_int_equal(heard.captured.code, HAND_OK);
    assert_true(heard.fd >= 0);
    assert_int_equal(setsockopt(heard.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), -1);
    assert_int_equal(errno, EPERM);
    (void)close(heard.fd);
    shell("ip addr add 10.1.0.7/24 dev lan0");
    hear(c, HAND_FACT_LIFTED, 1);
    shell("ip addr del 10.1.0.7/24 dev lan0");
    assert_int_equal(chan_send(c, HAND_STOP, 0, 0, &stop, sizeof(stop), -1), 0);
    assert_int_equal(end_of(child), 0);
    chan_free(c);
    shell("! nft list ruleset | grep -q serviola");
}

static void each_cut_is_answered_by_its_own_id_and_blocks_do_not_wait_for_it(void **state)
{
    struct hand_block asks[2] = { { .who = at("10.1.0.1"), .seconds = 60 }, { .who = at("10.1.0.7"), .seconds = 60 } };
    struct hand_block late = { .who = at("10.1.0.8"), .seconds = 60 };
    struct addr unblocked = at("10.1.0.9");
    struct hand_stop stop = { .clear = 1 };
    pid_t child;
    struct chan *c;
    int fd;

    (void)state;
    shell(TRACK);
    fd = call();
    assert_true(fd >= 0);
    c = start(false, &child);
    hear(c, HAND_FACT_LINKS_KNOWN, 1);
    assert_int_equal(chan_send(c, HAND_BLOCK, 1, 0, asks, sizeof(asks), -1), 0);
    assert_int_equal(chan_send(c, HAND_KILL, 2, 0, &unblocked, sizeof(unblocked), -1), 0);
    hear(c, HAND_KILL + HAND_ANSWER, 1);
    assert_int_equal(heard.cut_error, EPERM);
    assert_int_equal(chan_send(c, HAND_KILL, 10, 0, &asks[0].who, sizeof(asks[0].who), -1), 0);
    assert_int_equal(chan_send(c, HAND_KILL, 20, 0, &asks[1].who, sizeof(asks[1].who), -1), 0);
    assert_int_equal(chan_send(c, HAND_BLOCK, 3, 0, &late, sizeof(late), -1), 0);
    hear(c, HAND_BLOCK + HAND_ANSWER, 2);
    assert_int_equal(heard.seen[HAND_KILL + HAND_ANSWER], 1);
    hear(c, HAND_KILL + HAND_ANSWER, 3);
    assert_int_equal(heard.cut_ids, 32);
    assert_int_equal(heard.cut_error, 0);
    assert_true(heard.tracked >= 1);
    (void)close(fd);
    assert_int_equal(chan_send(c, HAND_STOP, 0, 0, &stop, sizeof(stop), -1), 0);
    assert_int_equal(end_of(child), 0);
    chan_free(c);
    shell("nft delete table ip house");
}

static void nonsense_on_the_link_ends_it_and_blocks_stay(void **state)
{
    struct hand_block ask[2] = { { .who = at("10.1.0.7"), .seconds = 60 } };
    pid_t child;
    struct chan *c = start(false, &child);

    (void)state;
    hear(c, HAND_FACT_LINKS_KNOWN, 1);
    assert_int_equal(chan_send(c, HAND_BLOCK, 1, 0, ask, sizeof(ask[0]), -1), 0);
    hear(c, HAND_BLOCK + HAND_ANSWER, 1);
    assert_int_equal(chan_send(c, HAND_BLOCK, 1, 0, ask, sizeof(ask[0]) + 1, -1), 0);
    assert_int_equal(end_of(child), 0);
    chan_free(c);
    assert_true(holds("block4", "10.1.0.7"));
    shell("nft delete table inet serviola");
}

/* ---- the valve ---- */

static struct hold_verdict pending[64];
static size_t pending_count;

static int on_packet(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    const struct hold_packet *p = body;

    (void)ctx;
    (void)from;
    (void)fd;
    assert_int_equal(m->len, sizeof(*p) + p->len);
    assert_int_equal(p->family, 4);
    assert_int_equal(((const uint8_t *)(p + 1))[0] >> 4, 4);
    pending[pending_count++ % 64] = (struct hold_verdict){ .id = p->id };
    return 0;
}

static int open_call(void)
{
    struct sockaddr_in from = mail_at("10.1.0.1", 0);
    struct sockaddr_in to = mail_at("10.1.0.2", 25);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), -1);
    assert_int_equal(errno, EINPROGRESS);
    return fd;
}

static bool is_connected(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int error = 0;
    socklen_t len = sizeof(error);

    if (poll(&p, 1, wait_ms) <= 0)
        return false;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error == 0;
}

static int held(void **state)
{
    (void)walled(state);
    set.hold = 1;
    set.hold_wait_us = 200000;
    return wall_restore(&wall, clock_mono_us(), &e);
}

static void the_valve_waits_for_the_hunt_and_fails_as_it_was_told(void **state)
{
    pid_t child;
    struct chan *core;
    struct chan *hunt;
    int fd;

    (void)state;
    core = start(true, &child);
    hear(core, HAND_FACT_READY, 1);
    assert_false(is_connected(fd = open_call(), 150)); /* no hunt: closed */
    (void)close(fd);
    assert_int_equal(chan_send(core, HAND_HOLD, 1, 0, NULL, 0, -1), 0);
    hear(core, HAND_HOLD + HAND_ANSWER, 1);
    assert_int_equal(heard.outcome.code, HAND_OK);
    hunt = chan_new(heard.fd, "valve", hunt_ops, 1, NULL, &e);
    assert_non_null(hunt);

    fd = open_call(); /* the SYN waits for us */
    pending_count = 0;
    for (int i = 0; i < 100 && pending_count == 0; i++)
        assert_int_equal(chan_wait(hunt, 20000, &e), 0);
    assert_int_equal(pending_count, 1);
    assert_false(is_connected(fd, 20));
    pending[0].accept = 1;
    assert_int_equal(chan_send(hunt, HOLD_VERDICT, 0, 0, pending, sizeof(pending[0]), -1), 0);
    assert_true(is_connected(fd, 1000));
    (void)close(fd);
    assert_int_equal(chan_send(hunt, HOLD_VERDICT, 0, 0, pending, sizeof(pending[0]), -1), 0); /* too late is no harm */
    chan_free(hunt);
    chan_free(core);
    assert_int_equal(end_of(child), 0);
}

static void an_open_valve_lets_pass_what_nobody_judges(void **state)
{
    pid_t child;
    struct chan *core;
    struct chan *hunt;
    int fd;

    (void)state;
    set.hold_fails_open = 1;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_true(is_connected(fd = open_call(), 1000)); /* nobody reads the queue */
    (void)close(fd);
    core = start(true, &child);
    hear(core, HAND_FACT_READY, 1);
    assert_true(is_connected(fd = open_call(), 1000)); /* no hunt */
    (void)close(fd);
    assert_int_equal(chan_send(core, HAND_HOLD, 1, 0, NULL, 0, -1), 0);
    hear(core, HAND_HOLD + HAND_ANSWER, 1);
    hunt = chan_new(heard.fd, "valve", hunt_ops, 1, NULL, &e);
    fd = open_call(); /* a hunt that says nothing: each packet waits its 200 ms */
    assert_false(is_connected(fd, 50));
    assert_true(is_connected(fd, 2000));
    (void)close(fd);
    chan_free(hunt);
    chan_free(core);
    assert_int_equal(end_of(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(over_the_link_it_blocks_captures_and_reports, leave_the_table_to_the_child),
        cmocka_unit_test_setup(each_cut_is_answered_by_its_own_id_and_blocks_do_not_wait_for_it,
                               leave_the_table_to_the_child),
        cmocka_unit_test_setup(nonsense_on_the_link_ends_it_and_blocks_stay, leave_the_table_to_the_child),
        cmocka_unit_test_setup_teardown(the_valve_waits_for_the_hunt_and_fails_as_it_was_told, held, torn_down),
        cmocka_unit_test_setup_teardown(an_open_valve_lets_pass_what_nobody_judges, held, torn_down),
    };

    if (geteuid() != 0) {
        (void)puts("test_hand_link: needs root, skipped");
        return 77;
    }
    return cmocka_run_group_tests(tests, house, empty_house);
}
