/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts under /proc of any bytes: what is read lies in them, and a comm never reaches past its brackets. */
#include <assert.h>
#include <string.h>

#include "wire/proc.h"

static void inside(struct slice whole, struct slice part)
{
    assert(part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len));
}

static void one_line(struct slice line)
{
    struct proc_mount mount;
    struct proc_pressure pressure;
    struct proc_disk disk;
    struct proc_kmsg kmsg;
    struct proc_route route;
    struct proc_module module;
    char plain[64];
    struct text t = TEXT_IN(plain);

    if (proc_mount_read(line, &mount)) {
        inside(line, mount.point);
        inside(line, mount.super_options);
        proc_unescape(&t, mount.point);
        assert(t.len <= mount.point.len);
    }
    (void)proc_pressure_read(line, &pressure);
    if (proc_disk_read(line, &disk))
        inside(line, disk.name);
    if (proc_kmsg_read(line, &kmsg)) {
        inside(line, kmsg.text);
        assert(kmsg.level < 8 && !(kmsg.text.len && memchr(kmsg.text.at, '\n', kmsg.text.len)));
    }
    if (proc_route4_read(line, &route))
        assert(route.bits <= 32);
    if (proc_route6_read(line, &route))
        assert(route.bits <= 128);
    if (proc_module_read(line, &module))
        inside(line, module.taints);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct slice value;
    struct proc_stat stat;
    struct proc_load load;
    uint64_t n;

    if (proc_stat_read(text, &stat)) {
        inside(text, stat.comm);
        assert(stat.comm.at > data && stat.comm.at[-1] == '(' && stat.comm.at[stat.comm.len] == ')');
        assert(stat.pid >= 0 && stat.ppid >= 0);
    }
    (void)proc_load_read(text, &load);
    (void)proc_limit(text, "Max open files", &n);
    if (proc_field(text, "MemTotal", &value))
        inside(text, value);
    inside(text, proc_unit(text));
    if (proc_cpus(text, &n))
        assert(n <= (uint64_t)65536 * (size + 1));
    while (text.len > 0)
        one_line(slice_until(text, '\n', &text));
    return 0;
}
