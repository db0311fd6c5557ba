/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hand against the real kernel, in a network namespace of the test's own: 10.1.0.1 and 10.1.0.2 are ours, on lan0.
 * 10.1.0.1 is a local sender that may be blocked; a server listens on 10.1.0.2 port 25.  Needs root.
 */
#include "hand_world.h"

static void a_block_is_in_the_kernel_once_and_can_be_lifted(void **state)
{
    (void)state;
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    assert_int_equal(block("10.1.0.7", 60), HAND_ALREADY);
    assert_int_equal(block("fd00:1::7", 60), HAND_OK);
    assert_true(holds("block4", "10.1.0.7"));
    assert_true(holds("block6", "fd00:1::7"));
    assert_int_equal(unblock("10.1.0.7"), HAND_OK);
    assert_int_equal(unblock("10.1.0.7"), HAND_NOT_THERE);
    assert_false(holds("block4", "10.1.0.7"));
    assert_int_equal(block("10.1.0.7", 0), HAND_WRONG);
    assert_int_equal(block("10.1.0.7", HAND_SECONDS_MAX + 1), HAND_WRONG);
    assert_int_equal(block("10.1.0.2", 60), HAND_NEVER_OWN);
}

static void observing_touches_nothing(void **state)
{
    (void)state;
    set.acts = 0;
    assert_int_equal(block("10.1.0.7", 60), HAND_OBSERVES);
    assert_false(holds("block4", "10.1.0.7"));
    set.acts = 1;
}

static void a_batch_answers_each_in_its_place(void **state)
{
    struct hand_block asks[HAND_BATCH] = { 0 };
    struct hand_outcome out[HAND_BATCH];

    (void)state;
    for (uint32_t i = 0; i < HAND_BATCH; i++)
        asks[i] = (struct hand_block){ .who = addr_v4(0x0a010000 + i, 0), .seconds = 60 };
    asks[9] = asks[8];
    wall_block(&wall, asks, HAND_BATCH, out, clock_mono_us());
    assert_int_equal(out[0].code, HAND_NEVER_SPECIAL); /* the network's own address */
    assert_int_equal(out[1].code, HAND_OK);            /* ours, but named as a local sender */
    assert_int_equal(out[2].code, HAND_NEVER_OWN);
    assert_int_equal(out[8].code, HAND_OK);
    assert_int_equal(out[9].code, HAND_ALREADY);
    assert_int_equal(out[255].code, HAND_NEVER_SPECIAL);
    assert_int_equal(wall.bans.count, HAND_BATCH - 4);
    assert_int_equal(wall_compare(&wall, clock_mono_us(), &e), 0);
}

static void a_full_list_says_so_until_a_block_runs_out(void **state)
{
    int64_t now = clock_mono_us();
    struct hand_block ask = { .who = at("10.1.0.9"), .seconds = 60, .unasked = 1 };
    struct hand_outcome out;

    (void)state;
    set.total = 2;
    assert_int_equal(block("10.1.0.7", 1), HAND_OK);
    assert_int_equal(block("10.1.0.8", 60), HAND_OK);
    wall_block(&wall, &ask, 1, &out, now);
    assert_int_equal(out.code, HAND_CAP_TOTAL);
    wall_block(&wall, &ask, 1, &out, now + 2000000);
    assert_int_equal(out.code, HAND_OK);
}

static void a_stranger_is_stopped_at_the_gates_door_while_the_hunt_observes(void **state)
{
    struct hand_block stranger = { .who = at("198.51.100.7"), .seconds = 60, .outside = 1 };
    struct hand_block host = { .who = at("10.1.0.7"), .seconds = 60 };
    static struct hand_settings before;
    struct hand_outcome out;

    (void)state;
    before = set;
    set.gate_only = 1;
    set.doors_count = 1;
    set.doors[0] = 25;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    wall_block(&wall, &stranger, 1, &out, clock_mono_us());
    assert_int_equal(out.code, HAND_OK);
    assert_true(holds("block4", "198.51.100.7"));
    wall_block(&wall, &host, 1, &out, clock_mono_us());
    assert_int_equal(out.code, HAND_OBSERVES);
    shell("nft list chain inet serviola input | grep -q 'tcp dport @doors tcp flags .* jump mail'");
    shell("! nft list chain inet serviola forward 2>/dev/null && ! nft list chain inet serviola output 2>/dev/null");
    shell("ip addr add 198.51.100.7/32 dev lo"); /* the kernel's own word: from there nobody gets in */
    assert_int_equal(call_from("198.51.100.7"), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_true(close(call()) == 0);
    shell("ip addr del 198.51.100.7/32 dev lo");
    set = before; /* the gate goes: nothing of it stays */
    assert_int_equal(wall_settings(&wall, &set, clock_mono_us(), &e), 0);
    assert_int_equal(wall.bans.count, 0);
}

/* 0, or an errno; from whoever we are to a listener of our own. */
static int call_locally(int family, const char *ip, uint16_t port)
{
    struct sockaddr_storage sa = { .ss_family = (sa_family_t)family };
    struct sockaddr_in *in = (struct sockaddr_in *)&sa;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fault;

    if (family == AF_INET)
        in->sin_port = htons(port);
    else
        in6->sin6_port = htons(port);
    assert_int_equal(inet_pton(family, ip, family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr), 1);
    fault = connect(fd, (const struct sockaddr *)&sa, family == AF_INET ? sizeof(*in) : sizeof(*in6)) < 0 ? errno : 0;
    (void)close(fd);
    return fault;
}

static int listen_everywhere(uint16_t port)
{
    struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static void local_programs_do_not_reach_our_own_front_door(void **state)
{
    static struct hand_settings before;
    int front = listen_everywhere(2625);
    int back = listen_everywhere(2725);

    (void)state;
    before = set;
    set.gate_only = 1;
    set.guard_count = 2;
    set.guard[0] = 2625;
    set.guard[1] = 2725;
    set.guard_uid = 4242;
    set.guard_open_count = 1;
    set.guard_open[0] = at("127.0.0.1");
    set.guard_open[0].port = 2725;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_int_equal(call_locally(AF_INET, "127.0.1.50", 2625), ECONNREFUSED); /* the story */
    assert_int_equal(call_locally(AF_INET, "127.0.0.1", 2625), ECONNREFUSED);
    assert_int_equal(call_locally(AF_INET6, "::1", 2625), ECONNREFUSED);
    assert_int_equal(call_locally(AF_INET, "127.0.0.2", 2725), ECONNREFUSED);
    assert_int_equal(call_locally(AF_INET, "127.0.0.1", 2725), 0); /* the server behind */
    assert_int_equal(call_locally(AF_INET, "10.1.0.2", 2625), 0);  /* no loopback address */
    set.guard_uid = geteuid();                                     /* the gate itself */
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_int_equal(call_locally(AF_INET, "127.0.1.50", 2625), 0);
    assert_int_equal(wall_compare(&wall, clock_mono_us(), &e), 0);
    set = before;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_int_equal(call_locally(AF_INET6, "::1", 2625), 0);
    (void)close(front);
    (void)close(back);
}

static void an_owned_table_is_not_for_others_to_touch(void **state)
{
    (void)state;
    if (!wall_is_owned(&wall))
        skip();
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    shell("nft flush ruleset");
    assert_int_not_equal(system("nft delete table inet serviola 2>/dev/null"), 0);
    assert_int_not_equal(system("nft add element inet serviola block4 '{ 10.1.0.99 }' 2>/dev/null"), 0);
    assert_true(holds("block4", "10.1.0.7"));
    assert_int_equal(wall_compare(&wall, clock_mono_us(), &e), 0);
}

static void on_a_plain_table_every_blow_is_noticed_and_mended(void **state)
{
    static const char *const blows[] = { "nft flush ruleset",
                                         "nft delete table inet serviola",
                                         "nft flush table inet serviola",
                                         "nft flush chain inet serviola mail",
                                         "nft flush set inet serviola block4",
                                         "nft delete element inet serviola block4 '{ 10.1.0.7 }'",
                                         "nft add element inet serviola block4 '{ 10.1.0.99 timeout 1h }'",
                                         "nft add element inet serviola block4 '{ 8.8.8.8 }'",
                                         "nft insert rule inet serviola mail accept" };

    (void)state;
    wall.may_own = false;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_false(wall_is_owned(&wall));
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    assert_false(wall_news(&wall)); /* our own changes are no news */
    for (size_t i = 0; i < sizeof(blows) / sizeof(blows[0]); i++) {
        shell(blows[i]);
        assert_int_equal(wall_compare(&wall, clock_mono_us(), &e), 1);
        assert_true(wall_news(&wall));
        assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
        assert_int_equal(wall_compare(&wall, clock_mono_us(), &e), 0);
        assert_false(wall_news(&wall));
        assert_true(holds("block4", "10.1.0.7"));
        assert_false(holds("block4", "10.1.0.99"));
    }
    shell("nft add table inet somebody && nft delete table inet somebody");
    assert_false(wall_news(&wall)); /* others' tables are not our matter */
    shell("nft delete table inet serviola");
    assert_int_equal(block("10.1.0.8", 60), HAND_OK); /* without having heard of it */
    assert_true(wall.mended);
    assert_true(holds("block4", "10.1.0.7"));
}

static void a_hand_that_died_leaves_its_blocks_and_the_next_one_takes_them_over(void **state)
{
    (void)state;
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    assert_int_equal(block("fd00:1::7", 60), HAND_OK);
    wall_close(&wall); /* no good-bye: as after kill -9 */
    assert_true(holds("block4", "10.1.0.7"));
    begin();
    assert_int_equal(wall.bans.count, 2);
    assert_int_equal(block("10.1.0.7", 60), HAND_ALREADY);
    assert_int_equal(wall_compare(&wall, clock_mono_us(), &e), 0);
}

static void what_was_left_is_checked_again_before_it_is_taken_over(void **state)
{
    (void)state;
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    wall_close(&wall);
    shell("nft add element inet serviola block4 '{ 8.8.8.8 timeout 1h, 10.1.0.2 timeout 1h, 10.1.0.8 }'");
    begin();
    assert_int_equal(wall.bans.count, 1);
    assert_false(holds("block4", "8.8.8.8"));
    assert_false(holds("block4", "10.1.0.2"));
    assert_true(holds("block4", "10.1.0.7"));
}

static void two_hands_do_not_share_a_table(void **state)
{
    static struct wall second;

    (void)state;
    if (!wall_is_owned(&wall))
        skip();
    assert_int_equal(wall_open(&second, &set, &never, 8, &e), 0);
    assert_int_equal(wall_begin(&second, clock_mono_us(), &e), -1);
    assert_int_equal(e.code, EBUSY);
    assert_non_null(strstr(e.text, "block: { table: ... }"));
    wall_close(&second);
}

static void on_lifted(void *ctx, const struct hand_outcome *lifted)
{
    *(struct hand_outcome *)ctx = *lifted;
}

static void an_address_that_becomes_ours_is_freed_but_an_interface_that_flaps_frees_nobody(void **state)
{
    struct hand_outcome last = { 0 };

    (void)state;
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    assert_int_equal(block("10.1.0.8", 60), HAND_OK);
    shell("ip addr add 10.1.0.7/24 dev lan0");
    know();
    wall_lift(&wall, clock_mono_us(), on_lifted, &last);
    assert_int_equal(last.code, HAND_NEVER_OWN);
    assert_true(addr_eq(last.who, at("10.1.0.7")));
    shell("ip addr del 10.1.0.7/24 dev lan0");
    never.facts.nets_count = 0; /* as while the interface has no address */
    wall_lift(&wall, clock_mono_us(), on_lifted, &last);
    assert_true(holds("block4", "10.1.0.8"));
    know();
}

static void new_settings_move_the_table_or_take_it_away(void **state)
{
    static struct hand_settings other;

    (void)state;
    assert_int_equal(block("10.1.0.7", 60), HAND_OK);
    other = set;
    strcpy(other.table, "elsewhere");
    other.total = 10;
    assert_int_equal(wall_settings(&wall, &other, clock_mono_us(), &e), 0);
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_false(holds("block4", "10.1.0.7"));
    shell("nft list set inet elsewhere block4 | grep -qwF 10.1.0.7");
    other.acts = 0;
    assert_int_equal(wall_settings(&wall, &other, clock_mono_us(), &e), 0);
    shell("! nft list ruleset | grep -q elsewhere");
}

static struct hand_entry listed;
static void on_entry(void *ctx, const struct hand_entry *entry)
{
    (void)ctx;
    listed = *entry;
}

static void list(void)
{
    assert_int_equal(wall_count(&wall, clock_mono_us()), 0);
    while (wall_count_step(&wall) == 1)
        ;
    wall_list(&wall, clock_mono_us(), on_entry, NULL);
}

static void a_blocked_sender_is_stopped_and_counted_even_across_a_restore(void **state)
{
    struct hand_block again = { .who = at("10.1.0.1"), .seconds = 60 };
    struct hand_outcome out;
    int64_t listed_at = clock_mono_us();
    uint64_t before;
    int fd = call();

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(block("10.1.0.1", 60), HAND_OK);
    assert_int_equal(call(), -1);
    assert_int_equal(errno, ETIMEDOUT);
    list();
    assert_true(listed.packets >= 1);
    assert_true(listed.expires_ms > 50000 && listed.expires_ms <= 60000);
    before = listed.packets;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    list();
    assert_true(listed.packets >= before);
    assert_int_equal(unblock("10.1.0.1"), HAND_OK);
    assert_int_equal(block("10.1.0.1", 60), HAND_OK);
    list();
    assert_int_equal(listed.packets, 0); /* counted anew */
    assert_int_equal(call(), -1);
    list();
    assert_true(listed.packets > 0);
    wall_block(&wall, &again, 1, &out, listed_at + 120000000); /* its time was over, and it comes again */
    assert_int_equal(out.code, HAND_OK);
    list();
    assert_int_equal(listed.packets, 0);
    assert_int_equal(unblock("10.1.0.1"), HAND_OK);
    fd = call();
    assert_true(fd >= 0);
    (void)close(fd);
}

static void reject_tells_the_sender_at_once(void **state)
{
    (void)state;
    set.how = HAND_REJECT;
    assert_int_equal(wall_restore(&wall, clock_mono_us(), &e), 0);
    assert_int_equal(block("10.1.0.1", 60), HAND_OK);
    assert_int_equal(call(), -1);
    assert_int_equal(errno, ECONNREFUSED);
}

static struct hand_killed cut_one(struct cutting *cutting, const char *who, uint16_t port)
{
    const struct cut_order order = { .ports_count = 1, .ports = { port } };
    struct cut_host host = { .who = at(who), .local = 1 };
    struct hand_killed killed;

    cut_hosts(cutting, &order, &host, 1, &killed);
    return killed;
}

static void running_connections_of_a_blocked_host_are_cut(void **state)
{
    static struct cutting cutting;
    struct hand_killed killed;
    char byte;
    int fd;

    (void)state;
    shell(TRACK);
    fd = call();
    assert_true(fd >= 0);
    assert_int_equal(cutting_open(&cutting, &e), 0);
    killed = cut_one(&cutting, "10.1.0.9", 25);
    assert_int_equal(killed.tracked + killed.sockets, 0);
    killed = cut_one(&cutting, "10.1.0.1", 80);
    assert_int_equal(killed.tracked + killed.sockets, 0);
    assert_int_equal(block("10.1.0.1", 60), HAND_OK);
    killed = cut_one(&cutting, "10.1.0.1", 25);
    assert_int_equal(killed.error, 0);
    assert_true(killed.tracked >= 1);
    assert_int_equal(killed.sockets, 1);
    assert_int_equal(recv(fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNABORTED);
    cutting_close(&cutting);
    (void)close(fd);
    shell("nft delete table ip house");
}

static void the_gates_own_sockets_of_a_blocked_client_are_closed(void **state)
{
    const struct cut_order order = { .doors_count = 1, .doors = { 25 } };
    struct cut_host host = { .who = at("10.1.0.1") };
    struct cut_host other = { .who = at("10.1.0.9") };
    struct hand_killed killed;
    struct cutting cutting;
    char byte;
    int fd;
    int accepted;

    (void)state;
    while ((accepted = accept(server, NULL, NULL)) >= 0) /* those of earlier tests */
        (void)close(accepted);
    fd = call();
    accepted = accept(server, NULL, NULL);
    assert_true(fd >= 0 && accepted >= 0);
    assert_int_equal(cutting_open(&cutting, &e), 0);
    cut_hosts(&cutting, &order, &other, 1, &killed);
    assert_int_equal(killed.sockets, 0);
    cut_hosts(&cutting, &order, &host, 1, &killed);
    assert_int_equal(killed.sockets, 1);
    assert_int_equal(read(accepted, &byte, 1), -1);
    assert_int_equal(errno, ECONNABORTED);
    cutting_close(&cutting);
    (void)close(accepted);
    (void)close(fd);
}

static void twenty_hosts_are_cut_in_one_walk(void **state)
{
    enum { HOSTS = 20 };
    static struct cutting cutting;
    struct cut_host hosts[HOSTS + 1] = { 0 };
    struct hand_killed killed[HOSTS + 1];
    int fds[HOSTS];
    char byte;

    (void)state;
    shell(TRACK);
    for (uint32_t i = 0; i < HOSTS; i++) {
        char command[120];

        hosts[i] = (struct cut_host){ .who = addr_v4(0x0a010040 + i, 0), .local = i % 2 };
        (void)snprintf(command, sizeof(command), "ip addr add %s/24 dev lan0", addr_text(hosts[i].who).text);
        shell(command);
        fds[i] = call_from(addr_text(hosts[i].who).text);
        assert_true(fds[i] >= 0);
    }
    hosts[HOSTS] = hosts[0]; /* named again */
    assert_int_equal(cutting_open(&cutting, &e), 0);
    cut_hosts(&cutting, &(const struct cut_order){ .ports_count = 1, .ports = { 25 } }, hosts, HOSTS + 1, killed);
    assert_int_equal(cutting.walks, 3); /* one of the tracker, and the sockets of both families */
    for (size_t i = 0; i < HOSTS; i++) {
        assert_int_equal(killed[i].error, 0);
        assert_int_equal(killed[i].tracked, 1);
        assert_int_equal(killed[i].sockets, hosts[i].local);
        if (hosts[i].local)
            assert_int_equal(recv(fds[i], &byte, 1, 0), -1);
        (void)close(fds[i]);
    }
    assert_int_equal(killed[HOSTS].tracked, 0);
    cutting_close(&cutting);
    shell("nft delete table ip house");
    for (uint32_t i = 0; i < HOSTS; i++) {
        char command[120];

        (void)snprintf(command, sizeof(command), "ip addr del %s/24 dev lan0", addr_text(hosts[i].who).text);
        shell(command);
    }
}

/* ---- over the link, as the core sees it; the child is not jailed here, main.c does that ---- */

int main(void)
{
#define WALL(test) cmocka_unit_test_setup_teardown(test, walled, torn_down)
    const struct CMUnitTest tests[] = {
        WALL(a_block_is_in_the_kernel_once_and_can_be_lifted),
        WALL(observing_touches_nothing),
        WALL(a_batch_answers_each_in_its_place),
        WALL(a_full_list_says_so_until_a_block_runs_out),
        WALL(a_stranger_is_stopped_at_the_gates_door_while_the_hunt_observes),
        WALL(local_programs_do_not_reach_our_own_front_door),
        WALL(an_owned_table_is_not_for_others_to_touch),
        WALL(on_a_plain_table_every_blow_is_noticed_and_mended),
        WALL(a_hand_that_died_leaves_its_blocks_and_the_next_one_takes_them_over),
        WALL(what_was_left_is_checked_again_before_it_is_taken_over),
        WALL(two_hands_do_not_share_a_table),
        WALL(an_address_that_becomes_ours_is_freed_but_an_interface_that_flaps_frees_nobody),
        WALL(new_settings_move_the_table_or_take_it_away),
        WALL(a_blocked_sender_is_stopped_and_counted_even_across_a_restore),
        WALL(reject_tells_the_sender_at_once),
        WALL(running_connections_of_a_blocked_host_are_cut),
        WALL(the_gates_own_sockets_of_a_blocked_client_are_closed),
        WALL(twenty_hosts_are_cut_in_one_walk),
    };

    if (geteuid() != 0) {
        (void)puts("test_hand: needs root, skipped");
        return 77;
    }
    return cmocka_run_group_tests(tests, house, empty_house);
}
