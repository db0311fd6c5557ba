/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pid that is given to another process while a picture is taken: what the
 * first one had is never told of the second.
 *
 * In a pid namespace of its own, where a process can be given the number that
 * is wanted.  Its first process, the midwife, begets and ends the lives; its child
 * takes the pictures (a picture leaves out who was forked by its maker).
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sense/xray/inner.h"
#include "sys/clock.h"
#include "sys/iter/load.h"
#include "wire/proc.h"

enum { LADDER = 64, FOOT = 2000, PICTURES = 4, BEFORE = 900 }; /* BEFORE: room for the helpers of a picture */

struct life { /* a process that has a name as its first argument, and a UNIX socket of that name */
    int64_t pid;
    uint64_t start_ms, inode;
    char name[16];
};

/* What a maker saw, for the asserts of who forked it. */
struct seen {
    bool done, refused; /* refused: no namespaces, or no iterators, here */
    struct life first, second;
    unsigned records, holders_first, holders_second;
    uint64_t start_ms, vanished;
    char args[32], exe[64];
    unsigned told, crossed; /* of all pictures: sockets told of a life, and of those the ones that were another's */
    unsigned reused;        /* numbers that were given again */
};

static struct seen *seen; /* shared */
static int order = -1;    /* to the midwife, from the maker */

/* ---- lives */

static void give_next(int64_t pid)
{
    FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "w");

    if (f)
        (void)fprintf(f, "%lld", (long long)pid - 1);
    if (f)
        (void)fclose(f);
}

/* Which number was given last stays as it is: others fork, too, and theirs must stay in a row. */
static pid_t fork_as(int64_t pid)
{
    pid_t number = (pid_t)pid;
    struct clone_args how = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1 };

    return (pid_t)syscall(SYS_clone3, &how, sizeof(how));
}

static int named_socket(const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));

    (void)snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "%s", name);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1) < 0)
        _exit(1);
    return fd;
}

static uint64_t start_of(int64_t pid)
{
    char path[32];
    char text[1024];
    struct proc_stat stat;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && proc_stat_read(slice_of(text, (size_t)n), &stat)
             ? stat.start_ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK)
             : 0;
}

/* With that pid; running its program when this returns. */
static struct life born(int64_t pid, unsigned number)
{
    struct life l = { .pid = 0 };
    struct stat st;
    char byte;
    int fd;
    int begun[2];

    (void)snprintf(l.name, sizeof(l.name), "life-%u", number);
    fd = named_socket(l.name);
    if (fstat(fd, &st) < 0 || pipe2(begun, O_CLOEXEC) < 0)
        _exit(1);
    l.inode = st.st_ino;
    l.pid = fork_as(pid);
    if (l.pid == 0) {
        (void)execl("/bin/sleep", l.name, "600", NULL);
        _exit(1);
    }
    if (l.pid < 0)
        _exit(1);
    (void)close(fd);
    (void)close(begun[1]);
    (void)!read(begun[0], &byte, 1); /* it is closed by the exec */
    (void)close(begun[0]);
    l.start_ms = start_of(l.pid);
    return l;
}

static void dies(int64_t pid)
{
    (void)kill((pid_t)pid, SIGKILL);
    (void)waitpid((pid_t)pid, NULL, 0);
}

/* ---- the midwife: one order is one byte, and one life the answer */

/* The kernel tells starts to a hundredth of a second: whoever lives shorter can't be told apart. */
static void wait_for_a_tick(uint64_t after_ms)
{
    while ((uint64_t)clock_mono_us() / 1000 < after_ms + 20)
        (void)usleep(1000);
}

/* Up the ladder once, in a row as the kernel gives numbers; ends when somebody says that it is enough. */
static void reuse_all(int from, struct life ladder[LADDER], unsigned *number)
{
    bool enough = false;
    char byte;

    wait_for_a_tick((uint64_t)clock_mono_us() / 1000);
    for (size_t i = 0; i < LADDER && !enough; i++) {
        dies(ladder[i].pid);
        ladder[i] = born(FOOT + (int64_t)i, (*number)++);
        seen->reused += ladder[i].pid == FOOT + (int64_t)i;
        enough = recv(from, &byte, 1, MSG_DONTWAIT) == 1;
    }
    if (!enough)
        (void)!recv(from, &byte, 1, 0);
    give_next(FOOT - BEFORE);
}

static void attend(int from)
{
    struct life ladder[LADDER] = { { 0 } };
    struct life one = { .pid = 0 };
    unsigned number = 1;
    char byte;

    while (recv(from, &byte, 1, 0) == 1) {
        switch (byte) {
        case 'a': /* one life; then the numbers begin anew */
            one = born(FOOT, number++);
            give_next(FOOT - BEFORE);
            break;
        case 'b': /* another one in its place */
            wait_for_a_tick(one.start_ms);
            dies(one.pid);
            one = born(FOOT, number++);
            break;
        case 'l': /* a ladder of them */
            for (size_t i = 0; i < LADDER; i++)
                ladder[i] = born(FOOT + (int64_t)i, number++);
            give_next(FOOT - BEFORE);
            break;
        default:
            reuse_all(from, ladder, &number);
            break;
        }
        (void)send(from, &one, sizeof(one), 0);
    }
    _exit(0);
}

static struct life told(char what)
{
    struct life l = { .pid = 0 };

    if (send(order, &what, 1, 0) != 1 || recv(order, &l, sizeof(l), 0) != (ssize_t)sizeof(l))
        _exit(1);
    return l;
}

static void house(void (*make)(void))
{
    int ends[2];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0 ||
        access("/proc/sys/kernel/ns_last_pid", W_OK) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        seen->refused = true;
        _exit(0);
    }
    if (fork() == 0) {
        (void)close(ends[1]);
        order = ends[0];
        make();
        _exit(0);
    }
    (void)close(ends[0]);
    attend(ends[1]);
}

/* Runs `make` in a namespace of its own; what it saw is in `seen`. */
static void in_a_house(void (*make)(void))
{
    pid_t outer;

    memset(seen, 0, sizeof(*seen));
    outer = fork();
    if (outer == 0) {
        pid_t first;

        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
            seen->refused = true;
            _exit(0);
        }
        first = fork();
        if (first == 0)
            house(make);
        _exit(first > 0 && waitpid(first, NULL, 0) == first ? 0 : 1);
    }
    assert_int_equal(waitpid(outer, NULL, 0), outer);
    if (seen->refused)
        skip();
    assert_true(seen->done);
}

/* ---- pictures, step by step */

static const struct xray_wish wish;

static struct xray *opened(void)
{
    struct xray *x = calloc(1, sizeof(*x));
    struct err e;

    if (!x)
        _exit(1);
    x->s = snap_new(&e);
    x->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    x->room = malloc(XRAY_ROOM);
    x->listed = calloc(1, XRAY_PIDS / 8);
    x->shown = calloc(1, XRAY_PIDS / 8);
    x->wish = &wish;
    x->self = getpid();
    x->tick_hz = (uint64_t)sysconf(_SC_CLK_TCK);
    x->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    if (!x->s || x->proc < 0 || !x->room || !x->listed || !x->shown)
        _exit(1);
    xray_host(x);
    return x;
}

static void closed(struct xray *x)
{
    const struct snap_host *h = snap_host(x->s);

    seen->vanished = h->processes_vanished;
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    if (p->pid == seen->first.pid) {
        seen->records++;
        seen->start_ms = p->start_ms;
        (void)text_cstr(seen->args, sizeof(seen->args), slice_first(p->args, strnlen((const char *)p->args.at, 20)));
        (void)text_cstr(seen->exe, sizeof(seen->exe), slice_first(p->exe, 60));
    }
    SNAP_LIST(x->s, SNAP_HOLDER, struct snap_holder, held)
    {
        seen->holders_first += held->pid == seen->first.pid && held->inode == seen->first.inode;
        seen->holders_second += held->pid == seen->first.pid && held->inode == seen->second.inode;
    }
    snap_free(x->s);
    iterate_free(x->iterate);
    (void)close(x->proc);
    free(x->room);
    free(x->listed);
    free(x->shown);
    free(x->pids);
    free(x);
    seen->done = true;
}

static void make_by_proc(void)
{
    struct xray *x = opened();

    seen->first = told('a');
    xray_newest(x); /* has seen the first */
    seen->second = told('b');
    xray_processes(x);
    closed(x);
}

static void make_by_iterators(void)
{
    struct xray *x = opened();
    char why[400];
    struct text t = TEXT_IN(why);

    seen->first = told('a');
    if (!iterate_begin(x, &t)) {
        seen->refused = true;
        _exit(0);
    }
    seen->second = told('b');
    (void)iterate_records(x);
    closed(x);
}

static void the_second_alone_is_told_when_proc_is_read(void **state)
{
    (void)state;
    in_a_house(make_by_proc);
    assert_int_equal(seen->second.pid, seen->first.pid);
    assert_int_not_equal(seen->second.start_ms, seen->first.start_ms);
    assert_int_equal(seen->records, 1);
    assert_int_equal(seen->start_ms, seen->second.start_ms);
    assert_string_equal(seen->args, seen->second.name);
    assert_int_equal(seen->holders_first, 0);
    assert_int_equal(seen->holders_second, 1);
    assert_int_equal(seen->vanished, 1);
}

static void the_first_is_told_without_the_words_of_the_second_when_the_kernel_walks(void **state)
{
    (void)state;
    in_a_house(make_by_iterators);
    assert_int_equal(seen->second.pid, seen->first.pid);
    assert_int_equal(seen->records, 1);
    assert_int_equal(seen->start_ms, seen->first.start_ms);
    assert_string_equal(seen->args, "");
    assert_string_equal(seen->exe, "");
    assert_int_equal(seen->holders_first, 1);
    assert_int_equal(seen->holders_second, 0);
    assert_int_equal(seen->vanished, 1);
}

/* ---- pictures at once, while numbers are given again all the time */

/* "life-7" of a socket's name, and of the first argument; 0: it is called otherwise. */
static unsigned number_of(struct slice s)
{
    uint64_t n = 0;

    if (s.len > 0 && s.at[0] == '\0')
        s = slice_skip(s, 1);
    if (s.len < 6 || memcmp(s.at, "life-", 5) != 0)
        return 0;
    s = slice_skip(s, 5);
    for (size_t i = 0; i < s.len && s.at[i] >= '0' && s.at[i] <= '9'; i++)
        n = 10 * n + (uint64_t)(s.at[i] - '0');
    return (unsigned)n;
}

static void compare(const struct snap *s)
{
    SNAP_LIST(s, SNAP_PROCESS, struct snap_process, p)
    if (number_of(p->args) > 0)
        SNAP_LIST(s, SNAP_HOLDER, struct snap_holder, held)
    if (held->pid == p->pid)
        SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    if (k->inode == held->inode && number_of(k->path) > 0) {
        seen->told++;
        seen->crossed += number_of(k->path) != number_of(p->args);
    }
}

static void make_while_reused(const struct xray_wish *how)
{
    (void)told('l');
    for (int i = 0; i < PICTURES; i++) {
        struct err e;
        struct snap *s;

        (void)send(order, "c", 1, 0);
        s = xray_take_as(how, &e);
        (void)told('.'); /* enough */
        if (!s)
            _exit(1);
        seen->refused = !how->plain && !slice_eq(snap_host(s)->back_end, SLICE("iterators"));
        compare(s);
        snap_free(s);
    }
    seen->done = true;
}

static void make_plain_while_reused(void)
{
    make_while_reused(&(struct xray_wish){ .plain = true });
}

/* Loaded before, or the ladder's end would be reached before the first look. */
static void make_walk_while_reused(void)
{
    int links[ITER_LINKS];
    struct err e;

    if (iter_load(links, &e) < 0) {
        seen->refused = true;
        _exit(0);
    }
    make_while_reused(&(struct xray_wish){ .iterators = links });
    iter_unload(links);
}

static void nothing_of_one_is_told_of_another_when_proc_is_read(void **state)
{
    (void)state;
    in_a_house(make_plain_while_reused);
    assert_true(seen->told > 0);
    assert_true(seen->reused > 0);
    assert_int_equal(seen->crossed, 0);
}

static void nothing_of_one_is_told_of_another_when_the_kernel_walks(void **state)
{
    (void)state;
    in_a_house(make_walk_while_reused);
    assert_true(seen->told > 0);
    assert_true(seen->reused > 0);
    assert_int_equal(seen->crossed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_alone_is_told_when_proc_is_read),
        cmocka_unit_test(the_first_is_told_without_the_words_of_the_second_when_the_kernel_walks),
        cmocka_unit_test(nothing_of_one_is_told_of_another_when_proc_is_read),
        cmocka_unit_test(nothing_of_one_is_told_of_another_when_the_kernel_walks),
    };

    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
