/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mounts, how full they are, and the disks below them.  Each file system is asked by a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "sense/xray/inner.h"
#include "wire/proc.h"

/* What the helper says. */
struct space {
    int32_t error; /* errno, 0: the rest is true */
    uint64_t bytes, bytes_free, inodes, inodes_free;
};

static void ask_space(int fd, const void *ctx)
{
    struct space space = { .error = 0 };
    struct statvfs st;

    if (statvfs(ctx, &st) < 0) {
        space.error = errno;
    } else {
        space.bytes = st.f_blocks * st.f_frsize;
        space.bytes_free = st.f_bavail * st.f_frsize;
        space.inodes = st.f_files;
        space.inodes_free = st.f_favail;
    }
    helper_say(fd, &space, sizeof(space));
}

/* File systems that hold nobody's files. */
static bool holds_files(struct slice type)
{
    static const char *const none[] = { "proc",       "sysfs",     "cgroup",  "cgroup2",    "devpts",      "mqueue",
                                        "nsfs",       "debugfs",   "tracefs", "securityfs", "pstore",      "bpf",
                                        "hugetlbfs",  "configfs",  "fusectl", "autofs",     "binfmt_misc", "efivarfs",
                                        "rpc_pipefs", "selinuxfs", "ramfs",   "devtmpfs",   "squashfs",    "iso9660" };

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (slice_eq(type, slice_text(none[i])))
            return false;
    return true;
}

static struct slice keep_unescaped(struct xray *x, struct slice s)
{
    char plain[4200];
    struct text t = TEXT_IN(plain);

    proc_unescape(&t, s);
    return snap_keep(x->s, slice_of(plain, t.len));
}

/* Its own count of errors, which outlives a restart. */
static void ext_errors(struct xray *x, struct snap_mount *m)
{
    char path[4400];
    struct slice device = m->source;
    struct text t = TEXT_IN(path);
    struct slice rest;
    size_t folder;

    if (m->type.len != 4 || memcmp(m->type.at, "ext", 3) != 0)
        return;
    while (memchr(device.at, '/', device.len))
        (void)slice_until(device, '/', &device);
    text_word(&t, "/sys/fs/ext4/");
    text_add(&t, device);
    folder = t.len;
    text_word(&t, "/errors_count");
    if (!proc_number(slice_trim(xray_read(x, AT_FDCWD, path)), &m->errors) || m->errors == 0)
        return;
    t.len = folder;
    text_word(&t, "/first_error_time");
    (void)proc_number(slice_until(xray_read(x, AT_FDCWD, path), '\n', &rest), &m->first_error_s);
    t.len = folder;
    text_word(&t, "/first_error_func");
    m->first_error_at = xray_keep(x, AT_FDCWD, path);
}

static void begin_to_ask(struct xray *x, size_t number)
{
    const struct snap_mount *all = x->s->part[SNAP_MOUNT].at;
    const struct snap_mount *m = &all[number];
    char point[4200];

    if (!holds_files(m->type) || !text_cstr(point, sizeof(point), m->point))
        return;
    for (size_t i = 0; i < x->asked_count; i++)
        if (all[x->mount_of[i]].major == m->major && all[x->mount_of[i]].minor == m->minor)
            return;
    for (size_t i = number + 1; i < x->s->part[SNAP_MOUNT].count; i++)
        if (slice_eq(all[i].point, m->point))
            return; /* another one lies over it */
    if (x->asked_count == XRAY_MOUNTS_ASKED) {
        snap_note(x->s, "mount", "only %d file systems were asked for their space", XRAY_MOUNTS_ASKED);
        return;
    }
    if (helper_start(&x->asked[x->asked_count], ask_space, point))
        x->mount_of[x->asked_count++] = number;
}

void xray_mounts(struct xray *x)
{
    struct slice text = snap_keep(x->s, xray_read(x, x->proc, "self/mountinfo"));

    while (text.len > 0) {
        struct proc_mount from;
        struct snap_mount *to;

        if (!proc_mount_read(slice_until(text, '\n', &text), &from) || !(to = snap_add(x->s, SNAP_MOUNT)))
            continue;
        to->id = from.id;
        to->parent = from.parent;
        to->major = from.major;
        to->minor = from.minor;
        to->root = keep_unescaped(x, from.root);
        to->point = keep_unescaped(x, from.point);
        to->options = from.options;
        to->type = from.type;
        to->source = keep_unescaped(x, from.source);
        to->super_options = from.super_options;
        ext_errors(x, to);
    }
    for (size_t i = 0; i < x->s->part[SNAP_MOUNT].count; i++)
        begin_to_ask(x, i);
}

void xray_mounts_answers(struct xray *x)
{
    struct snap_mount *all = x->s->part[SNAP_MOUNT].at;

    helper_collect(x->asked, x->asked_count, x->deadline_ms);
    for (size_t i = 0; i < x->asked_count; i++) {
        struct snap_mount *m = &all[x->mount_of[i]];
        struct slice said = helper_said(&x->asked[i]);
        struct space space;

        m->answer = SNAP_SILENT;
        if (said.len == sizeof(space)) {
            memcpy(&space, said.at, sizeof(space));
            m->answer = space.error ? SNAP_REFUSED : SNAP_ANSWERED;
            m->bytes = space.bytes;
            m->bytes_free = space.bytes_free;
            m->inodes = space.inodes;
            m->inodes_free = space.inodes_free;
        }
        helper_done(&x->asked[i]);
    }
}

/* --- disks */

static struct slice disk_file(struct xray *x, struct slice name, const char *file)
{
    char path[160];
    struct text t = TEXT_IN(path);

    if (memchr(name.at, '/', name.len))
        return SLICE("");
    text_word(&t, "/sys/block/");
    text_add(&t, slice_first(name, 64));
    text_word(&t, "/");
    text_word(&t, file);
    return slice_trim(xray_read(x, AT_FDCWD, path));
}

/* "0x1f", as SCSI's counters are printed. */
static uint64_t hex_of(struct slice s)
{
    char words[24];

    return text_cstr(words, sizeof(words), s) ? strtoull(words, NULL, 16) : 0;
}

/* What sysfs knows without asking the disk. */
static void disk_health(struct xray *x, struct snap_disk *d)
{
    d->state = snap_keep(x->s, disk_file(x, d->name, "device/state"));
    if (d->state.len > 0) {
        d->errors = hex_of(disk_file(x, d->name, "device/ioerr_cnt"));
        d->timeouts = hex_of(disk_file(x, d->name, "device/iotmo_cnt"));
    }
    if (d->name.len < 3 || memcmp(d->name.at, "md", 2) != 0)
        return;
    d->raid_level = snap_keep(x->s, disk_file(x, d->name, "md/level"));
    d->raid_state = snap_keep(x->s, disk_file(x, d->name, "md/array_state"));
    (void)proc_number(disk_file(x, d->name, "md/raid_disks"), &d->raid_disks);
    (void)proc_number(disk_file(x, d->name, "md/degraded"), &d->raid_missing);
}

void xray_disks(struct xray *x)
{
    struct slice text = snap_keep(x->s, xray_read(x, x->proc, "diskstats"));

    while (text.len > 0) {
        struct proc_disk from;
        struct snap_disk *to;

        if (!proc_disk_read(slice_until(text, '\n', &text), &from) || from.reads + from.writes + from.in_flight == 0 ||
            !(to = snap_add(x->s, SNAP_DISK)))
            continue;
        to->name = from.name;
        to->major = from.major;
        to->minor = from.minor;
        to->in_flight = from.in_flight;
        to->done = from.reads + from.writes;
        to->busy_ms = from.busy_ms;
        to->waited_ms = from.waited_ms;
        disk_health(x, to);
    }
}

void xray_disks_again(struct xray *x)
{
    struct slice text = xray_read(x, x->proc, "diskstats");
    struct snap_disk *all = x->s->part[SNAP_DISK].at;

    while (text.len > 0) {
        struct proc_disk now;

        if (!proc_disk_read(slice_until(text, '\n', &text), &now))
            continue;
        for (size_t i = 0; i < x->s->part[SNAP_DISK].count; i++) {
            if (all[i].major != now.major || all[i].minor != now.minor)
                continue;
            all[i].in_flight_after = now.in_flight;
            all[i].done_after = now.reads + now.writes;
            all[i].waited_ms_after = now.waited_ms;
        }
    }
}
