/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * snap - the picture of a host at one instant: plain records, part by part.
 *
 * Who looks (sense/xray) adds records, who explains (view/explain) reads
 * them, the file (snap/file) carries them.  Each part is an array of one
 * kind of record with a bound; what did not fit is counted, and is a finding.
 * Texts live as long as the snap; they are bytes from outside, unescaped.
 */
#ifndef SERVIOLA_SNAP_SNAP_H
#define SERVIOLA_SNAP_SNAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/slice.h"

/* The one record of part `host`. */
struct snap_host {
    struct slice name, kernel, boot_id, command; /* command: the kernel's own command line */
    struct slice back_end;                       /* "proc": how processes and sockets were read */
    struct slice back_end_why;
    struct slice taken_by;      /* "serviola 0.1.0" */
    int64_t begun_us, ended_us; /* wall clock, since 1970 */
    int64_t booted_us;          /* wall clock at boot */
    uint64_t cpus_present, cpus_online;
    uint64_t taint;
    uint64_t network;                            /* our own network namespace */
    uint64_t processes_vanished;                 /* listed, gone when they were read */
    uint64_t sockets_appeared, sockets_vanished; /* TCP, between the first look and the last */
    uint64_t unreadable;                         /* processes whose descriptors we may not see */
    uint64_t processes_appeared;                 /* not in the first listing, there in the last */
};

enum snap_image { SNAP_IMAGE_NONE, SNAP_IMAGE_FILE, SNAP_IMAGE_DELETED, SNAP_IMAGE_REPLACED, SNAP_IMAGE_MEMORY };

struct snap_process {
    int64_t pid, parent;
    uint64_t start_ms;           /* since boot */
    struct slice state;          /* one letter; D also when only a thread is */
    struct slice comm, exe, cwd; /* exe as the kernel names it, " (deleted)" and all */
    struct slice args;           /* with a NUL behind each */
    bool args_cut;               /* longer than was kept, or than the kernel would show */
    uint64_t image;              /* enum snap_image */
    uint64_t flags, threads, uid, rss_kib;
    uint64_t descriptors, descriptors_most; /* _most: its limit; 0: not known, UINT64_MAX: none */
    uint64_t tasks_most;                    /* the limit of its user's processes and threads */
    uint64_t network;                       /* namespace; 0: not known */
    struct slice unit;                      /* of systemd, or a container */
    uint64_t waiting;                       /* tasks in state D */
    struct slice wait;                      /* where the first of them waits, a function of the kernel */
    struct slice stack;                     /* its kernel stack, a function a line */
    struct slice wait_path;                 /* the file it waits for, where the call tells */
    bool unlisted;                          /* it lives, but /proc does not show it */
};

struct snap_socket {
    struct slice kind; /* tcp udp raw unix packet */
    uint64_t network;
    struct slice state; /* LISTEN, ESTABLISHED ... */
    struct addr local, remote;
    struct slice path; /* unix */
    uint64_t inode;    /* 0: nobody holds it (yet) */
    uint64_t peer_inode;
    uint64_t uid, cookie;
    uint64_t receive_queue, send_queue; /* of a listener: how many wait, how many may */
    uint64_t timer, retransmits;
    int64_t pid, peer_pid; /* the eldest holder here and at the other end; 0: none is known */
};

/* A process holds a socket. */
struct snap_holder {
    int64_t pid;
    uint64_t descriptor, inode;
};

/* A file that a process has open; pipes, sockets and what has no path are only counted. */
struct snap_file {
    int64_t pid;
    uint64_t descriptor;
    struct slice path; /* as the kernel names it, " (deleted)" and all */
};

enum snap_answer { SNAP_NOT_ASKED, SNAP_ANSWERED, SNAP_SILENT, SNAP_REFUSED };

struct snap_mount {
    uint64_t id, parent, major, minor;
    struct slice root, point, options, type, source, super_options;
    uint64_t answer;                                 /* enum snap_answer: to statfs, in a process of its own */
    uint64_t bytes, bytes_free, inodes, inodes_free; /* free: for users who are not root */
    uint64_t errors;                                 /* ext4 counts them, also over restarts */
    uint64_t first_error_s;                          /* when, since 1970 */
    struct slice first_error_at;                     /* a function of the kernel */
};

struct snap_disk {
    struct slice name;
    uint64_t major, minor;
    uint64_t in_flight, in_flight_after; /* at the first look and at the last */
    uint64_t done, done_after;           /* reads and writes completed */
    uint64_t busy_ms;
    uint64_t waited_ms, waited_ms_after; /* all requests together, from asking to the answer */
    struct slice state;                  /* of a SCSI or NVMe device, "running", "offline"; empty: not told */
    uint64_t errors, timeouts;           /* as SCSI counts them */
    struct slice raid_level, raid_state; /* of an md array: "raid1", "clean" */
    uint64_t raid_disks, raid_missing;
    struct slice health; /* what the disk says of itself (SMART), "good", "failing"; empty: not told */
};

/* A figure of the kernel: memory.MemTotal_kib, pressure.io.full.avg10_centi, load.one_centi ... */
struct snap_gauge {
    struct slice name;
    uint64_t value;
};

struct snap_address {
    uint64_t network, bits;
    struct addr address;
    struct slice interface;
};

struct snap_interface {
    uint64_t network, number;
    struct slice name, state, hardware; /* state: "up", "down" ...; hardware: its address in hex */
    bool promiscuous;
    uint64_t mtu, errors, dropped; /* of both directions */
};

struct snap_neighbour {
    uint64_t network;
    struct slice interface, state, hardware;
    struct addr address;
};

/* A rule of the firewall, or a chain's policy. */
struct snap_rule {
    uint64_t network;
    struct slice family, table, chain; /* of nftables: "ip" "ip6" "inet" "arp" "bridge" "netdev"; of iptables-legacy:
                                          "iptables" "ip6tables" */
    struct slice hook;                 /* of a chain: "input", "forward" ...; empty: it is a rule */
    struct slice policy;               /* of a chain: "accept", "drop" */
    uint64_t handle, packets, bytes;
    bool counts; /* packets and bytes are told */
    struct slice text;
};

/* A connection that the kernel translates (NAT): how it was opened, and how the answer goes. */
struct snap_track {
    uint64_t network;
    struct slice kind; /* tcp, udp */
    struct addr from, to, reply_from, reply_to;
};

struct snap_login {
    struct slice kind; /* "login" "logout" "boot" "failed" "now" "last" "clock before" "clock after" */
    struct slice user, line, host;
    struct addr address;
    int64_t at_s; /* since 1970 */
    int64_t pid;
};

/* What will be started some day: by cron, or by a timer of systemd. */
struct snap_job {
    struct slice kind; /* "cron" "timer" */
    struct slice source, when, user, command;
    int64_t changed_s; /* its file */
};

/* A log that a process holds open. */
struct snap_log {
    struct slice path;
    int64_t pid;
    uint64_t descriptor;
    uint64_t inode, inode_now;  /* of what it holds, and of what is at the path now; 0: nothing is */
    uint64_t bytes, line_bytes; /* line_bytes: how long a line is on average, at its end; 0: not known */
    int64_t born_us, changed_us;
    uint64_t answer; /* enum snap_answer */
};

struct snap_route {
    uint64_t network;
    struct slice interface;
    struct addr net, gateway;
    uint64_t bits, metric;
};

struct snap_kmsg {
    uint64_t number, level, facility;
    int64_t at_us; /* since boot */
    struct slice text;
};

/* A name in /tmp, /dev and the like that hides or does not belong there. */
struct snap_name {
    struct slice path, why; /* why: "dots", "blank", "control", "dot", "file" */
    struct slice kind;      /* file, folder, link ... */
    uint64_t uid, bytes;
    int64_t changed_s;
};

struct snap_module {
    struct slice name, state, taints;
    uint64_t bytes;
};

struct snap_queue {
    struct slice program, folder; /* postfix, exim, qmail */
    uint64_t messages, answer;
    int64_t oldest_s; /* 0: none */
};

/* A line `nameserver` of /etc/resolv.conf. */
struct snap_resolver {
    struct addr address;
};

/* A port that somebody has, and one of the kernel's lists does not show. */
struct snap_port {
    struct slice kind; /* tcp, udp */
    uint64_t network, port;
    struct addr address;
    int64_t pid;               /* who holds its socket; 0: not known */
    struct slice shown, lacks; /* "the process itself", "/proc/net/tcp" ... */
};

/* A file that is not as its package, or a twin's manifest, has it. */
struct snap_package {
    struct slice path, package, version;
    struct slice what; /* "changed" "missing" "mode" "owner" "unpackaged" "configuration" "unreadable" */
    struct slice is, should;
    int64_t changed_s;
};

/* A package that is installed; only in pictures that serviola audit takes. */
struct snap_installed {
    struct slice name, version, architecture;
    struct slice programs; /* its executables that listen somewhere, with a blank between; empty: none */
};

/* What this picture lacks, and why. */
struct snap_note {
    struct slice part, text;
};

enum snap_part {
    SNAP_HOST,
    SNAP_PROCESS,
    SNAP_SOCKET,
    SNAP_HOLDER,
    SNAP_MOUNT,
    SNAP_DISK,
    SNAP_GAUGE,
    SNAP_ADDRESS,
    SNAP_ROUTE,
    SNAP_KMSG,
    SNAP_NAME,
    SNAP_MODULE,
    SNAP_QUEUE,
    SNAP_NOTE,
    SNAP_INTERFACE,
    SNAP_NEIGHBOUR,
    SNAP_RULE,
    SNAP_TRACK,
    SNAP_LOGIN,
    SNAP_JOB,
    SNAP_LOG,
    SNAP_RESOLVER,
    SNAP_PORT,
    SNAP_PACKAGE,
    SNAP_FILE,
    SNAP_INSTALLED,
    SNAP_PARTS
};

struct snap_array {
    void *at; /* owned */
    size_t count, cap;
    uint64_t lost; /* did not fit */
};

/* Who signed the file that a picture was read from (snap/seal). */
struct snap_seal {
    bool is_signed;
    uint64_t segment;          /* of the journal: whose key it was */
    char journal[65], key[65]; /* in hex: the journal's id, and the key */
    char why[200];             /* not signed: why not */
};

struct snap {
    struct snap_seal seal;
    struct snap_array part[SNAP_PARTS];
    uint8_t *texts; /* owned; never moves */
    size_t texts_used;
    uint64_t texts_lost;
};

struct snap *snap_new(struct err *e);
void snap_free(struct snap *s); /* NULL is fine */

/* A zeroed record of that part; NULL when the part is full (it is counted) or memory is. */
void *snap_add(struct snap *s, enum snap_part part);
/* A copy that lives as long as the snap; empty when there is no room (it is counted). */
struct slice snap_keep(struct snap *s, struct slice bytes);
struct slice snap_keep_text(struct snap *s, const char *terminated);
void snap_note(struct snap *s, const char *part, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The host's record; a picture that has none gets one of zeros. */
const struct snap_host *snap_host(const struct snap *s);

/* SNAP_LIST(snap, SNAP_MOUNT, struct snap_mount, m) { ... m->point ... } */
#define SNAP_LIST(snap, which, type, name)                                                                             \
    for (const type *name = (snap)->part[which].at, *name##_end = name ? name + (snap)->part[which].count : NULL;      \
         name && name < name##_end; name++)

/* --- what each kind of record consists of, for whoever carries or shows it */

enum snap_type { SNAP_TYPE_END, SNAP_TYPE_TEXT, SNAP_TYPE_U64, SNAP_TYPE_I64, SNAP_TYPE_FLAG, SNAP_TYPE_ADDR };

struct snap_field {
    const char *name;
    struct slice label; /* "name": */
    enum snap_type type;
    size_t offset;
};

/* Whether the field of that record is an empty text, 0, false or no address; here, since it is asked for each of the
 * fields of twenty thousand sockets. */
static inline bool snap_field_is_empty(const struct snap_field *f, const void *record)
{
    const void *at = (const uint8_t *)record + f->offset;

    switch (f->type) {
    case SNAP_TYPE_TEXT:
        return ((const struct slice *)at)->len == 0;
    case SNAP_TYPE_U64:
    case SNAP_TYPE_I64:
        return *(const uint64_t *)at == 0;
    case SNAP_TYPE_FLAG:
        return !*(const bool *)at;
    case SNAP_TYPE_ADDR:
        return ((const struct addr *)at)->family == 0;
    case SNAP_TYPE_END:
        break;
    }
    return true;
}

struct snap_kind {
    const char *name; /* "process" */
    size_t size;
    size_t most;                     /* records in a part */
    const struct snap_field *fields; /* ends with SNAP_TYPE_END */
};
extern const struct snap_kind snap_kinds[SNAP_PARTS];
#endif
