/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's messages: each read of /dev/kmsg gives one record; what it overwrote before we came is counted.  The
 * kernel keeps what it said: which record of which boot is on our disk stands in the store's folder in the file `kmsg`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/folder.h"
#include "sense/log/inner.h"
#include "sys/clock.h"

enum { RECORD_MOST = 8192, RECORDS_A_TURN = 256, SAVE_US = 1000000, BOOT_ROOM = 40 };

struct position { /* in the file */
    char boot[BOOT_ROOM];
    uint64_t next;
};

struct kmsg {
    struct intake *in;
    struct source source;
    int dir;
    char boot[BOOT_ROOM]; /* the kernel's boot_id */
    uint64_t next;        /* number of the record that is awaited; 0: not known */
    uint64_t from;        /* records before this one are in the store */
    uint64_t last_seq;    /* line of the record before `next` */
    uint64_t kept;        /* `next`, as of what is on our disk */
    int64_t saved_us;
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
    if (line.raw.len > 0) {
        uint64_t seq = intake_line(k->in, &line, NULL);

        if (seq == 0)
            return false;
        k->last_seq = seq;
    }
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
        if (number < k->from)
            k->len = 0;
    }
}

static void read_boot(struct kmsg *k)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (read(fd, k->boot, sizeof(k->boot) - 1) < 0)
        k->boot[0] = '\0';
    (void)close(fd);
}

struct kmsg *kmsg_new(struct intake *in, struct err *e)
{
    struct kmsg *k = calloc(1, sizeof(*k));

    if (!k) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    k->in = in;
    k->dir = -1;
    read_boot(k);
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
    struct position p;
    uint8_t *bytes;
    size_t len;

    k->dir = folder_open(k->in->settings.folder, e);
    if (k->dir < 0)
        return -1;
    if (folder_read(k->dir, "kmsg", sizeof(p), &bytes, &len, NULL) == 0) {
        if (len == sizeof(p)) {
            memcpy(&p, bytes, sizeof(p));
            if (memcmp(p.boot, k->boot, sizeof(p.boot)) == 0)
                k->from = k->next = k->kept = p.next;
        }
        free(bytes);
    }
    return intake_watch(k->in, &k->source, e);
}

static void save(struct kmsg *k)
{
    struct position p = { .next = k->kept };

    memcpy(p.boot, k->boot, sizeof(p.boot));
    (void)folder_replace(k->dir, "kmsg", 0640, slice_of(&p, sizeof(p)), NULL);
}

void kmsg_synced(struct kmsg *k, uint64_t seq)
{
    int64_t now_us = clock_mono_us();

    if (seq < k->last_seq || k->len > 0 || k->kept == k->next)
        return;
    k->kept = k->next;
    if (now_us - k->saved_us < SAVE_US)
        return;
    k->saved_us = now_us;
    save(k);
}

void kmsg_free(struct kmsg *k)
{
    if (!k)
        return;
    if (k->dir >= 0) {
        save(k);
        (void)close(k->dir);
    }
    intake_unwatch(k->in, &k->source);
    (void)close(k->source.fd);
    free(k);
}
