/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/jail.h"
#include "sys/say.h"

struct shared {
    _Atomic uint64_t done; /* asks that were answered */
    _Atomic int64_t took_us;
    _Alignas(64) uint8_t answer[];
};

struct lookout {
    pid_t pid;
    int pipe;
    uint64_t asked;
    int64_t asked_us;
    struct shared *shared;
    size_t size;
};

/* ---- the new process ---- */

static void be_lookout(const struct lookout_job *job, struct shared *shared, int pipe, pid_t parent)
{
    struct jail jail = {
        .user = job->user, .calls = JAIL_PROC, .keep_caps = job->keep_caps, .read_only = job->read_only
    };
    char name[16];
    struct err e;
    unsigned gaps;
    uint8_t byte;

    (void)snprintf(name, sizeof(name), "serviola-%s", job->name);
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    pipe = fcntl(pipe, F_DUPFD, LOOKOUT_KEPT_FD + 1); /* out of the way */
    if (getppid() != parent || dup2(job->kept ? job->kept : pipe, LOOKOUT_KEPT_FD) < 0 || dup2(pipe, 3) < 0 ||
        close_range(LOOKOUT_KEPT_FD + (job->kept != 0), ~0u, 0) < 0)
        _exit(1);
    if (job->begin)
        job->begin(job->ctx);
    if (job->user && jail_enter(&jail, &gaps, &e) < 0) {
        say("%s: %s", job->name, e.text);
        _exit(1);
    }
    while (read(3, &byte, 1) == 1) {
        int64_t begun_us = clock_mono_us();

        job->work(job->ctx, shared->answer);
        atomic_store(&shared->took_us, clock_mono_us() - begun_us);
        atomic_fetch_add(&shared->done, 1);
    }
    _exit(0);
}

/* ---- ours ---- */

struct lookout *lookout_new(const struct lookout_job *job, struct err *e)
{
    struct lookout *a = calloc(1, sizeof(*a));
    pid_t self = getpid();
    int ends[2] = { -1, -1 };

    if (!a) {
        err_set(e, ENOMEM, "a lookout");
        return NULL;
    }
    a->size = sizeof(struct shared) + job->answer_bytes;
    a->shared = mmap(NULL, a->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (a->shared == MAP_FAILED || pipe2(ends, O_CLOEXEC) < 0) {
        err_set(e, errno, "a lookout");
        goto fail;
    }
    a->pid = fork();
    if (a->pid == 0)
        be_lookout(job, a->shared, ends[0], self);
    if (a->pid < 0) {
        err_set(e, errno, "a lookout");
        goto fail;
    }
    (void)close(ends[0]);
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    a->pipe = ends[1];
    return a;
fail:
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
    if (a->shared != MAP_FAILED)
        (void)munmap(a->shared, a->size);
    free(a);
    return NULL;
}

void lookout_free(struct lookout *a)
{
    if (!a)
        return;
    (void)close(a->pipe); /* it reads the end, when it can */
    (void)waitpid(a->pid, NULL, WNOHANG);
    (void)munmap(a->shared, a->size);
    free(a);
}

bool lookout_idle(const struct lookout *a)
{
    return atomic_load(&a->shared->done) >= a->asked;
}

void lookout_ask(struct lookout *a, int64_t mono_us)
{
    if (!lookout_idle(a) || write(a->pipe, "?", 1) != 1)
        return;
    a->asked++;
    a->asked_us = mono_us;
}

bool lookout_ended(const struct lookout *a)
{
    struct pollfd p = { .fd = a->pipe, .events = 0 };

    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

int64_t lookout_waits_us(const struct lookout *a, int64_t mono_us)
{
    return lookout_idle(a) || lookout_ended(a) ? 0 : mono_us - a->asked_us;
}

int64_t lookout_took_us(const struct lookout *a)
{
    return atomic_load(&a->shared->done) > 0 ? atomic_load(&a->shared->took_us) : -1;
}

const void *lookout_answer(const struct lookout *a)
{
    return a->asked > 0 && lookout_idle(a) ? a->shared->answer : NULL;
}
