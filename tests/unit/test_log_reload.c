/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a reload may change of the section log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "sense/log/papers.h"
#include "sense/log/ports.h"

static struct log_settings old, now;
static struct papers papers;
static struct err e;

static int fresh(void **state)
{
    (void)state;
    memset(&old, 0, sizeof(old));
    old.mode = LOG_KEEP;
    (void)snprintf(old.folder, sizeof(old.folder), "/var/lib/serviola/log");
    old.udp_sockets = 1;
    now = old;
    memset(&papers, 0, sizeof(papers));
    return 0;
}

static struct addr at(const char *text)
{
    struct addr a;

    assert_true(addr_read_port(slice_text(text), &a));
    return a;
}

static void a_place_is_named_once_and_has_its_usual_port(void **state)
{
    struct log_port ports[LOG_PORTS];

    (void)state;
    now.udp = (struct key_addrs){ .count = 2, .at = { at("10.0.0.1"), at("10.0.0.1:514") } };
    now.tcp = (struct key_addrs){ .count = 1, .at = { at("10.0.0.1:514") } };
    now.tls = (struct key_addrs){ .count = 1, .at = { at("[::1]") } };
    assert_int_equal(log_ports(&now, ports), 3);
    assert_int_equal(ports[0].way, LOG_UDP);
    assert_int_equal(ports[0].at.port, 514);
    assert_int_equal(ports[1].way, LOG_TCP);
    assert_int_equal(ports[2].at.port, 6514);
    assert_true(log_port_is_named(&now, &ports[2]));
    assert_false(log_port_is_named(&old, &ports[2]));
}

static void listeners_senders_and_limits_change_at_once(void **state)
{
    (void)state;
    now.tcp.count = 1;
    now.senders.count = 1;
    now.line_bytes = now.connections = 5;
    now.keep_bytes = 1 << 20;
    assert_null(log_needs_restart(&old, &now));
    log_keep_fixed(&old, &now);
    assert_int_equal(now.keep_bytes, 1 << 20);
    assert_int_equal(now.tcp.count, 1);
}

static void what_was_opened_before_the_jail_waits_for_the_next_start(void **state)
{
    (void)state;
    (void)snprintf(now.socket, sizeof(now.socket), "/dev/log");
    now.connections = 7;
    assert_string_equal(log_needs_restart(&old, &now), "log.socket");
    log_keep_fixed(&old, &now);
    assert_string_equal(now.socket, "");
    assert_int_equal(now.connections, 7);
    assert_null(log_needs_restart(&old, &now));
}

static void a_part_that_was_off_does_not_start_by_a_reload(void **state)
{
    (void)state;
    old.mode = LOG_OFF;
    assert_string_equal(log_needs_restart(&old, &now), "log.mode");
    log_keep_fixed(&old, &now);
    assert_int_equal(now.mode, LOG_OFF);
}

static void tls_without_its_papers_is_told_and_the_old_ones_stay(void **state)
{
    (void)state;
    papers.key.len = 3;
    now.tls.count = 1;
    assert_int_equal(papers_read(&papers, &now, &e), -1);
    assert_non_null(strstr(e.text, "tls needs a certificate and its key"));
    (void)snprintf(now.certificate, sizeof(now.certificate), "/nowhere/ours.pem");
    (void)snprintf(now.key, sizeof(now.key), "/nowhere/ours.key");
    assert_int_equal(papers_read(&papers, &now, &e), -1);
    now.client = LOG_CLIENT_ANY;
    assert_int_equal(papers_read(&papers, &now, &e), -1);
    assert_non_null(strstr(e.text, "log.certificates.certificate: /nowhere/ours.pem"));
    assert_int_equal(papers.key.len, 3);
}

static void a_file_without_pem_is_told(void **state)
{
    char path[] = "/tmp/serviola-paper-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "no paper", 8), 8);
    (void)close(fd);
    now.tls.count = 1;
    (void)snprintf(now.certificate, sizeof(now.certificate), "%s", path);
    (void)snprintf(now.key, sizeof(now.key), "%s", path);
    assert_int_equal(papers_read(&papers, &now, &e), -1);
    assert_non_null(strstr(e.text, "no PEM text"));
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_place_is_named_once_and_has_its_usual_port, fresh),
        cmocka_unit_test_setup(listeners_senders_and_limits_change_at_once, fresh),
        cmocka_unit_test_setup(what_was_opened_before_the_jail_waits_for_the_next_start, fresh),
        cmocka_unit_test_setup(a_part_that_was_off_does_not_start_by_a_reload, fresh),
        cmocka_unit_test_setup(tls_without_its_papers_is_told_and_the_old_ones_stay, fresh),
        cmocka_unit_test_setup(a_file_without_pem_is_told, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
