/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/watch/past.h"
#include "sense/watch/recorder.h"
#include "sense/watch/reel.h"
#include "sense/watch/ring.h"

enum { SECOND = 1000000, PROCESSES = 50, SOCKETS = 40 };

/* A world that a test changes from second to second. */
struct world {
    struct fact_process processes[PROCESSES];
    struct fact_socket sockets[SOCKETS];
    struct fact_listener listeners[4];
    struct facts facts;
    struct values values;
};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    for (uint32_t i = 0; i < PROCESSES; i += 2) { /* every other place is free */
        w->processes[i] = (struct fact_process){ .pid = (int32_t)(100 + i),
                                                 .parent = 1,
                                                 .start_ticks = 1000 + i,
                                                 .cpu_ticks = i,
                                                 .rss_pages = 10 * i,
                                                 .threads = 1,
                                                 .state = 'S' };
        memcpy(w->processes[i].comm, "a) R 1\n\033", 8);
    }
    for (uint32_t i = 0; i < SOCKETS; i++)
        w->sockets[i] = (struct fact_socket){ .local = addr_v4(0x7f000001, (uint16_t)(2000 + i)),
                                              .remote = addr_v4(0x7f000002, 25),
                                              .state = 1,
                                              .uid = 8,
                                              .inode = 5000 + i,
                                              .cookie = 77 + i };
    w->listeners[0] = (struct fact_listener){ .local = addr_v4(0, 25), .waiting = 3, .most = 128 };
    w->facts = (struct facts){ .at_us = 1700000000LL * SECOND,
                               .mono_us = 500LL * SECOND,
                               .processes = w->processes,
                               .processes_room = PROCESSES,
                               .sockets = w->sockets,
                               .sockets_room = SOCKETS,
                               .listeners = w->listeners,
                               .listeners_count = 1 };
    values_set(&w->values, "load.one", 0.5);
    return w;
}

static void a_second_passes(struct world *w)
{
    w->facts.at_us += SECOND;
    w->facts.mono_us += SECOND;
}

static void same(const struct world *w, const struct reel_picture *p)
{
    static const struct fact_process none;

    assert_int_equal(p->at_us, w->facts.at_us);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        const struct fact_process *is = i < p->processes_room ? &p->processes[i].is : &none;

        assert_int_equal(is->state, w->processes[i].state);
        if (!is->state)
            continue;
        assert_int_equal(is->pid, w->processes[i].pid);
        assert_int_equal(is->parent, w->processes[i].parent);
        assert_int_equal(is->cpu_ticks, w->processes[i].cpu_ticks);
        assert_int_equal(is->rss_pages, w->processes[i].rss_pages);
        assert_memory_equal(is->comm, w->processes[i].comm, FACT_COMM);
    }
    for (uint32_t i = 0; i < SOCKETS; i++) {
        assert_int_equal(p->sockets[i].state, w->sockets[i].state);
        if (w->sockets[i].state)
            assert_true(addr_eq(p->sockets[i].local, w->sockets[i].local));
    }
    assert_int_equal(p->listeners_count, w->facts.listeners_count);
    assert_int_equal(p->listeners[0].waiting, w->listeners[0].waiting);
    for (uint32_t i = 0; i < w->values.count; i++) {
        double is = values_get(&p->values, w->values.at[i].name);

        assert_true(isnan(w->values.at[i].number) ? isnan(is) : !islessgreater(is, w->values.at[i].number));
    }
}

/* Whatever changes: what is read is what was written. */
static void change(struct world *w, unsigned turn)
{
    struct fact_process *p = &w->processes[turn * 2 % PROCESSES];

    a_second_passes(w);
    p->cpu_ticks += 7;
    p->rss_pages = turn * 3;
    p->state = turn % 3 ? 'S' : 'D';
    w->processes[(turn * 2 + 1) % PROCESSES].state = turn % 4 == 0 ? 'R' : 0; /* comes and goes */
    w->processes[(turn * 2 + 1) % PROCESSES].pid = (int32_t)(9000 + turn);
    w->sockets[turn % SOCKETS].state = turn % 5 == 0 ? 0 : 8;
    w->sockets[(turn + 1) % SOCKETS].cookie += 1000; /* another one in the same place */
    w->sockets[(turn + 1) % SOCKETS].local.port++;
    w->listeners[0].waiting = turn / 3;
    values_set(&w->values, "load.one", turn);
    values_set(&w->values, "disk.latency", turn % 2 ? (double)NAN : 0.001 * turn);
    if (turn == 9)
        values_set(&w->values, "a.new.name", -3);
}

static void what_is_read_is_what_was_written(void **state)
{
    struct world *w = world_new();
    struct err e;
    struct reel_writer *writer = reel_writer_new(&e);
    struct reel_reader *reader = reel_reader_new(&e);

    (void)state;
    for (unsigned turn = 0; turn < 100; turn++) {
        struct slice frame = reel_write(writer, &w->facts, &w->values, turn % 30 == 0);

        assert_true(frame.len > 0);
        assert_int_equal(reel_read(reader, &frame, &e), 1);
        assert_int_equal(frame.len, 0);
        same(w, reel_picture(reader));
        change(w, turn);
    }
    reel_writer_free(writer);
    reel_reader_free(reader);
    free(w);
}

static void a_still_second_costs_next_to_nothing(void **state)
{
    struct world *w = world_new();
    struct err e;
    struct reel_writer *writer = reel_writer_new(&e);

    (void)state;
    (void)reel_write(writer, &w->facts, &w->values, true);
    a_second_passes(w);
    assert_in_range(reel_write(writer, &w->facts, &w->values, false).len, 40, 72);
    reel_writer_free(writer);
    free(w);
}

static void cpu_time_is_told_since_the_picture_before(void **state)
{
    struct world *w = world_new();
    struct err e;
    struct reel_writer *writer = reel_writer_new(&e);
    struct reel_reader *reader = reel_reader_new(&e);

    (void)state;
    for (unsigned turn = 0; turn < 4; turn++) {
        struct slice frame = reel_write(writer, &w->facts, &w->values, turn == 0 || turn == 2);

        assert_int_equal(reel_read(reader, &frame, &e), 1);
        assert_int_equal(reel_picture(reader)->processes[4].step_ticks, turn == 0 ? 0 : 30);
        assert_int_equal(reel_picture(reader)->step_us, turn == 0 ? 0 : SECOND);
        w->processes[4].cpu_ticks += 30;
        a_second_passes(w);
    }
    reel_writer_free(writer);
    reel_reader_free(reader);
    free(w);
}

static void one_changed_byte_is_found(void **state)
{
    struct world *w = world_new();
    struct err e;
    struct reel_writer *writer = reel_writer_new(&e);
    struct slice frame = reel_write(writer, &w->facts, &w->values, true);
    struct reel_reader *reader = reel_reader_new(&e);
    uint8_t *copy = malloc(frame.len);

    (void)state;
    for (size_t i = sizeof(struct reel_head); i + 8 < frame.len; i += 7) {
        struct slice s = slice_of(copy, frame.len);

        memcpy(copy, frame.at, frame.len);
        copy[i] ^= 0x10;
        assert_int_equal(reel_read(reader, &s, &e), -1);
    }
    free(copy);
    reel_writer_free(writer);
    reel_reader_free(reader);
    free(w);
}

/* ---- in memory ---- */

static size_t count_frames(const struct frames *ring, int64_t *oldest_us, int64_t *newest_us)
{
    uint8_t *at;
    size_t len;
    struct err e;
    struct reel_head h;
    struct slice rest;
    size_t n = 0;

    assert_int_equal(frames_copy(frames_fd(ring), &at, &len, &e), 0);
    rest = slice_of(at, len);
    while (reel_peek(rest, &h)) {
        *oldest_us = n++ == 0 ? h.mono_us : *oldest_us;
        *newest_us = h.mono_us;
        rest = slice_skip(rest, reel_size(&h));
    }
    assert_int_equal(rest.len, 0);
    free(at);
    return n;
}

static void the_oldest_frames_leave_by_age_and_by_size(void **state)
{
    struct err e;
    struct frames *ring = frames_new(RING_LEAST, &e);
    static uint64_t room[12500]; /* 100,000 bytes */
    int64_t oldest = 0;
    int64_t newest = 0;

    (void)state;
    assert_non_null(ring);
    for (int64_t second = 1; second <= 50; second++) {
        struct reel_head h = { .magic = REEL_MAGIC, .len = 64, .mono_us = second * SECOND };

        memcpy(room, &h, sizeof(h));
        frames_add(ring, slice_of(room, reel_size(&h)), (second - 10) * SECOND);
    }
    assert_int_equal(count_frames(ring, &oldest, &newest), 11);
    assert_int_equal(oldest, 40 * SECOND);
    for (int64_t second = 51; second <= 90; second++) {
        struct reel_head h = { .magic = REEL_MAGIC, .len = sizeof(room) - sizeof(h), .mono_us = second * SECOND };

        memcpy(room, &h, sizeof(h));
        frames_add(ring, slice_of(room, sizeof(room)), 0);
    }
    assert_int_equal(count_frames(ring, &oldest, &newest), 10);
    assert_int_equal(newest, 90 * SECOND);
    frames_free(ring);
}

static void nobody_else_can_write_into_it(void **state)
{
    struct err e;
    struct frames *ring = frames_new(RING_LEAST, &e);

    (void)state;
    assert_ptr_equal(mmap(NULL, RING_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, frames_fd(ring), 0), MAP_FAILED);
    assert_int_equal(write(frames_fd(ring), "x", 1), -1);
    frames_free(ring);
}

/* ---- the recorder, and its past ---- */

struct shelf {
    char folder[64];
    unsigned batches;
};

static void keep(void *ctx, int64_t from_us, struct slice frames)
{
    struct shelf *s = ctx;
    char path[128];
    FILE *f;

    (void)from_us;
    (void)snprintf(path, sizeof(path), "%s/recorder/20231114t22.reel", s->folder); /* 1700000000 is 22:13:20 */
    f = fopen(path, "a");
    assert_non_null(f);
    assert_int_equal(fwrite(frames.at, 1, frames.len, f), frames.len);
    (void)fclose(f);
    s->batches++;
}

static bool count_it(void *ctx, const struct reel_picture *p)
{
    (void)p;
    (*(unsigned *)ctx)++;
    return true;
}

static void the_past_is_told_from_the_disk_and_then_from_memory(void **state)
{
    struct shelf shelf = { .folder = "/tmp/serviola-reel-XXXXXX" };
    struct world *w = world_new();
    struct recorder_limits limits = { .ring_bytes = RING_LEAST, .ring_us = 60 * SECOND, .disk_every_us = 10 * SECOND };
    struct err e;
    struct recorder *r;
    struct past *past;
    struct snap *snap;
    char path[128];
    int64_t begun_us = w->facts.at_us;
    unsigned seen = 0;

    (void)state;
    assert_non_null(mkdtemp(shelf.folder));
    (void)snprintf(path, sizeof(path), "%s/recorder", shelf.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    r = recorder_new(&limits, keep, &shelf, &e);
    for (unsigned turn = 0; turn < 600; turn++) {
        recorder_take(r, &w->facts, &w->values);
        change(w, turn);
    }
    assert_in_range(shelf.batches, 8, 11);
    recorder_flush(r);

    past = past_open(shelf.folder, recorder_fd(r), &e);
    assert_non_null(past);
    assert_int_equal(past_newest_us(past), begun_us + 599LL * SECOND);
    /* 61 of the last minute, and one for each ten seconds before */
    assert_in_range(past_each(past, 0, INT64_MAX, count_it, &seen, &e), 61 + 53, 61 + 55);
    assert_int_equal(past_at(past, begun_us + 590LL * SECOND + 500000, &e)->at_us, begun_us + 590LL * SECOND);
    assert_int_equal(past_at(past, begun_us + 125LL * SECOND, &e)->at_us, begun_us + 120LL * SECOND);
    assert_int_equal(past_at(past, begun_us + 120LL * SECOND, &e)->step_us, 10 * SECOND);
    assert_null(past_at(past, begun_us - 3600LL * SECOND, &e));
    snap = past_snap(past_at(past, begun_us + 590LL * SECOND, &e), &e);
    assert_in_range(snap->part[SNAP_PROCESS].count, 20, 40);
    assert_true(snap->part[SNAP_SOCKET].count > 20);
    snap_free(snap);
    past_close(past);
    recorder_free(r);
    (void)snprintf(path, sizeof(path), "%s/recorder/20231114t22.reel", shelf.folder);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof(path), "%s/recorder", shelf.folder);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(shelf.folder), 0);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(a_still_second_costs_next_to_nothing),
        cmocka_unit_test(cpu_time_is_told_since_the_picture_before),
        cmocka_unit_test(one_changed_byte_is_found),
        cmocka_unit_test(the_oldest_frames_leave_by_age_and_by_size),
        cmocka_unit_test(nobody_else_can_write_into_it),
        cmocka_unit_test(the_past_is_told_from_the_disk_and_then_from_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
