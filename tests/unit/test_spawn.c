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
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/jail.h"
#include "sys/memfile.h"
#include "sys/spawn.h"

/* --- what this same program does when it is started as a child --- */

static int open_numbers(void) /* as bits, but for the sanitizers' own */
{
    int bits = 0;

    for (int fd = 0; fd < 30; fd++)
        bits |= fcntl(fd, F_GETFD) >= 0 ? 1 << fd : 0;
    return bits;
}

static int child_of_descriptors(void)
{
    char text[2] = "";
    struct stat in;
    struct stat null;

    if (open_numbers() != 0x1f || read(3, text, 1) != 1 || text[0] != 'A' || read(4, text, 1) != 1 || text[0] != 'B')
        return 2;
    return fstat(0, &in) == 0 && stat("/dev/null", &null) == 0 && in.st_rdev == null.st_rdev ? 0 : 3;
}

static int child_of_signals(void)
{
    struct sigaction now;
    sigset_t mask;

    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    (void)sigaction(SIGPIPE, NULL, &now);
    return !sigismember(&mask, SIGTERM) && now.sa_handler == SIG_DFL ? 0 : 2;
}

static int child_in_jail(void) /* ends by exit, as a role does: the leak check of a sanitized build must keep out */
{
    struct jail j = { .user = geteuid() == 0 ? "nobody" : NULL };
    struct err e;
    unsigned gaps;
    int signal = 0;

    (void)prctl(PR_GET_PDEATHSIG, &signal);
    return jail_enter(&j, &gaps, &e) == 0 && signal == SIGKILL ? 0 : 2;
}

static int be_child(const char *what)
{
    if (strcmp(what, "descriptors") == 0)
        return child_of_descriptors();
    if (strcmp(what, "signals") == 0)
        return child_of_signals();
    if (strcmp(what, "jail") == 0)
        return child_in_jail();
    for (;;)
        (void)poll(NULL, 0, -1);
}

/* --- the tests --- */

static int image;

static int open_image(void **state)
{
    int fd = spawn_own_image("test-spawn", NULL);

    (void)state;
    image = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of the numbers that tests use */
    memfile_close(fd);
    return image >= 0 ? 0 : -1;
}

static int close_image(void **state)
{
    (void)state;
    memfile_close(image);
    return 0;
}

static struct spawn how_to(const char *what, const char **argv)
{
    argv[0] = "test-spawn";
    argv[1] = what;
    argv[2] = NULL;
    return (struct spawn){ .image = image, .argv = argv };
}

static int ends_with(struct spawned *child)
{
    struct pollfd ended = { .fd = child->pidfd, .events = POLLIN };
    int status;

    assert_int_equal(poll(&ended, 1, 30000), 1);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    spawn_done(child);
    assert_int_equal(child->pid, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int file_with(const char *text)
{
    int fd = memfile_from(text, strlen(text), "text", NULL);

    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void a_child_has_the_descriptors_it_was_given_and_no_others(void **state)
{
    const char *argv[3];
    struct spawn s = how_to("descriptors", argv);
    struct spawned child;
    int a = dup2(file_with("A"), 4); /* crossed: each stands where the other shall be */
    int b = dup2(file_with("B"), 3);
    const struct spawn_place places[] = { { 4, 3 }, { 3, 4 } };

    (void)state;
    assert_true(a == 4 && b == 3);
    (void)open("/dev/null", O_RDWR); /* not close-on-exec, and yet it stays here */
    s.places = places;
    s.places_count = 2;
    assert_int_equal(spawn_start(&s, &child, NULL), 0);
    assert_int_equal(ends_with(&child), 0);
}

static void a_child_s_signals_are_as_at_boot(void **state)
{
    const char *argv[3];
    struct spawn s = how_to("signals", argv);
    struct spawned child;
    sigset_t mask;
    sigset_t after;

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &mask, NULL);
    assert_int_equal(spawn_start(&s, &child, NULL), 0);
    assert_int_equal(ends_with(&child), 0);
    (void)sigprocmask(SIG_SETMASK, NULL, &after);
    assert_true(sigismember(&after, SIGTERM) && !sigismember(&after, SIGINT)); /* ours are as they were */
    (void)sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static void a_child_enters_its_jail_and_ends_in_order(void **state)
{
    const char *argv[3];
    struct spawn s = how_to("jail", argv);
    struct spawned child;

    (void)state;
    s.death_signal = SIGKILL;
    assert_int_equal(spawn_start(&s, &child, NULL), 0);
    assert_int_equal(ends_with(&child), 0);
}

static void a_running_child_can_be_ended(void **state)
{
    const char *argv[3];
    struct spawn s = how_to("sleep", argv);
    struct spawned child;

    (void)state;
    assert_int_equal(spawn_start(&s, &child, NULL), 0);
    assert_int_equal(kill(child.pid, SIGTERM), 0);
    assert_int_equal(ends_with(&child), -SIGTERM);
}

static void a_program_is_started_by_its_path_too(void **state)
{
    const char *argv[] = { "true", NULL };
    struct spawn s = { .image = -1, .path = "/bin/true", .argv = argv };
    struct spawned child;

    (void)state;
    assert_int_equal(spawn_start(&s, &child, NULL), 0);
    assert_int_equal(ends_with(&child), 0);
}

static void what_is_no_program_is_told_and_leaves_nobody(void **state)
{
    int text = file_with("this is no program\n");
    const char *argv[] = { "text", NULL };
    struct spawn s = { .image = text, .argv = argv };
    struct spawned child;
    struct err e = { 0 };

    (void)state;
    assert_int_equal(spawn_start(&s, &child, &e), -1);
    assert_non_null(strstr(e.text, "start text: execute it: "));
    assert_int_equal(child.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    memfile_close(text);
}

static void a_place_out_of_range_is_our_own_mistake(void **state)
{
    const char *argv[3];
    struct spawn s = how_to("sleep", argv);
    struct spawn_place place = { 0, 2 };
    struct spawned child;

    (void)state;
    s.places = &place;
    s.places_count = 1;
    assert_int_equal(spawn_start(&s, &child, NULL), -1);
    place = (struct spawn_place){ 999, 3 };
    assert_int_equal(spawn_start(&s, &child, NULL), -1); /* a descriptor that is not open */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_the_descriptors_it_was_given_and_no_others),
        cmocka_unit_test(a_child_s_signals_are_as_at_boot),
        cmocka_unit_test(a_child_enters_its_jail_and_ends_in_order),
        cmocka_unit_test(a_running_child_can_be_ended),
        cmocka_unit_test(a_program_is_started_by_its_path_too),
        cmocka_unit_test(what_is_no_program_is_told_and_leaves_nobody),
        cmocka_unit_test(a_place_out_of_range_is_our_own_mistake),
    };

    if (argc > 1)
        return be_child(argv[1]);
    if (getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "vgpreload")) {
        (void)fputs("valgrind does not know pidfd_open\n", stderr);
        return 77; /* skipped */
    }
    return cmocka_run_group_tests(tests, open_image, close_image);
}
