/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal_world.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <signal.h>

#include "journal/replay.h"

static void what_was_synced_is_read_back(void **state)
{
    struct world *w = *state;

    assert_true(w->found.fresh);
    world_fill(w, 10, 7);
    world_expect_all(w, 1, 70);
    world_reopen(w);
    assert_false(w->found.fresh);
    assert_int_equal(w->found.last_seq, 70);
    assert_int_equal(w->found.torn_bytes, 0);
    world_fill(w, 1, 3);
    world_expect_all(w, 1, 73);
    world_expect_whole(w);
}

static void a_rotated_segment_is_sealed_and_reads_the_same(void **state)
{
    struct world *w = *state;
    struct journal_sealed sealed;

    world_fill(w, 300, 5);
    assert_int_equal(journal_rotate(w->j, w->now_us, &sealed, NULL), 0);
    assert_int_equal(sealed.segment, 1);
    assert_int_equal(sealed.first_seq, 1);
    assert_int_equal(sealed.last_seq, 1500);
    assert_int_equal(sealed.raw_bytes, 1500 * 256);
    assert_true(sealed.stored_bytes < sealed.raw_bytes / 4);
    assert_false(world_has(w, "0000000001.wal"));
    world_fill(w, 10, 5);
    world_expect_all(w, 1, 1550);
    world_reopen(w);
    assert_int_equal(w->found.last_seq, 1550);
    assert_int_equal(w->found.segment, 2);
    assert_int_equal(journal_rotate(w->j, w->now_us, &sealed, NULL), 0);
    assert_int_equal(journal_rotate(w->j, w->now_us, &sealed, NULL), 0);
    assert_int_equal(sealed.segment, 0);
    world_expect_all(w, 1, 1550);
    world_expect_whole(w);
}

static void a_segment_is_due_by_size_and_by_age(void **state)
{
    struct world *w = *state;

    w->limits.segment_bytes = 64 << 10;
    w->limits.segment_age_us = 1000;
    world_reopen(w);
    assert_false(journal_is_due(w->j, w->now_us + 5000)); /* there is nothing in it */
    world_fill(w, 1, 1);
    assert_false(journal_is_due(w->j, w->now_us));
    assert_true(journal_is_due(w->j, w->now_us + 1000));
    world_fill(w, 1, 300);
    assert_true(journal_is_due(w->j, w->now_us));
}

static void numbers_only_rise(void **state)
{
    struct world *w = *state;
    struct event two[2] = { world_event(5), world_event(5) };
    struct err e;

    assert_int_equal(journal_append(w->j, two, 2, &e), -1);
    assert_int_equal(journal_last(w->j), 0);
    two[1] = world_event(9); /* 6 to 8 were lost before they came here */
    world_append(w, two, 2);
    assert_int_equal(journal_append(w->j, two, 1, &e), -1);
    assert_int_equal(world_query(w, &(struct query){ 0 }, NULL).count, 2);
    world_expect_whole(w);
}

static void there_is_one_writer(void **state)
{
    struct world *w = *state;
    struct journal_opened found;
    struct err e;

    assert_null(journal_open(w->folder, &w->limits, w->now_us, &found, &e));
    assert_non_null(strstr(e.text, "another serviola writes here"));
}

static void a_torn_end_is_cut_off_and_kept_aside(void **state)
{
    struct world *w = *state;
    off_t size;

    world_fill(w, 10, 10);
    world_close(w);
    size = world_size(w, "0000000001.wal");
    for (off_t cut = 1; cut < 2700; cut += 89) {
        world_cut(w, "0000000001.wal", size - cut);
        world_open(w);
        assert_int_equal(w->found.last_seq, 90);
        assert_int_equal(w->found.torn_segment, 1);
        assert_true(w->found.torn_bytes > 0);
        assert_int_equal(world_size(w, "0000000001.torn"), w->found.torn_bytes);
        world_expect_all(w, 1, 90);
        world_fill(w, 1, 10);
        world_expect_all(w, 1, 100);
        world_expect_whole(w);
        world_close(w);
        assert_int_equal(world_size(w, "0000000001.wal"), size);
    }
}

static void zeros_behind_the_end_are_a_torn_end(void **state)
{
    struct world *w = *state;
    off_t size;

    world_fill(w, 4, 4);
    world_close(w);
    size = world_size(w, "0000000001.wal");
    world_cut(w, "0000000001.wal", size + 5000);
    world_open(w);
    assert_int_equal(w->found.torn_bytes, 5000);
    assert_int_equal(w->found.last_seq, 16);
    assert_int_equal(world_size(w, "0000000001.wal"), size);
}

static void damage_in_the_middle_costs_one_block(void **state)
{
    struct world *w = *state;
    struct world_findings all;
    struct query_told told;

    world_fill(w, 10, 10);
    world_close(w);
    world_flip(w, "0000000001.wal", world_size(w, "0000000001.wal") / 2);
    world_open(w);
    assert_int_equal(w->found.last_seq, 100);
    assert_int_equal(w->found.torn_segment, 1);
    assert_int_equal(w->found.segment, 2);
    assert_int_equal(world_query(w, &(struct query){ 0 }, &told).count, 90);
    all = world_verify(w, NULL, NULL);
    assert_int_equal(all.verdict.faults, 1);
    assert_int_equal(all.at[0].fault, FAULT_MISSING);
    assert_int_equal(all.at[0].last_seq - all.at[0].first_seq, 9);
}

static void a_lost_key_is_said_and_the_journal_goes_on(void **state)
{
    struct world *w = *state;
    struct world_findings all;
    char path[128];

    world_fill(w, 2, 10);
    world_rotate(w);
    world_fill(w, 2, 10);
    world_close(w);
    (void)snprintf(path, sizeof(path), "%s/key", w->folder);
    assert_int_equal(unlink(path), 0);
    world_open(w);
    assert_true(w->found.key_lost);
    assert_int_equal(w->found.last_seq, 40);
    world_rotate(w);
    world_fill(w, 1, 1);
    world_expect_all(w, 1, 41);
    all = world_verify(w, w->found.id, NULL);
    assert_int_equal(all.verdict.faults, 1);
    assert_int_equal(all.at[0].fault, FAULT_UNTRUSTED);
    assert_int_equal(all.at[0].segment, 2);
    assert_false(all.verdict.id_proven);
}

/* Each state that a crash during rotation can leave. */
static void rotation_is_finished_after_a_crash(void **state)
{
    struct world *w = *state;
    struct world again = *w;
    char command[400];

    world_fill(w, 5, 10);
    (void)snprintf(again.folder, sizeof(again.folder), "%.50s.copy", w->folder);
    (void)snprintf(command, sizeof(command), "cp -a %s %s", w->folder, again.folder);
    assert_int_equal(system(command), 0); /* NOLINT: names of our own making */
    world_rotate(w);
    world_fill(w, 5, 10);
    world_close(w);

    /* the new segment is there, the old one is not packed, the key is the old one */
    (void)snprintf(command, sizeof(command), "cp -a %s/0000000001.wal %s/key %s/ && rm %s/0000000001.zst", again.folder,
                   again.folder, w->folder, w->folder);
    assert_int_equal(system(command), 0); /* NOLINT */
    world_open(w);
    assert_int_equal(w->found.torn_bytes, 0);
    assert_true(world_has(w, "0000000001.zst"));
    assert_false(world_has(w, "0000000001.wal"));
    world_expect_all(w, 1, 100);
    world_close(w);
    world_remove(again.folder);
}

static void the_old_form_left_beside_the_sealed_one_goes(void **state)
{
    struct world *w = *state;
    char command[300];

    world_fill(w, 5, 10);
    (void)snprintf(command, sizeof(command), "cp %s/0000000001.wal %s/saved", w->folder, w->folder);
    assert_int_equal(system(command), 0); /* NOLINT: names of our own making */
    world_rotate(w);
    world_fill(w, 1, 10);
    world_rename(w, "saved", "0000000001.wal");
    world_expect_all(w, 1, 60);
    world_reopen(w);
    assert_false(world_has(w, "0000000001.wal"));
    world_expect_all(w, 1, 60);
    world_expect_whole(w);
}

static void checkpoint(struct world *w, unsigned blocks)
{
    struct event mark = event_new(EV_JOURNAL_CHECKPOINT);

    mark.seq = w->seq + 1;
    event_add_number(&mark, F_COUNT, blocks);
    world_append(w, &mark, 1);
    for (unsigned i = 0; i < blocks; i++) {
        struct event kept = event_new(EV_ACT_BLOCK_KEPT);

        kept.seq = w->seq + 1;
        kept.cause = mark.seq;
        kept.src = addr_v4(0x0a000001u + i, 0);
        world_append(w, &kept, 1);
    }
}

static void the_oldest_segments_expire_and_the_chain_still_holds(void **state)
{
    struct world *w = *state;
    struct journal_expired x;
    struct world_findings all;
    uint8_t id[32];

    memcpy(id, journal_id(w->j), sizeof(id));
    for (int i = 0; i < 6; i++) {
        world_fill(w, 10, 50);
        world_rotate(w);
    }
    w->limits.total_bytes = 1;
    world_reopen(w);
    assert_int_equal(journal_retain(w->j, w->now_us, &x, NULL), 0);
    assert_int_equal(x.segments, 0); /* nobody made a checkpoint: a block could be lost */
    assert_true(x.held_back);
    checkpoint(w, 3);
    world_fill(w, 1, 5);
    assert_int_equal(journal_retain(w->j, w->now_us, &x, NULL), 0);
    assert_int_equal(x.segments, 6);
    assert_int_equal(x.first_seq, 1);
    assert_int_equal(x.last_seq, 3000);
    all = world_verify(w, id, NULL);
    assert_int_equal(all.verdict.faults, 0);
    assert_true(all.verdict.id_proven);
    assert_int_equal(all.verdict.expired, 6);
    assert_int_equal(all.verdict.first_seq, 3001);
    assert_non_null(strstr(all.at[0].text, "begins behind event 3000"));
    world_reopen(w);
    assert_int_equal(w->found.last_seq, 3009);
}

static void retention_by_age_leaves_what_is_young(void **state)
{
    struct world *w = *state;
    struct journal_expired x;

    w->limits.age_us = 1000000;
    world_reopen(w);
    for (int i = 0; i < 4; i++) {
        world_fill(w, 2, 50);
        world_rotate(w);
        w->now_us += 600000;
    }
    checkpoint(w, 0);
    assert_int_equal(journal_retain(w->j, w->now_us, &x, NULL), 0);
    assert_int_equal(x.last_segment, 3);
    assert_int_equal(x.segments, 3);
}

static bool count_state(void *own, const struct event *ev)
{
    uint64_t *n = own;

    assert_true(replay_is_state((enum event_kind)ev->kind));
    n[0]++;
    if (n[1] == 0)
        n[1] = ev->seq;
    return true;
}

static void replay_begins_at_the_newest_whole_checkpoint(void **state)
{
    struct world *w = *state;
    struct event blocked = event_new(EV_ACT_BLOCKED);
    struct event half = event_new(EV_JOURNAL_CHECKPOINT);
    struct reader *r;
    uint64_t n[2] = { 0 };
    uint64_t first;

    world_fill(w, 2, 10);
    checkpoint(w, 2);
    world_rotate(w);
    world_fill(w, 2, 10);
    first = w->seq + 1;
    checkpoint(w, 4);
    world_fill(w, 2, 10);
    blocked.seq = w->seq + 1;
    world_append(w, &blocked, 1);
    half.seq = w->seq + 1;
    event_add_number(&half, F_COUNT, 5); /* a crash: its members never came, so what stands must not be forgotten */
    world_append(w, &half, 1);
    r = reader_open(w->folder, NULL);
    assert_int_equal(replay_state(r, count_state, n, NULL, NULL), 0);
    reader_close(r);
    assert_int_equal(n[1], first);
    assert_int_equal(n[0], 1 + 4 + 1);
}

static void a_full_disk_costs_nothing_that_was_acknowledged(void **state)
{
    struct world *w = *state;
    struct rlimit old;
    struct rlimit small;
    struct event events[100];
    struct err e = { 0 };
    off_t size;

    world_fill(w, 2, 10);
    size = world_size(w, "0000000001.wal");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = (rlim_t)size + 10000; /* the write is short: as on a full disk */
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned i = 0; i < 100; i++)
        events[i] = world_event(21 + i);
    assert_int_equal(journal_append(w->j, events, 100, &e), -1);
    assert_int_equal(journal_last(w->j), 20);
    assert_int_equal(world_size(w, "0000000001.wal"), size);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    world_append(w, events, 100);
    world_expect_all(w, 1, 120);
    world_expect_whole(w);
}

/* Appends until the disk is full, turning segments over as long as that works. */
static void fill_the_disk(struct world *w)
{
    struct journal_sealed sealed;
    struct event events[50];
    struct err e = { 0 };

    for (;;) {
        for (unsigned i = 0; i < 50; i++)
            events[i] = world_event(journal_last(w->j) + 1 + i);
        if (journal_append(w->j, events, 50, &e) < 0 || journal_sync(w->j, &e) < 0)
            break;
        if (journal_is_due(w->j, w->now_us))
            (void)journal_rotate(w->j, w->now_us, &sealed, NULL);
    }
    assert_int_equal(e.code, ENOSPC);
    w->seq = journal_last(w->j);
}

static void a_full_disk_is_outlived(void **state)
{
    struct world *w = *state;
    uint64_t last;

    world_close(w);
    if (unshare(CLONE_NEWNS) < 0)
        skip();
    assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("full", w->folder, "tmpfs", 0, "size=1m"), 0);
    w->limits.segment_bytes = 128 << 10;
    w->limits.reserve_bytes = 64 << 10;
    world_open(w);
    fill_the_disk(w);
    last = journal_synced(w->j);
    world_expect_all(w, 1, last);
    assert_true(journal_release_reserve(w->j));
    world_fill(w, 1, 1); /* the alarm */
    fill_the_disk(w);
    last = journal_synced(w->j);
    world_reopen(w); /* also when nothing at all can be written */
    assert_int_equal(w->found.last_seq, last);
    assert_false(w->found.key_lost);
    assert_int_equal(mount("roomy", w->folder, "tmpfs", MS_REMOUNT, "size=4m"), 0);
    world_rotate(w);
    world_fill(w, 2, 50);
    assert_false(journal_is_due(w->j, w->now_us));
    world_expect_all(w, 1, last + 100);
    world_expect_whole(w);
    world_close(w);
    assert_int_equal(umount2(w->folder, MNT_DETACH), 0);
}

static void the_reserve_can_be_given_back_once(void **state)
{
    struct world *w = *state;

    assert_int_equal(world_size(w, "reserve"), w->limits.reserve_bytes);
    assert_true(journal_release_reserve(w->j));
    assert_false(journal_release_reserve(w->j));
    assert_int_equal(journal_restore_reserve(w->j, NULL), 0);
    assert_true(world_has(w, "reserve"));
}

static void the_key_is_for_the_writer_alone(void **state)
{
    struct world *w = *state;
    int fd = world_file(w, "key", O_RDONLY);
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close(fd);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(what_was_synced_is_read_back),
        IN_A_WORLD(a_rotated_segment_is_sealed_and_reads_the_same),
        IN_A_WORLD(a_segment_is_due_by_size_and_by_age),
        IN_A_WORLD(numbers_only_rise),
        IN_A_WORLD(there_is_one_writer),
        IN_A_WORLD(a_torn_end_is_cut_off_and_kept_aside),
        IN_A_WORLD(zeros_behind_the_end_are_a_torn_end),
        IN_A_WORLD(damage_in_the_middle_costs_one_block),
        IN_A_WORLD(a_lost_key_is_said_and_the_journal_goes_on),
        IN_A_WORLD(rotation_is_finished_after_a_crash),
        IN_A_WORLD(the_old_form_left_beside_the_sealed_one_goes),
        IN_A_WORLD(the_oldest_segments_expire_and_the_chain_still_holds),
        IN_A_WORLD(retention_by_age_leaves_what_is_young),
        IN_A_WORLD(replay_begins_at_the_newest_whole_checkpoint),
        IN_A_WORLD(a_full_disk_costs_nothing_that_was_acknowledged),
        IN_A_WORLD(a_full_disk_is_outlived),
        IN_A_WORLD(the_reserve_can_be_given_back_once),
        IN_A_WORLD(the_key_is_for_the_writer_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
