/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * runner - starts programs that the configuration names, so that the part that wants them need not be able to start
 * any.
 *
 * It is forked before the supervisor's jail, whose filter would end most
 * programs; it is a user without a capability, believes nobody, and knows
 * only the commands that stood in the configuration when it began.  A
 * program gets a file as its standard input, or one to write its answer to,
 * a time, and a process group that is ended with it.
 */
#ifndef SERVIOLA_SYS_RUNNER_H
#define SERVIOLA_SYS_RUNNER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    RUNNER_FD = 5 /* in the part */,
    RUNNER_NAME = 32,
    RUNNER_COMMAND = 256,
    RUNNER_WORDS = 16,
    RUNNER_ANSWER = 65536 /* usual */
};

struct runner_program {
    const char *name;    /* by which it is asked for */
    const char *command; /* a path from / on */
    /* The file is its standard output, of so many bytes at most, and blanks part its words; 0: its standard input. */
    uint32_t answers;
};

struct runner_job { /* borrowed while it is forked */
    const char *user;
    const struct runner_program *programs;
    uint32_t count;
    int64_t most_us; /* no program runs longer */
};

struct runner_ask { /* with a memory file */
    uint64_t id;
    int64_t timeout_us;
    char name[RUNNER_NAME];
};
struct runner_done {
    uint64_t id;
    int32_t status; /* as of waitpid; -1: it was not known, or could not be started; -2: it took too long */
    int32_t zero;
};

/* The descriptor to ask it on; -1 with an error. */
int runner_start(const struct runner_job *job, struct err *e);
/* Was one given to this part?  The number may as well be that of something else. */
bool runner_is_there(int fd);
int runner_send(int fd, const struct runner_ask *ask, int file, struct err *e);
#endif
