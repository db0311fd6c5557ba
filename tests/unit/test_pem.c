/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate's certificate and key: read as they are, or refused with the path and the way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/pem.h"
#include "core/roster.h"

static char room[] = "/tmp/test_pem.XXXXXX";
static struct gate_settings gate;
static struct pem pem;
static struct err e;

static void put(char path[200], const char *name, const char *text, size_t times)
{
    FILE *f;

    assert_true(snprintf(path, 200, "%s/%s", room, name) < 200);
    f = fopen(path, "w");
    assert_non_null(f);
    while (times-- > 0)
        assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static int house(void **state)
{
    (void)state;
    return mkdtemp(room) ? 0 : -1;
}

static int gone(void **state)
{
    char command[100];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -r %s", room);
    return system(command);
}

static int fresh(void **state)
{
    (void)state;
    memset(&gate, 0, sizeof(gate));
    memset(&pem, 0, sizeof(pem));
    gate.listeners_count = 1;
    (void)strcpy(gate.listeners[0].name, "mx");
    return 0;
}

static void without_files_there_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(pem_read(&pem, &gate, &e), 0);
    assert_int_equal(pem.key_len, 0);
    gate.listeners[0].tls = GATE_TLS_END;
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    assert_non_null(strstr(e.text, "listener mx ends TLS"));
}

static void both_files_are_read_and_a_fault_leaves_the_old_ones(void **state)
{
    (void)state;
    put(gate.certificate, "cert.pem", "-----BEGIN CERTIFICATE-----\n", 1);
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    assert_non_null(strstr(e.text, "no key"));
    put(gate.key, "key.pem", "-----BEGIN PRIVATE KEY-----\n", 1);
    assert_int_equal(pem_read(&pem, &gate, &e), 0);
    assert_int_equal(pem.certificate_len, 28);
    assert_memory_equal(pem.key, "-----BEGIN PRIVATE KEY-----\n", pem.key_len);
    assert_int_equal(unlink(gate.key), 0);
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    assert_non_null(strstr(e.text, gate.key));
    assert_int_equal(pem.key_len, 28);
}

static void what_is_no_pem_text_is_refused_and_not_told(void **state)
{
    (void)state;
    put(gate.certificate, "cert.pem", "-----BEGIN CERTIFICATE-----\n", 1);
    put(gate.key, "der", "secret", 1);
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    assert_non_null(strstr(e.text, "no PEM text"));
    assert_null(strstr(e.text, "secret"));
    put(gate.key, "empty", "", 1);
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    put(gate.key, "long", "-----BEGIN PRIVATE KEY-----\n", 2000);
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    assert_non_null(strstr(e.text, "too much"));
    (void)strcpy(gate.key, "/dev/zero");
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
    (void)strcpy(gate.key, room);
    assert_int_equal(pem_read(&pem, &gate, &e), -1);
}

static void a_new_port_or_file_needs_a_new_jail(void **state)
{
    const struct row gate_row = { .settings = SETTINGS_GATE };
    const struct row lists_row = { .settings = SETTINGS_LISTS };
    struct house_settings *a = calloc(2, sizeof(*a));
    struct house_settings *b = a + 1;

    (void)state;
    assert_non_null(a);
    a->gate.callback.port = b->gate.callback.port = 25;
    a->gate.listeners_count = b->gate.listeners_count = 2;
    a->gate.listeners[0].to.port = b->gate.listeners[0].to.port = 2525;
    a->gate.listeners[1].to.port = 2587;
    b->gate.listeners[1].to.port = 25;
    assert_false(roster_outgrown(&gate_row, a, b)); /* fewer ports */
    assert_true(roster_outgrown(&gate_row, b, a));
    b->gate.dns.servers.count = 1;
    b->gate.dns.servers.at[0].port = 53;
    assert_false(roster_outgrown(&gate_row, a, b));
    assert_false(roster_outgrown(&lists_row, a, b));
    b->gate.lists_count = 1;
    assert_true(roster_outgrown(&lists_row, a, b));
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_files_there_is_nothing, fresh),
        cmocka_unit_test_setup(both_files_are_read_and_a_fault_leaves_the_old_ones, fresh),
        cmocka_unit_test_setup(what_is_no_pem_text_is_refused_and_not_told, fresh),
        cmocka_unit_test(a_new_port_or_file_needs_a_new_jail),
    };

    return cmocka_run_group_tests(tests, house, gone);
}
