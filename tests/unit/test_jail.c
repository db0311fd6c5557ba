/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/calls.h"
#include "sys/chan.h"
#include "sys/clock.h"
#include "sys/jail.h"
#include "sys/landlock.h"
#include "sys/lock.h"
#include "sys/say.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

enum { NOT_JAILED = 100, REFUSED = 0, DONE = 1, BY_JAIL = SIGSYS };

static struct err last; /* of a jail that could not be entered; shared with the child */

/* What a child that enters the jail and then acts ends with: its exit code, or -signal. */
static int child_ends(const struct jail *j, int (*act)(void))
{
    int words[2];
    int status;
    pid_t pid;

    assert_int_equal(pipe(words), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err e = { 0 };
        unsigned gaps;

        if (jail_enter(j, &gaps, &e) < 0) {
            (void)!write(words[1], &e, sizeof(e));
            _exit(NOT_JAILED);
        }
        _exit(act());
    }
    (void)close(words[1]);
    memset(&last, 0, sizeof(last));
    (void)!read(words[0], &last, sizeof(last));
    (void)close(words[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_JAILED && last.text[0])
        print_message("not jailed: %s\n", last.text);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static struct jail jail_of(unsigned calls)
{
    return (struct jail){ .user = geteuid() == 0 ? "nobody" : NULL, .calls = calls };
}

static void needs_root(void)
{
    if (geteuid() != 0)
        skip();
}

/* --- what a role in its jail goes on doing --- */

static int live(void)
{
    int fds[2];
    char byte = 'x';
    void *more = malloc(300000);
    FILE *out = fdopen(dup(2), "w");
    struct stat st;

    if (!more || !out || fprintf(out, "%s", "") < 0 || fflush(out) != 0)
        return 2;
    memset(more, 1, 300000);
    free(more);
    if (chan_pair(fds, NULL) < 0 || write(fds[0], &byte, 1) != 1 || read(fds[1], &byte, 1) != 1)
        return 3;
    if (fstat(fds[0], &st) < 0 || clock_mono_us() <= 0 || memfd_create("m", MFD_CLOEXEC) < 0)
        return 4;
    say_debug("alive");
    return DONE;
}

static void what_a_role_needs_still_works(void **state)
{
    struct jail j = jail_of(JAIL_BASE);

    (void)state;
    assert_int_equal(child_ends(&j, live), DONE);
    j = jail_of(JAIL_RING | JAIL_ACCEPT | JAIL_FILES | JAIL_THREADS | JAIL_NETLINK | JAIL_PROC);
    assert_int_equal(child_ends(&j, live), DONE);
}

static int end_by_abort(void)
{
    abort();
}

static void a_failed_assertion_still_ends_as_one(void **state)
{
    struct jail j = jail_of(JAIL_BASE);

    (void)state;
    assert_int_equal(child_ends(&j, end_by_abort), -SIGABRT);
}

/* --- what is refused --- */

static int try_open(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0 ? DONE : errno == EACCES ? REFUSED : 2;
}

static int try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? DONE : REFUSED;
}

static int try_exec(void)
{
    char name[] = "true";
    char *const argv[] = { name, NULL };

    return execve("/bin/true", argv, NULL) == 0 ? DONE : REFUSED;
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? DONE : REFUSED;
}

static int try_fork(void)
{
    return fork() >= 0 ? DONE : REFUSED;
}

static int try_kill(void)
{
    return kill(getppid(), 0) == 0 ? DONE : REFUSED;
}

static int try_root(void)
{
    return setuid(0) == 0 ? DONE : REFUSED;
}

static int try_code_in_data(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0 ? DONE : REFUSED;
}

static int try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? DONE : REFUSED;
}

static int try_dump(void)
{
    return prctl(PR_SET_DUMPABLE, 1) == 0 ? DONE : REFUSED;
}

static void nothing_else_does(void **state)
{
    static int (*const tries[])(void) = { try_socket, try_exec, try_ptrace, try_fork,        try_kill,
                                          try_root,   try_code, try_dump,   try_code_in_data };
    struct jail j = jail_of(JAIL_BASE);

    (void)state;
    assert_int_equal(child_ends(&j, try_open), REFUSED);
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
        assert_int_equal(child_ends(&j, tries[i]), -BY_JAIL);
}

static void wider_jails_run_no_program_either(void **state)
{
    struct jail j = jail_of(JAIL_RING | JAIL_ACCEPT | JAIL_FILES | JAIL_THREADS | JAIL_NETLINK | JAIL_PROC |
                            JAIL_PACKET | JAIL_LISTEN);

    (void)state;
    assert_int_equal(child_ends(&j, try_open), REFUSED);
    assert_int_equal(child_ends(&j, try_exec), -BY_JAIL);
    assert_int_equal(child_ends(&j, try_ptrace), -BY_JAIL);
    assert_int_equal(child_ends(&j, try_fork), -BY_JAIL);
    assert_int_equal(child_ends(&j, try_kill), -BY_JAIL);
    assert_int_equal(child_ends(&j, try_code), -BY_JAIL);
}

/* --- ids and capabilities --- */

static int show_ids(void)
{
    uid_t r;
    uid_t e;
    uid_t s;

    (void)getresuid(&r, &e, &s);
    return r == 65534 && e == 65534 && s == 65534 && getgroups(0, NULL) == 0 ? DONE : 2;
}

static void the_user_is_another_one_and_has_no_groups(void **state)
{
    struct jail j = jail_of(JAIL_BASE);

    (void)state;
    needs_root();
    assert_int_equal(child_ends(&j, show_ids), DONE);
}

static int show_caps(void)
{
    return prctl(PR_CAPBSET_READ, CAP_NET_ADMIN) == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0 ? DONE : 2;
}

static void a_kept_capability_is_kept_and_can_not_be_handed_on(void **state)
{
    struct jail j = jail_of(JAIL_NETLINK);

    (void)state;
    needs_root();
    j.keep_caps = 1ull << CAP_NET_ADMIN; /* jail_enter itself proves the sets */
    assert_int_equal(child_ends(&j, show_caps), DONE);
}

static void a_user_that_does_not_exist_names_the_way_out(void **state)
{
    struct jail j = { .user = "serviola-nobody-at-all" };

    (void)state;
    assert_int_equal(child_ends(&j, live), NOT_JAILED);
    assert_non_null(strstr(last.text, "tools/users"));
}

static void root_is_not_jailed_as_root(void **state)
{
    struct jail j = { .user = NULL };

    (void)state;
    needs_root();
    assert_int_equal(child_ends(&j, live), NOT_JAILED);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    static const char *const folders[] = { "/nonexistent/journal", NULL };
    struct jail j = jail_of(JAIL_FILES);

    (void)state;
    j.folders = folders;
    assert_int_equal(child_ends(&j, live), NOT_JAILED);
    assert_non_null(strstr(last.text, "/nonexistent/journal"));
}

/* --- files --- */

static char room[] = "/tmp/test_jail.XXXXXX";

static int make_room(void **state)
{
    (void)state;
    return mkdtemp(room) && chmod(room, 0777) == 0 ? 0 : -1;
}

static int clear_room(void **state)
{
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/segment", room);
    (void)unlink(path);
    return rmdir(room);
}

static int use_room(void)
{
    char path[64];
    char other[64];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/new", room);
    (void)snprintf(other, sizeof(other), "%s/segment", room);
    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) < 0 || rename(path, other) < 0 || unlink(other) < 0)
        return 2;
    if (open("/etc/hostname", O_RDONLY) >= 0 || open("/tmp", O_RDONLY | O_DIRECTORY) >= 0)
        return 3;
    return DONE;
}

static bool landlock_is_here(void)
{
    struct jail j = { .user = NULL };
    unsigned gaps = 0;
    int fd = landlock_open(&j, &gaps, NULL);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static void files_are_written_in_the_named_folder_and_nowhere_else(void **state)
{
    const char *const folders[] = { room, NULL };
    struct jail j = jail_of(JAIL_FILES);

    (void)state;
    if (!landlock_is_here())
        skip();
    j.folders = folders;
    assert_int_equal(child_ends(&j, use_room), DONE);
}

static int read_proc(void)
{
    int fd = open("/proc/self/stat", O_RDONLY);
    char text[64];

    return fd >= 0 && read(fd, text, sizeof(text)) > 0 ? DONE : 2;
}

static int write_proc(void)
{
    return open("/proc/self/comm", O_WRONLY) < 0 ? REFUSED : DONE;
}

static void proc_is_read_and_not_written(void **state)
{
    static const char *const folders[] = { "/proc", NULL };
    struct jail j = jail_of(JAIL_PROC);

    (void)state;
    j.read_only = folders;
    assert_int_equal(child_ends(&j, read_proc), DONE);
    assert_int_equal(child_ends(&j, write_proc), -BY_JAIL);
}

static pid_t looked_at;

/* Whoever runs at that moment has an empty one: it goes to sleep. */
static int read_stack(void)
{
    ssize_t got = 0;
    char path[64];
    char text[256];

    (void)snprintf(path, sizeof(path), "/proc/%d/stack", (int)looked_at);
    for (int tries = 0; tries < 5000 && got == 0; tries++) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);

        got = fd < 0 ? -1 : read(fd, text, sizeof(text));
        (void)close(fd);
        if (got == 0)
            (void)poll(NULL, 0, 1);
    }
    return got > 0 ? DONE : 2;
}

static void the_look_sees_where_a_jailed_process_hangs_and_writes_nothing(void **state)
{
    struct jail other = jail_of(JAIL_BASE);
    struct jail j = jail_of(JAIL_PROC);
    int in[2];
    char byte;

    (void)state;
    needs_root();
    assert_int_equal(pipe(in), 0);
    looked_at = fork();
    if (looked_at == 0) {
        unsigned gaps;

        if (jail_enter(&other, &gaps, NULL) < 0)
            _exit(NOT_JAILED);
        (void)!write(in[1], "+", 1);
        for (;;)
            (void)poll(NULL, 0, -1);
    }
    (void)close(in[1]);
    assert_int_equal(read(in[0], &byte, 1), 1);
    j.keep_caps = 1ull << CAP_SYS_PTRACE | 1ull << CAP_SYS_ADMIN | 1ull << CAP_DAC_READ_SEARCH;
    assert_int_equal(child_ends(&j, read_stack), DONE);
    assert_int_equal(child_ends(&j, write_proc), -BY_JAIL);
    (void)kill(looked_at, SIGKILL);
    assert_int_equal(waitpid(looked_at, NULL, 0), looked_at);
    (void)close(in[0]);
    j.calls |= JAIL_FILES;
    assert_int_equal(child_ends(&j, live), NOT_JAILED);
}

/* --- threads, netlink, signals --- */

static void *nothing(void *ctx)
{
    return ctx;
}

static int start_thread(void)
{
    pthread_t t;

    return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0 ? DONE : 2;
}

static void threads_start_where_the_part_asked_for_them(void **state)
{
    struct jail j = jail_of(JAIL_THREADS);

    (void)state;
    assert_int_equal(child_ends(&j, start_thread), DONE);
    j = jail_of(JAIL_BASE);
    assert_int_equal(child_ends(&j, start_thread), -BY_JAIL);
}

static int open_netlink(void)
{
    if (socket(AF_NETLINK, SOCK_RAW, 0) < 0)
        return 2;
    return try_socket();
}

static void netlink_does_not_open_the_internet(void **state)
{
    struct jail j = jail_of(JAIL_NETLINK);

    (void)state;
    assert_int_equal(child_ends(&j, open_netlink), -BY_JAIL);
}

/* --- a role that connects --- */

static uint16_t named_port, other_port; /* both are listened at, on 127.0.0.1 */
static bool ports_are_guarded;          /* by Landlock */

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&sa, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

/* From 127.0.0.2, so that a source is chosen too; 0, or an errno. */
static int connect_to(uint16_t port, uint16_t from_port)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(from_port) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    int fault;

    from.sin_addr.s_addr = htonl(0x7f000002);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fault = fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0 ||
                    bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
                    connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0
              ? errno
              : 0;
    (void)close(fd);
    return fault;
}

static int connect_as_named(void)
{
    int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (udp < 0 || connect_to(named_port, 0) != 0)
        return 2;
    if (connect_to(other_port, 0) != (ports_are_guarded ? EACCES : 0))
        return 3;
    return connect_to(named_port, other_port) == (ports_are_guarded ? EACCES : 0) ? DONE : 4;
}

static int mark_packets(void)
{
    int mark = 1;

    return setsockopt(socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

static int open_raw(void)
{
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int listen_itself(void)
{
    return listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}

static void who_may_connect_reaches_the_named_ports_and_can_neither_listen_nor_forge(void **state)
{
    struct jail j = jail_of(JAIL_CONNECT | JAIL_ACCEPT);
    int listeners[2] = { listen_somewhere(&named_port), listen_somewhere(&other_port) };

    (void)state;
    j.tcp = JAIL_TCP_SOURCE | JAIL_TCP_CONNECT;
    j.tcp_ports = &named_port;
    j.tcp_ports_count = 1;
    ports_are_guarded = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 4;
    assert_int_equal(child_ends(&j, connect_as_named), DONE);
    assert_int_equal(child_ends(&j, mark_packets), -BY_JAIL);
    assert_int_equal(child_ends(&j, open_raw), -BY_JAIL);
    assert_int_equal(child_ends(&j, listen_itself), -BY_JAIL);
    j.tcp_ports = NULL;
    ports_are_guarded = false;
    j.tcp |= JAIL_TCP_BIND;
    (void)close(listeners[1]);
    listeners[1] = listen_somewhere(&other_port);
    assert_int_equal(child_ends(&j, connect_as_named), DONE);
    for (int i = 0; i < 2; i++)
        (void)close(listeners[i]);
}

static void the_parent_death_signal_survives_a_change_of_user(void **state)
{
    int alive[2];
    int status;
    char byte;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(alive), 0);
    pid = fork();
    if (pid == 0) {
        if (fork() == 0) { /* it ends when its parent does, though it would sleep for ever */
            struct jail j = jail_of(JAIL_BASE);
            unsigned gaps;

            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(alive[1], jail_enter(&j, &gaps, NULL) < 0 ? "-" : "+", 1);
            for (;;)
                (void)poll(NULL, 0, -1);
        }
        (void)close(alive[1]);
        (void)!read(alive[0], &byte, 1);
        _exit(byte == '+' ? DONE : 2);
    }
    (void)close(alive[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == DONE);
    assert_int_equal(read(alive[0], &byte, 1), 0); /* the last holder of the pipe is gone */
    (void)close(alive[0]);
}

static void *sleep_on(void *ctx)
{
    (void)poll(NULL, 0, -1);
    return ctx;
}

static void several_threads_are_refused(void **state)
{
    struct jail j = jail_of(JAIL_BASE);
    struct err e = { 0 };
    unsigned gaps;
    pthread_t t;

    (void)state;
    if (THREAD_SANITIZER)
        skip();
    assert_int_equal(pthread_create(&t, NULL, sleep_on, NULL), 0);
    assert_int_equal(jail_enter(&j, &gaps, &e), -1);
    assert_non_null(strstr(e.text, "threads"));
    (void)pthread_cancel(t);
    (void)pthread_join(t, NULL);
}

/* --- the supervisor, and what it starts --- */

static int start_a_child_in_its_own_jail(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct jail j = { .user = "nobody", .calls = JAIL_NETLINK, .keep_caps = 1ull << CAP_NET_ADMIN };
        unsigned gaps;

        if (jail_enter(&j, &gaps, NULL) < 0)
            _exit(3);
        for (;;)
            (void)poll(NULL, 0, -1);
    }
    if (kill(pid, SIGTERM) < 0 || waitpid(pid, &status, 0) != pid)
        return 2;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? DONE : 3;
}

static int run_a_program(void)
{
    char name[] = "true";
    char *const argv[] = { name, NULL };
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        (void)execv("/bin/true", argv);
        _exit(4);
    }
    return waitpid(pid, &status, 0) == pid && status == 0 ? DONE : 2;
}

static int mount_something(void)
{
    return mount("none", "/mnt", "tmpfs", 0, NULL) == 0 ? DONE : REFUSED;
}

static void the_supervisor_lends_what_it_may_not_use(void **state)
{
    static const char *const read_only[] = { "/etc", "/usr", "/bin", "/lib", "/lib64", "/proc", NULL };
    struct jail j = { .user = "root", .calls = JAIL_SPAWN, .read_only = read_only };

    (void)state;
    needs_root();
    j.keep_caps = 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_KILL;
    j.lend_caps = j.keep_caps | 1ull << CAP_NET_ADMIN | 1ull << CAP_SETPCAP;
    assert_int_equal(child_ends(&j, run_a_program), DONE);
    assert_int_equal(child_ends(&j, mount_something), -BY_JAIL);
    j.keep_caps |= 1ull << CAP_SETPCAP; /* a forked child has its parent's sets; an executed one has all that is lent */
    assert_int_equal(child_ends(&j, start_a_child_in_its_own_jail), DONE);
}

/* --- memory --- */

static void memory_is_locked_or_the_limit_is_named(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        struct err e = { 0 };

        _exit(lock_memory(&e) == 0 || strstr(e.text, "LimitMEMLOCK") ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_role_needs_still_works),
        cmocka_unit_test(a_failed_assertion_still_ends_as_one),
        cmocka_unit_test(nothing_else_does),
        cmocka_unit_test(wider_jails_run_no_program_either),
        cmocka_unit_test(the_user_is_another_one_and_has_no_groups),
        cmocka_unit_test(a_kept_capability_is_kept_and_can_not_be_handed_on),
        cmocka_unit_test(a_user_that_does_not_exist_names_the_way_out),
        cmocka_unit_test(root_is_not_jailed_as_root),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test_setup_teardown(files_are_written_in_the_named_folder_and_nowhere_else, make_room, clear_room),
        cmocka_unit_test(proc_is_read_and_not_written),
        cmocka_unit_test(who_may_connect_reaches_the_named_ports_and_can_neither_listen_nor_forge),
        cmocka_unit_test(the_look_sees_where_a_jailed_process_hangs_and_writes_nothing),
        cmocka_unit_test(threads_start_where_the_part_asked_for_them),
        cmocka_unit_test(netlink_does_not_open_the_internet),
        cmocka_unit_test(the_parent_death_signal_survives_a_change_of_user),
        cmocka_unit_test(several_threads_are_refused),
        cmocka_unit_test(the_supervisor_lends_what_it_may_not_use),
        cmocka_unit_test(memory_is_locked_or_the_limit_is_named),
    };

    if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
        (void)fputs("valgrind makes calls of its own, which no jail allows\n", stderr);
        return 77; /* skipped */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
