/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that ends with code 0 is an answer; the first line that it writes is the reason why not.  See sys/runner.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/watch/services/attempt.h"
#include "sys/runner.h"

enum { ANSWERS_A_TURN = 64 };

static void judge(struct attempt *a, int status)
{
    char said[ATTEMPT_WHY];
    char words[ATTEMPT_WHY - 24];
    struct text t = TEXT_IN(words);
    ssize_t n = pread(a->answer, said, sizeof(said), 0);
    struct slice rest;

    text_visible(&t, slice_trim(slice_until(slice_of(said, n > 0 ? (size_t)n : 0), '\n', &rest)));
    if (status == 0)
        attempt_well(a);
    else if (status == -1)
        attempt_missed(a, "the program is not known yet: serviola has to be started again");
    else if (status == -2)
        attempt_missed(a, "the program took too long");
    else if (WIFSIGNALED(status))
        attempt_missed(a, "ended by signal %d (%s)", WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 127 && t.len == 0)
        attempt_missed(a, "the program can't be run");
    else
        attempt_missed(a, "ended with code %d%s%s", WEXITSTATUS(status), t.len ? ": " : "", words);
}

void exec_heard(void *prober, int fd, int events)
{
    struct prober *p = prober;
    struct runner_done done;

    (void)events;
    for (int k = 0; k < ANSWERS_A_TURN; k++) {
        ssize_t n = recv(fd, &done, sizeof(done), MSG_DONTWAIT);

        if (n == 0)
            loop_unwatch(p->loop, fd); /* it is gone: what waits ends at its deadline */
        if (n != (ssize_t)sizeof(done))
            return;
        for (uint32_t i = 0; i < SERVICES_MOST; i++)
            if (p->waiting[i] && p->waiting[i]->kind == &kind_exec && p->waiting[i]->run == done.id) {
                judge(p->waiting[i], done.status);
                break;
            }
    }
}

static void start(struct attempt *a)
{
    struct runner_ask ask = { .id = ++a->prober->runs, .timeout_us = a->service->within_us };
    struct err e;

    a->run = ask.id;
    a->connected = true;
    memcpy(ask.name, a->service->name, sizeof(ask.name));
    a->answer = memfd_create("serviola-answer", MFD_CLOEXEC);
    if (!attempt_wait(a))
        return; /* at the next one there is room */
    if (a->answer < 0 || !runner_is_there(RUNNER_FD) || runner_send(RUNNER_FD, &ask, a->answer, &e) < 0)
        attempt_missed(a, "the program can't be started: serviola has to be started again");
}

static void end(struct attempt *a)
{
    attempt_wait_no_more(a);
    if (a->answer >= 0)
        (void)close(a->answer);
    a->answer = -1;
}

_Static_assert((int)RUNNER_NAME == (int)KEY_NAME_LEN && (int)RUNNER_COMMAND >= (int)SERVICE_TO, "names fit");
const struct kind kind_exec = { .placeless = true, .start = start, .end = end };
