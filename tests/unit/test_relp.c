/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/relp.h"

static void a_session_is_read_frame_by_frame(void **state)
{
    struct slice s = SLICE("1 open 30 relp_version=0\ncommands=syslog\n2 syslog 7 <13>a b\n3 close 0\n4 close 0 \n");
    static const char *const commands[] = { "open", "syslog", "close", "close" };
    struct relp_frame f;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(relp_frame_read(s, 1000, &f), RELP_WHOLE);
        assert_int_equal(f.txnr, i + 1);
        assert_true(slice_eq(f.command, slice_text(commands[i])));
        if (i == 1)
            assert_true(slice_eq(f.data, SLICE("<13>a b")));
        s = slice_skip(s, f.used);
    }
    assert_int_equal(s.len, 0);
    assert_int_equal(relp_frame_read(s, 1000, &f), RELP_MORE);
}

static void what_is_no_relp_is_refused(void **state)
{
    static const char *const odd[] = {
        "x open 0\n",    "-1 open 0\n",       "1 open -5\n",
        "1 open 2000 x", "1 syslog 3 abcd\n", "12345678901 open 0\n",
        "1  0\n",        " 1 open 0\n",       "1 a_command_that_is_much_longer_than_any_there_is 0\n",
    };
    struct relp_frame f;

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        if (relp_frame_read(slice_text(odd[i]), 1000, &f) != RELP_BAD)
            fail_msg("%s", odd[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_read_frame_by_frame),
        cmocka_unit_test(what_is_no_relp_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
