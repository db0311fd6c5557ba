/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * File systems that can no longer be written: by an error, or by somebody's hand.
 *
 * Before Linux 6.12 an error sets the whole file system "ro" while the mount
 * stays "rw"; since then mountinfo says "rw,...,emergency_ro".  A remount by
 * hand says "ro" in both places.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "sense/watch/indicator.h"
#include "wire/proc.h"

enum { SEEN = 512 };

struct own {
    uint32_t count;
    uint64_t writable[SEEN]; /* mounts that could be written when they were first seen */
    uint64_t last;           /* hash of the text: the same text means the same */
    unsigned by_error, by_hand;
};

static int open_it(const struct watch_world *w, void **own, struct err *e)
{
    (void)w;
    *own = calloc(1, sizeof(struct own));
    return *own ? 0 : err_set(e, 0, "no memory");
}

static bool was_writable(struct own *own, uint64_t which, bool is)
{
    for (uint32_t i = 0; i < own->count; i++)
        if (own->writable[i] == which)
            return true;
    if (is && own->count < SEEN)
        own->writable[own->count++] = which;
    return is;
}

static void judge(struct own *own, const struct proc_mount *m)
{
    uint64_t which = hash_bytes(m->point.at, m->point.len, m->major << 20 | m->minor);
    bool mount_ro = proc_option(m->options, "ro");
    bool super_ro = proc_option(m->super_options, "ro");
    bool emergency = proc_option(m->super_options, "emergency_ro") || proc_option(m->super_options, "shutdown");

    if (emergency) {
        own->by_error++;
        return;
    }
    if (!was_writable(own, which, !mount_ro && !super_ro))
        return;
    own->by_error += super_ro && !mount_ro;
    own->by_hand += mount_ro;
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    uint64_t now = hash_bytes(f->mountinfo.at, f->mountinfo.len, 1);
    struct slice rest = f->mountinfo;
    struct proc_mount m;

    (void)w;
    if (rest.len == 0)
        return;
    if (now != own->last) {
        own->by_error = own->by_hand = 0;
        while (rest.len > 0)
            if (proc_mount_read(slice_until(rest, '\n', &rest), &m))
                judge(own, &m);
        own->last = now;
    }
    (void)values_set(out, "fs.read_only_by_error", own->by_error);
    (void)values_set(out, "fs.read_only_by_hand", own->by_hand);
}

static const struct indicator_help values[] = {
    { "fs.read_only_by_error", "", "file systems that an error made read-only" },
    { "fs.read_only_by_hand", "", "file systems that could be written and were remounted read-only" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_readonly = { "readonly", values, open_it, sample, free };
