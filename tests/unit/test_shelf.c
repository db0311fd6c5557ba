/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/shelf.h"
#include "sys/memfile.h"

#define HOUR_US 3600000000LL
#define DAY_US  (24 * HOUR_US)
#define AT_US   1700000000000000LL /* 2023-11-14 22:13:20 */

static struct scribe_settings conf;
static struct shelf *shelf;

static int gone(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int set_up(void **state)
{
    struct err e;

    (void)state;
    memset(&conf, 0, sizeof(conf));
    strcpy(conf.journal.folder, "/tmp/serviola-shelf-XXXXXX");
    conf.record_us = 7 * DAY_US;
    conf.record_bytes = 1 << 20;
    assert_non_null(mkdtemp(conf.journal.folder));
    shelf = shelf_new(&conf, &e);
    return shelf == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    shelf_free(shelf);
    return nftw(conf.journal.folder, gone, 8, FTW_DEPTH | FTW_PHYS);
}

static int put(uint32_t where, int64_t at_us, const char *name, const char *bytes)
{
    struct link_shelve what = { .shelf = where, .from_us = at_us };
    struct err e;
    int fd = memfile_from(bytes, strlen(bytes), "test", &e);
    int rc;

    assert_true(fd >= 0);
    memcpy(what.name, name, strlen(name) < sizeof(what.name) ? strlen(name) : sizeof(what.name));
    rc = shelf_put(shelf, &what, fd, &e);
    memfile_close(fd);
    return rc;
}

static void holds(const char *name, const char *bytes)
{
    char path[300];
    char text[100] = "";
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", conf.journal.folder, name);
    f = fopen(path, "r");
    if (!f)
        fail_msg("no %s", path);
    assert_int_equal(fread(text, 1, sizeof(text) - 1, f), strlen(bytes));
    assert_string_equal(text, bytes);
    (void)fclose(f);
}

static bool is_there(const char *name)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", conf.journal.folder, name);
    return access(path, F_OK) == 0;
}

static void an_hour_is_one_file_that_grows(void **state)
{
    (void)state;
    assert_int_equal(put(SHELF_RECORDER, AT_US, "", "one "), 0);
    assert_int_equal(put(SHELF_RECORDER, AT_US + 60000000, "", "two"), 0);
    assert_int_equal(put(SHELF_RECORDER, AT_US + HOUR_US, "", "three"), 0);
    holds("recorder/20231114t22.reel", "one two");
    holds("recorder/20231114t23.reel", "three");
}

static void a_name_leads_nowhere_else(void **state)
{
    (void)state;
    assert_int_equal(put(SHELF_XRAY, AT_US, "xray-1.xray", "a picture"), 0);
    holds("xray/xray-1.xray", "a picture");
    assert_int_equal(put(SHELF_XRAY, AT_US, "../xray-1", "x"), -1);
    assert_int_equal(put(SHELF_XRAY, AT_US, "a/b", "x"), -1);
    assert_int_equal(put(SHELF_XRAY, AT_US, ".hidden", "x"), -1);
    assert_int_equal(put(SHELF_XRAY, AT_US, "", "x"), -1);
    assert_int_equal(put(7, AT_US, "a", "x"), -1);
    assert_int_equal(put(SHELF_XRAY, AT_US, "0123456789012345678901234567890123456789012345678901234567890123456", "x"),
                     -1);
}

static void the_oldest_leave_when_they_are_too_many_bytes(void **state)
{
    static char large[400001];

    (void)state;
    memset(large, 'x', sizeof(large) - 1);
    for (int64_t hour = 0; hour < 5; hour++)
        assert_int_equal(put(SHELF_RECORDER, AT_US - 20 * HOUR_US + hour * HOUR_US, "", large), 0);
    assert_false(is_there("recorder/20231114t02.reel"));
    assert_true(is_there("recorder/20231114t05.reel"));
    assert_true(is_there("recorder/20231114t06.reel"));
}

static void a_hundred_pictures_are_kept(void **state)
{
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 105; i++) {
        (void)snprintf(name, sizeof(name), "xray-%03u.xray", i);
        assert_int_equal(put(SHELF_XRAY, AT_US, name, "x"), 0);
    }
    assert_false(is_there("xray/xray-003.xray"));
    assert_true(is_there("xray/xray-005.xray"));
    assert_true(is_there("xray/xray-104.xray"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_hour_is_one_file_that_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_leads_nowhere_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_leave_when_they_are_too_many_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hundred_pictures_are_kept, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
