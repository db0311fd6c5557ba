/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The host itself: its name, clocks, CPUs, memory, pressure, modules, routes, the kernel's log. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "sys/clock.h"
#include "wire/arguments.h"
#include "wire/proc.h"

struct slice xray_read(struct xray *x, int folder, const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t len = 0;
    ssize_t n;

    if (fd < 0)
        return SLICE("");
    while (len < XRAY_ROOM && (n = read(fd, x->room + len, XRAY_ROOM - len)) > 0)
        len += (size_t)n;
    close(fd);
    return slice_of(x->room, len);
}

struct slice xray_read_once(struct xray *x, int folder, const char *path)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;

    if (fd < 0)
        return SLICE("");
    n = read(fd, x->room, XRAY_ROOM);
    close(fd);
    return slice_of(x->room, n > 0 ? (size_t)n : 0);
}

struct slice xray_keep(struct xray *x, int folder, const char *path)
{
    return snap_keep(x->s, slice_trim(xray_read(x, folder, path)));
}

struct slice xray_link(struct xray *x, int folder, const char *path)
{
    ssize_t n = readlinkat(folder, path, (char *)x->room, 4096);

    return slice_of(x->room, n > 0 ? (size_t)n : 0);
}

void xray_gauge(struct xray *x, uint64_t value, const char *format, ...)
{
    struct snap_gauge *g = snap_add(x->s, SNAP_GAUGE);
    char name[96];
    va_list args;

    if (!g)
        return;
    va_start(args, format);
    (void)vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    g->name = snap_keep_text(x->s, name);
    g->value = value;
}

/* The kernel's, without secrets: the password of a share that / lies on, say. */
static struct slice command_line(struct xray *x)
{
    const struct slice text = slice_trim(xray_read(x, x->proc, "cmdline"));
    uint8_t bytes[4096];
    const struct slice shown = slice_first(text, sizeof(bytes));

    if (shown.len > 0)
        memcpy(bytes, shown.at, shown.len);
    return snap_keep(x->s, slice_of(bytes, arguments_mask(bytes, shown.len)));
}

void xray_host(struct xray *x)
{
    struct snap_host *h = snap_add(x->s, SNAP_HOST);
    struct utsname u;

    if (!h)
        return;
    h->begun_us = clock_wall_us();
    h->booted_us = h->begun_us - clock_mono_us();
    h->taken_by = SLICE("serviola " SERVIOLA_VERSION);
    if (uname(&u) == 0) {
        h->name = snap_keep_text(x->s, u.nodename);
        h->kernel = snap_keep_text(x->s, u.release);
    }
    h->boot_id = xray_keep(x, x->proc, "sys/kernel/random/boot_id");
    h->command = command_line(x);
    (void)proc_number(xray_read(x, x->proc, "sys/kernel/tainted"), &h->taint);
    (void)proc_cpus(xray_read(x, AT_FDCWD, "/sys/devices/system/cpu/present"), &h->cpus_present);
    (void)proc_cpus(xray_read(x, AT_FDCWD, "/sys/devices/system/cpu/online"), &h->cpus_online);
}

static void memory(struct xray *x)
{
    static const char *const keys[] = { "MemTotal", "MemAvailable", "SwapTotal", "SwapFree", "Dirty", "Writeback" };
    struct slice text = xray_read(x, x->proc, "meminfo");
    struct slice value;
    uint64_t n;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (proc_field(text, keys[i], &value) && proc_number(value, &n))
            xray_gauge(x, n, "memory.%s_kib", keys[i]);
}

static void pressure(struct xray *x)
{
    static const char *const names[] = { "cpu", "io", "memory" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[32];
        struct proc_pressure p;
        struct slice text;

        (void)snprintf(path, sizeof(path), "pressure/%s", names[i]);
        text = xray_read(x, x->proc, path);
        while (text.len > 0) {
            if (!proc_pressure_read(slice_until(text, '\n', &text), &p))
                continue;
            xray_gauge(x, p.avg10_centi, "pressure.%s.%s.avg10_centi", names[i], p.full ? "full" : "some");
            xray_gauge(x, p.avg60_centi, "pressure.%s.%s.avg60_centi", names[i], p.full ? "full" : "some");
            xray_gauge(x, p.total_us, "pressure.%s.%s.total_us", names[i], p.full ? "full" : "some");
        }
    }
}

static void load(struct xray *x)
{
    struct proc_load l;

    if (!proc_load_read(xray_read(x, x->proc, "loadavg"), &l))
        return;
    xray_gauge(x, l.one_centi, "load.one_centi");
    xray_gauge(x, l.five_centi, "load.five_centi");
    xray_gauge(x, l.fifteen_centi, "load.fifteen_centi");
    xray_gauge(x, l.running, "load.running");
    xray_gauge(x, l.tasks, "load.tasks");
}

static void modules(struct xray *x)
{
    struct slice text = xray_read(x, x->proc, "modules");

    while (text.len > 0) {
        struct proc_module m;
        struct snap_module *to;

        if (!proc_module_read(slice_until(text, '\n', &text), &m) || !(to = snap_add(x->s, SNAP_MODULE)))
            continue;
        to->name = snap_keep(x->s, m.name);
        to->state = snap_keep(x->s, m.state);
        to->taints = snap_keep(x->s, m.taints);
        to->bytes = m.bytes;
    }
}

/* The clock that runs without the system, beside ours; and whether anybody keeps ours right. */
static void clocks(struct xray *x)
{
    struct timex t = { .modes = 0 };
    uint64_t rtc_s;

    if (proc_number(xray_read(x, AT_FDCWD, "/sys/class/rtc/rtc0/since_epoch"), &rtc_s)) {
        xray_gauge(x, rtc_s, "clock.rtc_s");
        xray_gauge(x, (uint64_t)(clock_wall_us() / 1000000), "clock.beside_rtc_s");
    }
    if (adjtimex(&t) >= 0)
        xray_gauge(x, (t.status & STA_UNSYNC) != 0, "clock.unsynchronised");
}

/* Did the wall clock run as the other did, while we looked? */
void xray_clock_end(struct xray *x)
{
    struct snap_host *h = x->s->part[SNAP_HOST].at;
    int64_t shift_us;

    if (!h)
        return;
    h->ended_us = clock_wall_us();
    shift_us = h->ended_us - clock_mono_us() - h->booted_us;
    xray_gauge(x, (uint64_t)(shift_us < 0 ? -shift_us : shift_us), "clock.step_us");
}

void xray_figures(struct xray *x)
{
    clocks(x);

    memory(x);
    pressure(x);
    load(x);
    modules(x);
}

/* A record a read; EPIPE: some were overwritten while we read. */
void xray_kmsg(struct xray *x)
{
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n;

    if (fd < 0) {
        snap_note(x->s, "kmsg", "the kernel's log can't be read: %s", strerror(errno));
        return;
    }
    while ((n = read(fd, x->room, XRAY_ROOM)) > 0 || (n < 0 && errno == EPIPE)) {
        struct proc_kmsg line;
        struct snap_kmsg *to;

        if (n < 0 || !proc_kmsg_read(slice_of(x->room, (size_t)n), &line) || !(to = snap_add(x->s, SNAP_KMSG)))
            continue;
        to->number = line.number;
        to->level = line.level;
        to->facility = line.facility;
        to->at_us = line.at_us;
        to->text = snap_keep(x->s, line.text);
    }
    close(fd);
}
