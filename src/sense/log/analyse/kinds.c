/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a message means, by the program that says it and by its words.  Asked once for each pattern. */
#include <string.h>

#include "sense/log/analyse/inner.h"
#include "wire/maillog.h"

bool log_has(struct slice s, const char *word)
{
    return s.len > 0 && memmem(s.at, s.len, word, strlen(word)) != NULL;
}

bool log_begins(struct slice s, const char *word)
{
    size_t n = strlen(word);

    return s.len >= n && memcmp(s.at, word, n) == 0;
}

bool log_number_after(struct slice s, const char *word, uint64_t *n)
{
    const uint8_t *at = s.len > 0 ? memmem(s.at, s.len, word, strlen(word)) : NULL;
    size_t from = at ? (size_t)(at - s.at) + strlen(word) : s.len;
    size_t to = from;

    while (to < s.len && to < from + 18 && s.at[to] >= '0' && s.at[to] <= '9')
        to++;
    return slice_to_u64(slice_of(s.at + from, to - from), n);
}

/* One of `words`, which a bar separates. */
static bool has_any(struct slice text, const char *words)
{
    struct slice rest = slice_text(words);

    while (rest.len > 0) {
        struct slice word = slice_until(rest, '|', &rest);

        if (memmem(text.at, text.len, word.at, word.len))
            return true;
    }
    return false;
}

/* A fault is a message with a word of each column; an empty column is fulfilled. */
static const struct {
    uint8_t class;
    const char *who, *what;
} faults[] = {
    { FAULT_CCISS, "cciss", "CHECK CONDITION|rror|fail|timed out|timeout|reset|abort|lockup|UNKNOWN|offline" },
    { FAULT_HPSA, "hpsa", "CHECK CONDITION|rror|fail|timed out|timeout|reset|abort|lockup|offline" },
    { FAULT_NVME, "nvme",
      "timeout|I/O error|I/O Error|controller is down|resetting|Abort|failed|critical warning|AER" },
    { FAULT_MCE, "Machine Check|machine check|[Hardware Error]|mce: |MCE ", "" },
    { FAULT_EDAC, "EDAC", " CE |: CE| UE |: UE|rror" },
    { FAULT_MD, "md/raid|md: |md0|mdadm|raid1:|raid5:", "isk failure|degraded|Degraded|kicking|not clean|Fail|failed" },
    { FAULT_EXT, "EXT2-fs|EXT3-fs|EXT4-fs|JBD2|JBD:|ext3_|ext4_",
      "rror|abort|IO failure|read-only|I/O|orrupt|nconsistent" },
    { FAULT_XFS, "XFS", "orrupt|rror|hutting down|shut down|shutdown" },
    { FAULT_BTRFS, "BTRFS|btrfs", "rror|critical|orrupt|csum failed|readonly" },
    { FAULT_ATA, "ata1|ata2|ata3|ata4|ata5|ata6|ata7|ata8|ata9|ata0",
      "failed command|exception Emask|SRST failed|COMRESET failed|softreset failed|hard resetting|qc timeout|DRDY "
      "ERR|disabled|{ UNC }|revalidation failed|limiting SATA link" },
    { FAULT_BLOCK, "",
      "I/O error, dev|Buffer I/O error|critical medium error|lost page write|lost async page write|lost sync page "
      "write|Unrecovered read error|Remounting filesystem read-only|rejecting I/O to" },
    { FAULT_SCSI, "sd |scsi|mpt|megaraid|aacraid|Add. Sense|Sense Key",
      "Medium Error|Hardware Error|FAILED Result|Unhandled error|rejecting I/O|timing out|task abort|Device offlined" },
    { FAULT_HEAT, "emperature|thermal|cpu clock", "above threshold|throttled|critical temperature|shutting down" },
};

static uint8_t kernel_fault(struct slice text)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if ((!faults[i].who[0] || has_any(text, faults[i].who)) &&
            (!faults[i].what[0] || has_any(text, faults[i].what)))
            return faults[i].class;
    return FAULT_CLASS_NONE;
}

const char *fault_class_name(unsigned c)
{
    static const char *const names[FAULT_CLASSES] = { "none", "cciss", "hpsa", "ata", "nvme",  "scsi",  "disk", "mce",
                                                      "edac", "md",    "ext",  "xfs", "btrfs", "SMART", "heat" };

    return c < FAULT_CLASSES ? names[c] : names[0];
}

static struct kind kernel_kind(struct slice text)
{
    struct kind k = { .marks = KIND_KERNEL };

    if (log_begins(text, "Linux version ") || log_begins(text, "Booting Linux on"))
        k.marks |= KIND_BOOT;
    else if (has_any(text, "Out of memory|oom-kill|Memory cgroup out of memory"))
        k.marks |= KIND_OOM;
    else if (log_has(text, "blocked for more than"))
        k.marks |= KIND_HUNG;
    else if (has_any(text, "reboot: |Restarting system|Power down."))
        k.marks |= KIND_SHUTDOWN;
    else if (has_any(text, "messages suppressed|callbacks suppressed"))
        k.marks |= KIND_LOSS;
    else if (log_has(text, "DPT=") && log_has(text, "SRC="))
        k.marks |= KIND_PACKET;
    else if ((k.fault = kernel_fault(text)) != FAULT_CLASS_NONE)
        k.marks |= KIND_HARDWARE;
    if (has_any(text, "table full, dropping|possible SYN flooding|too many orphaned"))
        k.marks |= KIND_CAPACITY;
    return k;
}

static struct kind smart_kind(struct slice text)
{
    struct kind k = { 0 };

    if (!has_any(text,
                 "(pending) sectors|ncorrectable sectors|FAILED SMART|Failed SMART|rror count increased|Error Log "
                 "count increased|SMART Failure|Prefailure|unable to open device"))
        return k;
    k.marks = KIND_HARDWARE;
    k.fault = FAULT_SMART;
    return k;
}

static bool is_auth(struct slice program, struct slice text)
{
    if (!has_any(program, "sshd|login|su|ftpd|pure-ftpd|proftpd|vsftpd|dropbear|telnetd|sudo"))
        return false;
    return has_any(text, "Failed |Accepted |Invalid user |authentication failure");
}

static uint32_t loudness(struct slice text)
{
    if (has_any(text,
                "ERROR|FATAL|CRITICAL|SEVERE|PANIC|panic:|[error]|[crit]|[emerg]|[alert]|error:|Error:|rror: |Fatal "
                "error|fatal:|Traceback|Segmentation fault|segfault"))
        return KIND_ERROR;
    return has_any(text, "WARNING|Warning:|warning:|[warn|WARN ") ? KIND_WARNING : 0;
}

static uint32_t other_marks(struct slice program, struct slice text)
{
    struct maillog m;

    if (maillog_read(program, text, &m))
        return KIND_MAIL;
    if (is_auth(program, text))
        return KIND_AUTH;
    if (log_begins(program, "shutdown") || (log_begins(program, "exiting") && log_has(text, "on signal")) ||
        (log_begins(program, "systemd") &&
         has_any(text,
                 "Reached target Reboot|Reached target Power-Off|Reached target Halt|Reached target Shutdown|System is "
                 "rebooting|System is powering down|Shutting down.|Reached target reboot|Reached target "
                 "poweroff|Reached target "
                 "halt|Reached target shutdown|Journal stopped")))
        return KIND_SHUTDOWN;
    if ((log_begins(program, "rsyslog") || log_begins(program, "syslog")) && log_has(text, "exiting on signal"))
        return KIND_SHUTDOWN;
    if (has_any(text, "uppressed ") && log_has(text, "messages"))
        return KIND_LOSS;
    if (has_any(text,
                "messages lost due to rate-limiting|begin to drop messages|messages from pid|Log statistics; dropped"))
        return KIND_LOSS;
    if (log_has(text, "message repeated "))
        return KIND_REPEATED;
    if (has_any(program, "ntp|chrony|timesync|rdate") &&
        has_any(text, "time reset|step time|stepped|adjust time server|was wrong by"))
        return KIND_CLOCK;
    return 0;
}

struct kind kind_of_message(struct slice program, struct slice text)
{
    struct kind k = { 0 };

    text = slice_first(text, 2048);
    if (text.len == 0)
        return k;
    if (slice_eq(program, SLICE("kernel")) || slice_eq(program, SLICE("vmunix")))
        k = kernel_kind(text);
    else if (log_begins(program, "smartd"))
        k = smart_kind(text);
    else if (has_any(program, "mcelog|rasdaemon|mdadm|edac|dmeventd|multipathd|hpasm|cpqarray|ipmi")) {
        k.fault = kernel_fault(text);
        if (k.fault == FAULT_CLASS_NONE && log_has(program, "mcelog"))
            k.fault = FAULT_MCE;
        k.marks = k.fault ? KIND_HARDWARE : 0;
    } else
        k.marks = other_marks(program, text);
    if (has_any(text, "reached MaxClients|reached MaxRequestWorkers|too many open files|Too many open files|Too many "
                      "connections|No space left on device|connection cap reached|server reached pm.max_children"))
        k.marks |= KIND_CAPACITY;
    if (!(k.marks & (KIND_MAIL | KIND_PACKET)))
        k.marks |= loudness(text);
    return k;
}
