/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a program what it calls itself?  Is its file still there?  Does somebody hide? */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"
#include "wire/proc.h"

static void prove_process(struct explain *x, struct finding *f, const struct snap_process *p)
{
    const struct snap_process *parent = join_process(x->j, p->parent);

    explain_proof(f, "pid %" PRId64 ", user %" PRIu64 ", since %s, started by %s", p->pid, p->uid,
                  words_at(x->s, (int64_t)p->start_ms * 1000).text, words_process(parent).text);
    if (p->args.len > 0)
        explain_proof(f, "command line: %s", words_args(p).text);
    explain_proof(f, "executable: %s", words_of(p->exe).text);
}

static void prove_others(struct explain *x, struct finding *f, const struct snap_process *p)
{
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, other)
    if (other != p && other->image == p->image && slice_eq(other->exe, p->exe))
        explain_proof(f, "pid %" PRId64 " too", other->pid);
}

static void tell_deleted(struct explain *x, const struct snap_process *p)
{
    struct finding *f = explain_found(x, "deleted_executable", GRADE_WARN);

    explain_text(f, "%s runs, and its file was removed: nothing is at its path now", words_process(p).text);
    prove_process(x, f, p);
    prove_others(x, f, p);
    explain_next(
        f, "cp /proc/%" PRId64 "/exe /root/executable-%" PRId64 "   keeps a copy to look at; then ask who started it",
        p->pid, p->pid);
}

static void tell_upgraded(struct explain *x, const struct snap_process *p)
{
    struct finding *f = explain_found(x, "upgraded_executable", GRADE_NOTE);

    explain_text(f, "%s runs in an old version: another file is at its path now", words_process(p).text);
    prove_process(x, f, p);
    prove_others(x, f, p);
    if (p->unit.len > 8 && memcmp(p->unit.at + p->unit.len - 8, ".service", 8) == 0)
        explain_next(f, "systemctl restart %s", words_of(p->unit).text);
    else
        explain_next(f, "restart it when it suits");
}

static void tell_memory(struct explain *x, const struct snap_process *p)
{
    struct finding *f = explain_found(x, "memfd_executable", GRADE_ALARM);

    explain_text(f, "%s runs from memory: it never was a file", words_process(p).text);
    prove_process(x, f, p);
    prove_others(x, f, p);
    explain_next(
        f, "cp /proc/%" PRId64 "/exe /root/executable-%" PRId64 "   keeps a copy to look at; then ask who started it",
        p->pid, p->pid);
}

/* serviola runs its own parts from a copy in memory, so that they start again while the disk hangs. */
static bool is_ours(const struct snap_process *p)
{
    return slice_begins(p->exe, "/memfd:serviola") && slice_has(p->comm, "serviola");
}

/* Told with an earlier process already: forty workers of one server are one finding. */
static bool is_told(struct explain *x, const struct snap_process *p)
{
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, before)
    {
        if (before == p)
            return false;
        if (before->image == p->image && slice_eq(before->exe, p->exe))
            return true;
    }
    return false;
}

void explain_images(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    {
        if (p->image == SNAP_IMAGE_NONE || p->image == SNAP_IMAGE_FILE || is_told(x, p))
            continue;
        if (p->image == SNAP_IMAGE_DELETED)
            tell_deleted(x, p);
        else if (p->image == SNAP_IMAGE_REPLACED)
            tell_upgraded(x, p);
        else if (!is_ours(p))
            tell_memory(x, p);
    }
}

/* --- disguises */

static struct slice first_word(const struct snap_process *p)
{
    struct slice rest;

    return slice_until(p->args, '\0', &rest);
}

static bool sounds_like_kernel(const struct snap_process *p)
{
    static const char *const names[] = { "kworker/", "ksoftirqd/", "kthreadd",   "kswapd",    "migration/", "rcu_",
                                         "jbd2/",    "kcompactd",  "khugepaged", "watchdogd", "scsi_eh_",   "kblockd" };
    struct slice title = first_word(p);

    if (title.len > 2 && title.at[0] == '[' && title.at[title.len - 1] == ']')
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_begins(p->comm, names[i]) || slice_begins(title, names[i]))
            return true;
    return false;
}

static void tell_impostor(struct explain *x, const struct snap_process *p)
{
    struct finding *f = explain_found(x, "kernel_thread_impostor", GRADE_ALARM);

    explain_text(f, "pid %" PRId64 " calls itself %s like a thread of the kernel, and is the program %s", p->pid,
                 p->args.len > 0 ? words_args(p).text : words_of(p->comm).text, words_of(p->exe).text);
    explain_proof(f,
                  "threads of the kernel have no executable, and pid 2 starts them; pid %" PRId64 " started this one",
                  p->parent);
    prove_process(x, f, p);
    explain_next(
        f, "kill -STOP %" PRId64 "   stops it and keeps it for a look; cp /proc/%" PRId64 "/exe keeps the program",
        p->pid, p->pid);
}

/* Servers whose names are borrowed most. */
static bool is_well_known(struct slice name)
{
    static const char *const names[] = {
        "sshd",   "cron",        "crond",   "systemd",          "init",           "rsyslogd",      "syslogd",
        "agetty", "dbus-daemon", "nginx",   "apache2",          "httpd",          "named",         "dhclient",
        "udevd",  "master",      "exim4",   "mysqld",           "ntpd",           "chronyd",       "atd",
        "acpid",  "sendmail",    "php-fpm", "systemd-journald", "systemd-logind", "systemd-udevd", "systemd-resolved"
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_eq(name, slice_text(names[i])))
            return true;
    return false;
}

/* What it says it is: the name in front of its command line ("sshd: root" is sshd), or its comm. */
static struct slice claimed(const struct snap_process *p)
{
    struct slice rest;
    struct slice title = slice_until(first_word(p), ' ', &rest);
    struct slice name = file_name(slice_until(title, ':', &rest));

    if (name.len > 0 && name.at[0] == '-')
        name = slice_skip(name, 1);
    return is_well_known(name) ? name : p->comm;
}

static bool from_the_system(struct slice exe)
{
    return slice_begins(exe, "/usr/") || slice_begins(exe, "/bin/") || slice_begins(exe, "/sbin/") ||
           slice_begins(exe, "/lib/") || slice_begins(exe, "/opt/") || slice_begins(exe, "/snap/") ||
           slice_begins(exe, "/nix/");
}

static bool has_false_name(const struct snap_process *p)
{
    struct slice name = claimed(p);
    struct slice exe = file_name(p->exe);

    if (p->exe.len == 0 || !is_well_known(name) || slice_has(exe, "systemd") || slice_eq(exe, name))
        return false;
    /* A link may give a program of the system another name; a script that takes a server's name is no server. */
    return !from_the_system(p->exe) || (is_interpreter(exe) && !slice_eq(program_of(p), name)) ||
           (is_interpreter(exe) && slice_eq(first_word(p), name));
}

static void tell_false_name(struct explain *x, const struct snap_process *p)
{
    struct finding *f = explain_found(x, "false_name", GRADE_ALARM);

    explain_text(f, "pid %" PRId64 " calls itself %s, and is the program %s", p->pid, words_of(claimed(p)).text,
                 words_of(p->exe).text);
    prove_process(x, f, p);
    explain_next(
        f, "kill -STOP %" PRId64 "   stops it and keeps it for a look; cp /proc/%" PRId64 "/exe keeps the program",
        p->pid, p->pid);
}

void explain_disguise(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    {
        if ((p->flags & PROC_KERNEL_THREAD) != 0 || p->exe.len == 0)
            continue;
        if (sounds_like_kernel(p))
            tell_impostor(x, p);
        else if (has_false_name(p))
            tell_false_name(x, p);
    }
}

/* --- who hides */

static void tell_hidden_process(struct explain *x, const struct snap_process *p)
{
    struct finding *f = explain_found(x, "hidden_process", GRADE_ALARM);
    char point[40];
    bool covered = false;
    struct text t = TEXT_IN(point);

    text_addf(&t, "/proc/%" PRId64, p->pid);
    explain_text(f, "pid %" PRId64 " lives, and /proc does not show it", p->pid);
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, m)
    {
        if (!slice_eq(m->point, slice_text(point)))
            continue;
        covered = true;
        explain_proof(f, "a mount lies over %s: %s from %s", point, words_of(m->type).text, words_of(m->source).text);
    }
    if (covered)
        explain_next(f, "umount %s   shows it again", point);
    else
        explain_next(f, "trust no tool of this host; keep its memory and disks for a look from outside");
}

static void tell_hidden_name(struct explain *x, const struct snap_name *n)
{
    static const struct {
        const char *why, *words;
        enum grade grade;
    } kinds[] = {
        { "dots", N_("its name is made to be overlooked: dots and blanks"), GRADE_ALARM },
        { "blank", N_("its name begins or ends with a blank"), GRADE_ALARM },
        { "control", N_("its name holds control bytes"), GRADE_ALARM },
        { "file", N_("it is a plain file where devices belong"), GRADE_WARN },
        { "dot", N_("its name begins with a dot where none should"), GRADE_WARN },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct finding *f;

        if (!slice_eq(n->why, slice_text(kinds[i].why)))
            continue;
        f = explain_found(x, "hidden_name", kinds[i].grade);
        explain_text(f, "\"%s\" (%s): %s", words_of(n->path).text, words_of(n->kind).text, _(kinds[i].words));
        explain_proof(f, "user %" PRIu64 ", %" PRIu64 " bytes, changed %s", n->uid, n->bytes,
                      words_at(x->s, n->changed_s * 1000000 - snap_host(x->s)->booted_us).text);
        SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
        if (p->exe.len > n->path.len && p->exe.at[n->path.len] == '/' &&
            memcmp(p->exe.at, n->path.at, n->path.len) == 0)
            explain_proof(f, "%s runs from there", words_process(p).text);
        explain_next(f, "ls -lab and keep a copy before it is removed");
        return;
    }
}

void explain_hidden(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    if (p->unlisted)
        tell_hidden_process(x, p);
    SNAP_LIST(x->s, SNAP_NAME, struct snap_name, n)
    tell_hidden_name(x, n);
}
