/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ftw.h>

#include "core/keeper.h"
#include "sys/memfile.h"

enum { FILES = 3 };

struct world {
    struct scribe_settings conf;
    struct keeper *keeper;
};

static void start(struct world *w)
{
    struct err e = { 0 };

    keeper_free(w->keeper);
    w->keeper = keeper_new(&w->conf, &e);
    if (!w->keeper)
        fail_msg("%s", e.text);
}

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    (void)snprintf(w->conf.journal.folder, sizeof(w->conf.journal.folder), "/tmp/test_keeper.XXXXXX");
    assert_non_null(mkdtemp(w->conf.journal.folder));
    w->conf.evidence_bytes = 4096;
    w->conf.evidence_files = FILES;
    start(w);
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int end(void **state)
{
    struct world *w = *state;

    keeper_free(w->keeper);
    (void)nftw(w->conf.journal.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

/* As the core hands it on: a name, and the bytes in a sealed memory file. */
static bool keeps(struct world *w, const char *name, struct event *ev)
{
    struct link_evidence what = { .flow = 1 };
    struct err e = { 0 };
    int fd = memfile_from("packets", 7, "evidence", &e);
    bool kept;

    assert_true(fd >= 0);
    memcpy(what.name, name, strnlen(name, sizeof(what.name)));
    kept = keeper_evidence(w->keeper, &what, 812, fd, ev);
    close(fd);
    return kept;
}

static bool is_there(const struct world *w, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/evidence/%s", w->conf.journal.folder, name);
    return access(path, F_OK) == 0;
}

static void evidence_is_kept_whole_and_told(void **state)
{
    struct world *w = *state;
    struct event ev;
    struct slice name;
    uint64_t bytes = 0;

    assert_true(keeps(w, "20261122-182803-10.1.0.2.pcap", &ev));
    assert_true(is_there(w, "20261122-182803-10.1.0.2.pcap"));
    assert_false(is_there(w, ".half-written"));
    assert_int_equal(ev.kind, EV_HUNT_EVIDENCE_KEPT);
    assert_int_equal(ev.cause, 812);
    assert_true(event_get(&ev, F_NAME, &name));
    assert_memory_equal(name.at, "20261122-182803-10.1.0.2.pcap", name.len);
    assert_true(event_get_number(&ev, F_BYTES, &bytes));
    assert_int_equal(bytes, 7);
}

static void a_name_leads_nowhere_else(void **state)
{
    static const char *const odd[] = { "",        ".",          "..",       "../key", "a/b",  "/etc/passwd",
                                       ".hidden", "Upper.pcap", "a b.pcap", "a\nb",   "a\\b", "\xc3\xa9.pcap" };
    struct world *w = *state;
    struct event ev;
    char endless[sizeof(((struct link_evidence *)0)->name) + 1] = "";

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        if (keeps(w, odd[i], &ev))
            fail_msg("\"%s\" was kept", odd[i]);
    memset(endless, 'a', sizeof(endless) - 1); /* no end within its field */
    assert_false(keeps(w, endless, &ev));
    assert_false(is_there(w, "")); /* not even the folder was made */
    assert_true(keeps(w, "2026..pcap", &ev));
}

static void what_is_too_large_or_not_sealed_is_refused(void **state)
{
    static const char large[3 * 4096];
    struct world *w = *state;
    struct link_evidence what = { .flow = 1, .name = "large.pcap" };
    struct err e = { 0 };
    struct event ev;
    int fd = memfile_from(large, sizeof(large), "evidence", &e);
    FILE *plain = tmpfile();

    assert_true(fd >= 0);
    assert_non_null(plain);
    assert_false(keeper_evidence(w->keeper, &what, 1, fd, &ev));
    assert_false(keeper_evidence(w->keeper, &what, 1, fileno(plain), &ev));
    assert_false(is_there(w, "large.pcap"));
    close(fd);
    (void)fclose(plain);
}

static void the_oldest_leaves_when_there_are_too_many(void **state)
{
    struct world *w = *state;
    struct event ev;
    char name[32];

    for (int i = 1; i <= 5; i++) {
        (void)snprintf(name, sizeof(name), "%d.pcap", i);
        assert_true(keeps(w, name, &ev));
    }
    assert_false(is_there(w, "1.pcap"));
    assert_false(is_there(w, "2.pcap"));
    assert_true(is_there(w, "3.pcap") && is_there(w, "4.pcap") && is_there(w, "5.pcap"));
}

static void what_an_earlier_life_kept_counts_too(void **state)
{
    struct world *w = *state;
    struct event ev;

    assert_true(keeps(w, "1.pcap", &ev) && keeps(w, "2.pcap", &ev) && keeps(w, "3.pcap", &ev));
    start(w);
    assert_true(keeps(w, "4.pcap", &ev));
    assert_false(is_there(w, "1.pcap"));
    assert_true(is_there(w, "2.pcap") && is_there(w, "3.pcap") && is_there(w, "4.pcap"));
    w->conf.evidence_files = 2; /* and a configuration that allows fewer */
    start(w);
    assert_true(keeps(w, "5.pcap", &ev));
    assert_false(is_there(w, "2.pcap") || is_there(w, "3.pcap"));
    assert_true(is_there(w, "4.pcap") && is_there(w, "5.pcap"));
}

static void the_log_has_a_line_a_mail_and_none_twice(void **state)
{
    struct world *w = *state;
    struct event events[2] = { event_new(EV_HUNT_MAIL_SEEN), event_new(EV_HUNT_STARTED) };
    char line[512];
    FILE *f;

    (void)snprintf(w->conf.story_log, sizeof(w->conf.story_log), "%s/gusanos.log", w->conf.journal.folder);
    events[0].seq = 7;
    events[0].src = addr_v4(0x0a010002, 40312);
    event_add_words(&events[0], F_PATH, "john.doe@mail.com");
    events[1].seq = 8;
    keeper_wrote(w->keeper, events, 2);
    keeper_wrote(w->keeper, events, 2); /* the disk failed, and it is written again */
    f = fopen(w->conf.story_log, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    assert_non_null(strstr(line, "mail from:<john.doe@mail.com>\n"));
    assert_null(fgets(line, sizeof(line), f));
    (void)fclose(f);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(evidence_is_kept_whole_and_told),
        IN_A_FOLDER(a_name_leads_nowhere_else),
        IN_A_FOLDER(what_is_too_large_or_not_sealed_is_refused),
        IN_A_FOLDER(the_oldest_leaves_when_there_are_too_many),
        IN_A_FOLDER(what_an_earlier_life_kept_counts_too),
        IN_A_FOLDER(the_log_has_a_line_a_mail_and_none_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
