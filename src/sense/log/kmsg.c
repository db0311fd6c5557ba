/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's messages: each read of /dev/kmsg gives one record; what it overwrote before we came is counted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sense/log/inner.h"
#include "sys/clock.h"

enum { RECORD_MOST = 8192, RECORDS_A_TURN = 256 };

struct kmsg {
    struct intake *in;
    struct source source;
    uint64_t next; /* number of the record that is awaited; 0: not known */
    uint8_t record[RECORD_MOST];
    size_t len; /* of a record that found no room */
};

static uint64_t number_of(struct slice record)
{
    struct slice rest;
    uint64_t n;

    (void)slice_until(record, ',', &rest);
    return slice_to_u64(slice_until(rest, ',', &rest), &n) ? n : 0;
}

static bool put(struct kmsg *k)
{
    struct log_line line = { .raw = slice_of(k->record, k->len), .way = LOG_KMSG, .peer = SLICE("kernel") };

    while (line.raw.len > 0 && line.raw.at[line.raw.len - 1] == '\n')
        line.raw.len--;
    line.at_us = line.near_us = clock_wall_us();
    if (line.raw.len > 0 && intake_line(k->in, &line, NULL) == 0)
        return false;
    k->len = 0;
    return true;
}

static void on_ready(void *ctx, int fd, int events)
{
    struct kmsg *k = ctx;

    (void)events;
    for (int i = 0; i < RECORDS_A_TURN; i++) {
        ssize_t n;
        uint64_t number;

        if (k->len > 0 && !put(k))
            return;
        n = read(fd, k->record, sizeof(k->record));
        if (n < 0 && errno == EPIPE)
            continue; /* overwritten: the next record's number says how many */
        if (n <= 0)
            return;
        k->len = (size_t)n;
        number = number_of(slice_of(k->record, k->len));
        if (k->next > 0 && number > k->next)
            intake_lost(k->in, "/dev/kmsg", number - k->next, "the kernel wrote faster than we read");
        k->next = number + 1;
    }
}

struct kmsg *kmsg_new(struct intake *in, struct err *e)
{
    struct kmsg *k = calloc(1, sizeof(*k));

    if (!k) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    k->in = in;
    k->source =
        (struct source){ .fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), .ready = on_ready, .ctx = k };
    if (k->source.fd >= 0)
        return k;
    err_set(e, errno, "log: /dev/kmsg");
    free(k);
    return NULL;
}

int kmsg_start(struct kmsg *k, struct err *e)
{
    return intake_watch(k->in, &k->source, e);
}

void kmsg_free(struct kmsg *k)
{
    if (!k)
        return;
    intake_unwatch(k->in, &k->source);
    (void)close(k->source.fd);
    free(k);
}
