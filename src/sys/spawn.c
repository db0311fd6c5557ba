/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/memfile.h"

enum {
    FIRST = 3,                   /* the first number that may be given */
    HIGH = FIRST + SPAWN_PLACES, /* above all of them: what the child itself needs until it is replaced */
    IMAGE_MOST = 256 * 1024 * 1024,
};

enum step { STEP_DESCRIPTORS, STEP_SIGNALS, STEP_PARENT, STEP_EXEC };
static const char *const step_words[] = {
    [STEP_DESCRIPTORS] = "place its descriptors",
    [STEP_SIGNALS] = "reset its signals",
    [STEP_PARENT] = "bind it to its parent",
    [STEP_EXEC] = "execute it",
};

struct failed { /* what a child that could not become the image says on the pipe */
    int step;   /* enum step */
    int code;   /* an errno */
};

static bool in_order(const struct spawn *s)
{
    for (size_t i = 0; i < s->places_count; i++)
        if (s->places[i].to < FIRST || s->places[i].to >= HIGH || s->places[i].from < 0)
            return false;
    return s->places_count <= SPAWN_PLACES && s->argv && (s->image >= 0 || s->path);
}

/* --- in the child: nothing that takes a lock --- */

/* Copies stand above the numbers that are given, so that no placement overwrites another's source. */
static bool place(const struct spawn *s, int null, int *pipe_end, int *image)
{
    int copy[SPAWN_PLACES];

    *pipe_end = fcntl(*pipe_end, F_DUPFD_CLOEXEC, HIGH);
    if (*image >= 0)
        *image = fcntl(*image, F_DUPFD_CLOEXEC, HIGH);
    if (*pipe_end < 0 || (s->image >= 0 && *image < 0) || dup2(null, STDIN_FILENO) < 0)
        return false;
    for (size_t i = 0; i < s->places_count; i++) {
        copy[i] = fcntl(s->places[i].from, F_DUPFD_CLOEXEC, HIGH);
        if (copy[i] < 0)
            return false;
    }
    if (close_range(FIRST, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return false;
    for (size_t i = 0; i < s->places_count; i++)
        if (dup2(copy[i], s->places[i].to) < 0) /* which also clears close-on-exec */
            return false;
    return true;
}

static bool reset_signals(void)
{
    const struct sigaction by_default = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int sig = 1; sig < _NSIG; sig++)
        if (sigaction(sig, &by_default, NULL) < 0 && errno != EINVAL) /* KILL, STOP and libc's own */
            return false;
    (void)sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool bind_to_parent(int death_signal, pid_t parent)
{
    if (death_signal == 0)
        return true;
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)death_signal, 0, 0, 0) < 0)
        return false;
    errno = ESRCH;
    return getppid() == parent; /* it may have ended before we asked */
}

static void run_image(const struct spawn *s, int image)
{
    char *const *argv;
    char *const *envp;

    memcpy(&argv, &s->argv, sizeof(argv)); /* execve changes neither, but its type does not say so */
    memcpy(&envp, &s->envp, sizeof(envp));
    if (!envp)
        envp = environ;
    if (image >= 0)
        (void)execveat(image, "", argv, envp, AT_EMPTY_PATH);
    else
        (void)execve(s->path, argv, envp);
}

static void become(const struct spawn *s, pid_t parent, int null, int pipe_end) __attribute__((noreturn));
static void become(const struct spawn *s, pid_t parent, int null, int pipe_end)
{
    struct failed why;
    int image = s->image;

    if (!place(s, null, &pipe_end, &image))
        why.step = STEP_DESCRIPTORS;
    else if (!bind_to_parent(s->death_signal, parent))
        why.step = STEP_PARENT;
    else if (!reset_signals())
        why.step = STEP_SIGNALS;
    else {
        run_image(s, image);
        why.step = STEP_EXEC;
    }
    why.code = errno;
    (void)!write(pipe_end, &why, sizeof(why));
    _exit(127);
}

/* --- in the parent --- */

static int fork_quiet(const struct spawn *s, int null, int pipe_end, pid_t *pid, struct err *e)
{
    pid_t parent = getpid();
    sigset_t all;
    sigset_t before;
    int code;

    (void)sigfillset(&all); /* no handler of ours may run in the child */
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    *pid = fork();
    code = errno;
    if (*pid == 0)
        become(s, parent, null, pipe_end);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return *pid < 0 ? err_set(e, code, "fork") : 0;
}

/* End of file: the image runs, which closed the pipe. */
static int hear(int pipe_end, struct err *e)
{
    struct failed why = { 0 };
    ssize_t n;

    do
        n = read(pipe_end, &why, sizeof(why));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0;
    if (n != (ssize_t)sizeof(why) || why.step < 0 || why.step > STEP_EXEC)
        return err_set(e, n < 0 ? errno : EPROTO, "hear from the child");
    return err_set(e, why.code, "%s", step_words[why.step]);
}

void spawn_done(struct spawned *child)
{
    memfile_close(child->pidfd);
    *child = (struct spawned){ .pidfd = -1 };
}

int spawn_start(const struct spawn *s, struct spawned *child, struct err *e)
{
    const char *name = s->argv && s->argv[0] ? s->argv[0] : "a program";
    int ends[2] = { -1, -1 };
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int result = -1;

    *child = (struct spawned){ .pidfd = -1 };
    if (!in_order(s)) {
        (void)err_set(e, EINVAL, "descriptors");
        goto out;
    }
    if (null < 0 || pipe2(ends, O_CLOEXEC) < 0) {
        (void)err_set(e, errno, null < 0 ? "/dev/null" : "pipe");
        goto out;
    }
    if (fork_quiet(s, null, ends[1], &child->pid, e) < 0)
        goto out;
    (void)close(ends[1]);
    ends[1] = -1;
    result = hear(ends[0], e);
    if (result == 0) {
        child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0); /* it can't be another: nobody has waited for it */
        if (child->pidfd < 0) {
            result = err_set(e, errno, "pidfd_open");
            (void)kill(child->pid, SIGKILL);
        }
    }
    if (result < 0) {
        (void)waitpid(child->pid, NULL, 0);
        spawn_done(child);
    }
out:
    for (int i = 0; i < 2; i++)
        memfile_close(ends[i]);
    memfile_close(null);
    return result < 0 ? err_wrap(e, "start %s", name) : 0;
}

int spawn_own_image(const char *name, struct err *e)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int copy;

    if (fd < 0)
        return err_set(e, errno, "/proc/self/exe");
    copy = memfile_copy(fd, IMAGE_MOST, name, e);
    (void)close(fd);
    return copy;
}
