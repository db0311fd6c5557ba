/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an audit says of ports, twins and partitions; each beside a host of which it says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "snap/join.h"
#include "view/audit/audit.h"

static struct audit_settings declared;
static struct seen seen;
static struct audit *told; /* of the test that runs */

static struct addr ip(const char *words)
{
    struct addr a = { .family = 0 };

    assert_true(addr_read_port(slice_text(words), &a));
    return a;
}

/* --- a host */

static void mount(struct snap *s, const char *point, const char *type, uint64_t minor)
{
    struct snap_mount *m = snap_add(s, SNAP_MOUNT);

    m->point = snap_keep_text(s, point);
    m->type = snap_keep_text(s, type);
    m->source = SLICE("/dev/vda1");
    m->options = SLICE("rw,relatime");
    m->major = 8;
    m->minor = minor;
}

/* With a file system for each of what should be apart. */
static struct snap *bare_host(void)
{
    struct snap *s = snap_new(NULL);
    struct snap_host *h = snap_add(s, SNAP_HOST);

    h->network = 1;
    h->kernel = SLICE("6.1.0-27-amd64");
    return s;
}

static struct snap *host(void)
{
    struct snap *s = bare_host();
    struct snap_address *a = snap_add(s, SNAP_ADDRESS);

    a->network = 1;
    a->address = ip("10.1.0.2");
    mount(s, "/", "ext4", 1);
    mount(s, "/tmp", "tmpfs", 2);
    mount(s, "/home", "ext4", 3);
    mount(s, "/var", "ext4", 4);
    return s;
}

static void listener(struct snap *s, const char *kind, const char *at, const char *exe)
{
    struct snap_socket *k = snap_add(s, SNAP_SOCKET);
    struct snap_process *p = snap_add(s, SNAP_PROCESS);

    k->kind = snap_keep_text(s, kind);
    k->state = strcmp(kind, "tcp") == 0 ? SLICE("LISTEN") : SLICE("");
    k->network = 1;
    k->local = ip(at);
    k->pid = p->pid = 100 + (int64_t)s->part[SNAP_PROCESS].count;
    p->parent = 1;
    p->exe = snap_keep_text(s, exe);
    p->image = SNAP_IMAGE_FILE;
}

static void package(struct snap *s, const char *name, const char *version, const char *programs)
{
    struct snap_installed *p = snap_add(s, SNAP_INSTALLED);

    p->name = snap_keep_text(s, name);
    p->version = snap_keep_text(s, version);
    p->architecture = SLICE("amd64");
    p->programs = snap_keep_text(s, programs);
}

/* --- what is told of it */

static bool is_listed(const char *id)
{
    const struct finding_kind *k = audit_kinds;

    while (k->id && strcmp(k->id, id) != 0)
        k++;
    return k->id;
}

static void audit_it(struct snap *s, bool was_looked_at, struct snap *twin)
{
    struct audit_wish wish = {
        .snap = s, .declared = &declared, .outside = was_looked_at ? &seen : NULL, .twin = twin
    };
    struct err e;

    free(told);
    told = audit_new(&wish, &e);
    assert_non_null(told);
    for (size_t i = 0; i < told->found.count; i++)
        assert_true(is_listed(told->found.at[i].id));
    snap_free(s);
    snap_free(twin);
}

static unsigned count(const char *id)
{
    unsigned n = 0;

    for (size_t i = 0; i < told->found.count; i++)
        n += strncmp(told->found.at[i].id, id, strlen(id)) == 0;
    return n;
}

static const struct finding *finding(const char *id)
{
    for (size_t i = 0; i < told->found.count; i++)
        if (strcmp(told->found.at[i].id, id) == 0)
            return &told->found.at[i];
    fail_msg("%s was not found", id);
    abort();
}

static const struct audit_row *row(uint16_t port)
{
    static const struct audit_row none = { .verdict = "no row" };

    for (size_t i = 0; i < told->rows; i++)
        if (told->row[i].port == port)
            return &told->row[i];
    return &none;
}

static int begin(void **state)
{
    (void)state;
    memset(&declared, 0, sizeof(declared));
    memset(&seen, 0, sizeof(seen));
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(told);
    told = NULL;
    return 0;
}

static void declare(uint16_t port, const char *from)
{
    struct audit_service *v = &declared.at[declared.count++];

    v->tcp.at[v->tcp.count++] = port;
    if (from)
        assert_true(prefix_read(slice_text(from), &v->from.at[v->from.count++]));
}

/* Another host tried all TCP ports, and was let in at one; 0: at none. */
static void look_from_outside(uint16_t open)
{
    seen.from = ip("10.1.0.1");
    seen.hosts = 1;
    seen.host[0].address = ip("10.1.0.2");
    memset(seen.host[0].port[SEEN_TCP], SEEN_SHUT, SEEN_PORTS);
    if (open > 0)
        seen.host[0].port[SEEN_TCP][open] = SEEN_OPEN;
}

/* --- three lists */

static void an_open_port_that_nothing_declares_stands_in_all_three_lists(void **state)
{
    struct snap *s = host();

    (void)state;
    declare(25, NULL);
    listener(s, "tcp", "0.0.0.0:8080", "/usr/sbin/webd");
    listener(s, "tcp", "0.0.0.0:25", "/usr/sbin/maild");
    package(s, "webd", "1.0", "/usr/sbin/webd");
    look_from_outside(8080);
    seen.host[0].port[SEEN_TCP][25] = SEEN_OPEN;
    audit_it(s, true, NULL);
    assert_int_equal(row(8080)->inside, AUDIT_REACHABLE);
    assert_false(row(8080)->is_declared);
    assert_int_equal(row(8080)->outside, SEEN_OPEN);
    assert_string_equal(row(8080)->program, "webd");
    assert_string_equal(row(8080)->package, "webd");
    assert_string_equal(row(8080)->verdict, "undeclared_open");
    assert_int_equal(finding("undeclared_open")->grade, GRADE_ALARM);
    assert_non_null(strstr(finding("undeclared_open")->text, "8080"));
    assert_string_equal(row(25)->verdict, "fine");
    assert_int_equal(told->found.count, 1);
}

static void a_host_that_is_as_declared_is_in_order(void **state)
{
    struct snap *s = host();

    (void)state;
    declare(25, NULL);
    listener(s, "tcp", "0.0.0.0:25", "/usr/sbin/maild");
    look_from_outside(25);
    audit_it(s, true, NULL);
    assert_string_equal(row(25)->verdict, "fine");
    assert_int_equal(told->found.count, 0);
    assert_false(audit_is_grave(told));
}

static void a_listener_of_the_loopback_alone_is_not_exposed(void **state)
{
    struct snap *s = host();

    (void)state;
    listener(s, "tcp", "127.0.0.1:3306", "/usr/sbin/mariadbd");
    listener(s, "tcp", "[::1]:3306", "/usr/sbin/mariadbd");
    look_from_outside(0);
    audit_it(s, true, NULL);
    assert_int_equal(row(3306)->inside, AUDIT_LOOPBACK);
    assert_string_equal(row(3306)->verdict, "inner");
    assert_int_equal(told->found.count, 0);
    s = host(); /* the same beside one that is not */
    listener(s, "tcp", "127.0.0.1:3306", "/usr/sbin/mariadbd");
    listener(s, "tcp", "10.1.0.2:3306", "/usr/sbin/mariadbd");
    audit_it(s, true, NULL);
    assert_int_equal(row(3306)->inside, AUDIT_REACHABLE);
    assert_string_equal(row(3306)->verdict, "bind_to_loopback");
}

static void what_is_open_without_a_listener_is_an_alarm(void **state)
{
    (void)state;
    look_from_outside(2222);
    audit_it(host(), true, NULL);
    assert_int_equal(row(2222)->inside, AUDIT_NOBODY);
    assert_string_equal(row(2222)->program, "-");
    assert_int_equal(finding("open_without_listener")->grade, GRADE_ALARM);
    look_from_outside(0);
    audit_it(host(), true, NULL);
    assert_string_equal(row(2222)->verdict, "no row");
    assert_int_equal(told->found.count, 0);
}

static void a_port_for_a_network_is_not_for_others(void **state)
{
    struct snap *s = host();

    (void)state;
    declare(5432, "192.0.2.0/24");
    listener(s, "tcp", "0.0.0.0:5432", "/usr/lib/postgres");
    look_from_outside(5432);
    audit_it(s, true, NULL);
    assert_string_equal(row(5432)->verdict, "open_to_others");
    s = host();
    listener(s, "tcp", "0.0.0.0:5432", "/usr/lib/postgres");
    seen.from = ip("192.0.2.7");
    audit_it(s, true, NULL);
    assert_int_equal(told->found.count, 0);
    s = host(); /* nor has it to be reached by others */
    listener(s, "tcp", "0.0.0.0:5432", "/usr/lib/postgres");
    look_from_outside(0);
    audit_it(s, true, NULL);
    assert_int_equal(told->found.count, 0);
}

static void what_is_declared_must_be_there_and_be_reached(void **state)
{
    struct snap *s = host();

    (void)state;
    declare(25, NULL);
    declare(443, NULL);
    listener(s, "tcp", "127.0.0.1:443", "/usr/sbin/webd");
    look_from_outside(0);
    audit_it(s, true, NULL);
    assert_string_equal(row(25)->verdict, "declared_missing");
    assert_string_equal(row(443)->verdict, "declared_unreached");
    s = host(); /* nobody looked: it may well be reached */
    listener(s, "tcp", "0.0.0.0:25", "/usr/sbin/maild");
    listener(s, "tcp", "0.0.0.0:443", "/usr/sbin/webd");
    audit_it(s, false, NULL);
    assert_int_equal(told->found.count, 0);
}

static void ports_that_clients_were_given_are_no_services(void **state)
{
    struct snap *s = host();

    (void)state;
    listener(s, "udp", "0.0.0.0:43210", "/usr/sbin/resolver");
    audit_it(s, false, NULL);
    assert_string_equal(row(43210)->verdict, "no row");
    s = host();
    listener(s, "udp", "0.0.0.0:53", "/usr/sbin/resolver");
    audit_it(s, false, NULL);
    assert_true(row(53)->udp);
    assert_int_equal(finding("undeclared")->grade, GRADE_NOTE);
}

static void a_look_at_another_host_is_told_and_not_used(void **state)
{
    (void)state;
    look_from_outside(2222);
    seen.host[0].address = ip("10.9.9.9");
    seen.hosts = 2;
    seen.host[1] = seen.host[0];
    seen.host[1].address = ip("10.9.9.8");
    audit_it(host(), true, NULL);
    assert_false(told->has_outside);
    assert_int_equal(told->found.count, 1);
    (void)finding("looked_at_others");
}

static void who_looks_at_itself_is_nobody_outside(void **state)
{
    (void)state;
    look_from_outside(2222);
    seen.from = seen.host[0].address;
    audit_it(host(), true, NULL);
    assert_false(told->has_outside);
    assert_non_null(strstr(finding("looked_at_others")->proof[0], "it looked at itself, 10.1.0.2"));
    seen.from = ip("10.1.0.1");
    seen.host[0].address = ip("127.0.0.1");
    audit_it(host(), true, NULL);
    assert_false(told->has_outside);
    seen.host[0].address = ip("192.0.2.1"); /* behind a translation: the only one in the file */
    audit_it(host(), true, NULL);
    assert_true(told->has_outside);
}

static void names_of_programs_forge_nothing(void **state)
{
    struct snap *s = host();

    (void)state;
    listener(s, "tcp", "0.0.0.0:8080", "/tmp/x\n25/tcp maild\033[2J");
    package(s, "x\033[2J", "1", "/tmp/x\n25/tcp maild\033[2J");
    audit_it(s, false, NULL);
    assert_null(strpbrk(row(8080)->program, "\n\033"));
    assert_null(strpbrk(row(8080)->package, "\n\033"));
    assert_null(strpbrk(finding("undeclared")->proof[0], "\n\033"));
}

/* --- a twin */

static struct snap *principal(void)
{
    struct snap *s = host();

    listener(s, "tcp", "0.0.0.0:25", "/usr/sbin/maild");
    package(s, "maild", "3.7.11", "/usr/sbin/maild");
    package(s, "libc6", "2.36-9", "");
    return s;
}

static void one_package_one_listener_and_one_mount_are_three_drifts(void **state)
{
    struct snap *here = principal();
    struct snap *there = host();

    (void)state;
    listener(here, "tcp", "0.0.0.0:8080", "/usr/sbin/webd");
    mount(here, "/srv", "xfs", 9);
    listener(there, "tcp", "0.0.0.0:25", "/usr/sbin/maild");
    package(there, "libc6", "2.36-9", "");
    package(there, "maild", "3.7.10", "/usr/sbin/maild");
    audit_it(here, false, there);
    assert_int_equal(count("drift"), 3);
    assert_non_null(strstr(finding("drift_package")->text, "maild:amd64 is 3.7.11 here, and 3.7.10 there"));
    assert_non_null(strstr(finding("drift_listener")->text, "tcp port 8080"));
    assert_non_null(strstr(finding("drift_mount")->text, "/srv is mounted (xfs rw) only here"));
}

static void twins_that_are_the_same_have_not_drifted(void **state)
{
    struct snap *there = principal();
    struct snap_mount *proc;

    (void)state;
    mount(there, "/run/user/1000", "tmpfs", 30); /* comes and goes */
    proc = (struct snap_mount *)there->part[SNAP_MOUNT].at;
    proc->source = SLICE("/dev/sda1"); /* another disk is no drift */
    proc->minor = 77;
    audit_it(principal(), false, there);
    assert_int_equal(count("drift"), 0);
}

static void a_picture_without_packages_is_no_host_without_them(void **state)
{
    struct snap *there = host();

    (void)state;
    listener(there, "tcp", "0.0.0.0:25", "/usr/sbin/maild");
    audit_it(principal(), false, there);
    assert_int_equal(count("drift"), 1);
    assert_int_equal(finding("drift_unknown")->grade, GRADE_NOTE);
}

/* --- the house */

static void a_single_partition_is_told_with_what_should_be_apart(void **state)
{
    struct snap *s = bare_host();

    (void)state;
    mount(s, "/", "ext4", 1);
    audit_it(s, false, NULL);
    assert_non_null(strstr(finding("single_partition")->text, "/tmp, /home, /var should be apart"));
    assert_int_equal(finding("single_partition")->grade, GRADE_WARN);
    s = bare_host(); /* mounted once more is not apart */
    mount(s, "/", "ext4", 1);
    mount(s, "/tmp", "tmpfs", 2);
    mount(s, "/home", "ext4", 1);
    mount(s, "/var", "ext4", 4);
    audit_it(s, false, NULL);
    assert_int_equal(finding("single_partition")->grade, GRADE_NOTE);
    assert_non_null(strstr(finding("single_partition")->text, ": /home"));
    audit_it(host(), false, NULL);
    assert_int_equal(count("single_partition"), 0);
}

static void a_newer_kernel_of_the_same_flavour_waits_for_a_start(void **state)
{
    struct snap *s = host();

    (void)state;
    package(s, "linux-image-6.1.0-27-amd64", "6.1.115-1", "");
    package(s, "linux-image-6.1.0-30-cloud-amd64", "6.1.124-1", "");
    package(s, "linux-image-amd64", "6.1.124-1", "");
    package(s, "linux-image-6.1.0-9-amd64", "6.1.27-1", "");
    audit_it(s, false, NULL);
    assert_int_equal(count("old_kernel"), 0);
    s = host();
    package(s, "linux-image-6.1.0-30-amd64", "6.1.124-1", "");
    audit_it(s, false, NULL);
    assert_non_null(strstr(finding("old_kernel")->text, "6.1.0-27-amd64, and 6.1.0-30-amd64"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_open_port_that_nothing_declares_stands_in_all_three_lists),
        TEST(a_host_that_is_as_declared_is_in_order),
        TEST(a_listener_of_the_loopback_alone_is_not_exposed),
        TEST(what_is_open_without_a_listener_is_an_alarm),
        TEST(a_port_for_a_network_is_not_for_others),
        TEST(what_is_declared_must_be_there_and_be_reached),
        TEST(ports_that_clients_were_given_are_no_services),
        TEST(a_look_at_another_host_is_told_and_not_used),
        TEST(who_looks_at_itself_is_nobody_outside),
        TEST(names_of_programs_forge_nothing),
        TEST(one_package_one_listener_and_one_mount_are_three_drifts),
        TEST(twins_that_are_the_same_have_not_drifted),
        TEST(a_picture_without_packages_is_no_host_without_them),
        TEST(a_single_partition_is_told_with_what_should_be_apart),
        TEST(a_newer_kernel_of_the_same_flavour_waits_for_a_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
