/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <utmp.h>

#include "wire/cron.h"
#include "wire/proc.h"
#include "wire/smart.h"
#include "wire/sums.h"
#include "wire/utmp.h"

static void assert_words(struct slice s, const char *words)
{
    assert_true(slice_eq(s, slice_text(words)));
}

/* As in the second story. */
static void the_intruder_stands_in_wtmp(void **state)
{
    struct utmp from = { .ut_type = USER_PROCESS, .ut_pid = 10207 };
    struct slice rest = slice_of(&from, sizeof(from));
    struct utmp_record r;

    (void)state;
    memcpy(from.ut_user, "admin", 5);
    memcpy(from.ut_line, "ftpd10207", 9);
    memcpy(from.ut_host, "190.74.254.143", 14);
    memcpy(from.ut_addr_v6, (uint8_t[]){ 190, 74, 254, 143 }, 4);
    from.ut_tv.tv_sec = 1259938800;
    assert_int_equal(sizeof(from), UTMP_SIZE);
    assert_true(utmp_next(&rest, &r));
    assert_int_equal(r.type, UTMP_USER);
    assert_int_equal(r.pid, 10207);
    assert_words(r.user, "admin");
    assert_words(r.line, "ftpd10207");
    assert_words(r.host, "190.74.254.143");
    assert_true(addr_eq(r.address, addr_v4(0xbe4afe8f, 0)));
    assert_int_equal(r.at_us, 1259938800000000);
    assert_false(utmp_next(&rest, &r));
}

static void a_cut_record_is_none(void **state)
{
    uint8_t bytes[UTMP_SIZE - 1] = { 7 };
    struct slice rest = slice_of(bytes, sizeof(bytes));
    struct utmp_record r;
    struct lastlog_record l;

    (void)state;
    assert_false(utmp_next(&rest, &r));
    rest = slice_of(bytes, LASTLOG_SIZE - 1);
    assert_false(lastlog_next(&rest, &l));
}

static void names_without_an_end_stay_in_their_field(void **state)
{
    struct utmp from = { 0 };
    struct slice rest = slice_of(&from, sizeof(from));
    struct utmp_record r;

    (void)state;
    memset(&from, 'A', sizeof(from));
    assert_true(utmp_next(&rest, &r));
    assert_int_equal(r.user.len, 32);
    assert_int_equal(r.host.len, 256);
}

static void the_systems_crontab_names_a_user(void **state)
{
    struct cron_line c;

    (void)state;
    assert_true(cron_line_read(SLICE("17 *\t* * *\troot    cd / && run-parts /etc/cron.hourly"), true, &c));
    assert_words(c.when, "17 *\t* * *");
    assert_words(c.user, "root");
    assert_words(c.command, "cd / && run-parts /etc/cron.hourly");
    assert_true(cron_line_read(SLICE("@reboot /home/x/.sysd/start"), false, &c));
    assert_words(c.when, "@reboot");
    assert_words(c.command, "/home/x/.sysd/start");
}

static void comments_and_variables_start_nothing(void **state)
{
    struct cron_line c;

    (void)state;
    assert_false(cron_line_read(SLICE("# 1 2 3 4 5 root x"), true, &c));
    assert_false(cron_line_read(SLICE("MAILTO = a b c d e f"), true, &c));
    assert_false(cron_line_read(SLICE("* * * * *"), false, &c));
    assert_false(cron_line_read(SLICE("* * * * * root"), true, &c));
    assert_false(cron_line_read(SLICE(""), false, &c));
}

static void a_timer_says_when(void **state)
{
    struct slice rest = SLICE("[Timer]\nOnCalendar=*-*-* 6:00\nOnCalendar = weekly\nPersistent=true\n");
    struct slice value;

    (void)state;
    assert_true(unit_setting(&rest, "OnCalendar", &value));
    assert_words(value, "*-*-* 6:00");
    assert_true(unit_setting(&rest, "OnCalendar", &value));
    assert_words(value, "weekly");
    assert_false(unit_setting(&rest, "OnCalendar", &value));
}

static void proc_net_tells_ports(void **state)
{
    struct proc_port p;

    (void)state;
    assert_true(proc_port_read(SLICE("   0: 3201007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000   "
                                     "  0        0 12345 1 0 100 0 0 10 0"),
                               &p));
    assert_true(addr_eq(p.local, addr_v4(0x7f000132, 25)));
    assert_int_equal(p.state, 10);
    assert_int_equal(p.inode, 12345);
    assert_true(
        proc_port_read(SLICE("   1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 "
                             "07 00000000:00000000 00:00000000 00000000     0        0 99 2 0 0"),
                       &p));
    assert_true(addr_eq(p.local, addr_v4(0x7f000001, 8080)));
    assert_false(proc_port_read(SLICE("  sl  local_address rem_address   st tx_queue rx_queue"), &p));
}

static void sums_are_read_as_dpkg_and_sha256sum_write_them(void **state)
{
    struct sum_line s;

    (void)state;
    assert_true(sum_line_read(SLICE("1070b879f0cd690ce287d50ea614c894  usr/bin/who"), &s));
    assert_int_equal(s.digits.len, 32);
    assert_words(s.path, "usr/bin/who");
    assert_true(
        sum_line_read(SLICE("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *./usr/bin/a b"), &s));
    assert_int_equal(s.digits.len, 64);
    assert_words(s.path, "usr/bin/a b");
    assert_false(sum_line_read(SLICE("1070b879f0cd690ce287d50ea614c89  usr/bin/who"), &s));
    assert_false(sum_line_read(SLICE("1070b879f0cd690ce287d50ea614c894  /"), &s));
}

static void the_status_names_packages_and_configuration_files(void **state)
{
    struct slice rest = SLICE("Package: cron\nStatus: install ok installed\nVersion: 3.0pl1-162\nConffiles:\n"
                              " /etc/crontab 8f111d100ea459f68d333d63a8ef2205\n"
                              " /etc/old 8f111d100ea459f68d333d63a8ef2205 obsolete\nDescription: x\n /y z\n");
    struct status_line l;

    (void)state;
    status_next(&rest, &l);
    assert_int_equal(l.kind, STATUS_PACKAGE);
    assert_words(l.value, "cron");
    status_next(&rest, &l);
    assert_int_equal(l.kind, STATUS_VERSION);
    status_next(&rest, &l);
    assert_int_equal(l.kind, STATUS_CONFIGURATION);
    assert_words(l.value, "/etc/crontab");
    status_next(&rest, &l);
    assert_int_equal(l.kind, STATUS_END);
}

static void assert_health(bool (*read_it)(struct slice, struct text *), const uint8_t *at, size_t len,
                          const char *words)
{
    char health[160];
    struct text t = TEXT_IN(health);

    assert_int_equal(read_it(slice_of(at, len), &t), words != NULL);
    if (words)
        assert_string_equal(health, words);
}

static void a_disk_says_how_it_is(void **state)
{
    uint8_t page[512] = { 0 };
    uint8_t sense[22] = { 0x72, 0x01, 0x00, 0x1d, 0, 0, 0, 14, 9, 12 };

    (void)state;
    page[5] = 7;
    assert_health(smart_nvme_read, page, sizeof(page), "good, 7 % of its life is used");
    page[0] = 0x0c;
    assert_health(smart_nvme_read, page, sizeof(page), "failing: it makes too many errors, it is read-only now");
    assert_health(smart_nvme_read, page, 511, NULL);
    sense[8 + 9] = 0x4f;
    sense[8 + 11] = 0xc2;
    assert_health(smart_ata_read, sense, sizeof(sense), "good");
    sense[8 + 9] = 0xf4;
    sense[8 + 11] = 0x2c;
    assert_health(smart_ata_read, sense, sizeof(sense), "failing: it passed a threshold of its maker");
    assert_health(smart_ata_read, sense, sizeof(sense) - 1, NULL);
    sense[0] = 0x70;
    assert_health(smart_ata_read, sense, sizeof(sense), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_intruder_stands_in_wtmp),
        cmocka_unit_test(a_cut_record_is_none),
        cmocka_unit_test(names_without_an_end_stay_in_their_field),
        cmocka_unit_test(the_systems_crontab_names_a_user),
        cmocka_unit_test(comments_and_variables_start_nothing),
        cmocka_unit_test(a_timer_says_when),
        cmocka_unit_test(proc_net_tells_ports),
        cmocka_unit_test(a_disk_says_how_it_is),
        cmocka_unit_test(sums_are_read_as_dpkg_and_sha256sum_write_them),
        cmocka_unit_test(the_status_names_packages_and_configuration_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
