/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a disk keep us waiting?  Is one failing, full, or read-only, and why? */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"
#include "wire/proc.h"

enum { WAITERS_MANY = 3 };

enum wait_kind { WAIT_OTHER, WAIT_DISK, WAIT_FREEZE };

/* Functions of the kernel in which a task waits, by what it waits for. */
static const struct {
    const char *function;
    enum wait_kind kind;
} waits[] = {
    { "__sb_start_write", WAIT_FREEZE },
    { "sb_start_write", WAIT_FREEZE },
    { "mnt_want_write", WAIT_FREEZE },
    { "file_start_write", WAIT_FREEZE },
    { "percpu_rwsem_wait", WAIT_FREEZE },
    { "freeze_super", WAIT_FREEZE },
    { "io_schedule", WAIT_DISK },
    { "folio_wait_bit", WAIT_DISK },
    { "wait_on_page_bit", WAIT_DISK },
    { "wait_on_page_writeback", WAIT_DISK },
    { "folio_wait_writeback", WAIT_DISK },
    { "bit_wait_io", WAIT_DISK },
    { "__wait_on_buffer", WAIT_DISK },
    { "submit_bio_wait", WAIT_DISK },
    { "blk_mq_get_tag", WAIT_DISK },
    { "rq_qos_wait", WAIT_DISK },
    { "jbd2_log_wait_commit", WAIT_DISK },
    { "jbd2_journal_commit_transaction", WAIT_DISK },
    { "wait_transaction_locked", WAIT_DISK },
    { "xfs_buf_iowait", WAIT_DISK },
    { "xlog_wait", WAIT_DISK },
    { "btrfs_wait", WAIT_DISK },
    { "request_wait_answer", WAIT_DISK }, /* FUSE */
    { "rpc_wait_bit_killable", WAIT_DISK },
    { "nfs_wait", WAIT_DISK },
};

static enum wait_kind wait_of(const struct snap_process *p)
{
    if (p->waiting == 0 || slice_has(p->stack, "cgroup_") || slice_has(p->stack, "wait_for_vfork_done"))
        return WAIT_OTHER;
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        if (slice_has(p->stack, waits[i].function) || slice_has(p->wait, waits[i].function))
            return waits[i].kind;
    return WAIT_OTHER;
}

static bool is_stuck(const struct snap_disk *d)
{
    return d->in_flight > 0 && d->in_flight_after > 0 && d->done == d->done_after;
}

static void prove_waiter(struct explain *x, struct finding *f, const struct snap_process *p)
{
    const struct snap_mount *m = mount_of(x->s, p->wait_path);

    explain_proof(f, "%s waits in %s%s%s%s%s", words_process(p).text,
                  p->wait.len > 1 ? words_of(p->wait).text : _("the kernel"), p->wait_path.len ? _(" for ") : "",
                  words_of(p->wait_path).text, m ? _(" on ") : "", m ? words_of(m->point).text : "");
}

/* The one mount on which all of them wait that tell a path; NULL: none tells, or they differ. */
static const struct snap_mount *mount_in_common(struct explain *x, enum wait_kind kind)
{
    const struct snap_mount *one = NULL;

    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    {
        const struct snap_mount *m = wait_of(p) == kind ? mount_of(x->s, p->wait_path) : NULL;

        if (m && one && (m->major != one->major || m->minor != one->minor))
            return NULL;
        one = m ? m : one;
    }
    return one;
}

static void tell_frozen(struct explain *x, size_t waiters)
{
    const struct snap_mount *m = mount_in_common(x, WAIT_FREEZE);
    struct finding *f = explain_found(x, "frozen_fs", GRADE_ALARM);

    f->likely = m == NULL;
    if (m)
        explain_text(f, "The file system on %s (%s) is frozen: %zu process%s wait%s to write; its disk is not to blame",
                     words_of(m->point).text, words_of(m->source).text, waiters, waiters == 1 ? "" : "es",
                     waiters == 1 ? "s" : "");
    else
        explain_text(f, "A file system is frozen: %zu process%s wait%s to write; no disk is to blame", waiters,
                     waiters == 1 ? "" : "es", waiters == 1 ? "s" : "");
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    if (wait_of(p) == WAIT_FREEZE)
        prove_waiter(x, f, p);
    if (m)
        explain_next(f, "fsfreeze -u %s   once the backup or snapshot that froze it is over", words_of(m->point).text);
    else
        explain_next(f,
                     "fsfreeze -u MOUNT   once the backup or snapshot that froze it is over; serviola xray show FILE "
                     "mount lists the mounts");
}

static void tell_stuck(struct explain *x, size_t waiters, size_t silent, size_t stuck)
{
    const struct snap_mount *m = mount_in_common(x, WAIT_DISK);
    struct finding *f = explain_found(x, "stuck_disk", silent > 0 || stuck > 0 ? GRADE_ALARM : GRADE_WARN);

    f->likely = silent == 0 && stuck == 0;
    explain_text(f, "%s%s does not answer: %zu process%s wait%s for it", m ? _("The file system on ") : _("A disk"),
                 m ? words_of(m->point).text : "", waiters, waiters == 1 ? "" : "es", waiters == 1 ? "s" : "");
    SNAP_LIST(x->s, SNAP_DISK, struct snap_disk, d)
    if (is_stuck(d))
        explain_proof(f, "%s: %" PRIu64 " requests under way, none of them finished while we looked",
                      words_of(d->name).text, d->in_flight_after);
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, silent_one)
    if (silent_one->answer == SNAP_SILENT)
        explain_proof(f, "%s (%s, %s) did not say how full it is", words_of(silent_one->point).text,
                      words_of(silent_one->type).text, words_of(silent_one->source).text);
    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    if (wait_of(p) == WAIT_DISK)
        prove_waiter(x, f, p);
    explain_next(f, "dmesg -T | tail   and look at the controller; df and lsof would hang as well");
}

void explain_waiting(struct explain *x)
{
    size_t frozen = 0;
    size_t waiters = 0;
    size_t silent = 0;
    size_t stuck = 0;

    SNAP_LIST(x->s, SNAP_PROCESS, struct snap_process, p)
    {
        frozen += wait_of(p) == WAIT_FREEZE;
        waiters += wait_of(p) == WAIT_DISK;
    }
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, m)
    silent += m->answer == SNAP_SILENT;
    SNAP_LIST(x->s, SNAP_DISK, struct snap_disk, d)
    stuck += is_stuck(d);
    if (frozen > 0)
        tell_frozen(x, frozen);
    /* One process that waits a moment for a busy disk is everyday life. */
    if (silent > 0 || (stuck > 0 && waiters > 0) || waiters >= WAITERS_MANY)
        tell_stuck(x, waiters, silent, stuck);
}

/* --- what the kernel said */

static const struct {
    const char *words, *also; /* both stand in the line; NULL: the first alone */
    const char *who;
} complaints[] = {
    { "cciss", NULL, N_("the controller driver cciss") },
    { "hpsa", NULL, N_("the controller driver hpsa") },
    { "megaraid", NULL, N_("the controller driver megaraid") },
    { "smartpqi", NULL, N_("the controller driver smartpqi") },
    { "mpt2sas", NULL, N_("the controller driver mpt3sas") },
    { "mpt3sas", NULL, N_("the controller driver mpt3sas") },
    { "aacraid", NULL, N_("the controller driver aacraid") },
    { "arcmsr", NULL, N_("the controller driver arcmsr") },
    { "3w-", NULL, N_("a 3ware controller") },
    { "ata", "failed command", N_("an ATA disk") },
    { "ata", "exception Emask", N_("an ATA disk") },
    { "ata", "hard resetting link", N_("an ATA link") },
    { "nvme", "timeout", N_("an NVMe disk") },
    { "nvme", "controller is down", N_("an NVMe disk") },
    { "critical medium error", NULL, N_("a disk's surface") },
    { "Medium Error", NULL, N_("a disk's surface") },
    { "sd ", "Sense Key : Hardware Error", N_("a SCSI disk") },
    { "sd ", "rejecting I/O to offline device", N_("a SCSI disk") },
    { "scsi ", "Device offlined", N_("a SCSI disk") },
    { "nvme", "I/O Error", N_("an NVMe disk") },
    { "nvme", "frozen state error", N_("an NVMe disk") },
    { "md/raid", "Operation continuing on", N_("a RAID array") },
    { "EXT4-fs", "Remounting filesystem read-only", N_("an ext4 file system") },
    { "XFS", "log I/O error", N_("an XFS file system") },
    { "XFS", "Filesystem has been shut down", N_("an XFS file system") },
    { "BTRFS", "forced readonly", N_("a btrfs file system") },
    { "md/raid", "Disk failure", N_("a RAID array") },
    { "md/raid", "disabling device", N_("a RAID array") },
    { "EXT4-fs error", NULL, N_("an ext4 file system") },
    { "JBD2: ", "error", N_("an ext4 journal") },
    { "Aborting journal", NULL, N_("an ext4 journal") },
    { "XFS", "metadata I/O error", N_("an XFS file system") },
    { "XFS", "Corruption", N_("an XFS file system") },
    { "BTRFS error", NULL, N_("a btrfs file system") },
    { "BTRFS critical", NULL, N_("a btrfs file system") },
    { "I/O error, dev", NULL, N_("a block device") },
    { "Buffer I/O error", NULL, N_("a block device") },
};

/* Drivers that also speak when all is well. */
static bool is_chatty(const char *words)
{
    static const char *const drivers[] = { "cciss",   "hpsa",    "megaraid", "smartpqi", "mpt2sas",
                                           "mpt3sas", "aacraid", "arcmsr",   "3w-" };

    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (strcmp(words, drivers[i]) == 0)
            return true;
    return false;
}

static bool complains(const struct snap_kmsg *k, size_t which)
{
    if (!slice_has(k->text, complaints[which].words) ||
        (complaints[which].also && !slice_has(k->text, complaints[which].also)))
        return false;
    /* Drivers also say that they found their card. */
    return !is_chatty(complaints[which].words) || slice_has(k->text, "CHECK CONDITION") ||
           slice_has(k->text, "error") || slice_has(k->text, "timed out") || slice_has(k->text, "reset") ||
           slice_has(k->text, "fail") || slice_has(k->text, "fault");
}

static void tell_complaint(struct explain *x, size_t which)
{
    const struct snap_kmsg *first = NULL;
    const struct snap_kmsg *last = NULL;
    size_t lines = 0;
    size_t written = 0; /* by programs */
    struct finding *f;
    int64_t age_us;

    SNAP_LIST(x->s, SNAP_KMSG, struct snap_kmsg, k)
    {
        if (!complains(k, which))
            continue;
        first = first ? first : k;
        last = k;
        lines++;
        written += k->facility != 0;
    }
    if (!first)
        return;
    age_us = age_of(x->s, last->at_us);
    f = explain_found(x, "failing_disk", grade_by_age(age_us, written == lines ? GRADE_WARN : GRADE_ALARM));
    f->likely = written > 0;
    explain_text(f, "The kernel's log speaks of trouble with %s: %zu line%s from %s to %s%s%s",
                 _(complaints[which].who), lines, lines == 1 ? "" : "s", words_at(x->s, first->at_us).text,
                 words_at(x->s, last->at_us).text,
                 written > 0 ? _(" (written by a program, not by the kernel itself)") : "", words_age(age_us).text);
    explain_proof(f, "first: %s", words_of(first->text).text);
    if (last != first)
        explain_proof(f, "last: %s", words_of(last->text).text);
    if (slice_has(last->text, "byte 2 = 0x3"))
        explain_proof(f, "sense key 3 means: the medium itself can't be read");
    explain_next(f, "save what is on it now; then smartctl -a DEVICE, or the controller's own tool");
}

void explain_disk_log(struct explain *x)
{
    for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
        tell_complaint(x, i);
}

/* --- what arrays and disks say of themselves */

static void tell_array(struct explain *x, const struct snap_disk *d)
{
    struct finding *f = explain_found(x, "failing_disk", GRADE_ALARM);

    explain_text(f, "The RAID array %s (%s) runs without %" PRIu64 " of its %" PRIu64 " disks", words_of(d->name).text,
                 words_of(d->raid_level).text, d->raid_missing, d->raid_disks);
    explain_proof(f, "its state: %s", words_of(d->raid_state).text);
    explain_next(f, "mdadm --detail /dev/%s   names the disk; save what is on the array before it is replaced",
                 words_of(d->name).text);
}

static void tell_disk(struct explain *x, const struct snap_disk *d, bool offline, bool failing)
{
    struct finding *f = explain_found(x, "failing_disk", offline || failing ? GRADE_ALARM : GRADE_NOTE);

    if (failing)
        explain_text(f, "The disk %s says of itself that it fails: %s", words_of(d->name).text,
                     words_of(d->health).text);
    else if (offline)
        explain_text(f, "The disk %s was taken out of use: %s", words_of(d->name).text, words_of(d->state).text);
    else
        explain_text(f, "The disk %s did not answer in time %" PRIu64 " times", words_of(d->name).text, d->timeouts);
    explain_proof(f, "%" PRIu64 " requests failed, %" PRIu64 " took too long", d->errors, d->timeouts);
    explain_next(f, "smartctl -a /dev/%s; dmesg -T | grep %s", words_of(d->name).text, words_of(d->name).text);
}

void explain_raid(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_DISK, struct snap_disk, d)
    {
        bool offline =
            slice_has(d->state, "offline") || slice_eq(d->state, SLICE("dead")) || slice_eq(d->state, SLICE("blocked"));
        bool failing = slice_begins(d->health, "failing");

        if (d->raid_missing > 0)
            tell_array(x, d);
        if (offline || failing || d->timeouts > 0)
            tell_disk(x, d, offline, failing);
    }
}

/* --- space */

static bool is_read_only(const struct snap_mount *m)
{
    return proc_option(m->super_options, "ro") || proc_option(m->super_options, "emergency_ro");
}

/* Their room comes back when they are closed, and du does not see them. */
static void prove_removed(struct explain *x, struct finding *f, const struct snap_mount *m)
{
    static const char gone[] = " (deleted)";
    size_t n = sizeof(gone) - 1;

    SNAP_LIST(x->s, SNAP_FILE, struct snap_file, o)
    if (o->path.len > n && memcmp(o->path.at + o->path.len - n, gone, n) == 0 &&
        mount_of(x->s, slice_first(o->path, o->path.len - n)) == m)
        explain_proof(f, "%s still has %s open: its room is not free yet",
                      words_process(join_process(x->j, o->pid)).text, words_of(o->path).text);
}

static void tell_space(struct explain *x, const struct snap_mount *m, const char *what, uint64_t all, uint64_t left,
                       const char *how)
{
    uint64_t per_mille = all >= 1000 ? left / (all / 1000) : left * 1000 / all;
    struct finding *f;

    if (per_mille > 50)
        return;
    f = explain_found(x, "full_disk", per_mille <= 5 ? GRADE_ALARM : GRADE_WARN);
    explain_text(f, "%s has %s left: %" PRIu64 " of %" PRIu64 " %s free", words_of(m->point).text,
                 left == 0 ? _("nothing") : _("little"), left, all, what);
    explain_proof(f, "%s, %s, device %" PRIu64 ":%" PRIu64, words_of(m->type).text, words_of(m->source).text, m->major,
                  m->minor);
    prove_removed(x, f, m);
    explain_next(f, "%s %s", how, words_of(m->point).text);
}

void explain_space(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, m)
    {
        if (m->answer != SNAP_ANSWERED || m->bytes < 1 << 20 || is_read_only(m))
            continue;
        tell_space(x, m, "bytes", m->bytes, m->bytes_free, "du -xh --max-depth=2");
        if (m->inodes > 0)
            tell_space(x, m, "inodes", m->inodes, m->inodes_free, "du -x --inodes --max-depth=2");
    }
}

/* --- read-only */

/* "sda1" is not meant where "sda12" or "xsda1" stands. */
static bool names_device(struct slice text, struct slice device)
{
    const uint8_t *end = text.at + text.len;
    const uint8_t *at = device.len > 0 && text.len > 0 ? text.at : NULL;

    while (at && (at = memmem(at, (size_t)(end - at), device.at, device.len))) {
        const uint8_t *behind = at + device.len;

        if ((at == text.at || !isalnum(at[-1])) && (behind == end || !isalnum(*behind)))
            return true;
        at++;
    }
    return false;
}

/* The last line of the kernel's log that has these words about that device; NULL: none. */
static const struct snap_kmsg *said(const struct snap *s, const char *words, struct slice device)
{
    const struct snap_kmsg *last = NULL;

    SNAP_LIST(s, SNAP_KMSG, struct snap_kmsg, k)
    if (k->facility == 0 && slice_has(k->text, words) && names_device(k->text, device))
        last = k;
    return last;
}

static bool is_newer(const struct snap_kmsg *k, const struct snap_kmsg *than)
{
    return k && (!than || k > than);
}

static void tell_by_error(struct explain *x, const struct snap_mount *m, const struct snap_kmsg *line)
{
    struct finding *f = explain_found(x, "read_only_by_error", GRADE_ALARM);

    explain_text(f, "%s (%s) is read-only because of errors%s", words_of(m->point).text, words_of(m->source).text,
                 proc_option(m->options, "rw") ? _(", although mount still says rw") : "");
    if (proc_option(m->super_options, "emergency_ro"))
        explain_proof(f, "its options say emergency_ro");
    if (m->errors > 0)
        explain_proof(f, "it counts %" PRIu64 " errors, the first in %s", m->errors, words_of(m->first_error_at).text);
    if (line)
        explain_proof(f, "%s  %s", words_at(x->s, line->at_us).text, words_of(line->text).text);
    explain_next(f, "save what is on it; look at the disk; then umount %s and fsck %s", words_of(m->point).text,
                 words_of(m->source).text);
}

static void tell_by_hand(struct explain *x, const struct snap_mount *m, const struct snap_kmsg *line)
{
    struct finding *f = explain_found(x, "read_only_by_hand", GRADE_NOTE);

    explain_text(f, "%s (%s) was made read-only by hand: no error led to it", words_of(m->point).text,
                 words_of(m->source).text);
    explain_proof(f, "%s  %s", words_at(x->s, line->at_us).text, words_of(line->text).text);
    explain_next(f, "mount -o remount,rw %s   when it is no longer wanted so", words_of(m->point).text);
}

/* What was said of an earlier mount of the same device is over. */
static const struct snap_kmsg *error_of(const struct snap *s, struct slice device)
{
    const struct snap_kmsg *error = said(s, "Remounting filesystem read-only", device);

    return is_newer(error, said(s, ": mounted filesystem", device)) ? error : NULL;
}

/* One file system at several places is told once. */
static bool is_told(const struct snap *s, const struct snap_mount *m)
{
    SNAP_LIST(s, SNAP_MOUNT, struct snap_mount, before)
    if (before < m && before->major == m->major && before->minor == m->minor)
        return true;
    return false;
}

void explain_read_only(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_MOUNT, struct snap_mount, m)
    {
        struct slice device = file_name(m->source);
        const struct snap_kmsg *error;
        const struct snap_kmsg *hand;
        bool by_hand;

        if (!is_read_only(m) || !slice_begins(m->source, "/dev/") || is_told(x->s, m))
            continue;
        error = error_of(x->s, device);
        hand = said(x->s, "re-mounted", device);
        by_hand = hand && slice_has(hand->text, " ro");
        if (proc_option(m->super_options, "emergency_ro") || is_newer(error, hand) || (m->errors > 0 && !by_hand))
            tell_by_error(x, m, error);
        else if (by_hand)
            tell_by_hand(x, m, hand);
    }
}
