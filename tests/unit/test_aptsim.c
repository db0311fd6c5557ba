/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What apt-get's simulation says: which updates wait, and which of them close a hole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/aptsim.h"

static struct aptsim sum_of(const char *text)
{
    struct aptsim sum;

    aptsim_read(slice_text(text), &sum);
    return sum;
}

static void debian_12_as_it_was_heard(void **state)
{
    struct aptsim sum =
        sum_of("NOTE: This is only a simulation!\n"
               "      apt-get needs root privileges for real execution.\n"
               "Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])\n"
               "Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])\n"
               "Inst libgcrypt20-dev [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, "
               "Debian-Security:12/oldstable-security "
               "[amd64]) []\n"
               "Inst libapt-pkg6.0 [2.6.1] (2.6.2 Debian-Security:12/oldstable-security [amd64])\n"
               "Conf libapt-pkg6.0 (2.6.2 Debian-Security:12/oldstable-security [amd64])\n"
               "Inst login [1:4.13+dfsg1-1+deb12u1] (1:4.13+dfsg1-1+deb12u2 Debian:12.15/oldstable [amd64])\n");

    (void)state;
    assert_int_equal(sum.all, 4);
    assert_int_equal(sum.security, 2);
}

static void debian_10_and_ubuntu_call_it_otherwise(void **state)
{
    struct aptsim sum =
        sum_of("Inst sudo [1.8.27-1+deb10u5] (1.8.27-1+deb10u6 Debian-Security:10/oldoldstable [amd64])\n"
               "Inst libssl3 [3.0.2-0ubuntu1.15] (3.0.2-0ubuntu1.18 Ubuntu:22.04/jammy-updates, "
               "Ubuntu:22.04/jammy-security [amd64]) [openssl:amd64 ]\n"
               "Inst vim [2:8.2] (2:8.2.1 UbuntuESMApps:22.04/jammy-apps-security [amd64])\n"
               "Inst tzdata [2024a] (2024b Ubuntu:22.04/jammy-updates [all])\n");

    (void)state;
    assert_int_equal(sum.all, 4);
    assert_int_equal(sum.security, 3);
}

static void others_are_no_security_updates_whatever_they_are_called(void **state)
{
    struct aptsim sum = sum_of("Inst docker-ce [5:24.0.7-1] (5:27.0.3-1 Docker CE:jammy [amd64])\n"
                               "Inst scanner [1] (2 Acme Security Tools:1/stable [amd64])\n"
                               "Inst mine [1-security] (2-security localhost [all])\n");

    (void)state;
    assert_int_equal(sum.all, 3);
    assert_int_equal(sum.security, 0);
}

static void what_is_not_there_yet_does_not_wait(void **state)
{
    struct aptsim sum =
        sum_of("Inst linux-image-6.1.0-37-amd64 (6.1.140-1 Debian-Security:12/stable-security [amd64])\n"
               "Inst linux-image-amd64 [6.1.135-1] (6.1.140-1 Debian-Security:12/stable-security [amd64])\n");

    (void)state;
    assert_int_equal(sum.all, 1);
    assert_int_equal(sum.security, 1);
}

static void lines_cut_anywhere_are_no_harm(void **state)
{
    struct slice line = SLICE("Inst sudo [1.8] (1.9 Debian-Security:10/oldstable [amd64]) []\n");

    (void)state;
    for (size_t n = 0; n <= line.len; n++) {
        struct aptsim sum;

        aptsim_read(slice_first(line, n), &sum);
        assert_int_equal(sum.all, n >= sizeof("Inst sudo [1.8] (1.9") - 1 || n == sizeof("Inst sudo [1.8] (1.") - 1 ||
                                      n == sizeof("Inst sudo [1.8] (1") - 1);
        assert_true(sum.security <= sum.all);
    }
    assert_int_equal(sum_of("").all, 0);
    assert_int_equal(sum_of("Inst\nInst \nInst a\nInst a [\nInst a [] (\nInst a [1]\nInst a [1] ()\n").all, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debian_12_as_it_was_heard),
        cmocka_unit_test(debian_10_and_ubuntu_call_it_otherwise),
        cmocka_unit_test(others_are_no_security_updates_whatever_they_are_called),
        cmocka_unit_test(what_is_not_there_yet_does_not_wait),
        cmocka_unit_test(lines_cut_anywhere_are_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
