/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/jail.h"

enum { ORDERS_FD = 3, FIRST_FREE_FD = 4 };

static const struct runner_program *program_of(const struct runner_job *job, const char *name)
{
    for (uint32_t i = 0; i < job->count; i++)
        if (strcmp(job->programs[i].name, name) == 0)
            return &job->programs[i];
    return NULL;
}

/* ---- one program ---- */

/* A path alone, or words with blanks between. */
static void part_words(const struct runner_program *p, char *command, char *argv[RUNNER_WORDS + 1])
{
    size_t count = 1;

    argv[0] = command;
    for (char *at = command; p->answers && *at; at++)
        if (*at == ' ') {
            *at = '\0';
            if (at[1] != ' ' && at[1] != '\0' && count < RUNNER_WORDS)
                argv[count++] = at + 1;
        }
    argv[count] = NULL;
}

static bool place_files(const struct runner_program *p, int file)
{
    int nowhere = open("/dev/null", O_RDWR);

    return nowhere >= 0 && lseek(file, 0, SEEK_SET) == 0 && dup2(p->answers ? nowhere : file, 0) == 0 &&
           dup2(p->answers ? file : nowhere, 1) == 1 && dup2(nowhere, 2) == 2 && close_range(3, ~0u, 0) == 0;
}

static void be_program(const struct runner_program *p, int file)
{
    const struct rlimit most = { p->answers, p->answers };
    char command[RUNNER_COMMAND];
    char environment[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    char *argv[RUNNER_WORDS + 1];
    char *envp[] = { environment, NULL };

    if (snprintf(command, sizeof(command), "%s", p->command) >= (int)sizeof(command))
        _exit(127);
    part_words(p, command, argv);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (!place_files(p, file) || (p->answers && setrlimit(RLIMIT_FSIZE, &most) < 0))
        _exit(127);
    (void)execve(argv[0], argv, envp);
    _exit(127);
}

static int32_t run(const struct runner_program *p, int file, int64_t timeout_us)
{
    pid_t pid = p ? fork() : -1;
    struct pollfd end = { .events = POLLIN };
    int status = -1;
    bool late;

    if (pid == 0)
        be_program(p, file);
    if (pid < 0)
        return -1;
    (void)setpgid(pid, pid); /* whoever comes first */
    end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    late = end.fd < 0 || poll(&end, 1, (int)(timeout_us / 1000)) != 1;
    (void)kill(-pid, SIGKILL); /* and what it left behind */
    (void)kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return late ? -2 : status;
}

/* ---- the runner ---- */

static int hear(struct runner_ask *ask)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = { ask, sizeof(*ask) };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    const struct cmsghdr *c;
    ssize_t n;
    int file;

    do
        n = recvmsg(ORDERS_FD, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        _exit(0); /* nobody is left who could ask */
    c = CMSG_FIRSTHDR(&m);
    if (n != sizeof(*ask) || !c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    memcpy(&file, CMSG_DATA(c), sizeof(file));
    ask->name[sizeof(ask->name) - 1] = '\0';
    return file;
}

static void answer(const struct runner_job *job, const struct runner_ask *ask, int file)
{
    struct runner_done done = { .id = ask->id };
    int64_t most_us = job->most_us;

    (void)signal(SIGCHLD, SIG_DFL);
    done.status = run(program_of(job, ask->name), file,
                      ask->timeout_us > 0 && ask->timeout_us < most_us ? ask->timeout_us : most_us);
    (void)send(ORDERS_FD, &done, sizeof(done), MSG_DONTWAIT | MSG_NOSIGNAL);
    _exit(0);
}

static void become_small(uid_t uid, gid_t gid)
{
    for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setuid(0) == 0)
        _exit(3);
}

static void be_runner(const struct runner_job *job, int orders, pid_t parent, uid_t uid, gid_t gid)
{
    (void)prctl(PR_SET_NAME, "serviola-runner", 0, 0, 0);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGCHLD, SIG_IGN); /* each answers for itself */
    if (dup2(orders, ORDERS_FD) < 0 || close_range(FIRST_FREE_FD, ~0u, 0) < 0)
        _exit(3);
    become_small(uid, gid);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(3);
    for (;;) {
        struct runner_ask ask;
        int file = hear(&ask);

        if (file < 0)
            continue;
        if (fork() == 0)
            answer(job, &ask, file);
        (void)close(file);
    }
}

int runner_start(const struct runner_job *job, struct err *e)
{
    pid_t self = getpid();
    uid_t uid;
    gid_t gid;
    int ends[2];
    pid_t pid;

    if (jail_user(job->user, &uid, &gid, e) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(e, errno, "the runner");
    pid = fork();
    if (pid == 0)
        be_runner(job, ends[1], self, uid, gid);
    (void)close(ends[1]);
    if (pid > 0)
        return ends[0];
    (void)close(ends[0]);
    return err_set(e, errno, "the runner");
}

bool runner_is_there(int fd)
{
    int domain = 0;
    int type = 0;
    socklen_t len = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && domain == AF_UNIX && type == SOCK_SEQPACKET;
}

int runner_send(int fd, const struct runner_ask *ask, int file, struct err *e)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct runner_ask copy = *ask;
    struct iovec part = { &copy, sizeof(copy) };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &file, sizeof(file));
    return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(copy) ? 0 : err_set(e, errno, "the runner");
}
