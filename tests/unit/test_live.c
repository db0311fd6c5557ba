/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of lines as they come, and the analysis among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "part/link.h"
#include "sense/log/analyst.h"
#include "sense/log/inner.h"
#include "sense/log/live.h"
#include "sys/clock.h"

enum { LINES_MOST = 5000, EVENTS_MOST = 200, PATIENCE_US = 20000000 };
#define HOUR (3600 * (int64_t)1000000)

struct world {
    char folder[64];
    struct loop *loop;
    struct intake in;
    int64_t until_us;
    bool (*met)(struct world *w);
    bool analysed;   /* the reader is the analysis, else this world */
    bool held;       /* nothing goes to the disk */
    uint64_t wanted; /* what `met` waits for */
    uint64_t looks;

    /* as a reader; written by the reading thread, read when it has ended or as single numbers */
    uint64_t after, seen, again, ticks, last_seq;
    int64_t down_from_us, down_to_us;
    bool needs_more, talks;

    /* the core */
    bool deaf;
    struct event said[EVENTS_MOST];
    uint64_t heard;
};

static uint64_t now_at(const uint64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static void add_one(uint64_t *at)
{
    (void)__atomic_add_fetch(at, 1, __ATOMIC_RELEASE);
}

/* --- the reader */

static uint64_t after(void *own)
{
    return ((const struct world *)own)->after;
}

static void on_line(void *own, const struct log_line *l, bool again)
{
    struct world *w = own;
    struct event ev = event_new(EV_LOG_FOUND);

    assert_true(l->seq > w->last_seq);
    assert_true(l->text.len > 0 && l->host.len > 0);
    w->last_seq = l->seq;
    if (again)
        add_one(&w->again);
    add_one(&w->seen);
    event_add_number(&ev, F_FLOW, l->seq);
    if (w->talks)
        live_event(w->in.live, &ev);
}

static void on_tick(void *own, int64_t now_us, bool again)
{
    (void)now_us;
    (void)again;
    add_one(&((struct world *)own)->ticks);
}

static void on_down(void *own, int64_t from_us, int64_t to_us)
{
    ((struct world *)own)->down_from_us = from_us;
    ((struct world *)own)->down_to_us = to_us;
}

/* --- the main thread */

static bool on_say(void *ctx, uint16_t op, const void *body, size_t len)
{
    struct world *w = ctx;

    if (w->deaf)
        return false;
    assert_int_equal(op, LINK_EVENT);
    assert_int_equal(len, sizeof(struct event));
    memcpy(&w->said[w->heard++ % EVENTS_MOST], body, sizeof(struct event));
    return true;
}

static void on_synced(void *ctx, uint64_t seq)
{
    struct world *w = ctx;

    if (w->in.live)
        live_synced(w->in.live, seq);
}

static void on_store(void *ctx, int fd, int events)
{
    (void)fd;
    (void)events;
    store_turn(((struct world *)ctx)->in.store);
}

static void look(void *ctx)
{
    struct world *w = ctx;

    w->looks++;
    if (!w->held)
        (void)store_push(w->in.store, clock_mono_us(), true);
    if (w->met(w) || clock_mono_us() > w->until_us)
        loop_stop(w->loop);
}

static void until(struct world *w, bool (*met)(struct world *w), uint64_t wanted)
{
    uint32_t timer = loop_timer(w->loop, 2000, 2000, look, w);
    struct err e;

    w->met = met;
    w->wanted = wanted;
    w->looks = 0;
    w->until_us = clock_mono_us() + PATIENCE_US;
    assert_int_equal(loop_run(w->loop, &e), 0);
    loop_untimer(w->loop, timer);
    assert_true(met(w));
}

static bool is_synced(struct world *w)
{
    return store_synced(w->in.store) == store_last(w->in.store);
}

static bool saw(struct world *w)
{
    return now_at(&w->seen) >= w->wanted;
}

static bool ticked(struct world *w)
{
    return now_at(&w->ticks) >= w->wanted;
}

static bool looked(struct world *w)
{
    return w->looks >= w->wanted;
}

static bool heard(struct world *w)
{
    return w->heard >= w->wanted;
}

/* What the cursor's file says, its first eight bytes. */
static uint64_t cursor(const struct world *w, const char *name)
{
    char path[128];
    uint64_t seq = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/cursor-%s", w->folder, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    assert_int_equal(read(fd, &seq, sizeof(seq)), sizeof(seq));
    (void)close(fd);
    return seq;
}

static bool cursor_is(struct world *w)
{
    return cursor(w, w->analysed ? "analysis" : "world") >= w->wanted;
}

static void keep_at(struct world *w, const char *host, const char *text, int64_t at_us)
{
    char raw[300];
    struct text t = TEXT_IN(raw);
    struct log_line line = { .peer = SLICE("10.1.0.2:514"), .way = LOG_UDP, .at_us = at_us, .near_us = at_us };
    char stamp[64];
    struct text s = TEXT_IN(stamp);

    text_time(&s, at_us, 6);
    text_addf(&t, "<13>1 %s %s kernel - - - %s", stamp, host, text);
    line.raw = slice_of(raw, t.len);
    live_arrives(w->in.live, at_us);
    assert_true(store_append(w->in.store, &line, NULL) > 0);
}

static void keep(struct world *w, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++)
        keep_at(w, "web1", "a line", clock_wall_us());
}

static void up(struct world *w)
{
    const struct store_limits limits = { .files = journal_default_limits(), .memory_bytes = 32 << 20, .level = 1 };
    const struct store_calls calls = { .ctx = w, .synced = on_synced };
    const struct log_analyse analyse = { .on = true, .memory_bytes = 8 << 20 };
    const struct live_reader reader = { .name = "world",
                                        .own = w,
                                        .after = w->needs_more ? after : NULL,
                                        .line = on_line,
                                        .tick = on_tick,
                                        .down = on_down };
    struct journal_opened found;
    struct err e = { 0 };

    w->loop = loop_new(&e);
    w->in = (struct intake){ .loop = w->loop, .calls = { .ctx = w, .say = on_say } };
    memcpy(w->in.settings.folder, w->folder, sizeof(w->folder));
    w->in.store = store_open(w->folder, &limits, &calls, clock_wall_us(), &found, &e);
    if (!w->in.store || store_start(w->in.store, &e) < 0 ||
        loop_watch(w->loop, store_fd(w->in.store), LOOP_IN, on_store, w, &e) < 0)
        fail_msg("%s", e.text);
    w->seen = w->again = w->ticks = w->last_seq = w->heard = 0;
    w->down_from_us = w->down_to_us = 0;
    w->in.live = live_new(&w->in, &e);
    if (!w->in.live || (w->analysed ? analyst_add(w->in.live, &analyse, &e) : live_add(w->in.live, &reader, &e)) < 0 ||
        live_start(w->in.live, &e) < 0)
        fail_msg("%s", e.text);
}

static void down(struct world *w)
{
    live_free(w->in.live);
    w->in.live = NULL;
    loop_unwatch(w->loop, store_fd(w->in.store));
    store_close(w->in.store, PATIENCE_US);
    loop_free(w->loop);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_live.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    DIR *d = opendir(w->folder);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        (void)closedir(d);
    (void)rmdir(w->folder);
    free(w);
    return 0;
}

/* --- lines */

static void a_reader_hears_each_line_once_in_order_and_the_clock(void **state)
{
    struct world *w = *state;

    up(w);
    keep(w, LINES_MOST);
    until(w, saw, LINES_MOST);
    assert_true(w->last_seq == LINES_MOST);
    until(w, ticked, 2);
    assert_int_equal(w->seen, LINES_MOST);
    assert_int_equal(w->again, 0);
    down(w);
}

static void a_line_that_is_not_on_the_disk_is_not_read(void **state)
{
    struct world *w = *state;

    up(w);
    keep(w, 10);
    until(w, saw, 10);
    w->held = true;
    keep(w, 1);
    until(w, looked, 100);
    assert_int_equal(now_at(&w->seen), 10);
    w->held = false;
    until(w, saw, 11);
    down(w);
}

static void after_a_start_it_goes_on_behind_its_cursor(void **state)
{
    struct world *w = *state;

    up(w);
    keep(w, 100);
    until(w, saw, 100);
    until(w, cursor_is, 100);
    down(w);
    up(w);
    keep(w, 7);
    until(w, saw, 7);
    assert_int_equal(w->last_seq, 107);
    assert_int_equal(w->seen, 7);
    assert_int_equal(w->again, 0);
    down(w);
}

static void the_first_time_it_begins_behind_what_is_there(void **state)
{
    struct world *w = *state;

    w->analysed = true; /* another reader writes the store */
    up(w);
    keep(w, 50);
    until(w, is_synced, 0);
    down(w);
    w->analysed = false;
    up(w);
    keep(w, 3);
    until(w, saw, 3);
    assert_int_equal(w->last_seq, 53);
    assert_int_equal(w->seen, 3);
    down(w);
}

static void who_needs_more_hears_it_again_and_knows_that(void **state)
{
    struct world *w = *state;

    w->needs_more = true;
    w->after = 40;
    up(w);
    keep(w, 100);
    until(w, saw, 60);
    until(w, cursor_is, 100);
    down(w);
    up(w);
    keep(w, 5);
    until(w, saw, 65);
    assert_int_equal(w->again, 60);
    down(w);
}

static void a_pause_of_ours_is_told_between_the_lines(void **state)
{
    struct world *w = *state;
    int64_t now = clock_wall_us();

    w->needs_more = true;
    up(w);
    keep_at(w, "web1", "before", now);
    until(w, saw, 1);
    keep_at(w, "web1", "after", now + 2 * HOUR); /* nothing was read for two hours, and no beat came */
    until(w, saw, 2);
    assert_true(w->down_from_us >= now && w->down_from_us < now + 60000000);
    assert_true(w->down_to_us == now + 2 * HOUR);
    down(w);
}

/* --- words */

static void what_a_reader_says_arrives_in_order_however_slow_the_core_is(void **state)
{
    struct world *w = *state;

    w->talks = true;
    up(w);
    w->deaf = true;
    keep(w, 1000); /* more than may wait: the thread waits, the receiver does not */
    until(w, is_synced, 0);
    w->deaf = false;
    until(w, heard, 1000);
    for (unsigned i = 0; i < EVENTS_MOST; i++) {
        uint64_t flow;

        assert_true(event_get_number(&w->said[i], F_FLOW, &flow));
        assert_int_equal(flow, 800 + i + 1);
    }
    down(w);
}

static void what_nobody_took_is_not_behind_the_cursor(void **state)
{
    struct world *w = *state;

    w->talks = true;
    up(w);
    keep(w, 20);
    until(w, heard, 20);
    until(w, cursor_is, 20);
    w->deaf = true;
    keep(w, 5);
    until(w, saw, 25);
    until(w, ticked, 2);
    assert_int_equal(cursor(w, "world"), 20);
    down(w);
    w->deaf = false;
    up(w);
    until(w, heard, 5);
    down(w);
}

static void after_a_quiet_time_the_cursor_moves_as_soon_as_ever(void **state)
{
    struct world *w = *state;

    w->talks = true;
    up(w);
    keep(w, 10);
    until(w, cursor_is, 10);
    until(w, ticked, 3);
    keep(w, 1);
    until(w, heard, 11);
    until(w, cursor_is, 11);
    down(w);
}

/* --- the analysis */

static uint64_t found(const struct world *w, const char *rule)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < w->heard && i < EVENTS_MOST; i++) {
        struct slice value;

        n += w->said[i].kind == EV_LOG_FOUND && event_get(&w->said[i], F_RULE, &value) &&
             slice_eq(value, slice_text(rule));
    }
    return n;
}

static bool found_hardware(struct world *w)
{
    return found(w, "hardware") >= w->wanted;
}

static const char fault[] = "cciss: cmd 0000010037e04380 has CHECK CONDITION byte 2 = 0x3";

static void a_finding_is_told_once_also_after_a_start(void **state)
{
    struct world *w = *state;

    w->analysed = true;
    up(w);
    keep_at(w, "web1", fault, clock_wall_us());
    until(w, found_hardware, 1);
    assert_int_equal(w->said[0].grade, GRADE_ALARM);
    assert_true(w->said[0].src.family == 4);
    until(w, cursor_is, 1);
    down(w);
    up(w);
    keep_at(w, "web1", fault, clock_wall_us());
    keep_at(w, "web2", fault, clock_wall_us());
    until(w, found_hardware, 1);
    until(w, cursor_is, 3);
    assert_int_equal(found(w, "hardware"), 1);
    down(w);
}

static void what_was_there_before_the_first_start_is_learned_and_not_told(void **state)
{
    struct world *w = *state;
    int64_t from = clock_wall_us() - 72 * HOUR;

    up(w); /* a reader of another kind: the analysis is off */
    for (unsigned i = 0; i < 72; i++)
        keep_at(w, "web1", i == 40 ? fault : "a line", from + i * HOUR);
    until(w, is_synced, 0);
    down(w);
    w->analysed = true;
    up(w);
    keep_at(w, "web2", fault, clock_wall_us());
    until(w, found_hardware, 1);
    until(w, cursor_is, 73);
    assert_int_equal(found(w, "hardware"), 1);
    assert_int_equal(found(w, "silence"), 0);
    down(w);
}

static void damaged_memory_is_left_aside_and_the_store_read_again(void **state)
{
    struct world *w = *state;
    char path[128];
    int fd;

    w->analysed = true;
    up(w);
    keep_at(w, "web1", fault, clock_wall_us());
    until(w, found_hardware, 1);
    until(w, cursor_is, 1);
    down(w);
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof(path), "%s/analysis-%u", w->folder, i);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "serviola live 1\nnonsense, and more of it", 40, 0), 40);
        (void)close(fd);
    }
    up(w);
    keep_at(w, "web2", fault, clock_wall_us());
    until(w, found_hardware, 1);
    until(w, cursor_is, 2);
    assert_int_equal(found(w, "hardware"), 1);
    down(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reader_hears_each_line_once_in_order_and_the_clock),
        TEST(a_line_that_is_not_on_the_disk_is_not_read),
        TEST(after_a_start_it_goes_on_behind_its_cursor),
        TEST(the_first_time_it_begins_behind_what_is_there),
        TEST(who_needs_more_hears_it_again_and_knows_that),
        TEST(a_pause_of_ours_is_told_between_the_lines),
        TEST(what_a_reader_says_arrives_in_order_however_slow_the_core_is),
        TEST(what_nobody_took_is_not_behind_the_cursor),
        TEST(after_a_quiet_time_the_cursor_moves_as_soon_as_ever),
        TEST(a_finding_is_told_once_also_after_a_start),
        TEST(what_was_there_before_the_first_start_is_learned_and_not_told),
        TEST(damaged_memory_is_left_aside_and_the_store_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
