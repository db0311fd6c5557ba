/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include "wire/diag.h"
#include "wire/proc.h"

#define assert_slice(s, literal) assert_true(slice_eq((s), SLICE(literal)))

static void a_comm_with_brackets_and_line_ends_does_not_shift_the_fields(void **state)
{
    struct proc_stat s;

    (void)state;
    assert_true(
        proc_stat_read(SLICE("77 (a) R 1\n\033[2Jb) D 5 77 77 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 3 0 4711 1000 12 "
                             "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 1 1 1 100 164 164 200 0"),
                       &s));
    assert_int_equal(s.pid, 77);
    assert_slice(s.comm, "a) R 1\n\033[2Jb");
    assert_int_equal(s.state, 'D');
    assert_int_equal(s.ppid, 5);
    assert_int_equal(s.flags, 4194304);
    assert_int_equal(s.threads, 3);
    assert_int_equal(s.start_ticks, 4711);
    assert_int_equal(s.rss_pages, 12);
    assert_int_equal(s.args_bytes, 64);
}

static void a_cut_stat_is_refused(void **state)
{
    struct proc_stat s;

    (void)state;
    assert_false(proc_stat_read(SLICE(""), &s));
    assert_false(proc_stat_read(SLICE("77 (a"), &s));
    assert_false(proc_stat_read(SLICE("77 )"), &s));
    assert_false(proc_stat_read(SLICE("77 (a) S 1 2 3"), &s));
}

static void a_mount_tells_its_options_and_its_spaces(void **state)
{
    struct proc_mount m;
    char plain[64];
    struct text t = TEXT_IN(plain);

    (void)state;
    assert_true(proc_mount_read(SLICE("36 35 98:0 /root /mnt/my\\040disk rw,noatime shared:1 master:2 - ext4 /dev/sda1 "
                                      "rw,emergency_ro,errors=remount-ro"),
                                &m));
    assert_int_equal(m.id, 36);
    assert_int_equal(m.major, 98);
    assert_slice(m.type, "ext4");
    assert_slice(m.source, "/dev/sda1");
    assert_true(proc_option(m.super_options, "emergency_ro"));
    assert_false(proc_option(m.super_options, "ro"));
    proc_unescape(&t, m.point);
    assert_string_equal(plain, "/mnt/my disk");
    assert_false(proc_mount_read(SLICE("36 35 98:0 / /mnt rw shared:1"), &m));
}

static void figures_are_read_as_hundredths(void **state)
{
    struct proc_pressure p;
    struct proc_load l;
    uint64_t n = 0;

    (void)state;
    assert_true(proc_pressure_read(SLICE("full avg10=12.34 avg60=0.50 avg300=0.00 total=987"), &p));
    assert_true(p.full);
    assert_int_equal(p.avg10_centi, 1234);
    assert_int_equal(p.avg60_centi, 50);
    assert_int_equal(p.total_us, 987);
    assert_true(proc_load_read(SLICE("0.52 0.58 0.59 3/602 29001\n"), &l));
    assert_int_equal(l.one_centi, 52);
    assert_int_equal(l.running, 3);
    assert_int_equal(l.last_pid, 29001);
    assert_true(
        proc_limit(SLICE("Limit  Soft\nMax open files            1024                 4096                 files\n"),
                   "Max open files", &n));
    assert_int_equal(n, 1024);
    assert_true(proc_cpus(SLICE("0-3,8\n"), &n));
    assert_int_equal(n, 5);
    assert_false(proc_cpus(SLICE("3-0"), &n));
}

static void a_log_line_tells_who_wrote_it(void **state)
{
    struct proc_kmsg k;

    (void)state;
    assert_true(proc_kmsg_read(
        SLICE("12,339,5140900,-;cciss: cmd dfb40000 has CHECK CONDITION byte 2 = 0x3\n DEVICE=x\n"), &k));
    assert_int_equal(k.level, 4);
    assert_int_equal(k.facility, 1);
    assert_int_equal(k.number, 339);
    assert_int_equal(k.at_us, 5140900);
    assert_slice(k.text, "cciss: cmd dfb40000 has CHECK CONDITION byte 2 = 0x3");
    assert_false(proc_kmsg_read(SLICE("no log line"), &k));
}

static void routes_disks_modules_and_units_are_read(void **state)
{
    struct proc_route r;
    struct proc_disk d;
    struct proc_module m;

    (void)state;
    assert_true(proc_route4_read(SLICE("eth0\t0001010A\t0101010A\t0003\t0\t0\t100\t00FFFFFF\t0\t0\t0"), &r));
    assert_string_equal(addr_ip_text(r.net).text, "10.1.1.0");
    assert_string_equal(addr_ip_text(r.gateway).text, "10.1.1.1");
    assert_int_equal(r.bits, 24);
    assert_int_equal(r.metric, 100);
    assert_true(proc_disk_read(SLICE("   8       0 sda 100 1 2 3 50 5 6 7 9 8 10 0 0"), &d));
    assert_int_equal(d.reads + d.writes, 150);
    assert_int_equal(d.in_flight, 9);
    assert_true(proc_module_read(SLICE("nf_tables 212992 0 - Live 0xffffffffc0a (OE)"), &m));
    assert_slice(m.taints, "OE");
    assert_slice(proc_unit(SLICE("1:name=systemd:/\n0::/system.slice/nginx.service\n")), "nginx.service");
    assert_slice(proc_unit(SLICE("0::/\n")), "");
}

static void a_socket_is_read_as_the_kernel_lays_it_out(void **state)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_msg m;
    } tcp = {
        .h = { .nlmsg_len = sizeof(tcp), .nlmsg_type = 20 },
        .m = { .idiag_family = AF_INET6, .idiag_state = 10, .idiag_inode = 77, .idiag_rqueue = 3, .idiag_wqueue = 64 }
    };
    struct slice rest = slice_of(&tcp, sizeof(tcp));
    struct diag_message m;
    struct diag_socket s;

    (void)state;
    tcp.m.id.idiag_sport = 0x1900; /* 25, network order */
    tcp.m.id.idiag_src[2] = 0xffff0000;
    tcp.m.id.idiag_src[3] = 0x0100007f;
    assert_true(diag_next(&rest, &m));
    assert_true(diag_inet_read(m.body, &s));
    assert_string_equal(addr_socket_text(s.local).text, "127.0.0.1:25");
    assert_string_equal(diag_state_name(s.state), "LISTEN");
    assert_int_equal(s.inode, 77);
    assert_int_equal(s.send_queue, 64);
    assert_false(diag_next(&rest, &m));
    assert_false(diag_inet_read(slice_first(m.body, 20), &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comm_with_brackets_and_line_ends_does_not_shift_the_fields),
        cmocka_unit_test(a_cut_stat_is_refused),
        cmocka_unit_test(a_mount_tells_its_options_and_its_spaces),
        cmocka_unit_test(figures_are_read_as_hundredths),
        cmocka_unit_test(a_log_line_tells_who_wrote_it),
        cmocka_unit_test(routes_disks_modules_and_units_are_read),
        cmocka_unit_test(a_socket_is_read_as_the_kernel_lays_it_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
