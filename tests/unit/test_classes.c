/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which lines live longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sense/log/classes.h"

static struct log_settings set;
static struct log_class *c = &set.classes[0];
static struct err e;

static int fresh(void **state)
{
    (void)state;
    memset(&set, 0, sizeof(set));
    set.classes_count = 1;
    (void)snprintf(c->name, sizeof(c->name), "security");
    c->severity = LOG_ANY_SEVERITY;
    return 0;
}

static void name(struct key_names *to, const char *word)
{
    (void)snprintf(to->at[to->count++], KEY_NAME_LEN, "%s", word);
}

static bool has(const char *raw)
{
    struct log_line line = { .raw = slice_text(raw), .at_us = 1000000, .near_us = 1000000 };

    log_line_read(&line);
    return class_has(c, &line);
}

static void a_line_is_of_a_class_when_all_that_is_named_holds(void **state)
{
    (void)state;
    name(&c->facilities, "auth");
    name(&c->facilities, "authpriv");
    name(&c->hosts, "web1");
    assert_true(has("<38>1 - web1 sshd 7 - - in"));
    assert_true(has("<86>1 - WEB1 sshd 7 - - in"));
    assert_false(has("<38>1 - web2 sshd 7 - - in"));
    assert_false(has("<14>1 - web1 sshd 7 - - in"));
    assert_false(has("no header at all"));
}

static void gravity_is_so_grave_or_graver(void **state)
{
    (void)state;
    c->severity = 3;
    assert_true(has("<11>1 - web1 app - - - broken"));
    assert_true(has("<8>1 - web1 app - - - burning"));
    assert_false(has("<12>1 - web1 app - - - smelling"));
    assert_false(has("nobody says how grave"));
}

static void programs_are_known_by_their_names(void **state)
{
    (void)state;
    name(&c->programs, "sudo");
    assert_true(has("<13>Nov 22 18:28:03 web1 sudo[12]: root"));
    assert_false(has("<13>Nov 22 18:28:03 web1 sudoku[12]: root"));
}

static void a_class_of_every_line_and_a_facility_that_is_none_are_faults(void **state)
{
    const char *which = NULL;

    (void)state;
    assert_false(classes_sound(&set, &which, &e));
    assert_string_equal(which, "security");
    name(&c->facilities, "autpriv");
    assert_false(classes_sound(&set, &which, &e));
    assert_non_null(strstr(e.text, "there is no facility \"autpriv\""));
    c->facilities.count = 0;
    name(&c->facilities, "local7");
    assert_true(classes_sound(&set, &which, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_is_of_a_class_when_all_that_is_named_holds, fresh),
        cmocka_unit_test_setup(gravity_is_so_grave_or_graver, fresh),
        cmocka_unit_test_setup(programs_are_known_by_their_names, fresh),
        cmocka_unit_test_setup(a_class_of_every_line_and_a_facility_that_is_none_are_faults, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
