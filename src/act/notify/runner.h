/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runner - starts the programs of `by: run`, so that the part that tells need not be able to start any.
 *
 * It is forked before the supervisor's jail, whose filter would end most
 * programs; it is the user serviola-notify without a capability, believes
 * nobody, and knows only the commands that stood in the configuration when
 * it began.  A program gets the notice on its standard input, a time, and
 * a process group that is ended with it.
 */
#ifndef SERVIOLA_NOTIFY_RUNNER_H
#define SERVIOLA_NOTIFY_RUNNER_H
#include "act/notify/settings.h"
#include "base/err.h"

enum { RUNNER_FD = 5 }; /* in the part */

struct runner_ask { /* with a memory file: the text */
    uint64_t id;
    int64_t timeout_us;
    char name[KEY_NAME_LEN]; /* of the way */
};
struct runner_done {
    uint64_t id;
    int32_t status; /* as of waitpid; -1: it was not known, or could not be started; -2: it took too long */
    int32_t zero;
};

bool runner_is_wanted(const struct notify_settings *s);
/* The descriptor to ask it on; -1 with an error. */
int runner_start(const struct notify_settings *s, struct err *e);
int runner_send(int fd, const struct runner_ask *ask, int text, struct err *e);
#endif
