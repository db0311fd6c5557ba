/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a picture says of logs, ports, names, accounts, clocks, arrays and packages; each beside a twin that shows
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "snap/join.h"
#include "view/explain/explain.h"

static const int64_t NOW_US = 1790000000000000;

static struct snap *picture(void)
{
    struct snap *s = snap_new(NULL);
    struct snap_host *h = snap_add(s, SNAP_HOST);

    h->begun_us = h->ended_us = NOW_US;
    h->booted_us = NOW_US - 86400000000;
    h->network = 1;
    return s;
}

static struct snap_process *process(struct snap *s, int64_t pid, const char *exe)
{
    struct snap_process *p = snap_add(s, SNAP_PROCESS);

    p->pid = pid;
    p->parent = 1;
    p->exe = snap_keep_text(s, exe);
    p->image = SNAP_IMAGE_FILE;
    return p;
}

static const struct finding *find(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->at[i].id, id) == 0)
            return &f->at[i];
    return NULL;
}

/* Explains and frees the picture; `words` stand in the finding's text or proof, NULL: there must be none. */
static void shows(struct snap *s, const char *id, const char *words)
{
    struct err e;
    struct findings *f;
    const struct finding *found;
    bool there = false;

    assert_int_equal(join_owners(s, &e), 0);
    f = explain(s, &e);
    assert_non_null(f);
    found = find(f, id);
    if (!words) {
        assert_null(found);
    } else {
        assert_non_null(found);
        there = strstr(found->text, words) != NULL;
        for (unsigned i = 0; i < found->proofs; i++)
            there = there || strstr(found->proof[i], words);
        if (!there)
            print_error("%s\n%s\n", found->text, found->proof[0]);
        assert_true(there);
    }
    free(f);
    snap_free(s);
}

static struct addr ip(const char *words)
{
    struct addr a = { .family = 0 };

    assert_true(addr_read_port(slice_text(words), &a));
    return a;
}

/* A log of 200 lines in 20 s that was not written for `quiet_us`. */
static struct snap *quiet_log(int64_t quiet_us)
{
    struct snap *s = picture();
    struct snap_log *l = snap_add(s, SNAP_LOG);

    (void)process(s, 7, "/usr/sbin/httpd");
    l->path = SLICE("/var/log/app.log");
    l->pid = 7;
    l->inode = l->inode_now = 5;
    l->bytes = 8000;
    l->line_bytes = 40;
    l->changed_us = NOW_US - quiet_us;
    l->born_us = l->changed_us - 20000000;
    l->answer = SNAP_ANSWERED;
    return s;
}

static void a_log_that_stops_is_silent_and_one_that_was_rotated_is_not(void **state)
{
    struct snap *s;

    (void)state;
    shows(quiet_log(3000000), "log_silence", "/var/log/app.log: nothing since");
    shows(quiet_log(1000000), "log_silence", NULL);
    s = quiet_log(3000000);
    ((struct snap_log *)s->part[SNAP_LOG].at)->inode_now = 6;
    shows(s, "log_silence", NULL);
    s = quiet_log(3000000);
    ((struct snap_log *)s->part[SNAP_LOG].at)->bytes = 200;
    shows(s, "log_silence", NULL);
}

static void a_log_below_a_hung_disk_is_no_guess(void **state)
{
    struct snap *s = quiet_log(3000000);

    (void)state;
    ((struct snap_process *)s->part[SNAP_PROCESS].at)->waiting = 1;
    shows(s, "log_silence", "the disk below holds it up");
}

static void a_port_that_one_list_lacks_is_hidden(void **state)
{
    struct snap *s = picture();
    struct snap_port *p = snap_add(s, SNAP_PORT);

    (void)state;
    p->kind = SLICE("tcp");
    p->port = 31337;
    p->shown = SLICE("sock_diag");
    p->lacks = SLICE("/proc/net");
    shows(s, "hidden_port", "tcp port 31337 is in use");
    shows(picture(), "hidden_port", NULL);
}

static struct snap *listening(const char *at, const char *own)
{
    struct snap *s = picture();
    struct snap_socket *l = snap_add(s, SNAP_SOCKET);
    struct snap_address *a = snap_add(s, SNAP_ADDRESS);
    struct snap_holder *h = snap_add(s, SNAP_HOLDER);

    (void)process(s, 9, "/usr/sbin/mariadbd");
    l->kind = SLICE("tcp");
    l->state = SLICE("LISTEN");
    l->network = a->network = 1;
    l->local = ip(at);
    l->inode = 3;
    a->address = ip(own);
    *h = (struct snap_holder){ .pid = 9, .descriptor = 3, .inode = 3 };
    return s;
}

static void a_database_for_the_whole_world_is_exposed(void **state)
{
    struct snap *s;
    struct snap_rule *r;

    (void)state;
    shows(listening("0.0.0.0:3306", "198.51.100.10"), "exposed_service", "mariadbd (pid 9) (MySQL) listens");
    shows(listening("127.0.0.1:3306", "198.51.100.10"), "exposed_service", NULL);
    shows(listening("0.0.0.0:3306", "10.0.0.4"), "exposed_service", NULL);
    shows(listening("0.0.0.0:25", "198.51.100.10"), "exposed_service", NULL);
    s = listening("0.0.0.0:3306", "198.51.100.10");
    r = snap_add(s, SNAP_RULE);
    r->network = 1;
    r->hook = SLICE("input");
    r->policy = SLICE("drop");
    shows(s, "exposed_service", "whether one lets this in");
}

static struct snap *resolver(const char *at)
{
    struct snap *s = picture();
    struct snap_resolver *r = snap_add(s, SNAP_RESOLVER);
    struct snap_route *way = snap_add(s, SNAP_ROUTE);

    r->address = ip(at);
    way->network = 1;
    way->net = ip("10.0.0.0");
    way->bits = 8;
    return s;
}

static void a_name_server_nobody_is_behind_is_broken(void **state)
{
    struct snap *s = resolver("127.0.0.53");
    struct snap_socket *l = snap_add(s, SNAP_SOCKET);

    (void)state;
    shows(resolver("127.0.0.53"), "dns_broken", "nobody listens on UDP port 53");
    shows(resolver("192.0.2.53"), "dns_broken", "no route");
    shows(resolver("10.1.1.53"), "dns_broken", NULL);
    l->kind = SLICE("udp");
    l->network = 1;
    l->local = ip("127.0.0.53:53");
    shows(s, "dns_broken", NULL);
}

static void many_that_wait_for_names_are_told(void **state)
{
    struct snap *s = resolver("10.1.1.53");

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct snap_socket *q = snap_add(s, SNAP_SOCKET);

        q->kind = SLICE("udp");
        q->network = 1;
        q->local = ip("10.0.0.4:40000");
        q->remote = ip("10.1.1.53:53");
    }
    shows(s, "dns_broken", "6 sockets wait for 10.1.1.53");
}

static struct snap *logins(unsigned failed, const char *from)
{
    struct snap *s = picture();
    struct snap_login *in;

    for (unsigned i = 0; i < failed; i++) {
        struct snap_login *l = snap_add(s, SNAP_LOGIN);

        l->kind = SLICE("failed");
        l->user = SLICE("root");
        l->address = ip("200.84.243.27");
        l->at_s = NOW_US / 1000000 - 600 + i;
    }
    in = snap_add(s, SNAP_LOGIN);
    in->kind = SLICE("login");
    in->user = SLICE("admin");
    in->line = SLICE("ftpd10207");
    in->address = ip(from);
    in->at_s = NOW_US / 1000000 - 60;
    return s;
}

static void who_failed_often_and_then_logged_in_stole_the_account(void **state)
{
    (void)state;
    shows(logins(40, "200.84.243.27"), "stolen_account", "200.84.243.27 failed 40 times");
    shows(logins(2, "200.84.243.27"), "stolen_account", NULL);
    shows(logins(40, "192.0.2.1"), "stolen_account", NULL);
}

static struct snap *clock_at(int64_t ahead_s)
{
    struct snap *s = picture();
    struct snap_gauge *g = snap_add(s, SNAP_GAUGE);

    g->name = SLICE("clock.rtc_s");
    g->value = (uint64_t)(NOW_US / 1000000);
    g = snap_add(s, SNAP_GAUGE);
    g->name = SLICE("clock.beside_rtc_s");
    g->value = (uint64_t)(NOW_US / 1000000 + ahead_s);
    return s;
}

static void a_clock_that_was_moved_is_told_and_a_time_zone_is_not(void **state)
{
    struct snap *s = picture();
    struct snap_gauge *g = snap_add(s, SNAP_GAUGE);

    (void)state;
    g->name = SLICE("clock.step_us");
    g->value = 3000000;
    shows(s, "clock_jump", "jumped by 3 s while this picture was taken");
    shows(clock_at(1234), "clock_jump", "ahead of the hardware's clock");
    shows(clock_at(-100000), "clock_jump", "behind the hardware's clock");
    shows(clock_at(7201), "clock_jump", NULL);
    shows(clock_at(3), "clock_jump", NULL);
}

static void a_clock_set_by_hand_leaves_two_records(void **state)
{
    struct snap *s = picture();
    struct snap_login *l = snap_add(s, SNAP_LOGIN);

    (void)state;
    l->kind = SLICE("clock before");
    l->at_s = NOW_US / 1000000 - 100;
    l = snap_add(s, SNAP_LOGIN);
    l->kind = SLICE("clock after");
    l->at_s = NOW_US / 1000000 - 40;
    shows(s, "clock_jump", "was set by 1 min");
}

static void an_array_that_lost_a_disk_is_failing(void **state)
{
    struct snap *s = picture();
    struct snap_disk *d = snap_add(s, SNAP_DISK);

    (void)state;
    d->name = SLICE("md0");
    d->raid_level = SLICE("raid1");
    d->raid_disks = 2;
    d->raid_missing = 1;
    shows(s, "failing_disk", "md0 (raid1) runs without 1 of its 2 disks");
    s = picture();
    d = snap_add(s, SNAP_DISK);
    d->name = SLICE("sda");
    d->state = SLICE("offline");
    shows(s, "failing_disk", "sda was taken out of use");
    s = picture();
    d = snap_add(s, SNAP_DISK);
    d->name = SLICE("sda");
    d->state = SLICE("running");
    d->errors = 2; /* a drive without a disc counts such */
    shows(s, "failing_disk", NULL);
}

static void who_listens_to_everything_is_told(void **state)
{
    struct snap *s = picture();
    struct snap_interface *i = snap_add(s, SNAP_INTERFACE);

    (void)state;
    i->name = SLICE("eth0");
    shows(s, "promiscuous", NULL);
    s = picture();
    i = snap_add(s, SNAP_INTERFACE);
    i->name = SLICE("eth0");
    i->promiscuous = true;
    shows(s, "promiscuous", "eth0 takes every packet");
}

static void a_changed_program_is_no_changed_configuration(void **state)
{
    struct snap *s = picture();
    struct snap_package *p = snap_add(s, SNAP_PACKAGE);

    (void)state;
    p->what = SLICE("configuration");
    p->path = SLICE("/etc/crontab");
    shows(s, "changed_package", "1 configuration files");
    s = picture();
    p = snap_add(s, SNAP_PACKAGE);
    p->what = SLICE("changed");
    p->path = SLICE("/usr/bin/who");
    p->package = SLICE("coreutils");
    shows(s, "changed_package", "/usr/bin/who (coreutils");
    shows(picture(), "changed_package", NULL);
}

/* Through a redirect the two ends name different ports: conntrack ties them. */
static void a_translated_connection_has_two_ends(void **state)
{
    struct snap *s = picture();
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);
    struct snap_track *t = snap_add(s, SNAP_TRACK);
    struct join *j;

    (void)state;
    k->kind = SLICE("tcp");
    k->network = 1;
    k->local = ip("10.0.0.4:40000");
    k->remote = ip("10.0.0.4:25");
    k = snap_add(s, SNAP_SOCKET);
    k->kind = SLICE("tcp");
    k->network = 1;
    k->local = ip("10.0.0.4:2525");
    k->remote = ip("10.0.0.4:40000");
    t->from = ip("10.0.0.4:40000");
    t->to = ip("10.0.0.4:25");
    t->reply_from = ip("10.0.0.4:2525");
    t->reply_to = ip("10.0.0.4:40000");
    j = join_new(s, NULL);
    k = s->part[SNAP_SOCKET].at;
    assert_ptr_equal(join_other_end(j, &k[0]), &k[1]);
    assert_ptr_equal(join_other_end(j, &k[1]), &k[0]);
    join_free(j);
    snap_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_stops_is_silent_and_one_that_was_rotated_is_not),
        cmocka_unit_test(a_log_below_a_hung_disk_is_no_guess),
        cmocka_unit_test(a_port_that_one_list_lacks_is_hidden),
        cmocka_unit_test(a_database_for_the_whole_world_is_exposed),
        cmocka_unit_test(a_name_server_nobody_is_behind_is_broken),
        cmocka_unit_test(many_that_wait_for_names_are_told),
        cmocka_unit_test(who_failed_often_and_then_logged_in_stole_the_account),
        cmocka_unit_test(a_clock_that_was_moved_is_told_and_a_time_zone_is_not),
        cmocka_unit_test(a_clock_set_by_hand_leaves_two_records),
        cmocka_unit_test(an_array_that_lost_a_disk_is_failing),
        cmocka_unit_test(who_listens_to_everything_is_told),
        cmocka_unit_test(a_changed_program_is_no_changed_configuration),
        cmocka_unit_test(a_translated_connection_has_two_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
