/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sense/watch/indicator.h"
#include "sense/watch/lookout.h"
#include "sense/watch/probe.h"
#include "sense/watch/tasks.h"
#include "sys/iter/load.h"

enum { SECOND = 1000000 };

/* ---- a /proc of our own ---- */

static char root[64];
static int proc = -1;

static void file(const char *path, const char *text)
{
    char part[128];
    int fd;

    for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
        assert_true((size_t)(slash - path) < sizeof(part));
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        (void)mkdirat(proc, part, 0755);
    }
    fd = openat(proc, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void process(int pid, char state, unsigned cpu, const char *comm)
{
    char path[32];
    char text[300];

    (void)snprintf(path, sizeof(path), "%d/stat", pid);
    (void)snprintf(
        text, sizeof(text),
        "%d (%s) %c 1 1 1 0 -1 4194304 1 0 0 0 %u 2 0 0 20 0 1 0 4711 1000 12 18446744073709551615 1 1 0 0 0 0 "
        "0 0 0 0 0 0 17 1 0 0 0 0 0 1 1 1 100 164 164 200 0\n",
        pid, comm, state, cpu);
    file(path, text);
    (void)snprintf(path, sizeof(path), "%d/schedstat", pid);
    (void)snprintf(text, sizeof(text), "%u000000 0 %u\n", cpu, cpu);
    file(path, text);
}

static int gone(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static void ends(int pid)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%d", root, pid);
    (void)nftw(path, gone, 8, FTW_DEPTH | FTW_PHYS);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/serviola-proc-XXXXXX");
    assert_non_null(mkdtemp(root));
    proc = open(root, O_RDONLY | O_DIRECTORY);
    return proc < 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(proc);
    return nftw(root, gone, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct fact_process *find(const struct facts *f, int pid)
{
    for (uint32_t i = 0; i < f->processes_room; i++)
        if (f->processes[i].state && f->processes[i].pid == pid)
            return &f->processes[i];
    return NULL;
}

static const struct fact_process *need(const struct facts *f, int pid)
{
    static const struct fact_process none;
    const struct fact_process *p = find(f, pid);

    return p ? p : &none;
}

/* ---- processes ---- */

static void who_has_not_run_is_not_read_again(void **state)
{
    struct facts f = { 0 };
    struct err e;
    struct tasks *t;

    (void)state;
    process(10, 'S', 5, "sleeper");
    process(11, 'S', 5, "worker");
    t = tasks_new(proc, 64, 64, &e);
    assert_non_null(t);
    for (unsigned i = 0; i < 3; i++)
        tasks_sample(t, 2, &f);
    assert_int_equal(f.processes_count, 2);

    file("10/stat", "10 (rubbish"); /* would be seen if it were read */
    process(11, 'D', 9, "worker");
    tasks_sample(t, 2, &f);
    assert_string_equal(need(&f, 10)->comm, "sleeper");
    assert_int_equal(need(&f, 11)->state, 'D');
    assert_int_equal(need(&f, 11)->cpu_ticks, 11);
    tasks_free(t);
}

static void proc_is_listed_anew_only_when_somebody_was_forked(void **state)
{
    struct facts f = { 0 };
    struct err e;
    struct tasks *t;

    (void)state;
    process(10, 'S', 5, "first");
    t = tasks_new(proc, 64, 64, &e);
    tasks_sample(t, 7, &f);
    process(12, 'S', 5, "second");
    tasks_sample(t, 7, &f);
    assert_int_equal(f.processes_count, 1);
    tasks_sample(t, 8, &f);
    assert_int_equal(f.processes_count, 2);
    tasks_free(t);
}

static void places_are_kept_and_a_full_table_is_counted(void **state)
{
    struct facts f = { 0 };
    struct err e;
    struct tasks *t;

    (void)state;
    process(20, 'S', 1, "a");
    process(21, 'S', 1, "b");
    process(22, 'S', 1, "c");
    t = tasks_new(proc, 2, 64, &e);
    tasks_sample(t, 1, &f);
    assert_int_equal(f.processes_count, 2);
    assert_int_equal(tasks_refused(t), 1);
    assert_in_range(f.processes_room, 1, 2);
    tasks_free(t);
}

static void a_process_that_ended_leaves_its_place_to_the_next(void **state)
{
    struct facts f = { 0 };
    struct err e;
    struct tasks *t;

    (void)state;
    process(30, 'S', 1, "short");
    t = tasks_new(proc, 8, 0, &e); /* no descriptor is kept: each is opened anew */
    tasks_sample(t, 1, &f);
    assert_non_null(find(&f, 30));
    ends(30);
    process(31, 'S', 1, "next");
    tasks_sample(t, 2, &f);
    assert_null(find(&f, 30));
    assert_non_null(find(&f, 31));
    assert_int_equal(f.processes_room, 1);
    tasks_free(t);
}

/* For some ticks of the clock. */
static void *spin(void *arg)
{
    clock_t until = clock() + CLOCKS_PER_SEC / 20;

    while (clock() < until)
        ;
    return arg;
}

static void *idle(void *arg)
{
    for (;;)
        (void)pause();
    return arg;
}

/* It has worked, and so has a thread of it that has ended; another waits. */
static pid_t model(void)
{
    pid_t pid = fork();
    pthread_t thread;
    int status;

    if (pid == 0) {
        if (pthread_create(&thread, NULL, spin, NULL) != 0 || pthread_join(thread, NULL) != 0 ||
            pthread_create(&thread, NULL, idle, NULL) != 0)
            _exit(1);
        (void)spin(NULL);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    return pid;
}

static void the_kernels_walk_tells_what_proc_tells(void **state)
{
    int links[ITER_LINKS];
    int real = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct facts by_proc = { .mono_us = 1 };
    struct facts by_walk = { .mono_us = 1 };
    const struct fact_process *a;
    const struct fact_process *b;
    struct tasks *proc_tasks;
    struct tasks *walk_tasks;
    struct err e;
    pid_t pid;

    (void)state;
    if (iter_load(links, &e) < 0)
        skip(); /* test_iterate says why */
    pid = model();
    proc_tasks = tasks_new(real, 32768, 0, &e);
    walk_tasks = tasks_new(real, 32768, 0, &e);
    assert_true(tasks_walk_by(walk_tasks, links[ITER_GLANCE]));
    tasks_sample(proc_tasks, 0, &by_proc);
    tasks_sample(walk_tasks, 0, &by_walk);
    assert_true(tasks_walks(walk_tasks));
    a = need(&by_proc, pid);
    b = need(&by_walk, pid);
    assert_int_equal(b->parent, getpid());
    assert_int_equal(a->parent, b->parent);
    assert_int_equal(a->state, 'T');
    assert_int_equal(b->state, 'T');
    assert_int_equal(a->start_ticks, b->start_ticks);
    assert_int_equal(b->threads, 2);
    assert_int_equal(a->threads, b->threads);
    assert_memory_equal(a->comm, b->comm, FACT_COMM);
    assert_true(b->cpu_ticks >= 5);
    assert_in_range(a->cpu_ticks, b->cpu_ticks - 2, b->cpu_ticks + 2); /* /proc rounds user and system each */
    assert_true(b->rss_pages > 0);
    assert_int_equal(a->kernel, b->kernel);
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    tasks_sample(walk_tasks, 0, &by_walk);
    assert_null(find(&by_walk, pid));
    tasks_free(proc_tasks);
    tasks_free(walk_tasks);
    iter_unload(links);
    close(real);
}

/* A descriptor that is no iterator's: /proc is read on. */
static void without_an_iterator_proc_is_read(void **state)
{
    int links[ITER_LINKS];
    struct facts f = { 0 };
    struct err e;
    struct tasks *t;

    (void)state;
    process(10, 'S', 5, "first");
    t = tasks_new(proc, 64, 64, &e);
    assert_false(tasks_walk_by(t, proc));
    tasks_sample(t, 1, &f);
    assert_non_null(find(&f, 10));
    assert_false(iter_kept(proc, links));
    tasks_free(t);
}

/* ---- indicators ---- */

static struct watch_settings settings;
static struct values values;

static const struct indicator *named(const char *name)
{
    for (size_t i = 0; indicators[i]; i++)
        if (strcmp(indicators[i]->name, name) == 0)
            return indicators[i];
    fail_msg("no indicator %s", name);
    return NULL;
}

struct bench { /* one indicator, second after second */
    const struct indicator *of;
    void *own;
    struct watch_world world;
    struct facts facts;
};

static struct bench bench(const char *name)
{
    struct bench b = { .of = named(name), .world = { .settings = &settings, .proc = proc, .sys = proc, .edges = -1 } };
    struct err e;

    memset(&settings, 0, sizeof(settings));
    settings.sockets = true;
    values_forget(&values);
    if (b.of->open && b.of->open(&b.world, &b.own, &e) < 0)
        fail_msg("%s", e.text);
    b.facts.at_us = 1000LL * SECOND;
    b.facts.mono_us = 10LL * SECOND;
    return b;
}

static void second(struct bench *b)
{
    values_clear(&values);
    b->of->sample(b->own, &b->world, &b->facts, &values);
    b->facts.step_us = SECOND;
    b->facts.at_us += SECOND;
    b->facts.mono_us += SECOND;
}

static void done(struct bench *b)
{
    if (b->of->close)
        b->of->close(b->own);
}

#define assert_value(name, is) assert_true(!islessgreater(values_get(&values, name), (double)(is)))

static void an_error_makes_read_only_in_two_ways_and_a_hand_in_a_third(void **state)
{
    struct bench b = bench("readonly");

    (void)state;
    b.facts.mountinfo = SLICE("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /var rw - ext4 /dev/sda2 rw\n"
                              "3 1 8:3 / /usr ro - ext4 /dev/sda3 ro\n");
    second(&b);
    assert_value("fs.read_only_by_error", 0);
    assert_value("fs.read_only_by_hand", 0); /* /usr has always been */
    b.facts.mountinfo = SLICE("1 0 8:1 / / rw - ext4 /dev/sda1 rw,emergency_ro\n2 1 8:2 / /var rw - ext4 /dev/sda2 ro\n"
                              "3 1 8:3 / /usr ro - ext4 /dev/sda3 ro\n");
    second(&b);
    assert_value("fs.read_only_by_error", 2);
    b.facts.mountinfo = SLICE("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /var ro - ext4 /dev/sda2 ro\n");
    second(&b);
    assert_value("fs.read_only_by_error", 0);
    assert_value("fs.read_only_by_hand", 1);
    done(&b);
}

static void a_clock_that_is_set_jumps(void **state)
{
    struct bench b = bench("clock");

    (void)state;
    second(&b);
    assert_true(isnan(values_get(&values, "clock.jump")));
    second(&b);
    assert_value("clock.jump", 0);
    b.facts.at_us -= 3600LL * SECOND;
    second(&b);
    assert_value("clock.jump", -3600);
    second(&b);
    assert_value("clock.jump", 0);
    done(&b);
}

static void pressure_is_that_of_the_last_second(void **state)
{
    struct bench b = bench("pressure");

    (void)state;
    b.facts.pressure_io = SLICE("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"
                                "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    second(&b);
    b.facts.pressure_io = SLICE("some avg10=0.00 avg60=0.00 avg300=0.00 total=1250000\n"
                                "full avg10=0.00 avg60=0.00 avg300=0.00 total=100000\n");
    second(&b);
    assert_value("psi.io", 25);
    assert_value("psi.io.full", 10);
    done(&b);
}

static void unused_cpus_are_counted(void **state)
{
    struct bench b;

    (void)state;
    file("devices/system/cpu/present", "0-3\n");
    file("devices/system/cpu/online", "0,2\n");
    b = bench("cpus");
    second(&b);
    assert_value("cpu.present", 4);
    assert_value("cpu.unused", 2);
    done(&b);
}

static void listeners_are_full_or_forbidden(void **state)
{
    struct fact_listener at[] = { { .local = addr_v4(0, 25), .waiting = 129, .most = 128 },
                                  { .local = addr_v4(0, 23), .waiting = 1, .most = 5 } };
    struct bench b = bench("listeners");

    (void)state;
    settings.must_not = (struct key_ports){ .count = 1, .at = { 23 } };
    b.facts.listeners = at;
    b.facts.listeners_count = 2;
    second(&b);
    assert_value("listen.full", 1);
    assert_value("listen.waiting", 129);
    assert_value("listen.waiting.25", 129);
    assert_value("listen.forbidden", 1);
    done(&b);
}

static void calls_to_ourselves_are_told_from_those_of_others(void **state)
{
    struct fact_listener listener = { .local = addr_v4(0, 25), .most = 128 };
    struct fact_socket at[12] = { 0 };
    struct bench b = bench("peers");

    (void)state;
    for (unsigned i = 0; i < 7; i++)
        at[i] = (struct fact_socket){ addr_v4(0x7f000001, (uint16_t)(4000 + i)), addr_v4(0x7f000132, 25), 1, 0, 1, 1 };
    for (unsigned i = 7; i < 11; i++)
        at[i] = (struct fact_socket){ addr_v4(0x0a010001, 80), addr_v4(0x0a010002, (uint16_t)(4000 + i)), 1, 0, 1, 1 };
    at[11] = (struct fact_socket){ addr_v4(0x0a010001, 5000), addr_v4(0x0a010003, 25), 2, 0, 1, 1 };
    b.facts.listeners = &listener;
    b.facts.listeners_count = 1;
    b.facts.sockets = at;
    b.facts.sockets_room = 0;
    b.facts.sockets_fresh = true;
    for (unsigned i = 0; i < 5; i++)
        second(&b);
    b.facts.sockets_room = 12;
    second(&b);
    assert_value("net.connections", 12);
    assert_value("net.own_most", 7);
    assert_value("net.own_rise", 7);
    assert_value("net.peer_most", 4);
    assert_value("net.syn_sent", 1);
    done(&b);
}

static void a_program_that_must_run_is_missed(void **state)
{
    struct fact_process at[2] = { { .pid = 1, .state = 'S', .comm = "master" },
                                  { .pid = 2, .state = 'Z', .comm = "nginx" } };
    struct bench b = bench("running");

    (void)state;
    settings.must_run = (struct key_names){ .count = 2, .at = { "master", "nginx" } };
    b.facts.processes = at;
    b.facts.processes_room = 2;
    second(&b);
    assert_value("process.master.running", 1);
    assert_value("process.nginx.running", 0); /* a zombie serves nobody */
    assert_value("process.missing", 1);
    done(&b);
}

static void memory_and_swap_are_read(void **state)
{
    struct bench b = bench("memory");

    (void)state;
    b.facts.meminfo =
        SLICE("MemTotal:       1000 kB\nMemAvailable:    250 kB\nSwapTotal:       400 kB\nSwapFree:   100 kB\n");
    b.facts.vmstat = SLICE("pswpin 5\npswpout 10\noom_kill 1\n");
    second(&b);
    b.facts.vmstat = SLICE("pswpin 5\npswpout 30\noom_kill 2\n");
    second(&b);
    assert_value("mem.available", 25);
    assert_value("swap.used", 75);
    assert_value("swap.out", 20);
    assert_value("mem.killed", 1);
    done(&b);
}

/* ---- what may hang ---- */

static void work(void *ctx, void *answer)
{
    unsigned *times = ctx;

    *(unsigned *)answer = ++*times;
}

static void wait_for(const struct lookout *l)
{
    for (unsigned i = 0; !lookout_idle(l) && i < 5000; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_true(lookout_idle(l));
}

static void a_lookout_answers_and_tells_how_long_it_took(void **state)
{
    unsigned times = 0;
    struct lookout_job job = { .name = "test", .work = work, .ctx = &times, .answer_bytes = sizeof(unsigned) };
    struct err e;
    struct lookout *l = lookout_new(&job, &e);

    (void)state;
    assert_non_null(l);
    assert_null(lookout_answer(l));
    assert_int_equal(lookout_took_us(l), -1);
    lookout_ask(l, 1);
    wait_for(l);
    lookout_ask(l, 2);
    wait_for(l);
    assert_int_equal(*(const unsigned *)lookout_answer(l), 2);
    assert_true(lookout_took_us(l) >= 0);
    assert_int_equal(times, 0); /* its memory is not ours */
    lookout_free(l);
}

static void hang(void *ctx, void *answer)
{
    (void)ctx;
    (void)answer;
    (void)pause();
}

static void one_that_hangs_holds_nobody_up(void **state)
{
    struct lookout_job job = { .name = "test", .work = hang, .answer_bytes = 8 };
    struct err e;
    struct lookout *l = lookout_new(&job, &e);

    (void)state;
    lookout_ask(l, 10 * SECOND);
    lookout_ask(l, 11 * SECOND); /* not a second time */
    assert_int_equal(lookout_waits_us(l, 13 * SECOND), 3 * SECOND);
    assert_null(lookout_answer(l));
    lookout_free(l);
}

static void die(void *ctx, void *answer)
{
    (void)ctx;
    (void)answer;
    _exit(1);
}

static void one_that_ended_is_no_disk_that_hangs(void **state)
{
    struct lookout_job job = { .name = "test", .work = die, .answer_bytes = 8 };
    struct err e;
    struct lookout *l = lookout_new(&job, &e);

    (void)state;
    assert_false(lookout_ended(l));
    lookout_ask(l, 10 * SECOND);
    for (unsigned i = 0; !lookout_ended(l) && i < 5000; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_true(lookout_ended(l));
    assert_int_equal(lookout_waits_us(l, 20 * SECOND), 0);
    lookout_free(l);
}

/* ---- what others measure ---- */

static void a_probe_is_believed_for_its_time(void **state)
{
    struct link_value v = { .name = "probe.web.up", .number = 1, .good_us = 5 * SECOND };
    struct err e;
    struct probe_values *p = probe_values_new(&e);

    (void)state;
    values_forget(&values);
    assert_true(probe_values_take(p, &v, 10 * SECOND));
    probe_values_sample(p, 15 * SECOND, &values);
    assert_value("probe.web.up", 1);
    values_clear(&values);
    probe_values_sample(p, 15 * SECOND + 1, &values);
    assert_true(isnan(values_get(&values, "probe.web.up")));
    strcpy(v.name, "probe.\033[2J");
    assert_false(probe_values_take(p, &v, 0));
    memset(v.name, 'a', sizeof(v.name));
    assert_false(probe_values_take(p, &v, 0));
    probe_values_free(p);
}

static void a_name_is_known_by_its_row(void **state)
{
    (void)state;
    assert_string_equal(indicator_help_of("disk.latency.vda")->name, "disk.latency.NAME");
    assert_string_equal(indicator_help_of("disk.latency")->name, "disk.latency");
    assert_string_equal(indicator_help_of("log.mail.overdue")->name, "log.NAME.overdue");
    assert_null(indicator_help_of("log.mail"));
    assert_true(indicator_may_be("probe.web.up")); /* somebody else's */
    assert_true(indicator_may_be("log.*.overdue"));
    assert_false(indicator_may_be("disk.latancy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_not_run_is_not_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(proc_is_listed_anew_only_when_somebody_was_forked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_are_kept_and_a_full_table_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_ended_leaves_its_place_to_the_next, set_up, tear_down),
        cmocka_unit_test(the_kernels_walk_tells_what_proc_tells),
        cmocka_unit_test_setup_teardown(without_an_iterator_proc_is_read, set_up, tear_down),
        cmocka_unit_test(an_error_makes_read_only_in_two_ways_and_a_hand_in_a_third),
        cmocka_unit_test(a_clock_that_is_set_jumps),
        cmocka_unit_test(pressure_is_that_of_the_last_second),
        cmocka_unit_test_setup_teardown(unused_cpus_are_counted, set_up, tear_down),
        cmocka_unit_test(listeners_are_full_or_forbidden),
        cmocka_unit_test(calls_to_ourselves_are_told_from_those_of_others),
        cmocka_unit_test(a_program_that_must_run_is_missed),
        cmocka_unit_test(memory_and_swap_are_read),
        cmocka_unit_test(a_lookout_answers_and_tells_how_long_it_took),
        cmocka_unit_test(one_that_hangs_holds_nobody_up),
        cmocka_unit_test(one_that_ended_is_no_disk_that_hangs),
        cmocka_unit_test(a_probe_is_believed_for_its_time),
        cmocka_unit_test(a_name_is_known_by_its_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
