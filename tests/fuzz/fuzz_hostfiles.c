/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wtmp, lastlog, crontabs, timers, /proc/net, checksums and dpkg's status of any bytes. */
#include <assert.h>

#include "wire/cron.h"
#include "wire/proc.h"
#include "wire/smart.h"
#include "wire/sums.h"
#include "wire/utmp.h"

static void inside(struct slice part, const uint8_t *data, size_t size)
{
    assert(part.len == 0 || (part.at >= data && part.at + part.len <= data + size));
}

static void disks(struct slice s)
{
    char words[160];
    struct text t = TEXT_IN(words);

    (void)smart_nvme_read(s, &t);
    t = TEXT_IN(words);
    (void)smart_ata_read(s, &t);
}

static void packages(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct status_line l;
    struct sum_line s;

    for (status_next(&rest, &l); l.kind != STATUS_END; status_next(&rest, &l)) {
        inside(l.value, data, size);
        assert(l.kind != STATUS_CONFIGURATION || l.digits.len == 32);
    }
    for (rest = slice_of(data, size); rest.len > 0;)
        if (sum_line_read(slice_until(rest, '\n', &rest), &s)) {
            assert((s.digits.len == 32 || s.digits.len == 64) && s.path.len > 0 && s.path.at[0] != '/');
            inside(s.path, data, size);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct utmp_record u;
    struct lastlog_record l;
    struct slice value;
    struct cron_line c;
    struct proc_port p;

    while (utmp_next(&rest, &u)) {
        inside(u.user, data, size);
        inside(u.host, data, size);
        assert(u.at_us >= 0 && u.user.len <= 32 && u.host.len <= 256);
    }
    for (rest = slice_of(data, size); lastlog_next(&rest, &l);)
        inside(l.host, data, size);
    for (rest = slice_of(data, size); unit_setting(&rest, "OnCalendar", &value);)
        inside(value, data, size);
    for (rest = slice_of(data, size); rest.len > 0;) {
        struct slice line = slice_until(rest, '\n', &rest);

        if (cron_line_read(line, true, &c)) {
            assert(c.when.len > 0 && c.user.len > 0 && c.command.len > 0);
            inside(c.command, data, size);
        }
        if (cron_line_read(line, false, &c))
            assert(c.user.len == 0 && c.command.len > 0);
        if (proc_port_read(line, &p))
            assert(p.local.family == 4 || p.local.family == 6);
    }
    packages(data, size);
    disks(slice_of(data, size));
    return 0;
}
