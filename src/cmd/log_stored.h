/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log_stored - the lines of a store, all of them, oldest first, for who reads them as lines of files.
 */
#ifndef SERVIOLA_CMD_LOG_STORED_H
#define SERVIOLA_CMD_LOG_STORED_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sense/log/line.h"

struct log_stored {
    uint64_t damaged;  /* blocks or files that could not be read */
    uint64_t left_out; /* imported lines from before what stands in front of them: of one log after the other */
};
/* Until `seen` returns false; a line's claims are read, its arrival is when it was written where it was imported. */
int log_stored_read(const char *folder, bool (*seen)(void *own, const struct log_line *l), void *own,
                    struct log_stored *told, struct err *e);
#endif
