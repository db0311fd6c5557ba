/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who logged in, who tried to, and what cron and systemd will start: files that may lie on a sick disk, so a helper
 * reads. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sense/xray/inner.h"
#include "wire/arguments.h"
#include "wire/cron.h"
#include "wire/utmp.h"

enum { RECORDS_KEPT = 400, LASTLOG_RECORDS = 70000, FILE_MOST = 192 << 10, FILES_MOST = 400, UIDS_SAID = 200 };

static uint8_t room[FILE_MOST]; /* of the helper alone */

/* The end of a file: at most `most` bytes, a multiple of `unit`. */
static struct slice read_end(const char *path, size_t most, size_t unit)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return SLICE("");
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        off_t whole = st.st_size / (off_t)unit * (off_t)unit;
        off_t from = whole > (off_t)most ? whole - (off_t)(most / unit * unit) : 0;

        n = pread(fd, room, most / unit * unit, from);
    }
    close(fd);
    return slice_of(room, n > 0 ? (size_t)n : 0);
}

static const char *kind_of(int type, const char *user)
{
    switch (type) {
    case UTMP_USER:
        return user;
    case UTMP_DEAD:
        return "logout";
    case UTMP_BOOT:
        return "boot";
    case UTMP_OLD_TIME:
        return "clock before";
    case UTMP_NEW_TIME:
        return "clock after";
    default:
        return NULL;
    }
}

static void records(int fd, const char *path, const char *user_kind, const char *waits_kind)
{
    struct slice rest = read_end(path, (size_t)RECORDS_KEPT * UTMP_SIZE, UTMP_SIZE);
    struct utmp_record r;

    while (utmp_next(&rest, &r)) {
        const char *kind = waits_kind && r.type == UTMP_LOGIN_WAITS ? waits_kind : kind_of(r.type, user_kind);
        struct snap_login l = { .user = r.user, .line = r.line, .host = r.host, .address = r.address, .pid = r.pid };

        if (!kind || (waits_kind && r.type == UTMP_DEAD))
            continue;
        l.kind = slice_text(kind);
        l.at_s = r.at_us / 1000000;
        helper_say_record(fd, SNAP_LOGIN, &l);
    }
}

/* lastlog is as long as the highest user's number wants, and has holes: only what is written is read. */
static void last_ones(int fd)
{
    int file = open("/var/log/lastlog", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t at = 0;
    unsigned said = 0;

    while (file >= 0 && said < UIDS_SAID && (at = lseek(file, at, SEEK_DATA)) >= 0 &&
           at < (off_t)LASTLOG_RECORDS * LASTLOG_SIZE) {
        off_t first = at / LASTLOG_SIZE;
        ssize_t n = pread(file, room, (size_t)(sizeof(room) / LASTLOG_SIZE) * LASTLOG_SIZE, first * LASTLOG_SIZE);
        struct slice rest = slice_of(room, n > 0 ? (size_t)n : 0);
        struct lastlog_record r;
        char user[32];

        if (n < LASTLOG_SIZE)
            break;
        for (; lastlog_next(&rest, &r) && said < UIDS_SAID; first++) {
            struct snap_login l = { .kind = SLICE("last"), .line = r.line, .host = r.host, .at_s = r.at_s };

            if (r.at_s == 0)
                continue;
            (void)snprintf(user, sizeof(user), "uid %lld", (long long)first);
            l.user = slice_text(user);
            helper_say_record(fd, SNAP_LOGIN, &l);
            said++;
        }
        at = first * LASTLOG_SIZE;
    }
    if (file >= 0)
        close(file);
}

static void look_at_logins(int fd, const void *ctx)
{
    (void)ctx;
    records(fd, "/var/log/wtmp", "login", NULL);
    records(fd, "/run/utmp", "now", NULL);
    records(fd, "/var/log/btmp", "failed", "failed");
    last_ones(fd);
}

void xray_logins_begin(struct xray *x)
{
    if (!helper_start(&x->logins, look_at_logins, NULL))
        snap_note(x->s, "login", "no process to read them");
}

/* --- what will be started */

/* Without secrets; in what is used again at the next call. */
static struct slice shown(struct slice command)
{
    static uint8_t bytes[4096];

    command = slice_first(command, sizeof(bytes));
    if (command.len > 0)
        memcpy(bytes, command.at, command.len);
    return slice_of(bytes, arguments_mask(bytes, command.len));
}

static void crontab(int fd, const char *path, const char *owner)
{
    struct stat st;
    struct slice rest = read_end(path, sizeof(room), 1);

    if (rest.len == 0 || lstat(path, &st) < 0)
        return;
    while (rest.len > 0) {
        struct cron_line c;
        struct snap_job j = { .kind = SLICE("cron"), .source = slice_text(path), .changed_s = st.st_ctime };

        if (!cron_line_read(slice_until(rest, '\n', &rest), owner == NULL, &c))
            continue;
        j.when = c.when;
        j.user = owner ? slice_text(owner) : c.user;
        j.command = shown(c.command);
        helper_say_record(fd, SNAP_JOB, &j);
    }
}

static void timer(int fd, const char *path, const char *name)
{
    static const char *const when[] = { "OnCalendar", "OnBootSec", "OnUnitActiveSec", "OnActiveSec", "OnStartupSec" };
    struct slice text = read_end(path, sizeof(room), 1);
    char unit[300];
    struct stat st;
    struct slice value;
    struct snap_job j = { .kind = SLICE("timer"), .source = slice_text(path) };
    struct slice rest = text;

    if (text.len == 0 || lstat(path, &st) < 0)
        return;
    (void)snprintf(unit, sizeof(unit), "%.*s.service", (int)(strnlen(name, 256) - 6), name);
    j.command = unit_setting(&rest, "Unit", &value) ? value : slice_text(unit);
    j.changed_s = st.st_ctime;
    for (size_t i = 0; i < sizeof(when) / sizeof(when[0]); i++)
        for (rest = text; unit_setting(&rest, when[i], &value) && value.len > 0;) {
            j.when = value;
            helper_say_record(fd, SNAP_JOB, &j);
        }
}

/* What a hook of cron's own folders starts once an hour, a day ... */
static void hook(int fd, const char *path, const char *when)
{
    struct stat st;
    struct snap_job j = { .kind = SLICE("cron"), .source = slice_text(path), .when = slice_text(when) };

    if (lstat(path, &st) < 0 || (st.st_mode & 0111) == 0)
        return;
    j.user = SLICE("root");
    j.command = slice_text(path);
    j.changed_s = st.st_ctime;
    helper_say_record(fd, SNAP_JOB, &j);
}

enum folder_kind { SYSTEM_TABLES, USERS_TABLES, HOOKS, TIMERS };

static void folder(int fd, const char *path, enum folder_kind kind, const char *when)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    unsigned files = 0;

    while (d && (entry = readdir(d)) && files < FILES_MOST) {
        const char *name = entry->d_name;
        size_t len = strlen(name);
        char file[512];

        if (name[0] == '.')
            continue;
        files++;
        (void)snprintf(file, sizeof(file), "%s/%s", path, name);
        if (kind == SYSTEM_TABLES)
            crontab(fd, file, NULL);
        else if (kind == USERS_TABLES)
            crontab(fd, file, name);
        else if (kind == HOOKS)
            hook(fd, file, when);
        else if (len > 6 && strcmp(name + len - 6, ".timer") == 0)
            timer(fd, file, name);
    }
    if (d)
        (void)closedir(d);
}

/* resolv.conf(5): who is asked for names. */
static void resolvers(int fd)
{
    struct slice rest = read_end("/etc/resolv.conf", sizeof(room), 1);

    while (rest.len > 0) {
        struct slice line = slice_trim(slice_until(rest, '\n', &rest));
        struct slice word;
        struct snap_resolver r;

        if (line.len < 11 || !slice_eq(slice_first(line, 10), SLICE("nameserver")))
            continue;
        word = slice_until(slice_trim(slice_skip(line, 10)), '%', &line);
        if (addr_read(slice_trim(word), &r.address))
            helper_say_record(fd, SNAP_RESOLVER, &r);
    }
}

static void look_at_jobs(int fd, const void *ctx)
{
    (void)ctx;
    resolvers(fd);
    crontab(fd, "/etc/crontab", NULL);
    folder(fd, "/etc/cron.d", SYSTEM_TABLES, NULL);
    folder(fd, "/var/spool/cron/crontabs", USERS_TABLES, NULL);
    folder(fd, "/etc/cron.hourly", HOOKS, "@hourly");
    folder(fd, "/etc/cron.daily", HOOKS, "@daily");
    folder(fd, "/etc/cron.weekly", HOOKS, "@weekly");
    folder(fd, "/etc/cron.monthly", HOOKS, "@monthly");
    folder(fd, "/etc/systemd/system", TIMERS, NULL);
    folder(fd, "/run/systemd/system", TIMERS, NULL);
    folder(fd, "/usr/lib/systemd/system", TIMERS, NULL);
}

void xray_jobs_begin(struct xray *x)
{
    if (!helper_start(&x->jobs, look_at_jobs, NULL))
        snap_note(x->s, "job", "no process to read them");
}

void xray_logins_end(struct xray *x)
{
    xray_helper_end(x, &x->logins, SNAP_LOGIN, "/var/log");
}

void xray_jobs_end(struct xray *x)
{
    xray_helper_end(x, &x->jobs, SNAP_JOB, "/etc or /var/spool");
}
