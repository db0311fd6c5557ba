/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CPUs that are there and do nothing for us: half a machine can go unused for years. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sense/watch/indicator.h"
#include "wire/proc.h"

struct own {
    int present, online;
};

static int open_it(const struct watch_world *w, void **own_, struct err *e)
{
    struct own *own = calloc(1, sizeof(*own));

    if (!own)
        return err_set(e, 0, "no memory");
    own->present = openat(w->sys, "devices/system/cpu/present", O_RDONLY | O_CLOEXEC);
    own->online = openat(w->sys, "devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
    *own_ = own;
    return 0;
}

static void close_it(void *own_)
{
    struct own *own = own_;

    if (own && own->present >= 0)
        close(own->present);
    if (own && own->online >= 0)
        close(own->online);
    free(own);
}

static bool count(int fd, uint64_t *number)
{
    char text[256];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);

    return n > 0 && proc_cpus(slice_trim(slice_of(text, (size_t)n)), number);
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    uint64_t present;
    uint64_t online;

    (void)w;
    (void)f;
    if (!count(own->present, &present) || !count(own->online, &online))
        return;
    (void)values_set(out, "cpu.present", (double)present);
    (void)values_set(out, "cpu.unused", present > online ? (double)(present - online) : 0);
}

static const struct indicator_help values[] = {
    { "cpu.present", "", "CPUs there are" },
    { "cpu.unused", "", "of these, how many are not online" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_cpus = { "cpus", values, open_it, sample, close_it };
