/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - what the collectors of one picture share.
 */
#ifndef SERVIOLA_SENSE_XRAY_INNER_H
#define SERVIOLA_SENSE_XRAY_INNER_H
#include "base/text.h"
#include "sense/xray/helper.h"
#include "sense/xray/xray.h"
#include "snap/join.h"
#include "snap/snap.h"
#include "wire/diag.h"

enum { XRAY_FRESH = 64, XRAY_PARTNERS = 256 };
enum { XRAY_ROOM = 256 << 10, XRAY_PIDS = 4 << 20, XRAY_MOUNTS_ASKED = 64, XRAY_PATIENCE_MS = 1500 };

struct xray {
    struct snap *s;
    const struct xray_wish *wish;
    int proc;      /* /proc */
    uint8_t *room; /* XRAY_ROOM bytes; owned: what the last read gave */
    int64_t *pids; /* owned: of xray_list */
    size_t pids_count;
    uint8_t *listed;         /* a bit a pid: in the listing of /proc */
    uint8_t *shown;          /* ... and something stands behind its name there */
    struct iterate *iterate; /* owned; NULL: /proc is read */
    int64_t deadline_ms;     /* for whatever may hang; CLOCK_BOOTTIME */
    uint64_t tick_hz, page_bytes;
    int64_t self;                                       /* our own pid */
    size_t early_processes, early_holders, early_files; /* records of xray_newest, at the beginning of their parts */
    struct {         /* who was forked since xray_newest, and is looked at when it has had the time to open something */
        bool wanted; /* while connections are listed */
        int64_t last_pid;
        int64_t pid[XRAY_FRESH], seen_us[XRAY_FRESH]; /* a ring */
        size_t from, count;
    } fresh;
    struct { /* what was last read, and as it is shown: many workers have the same */
        uint8_t raw[1024];
        size_t len;
        struct slice shown;
    } args;
    struct { /* of partner.c */
        int fd;
        size_t first_holder; /* of a newcomer */
        struct diag_socket at[XRAY_PARTNERS];
        size_t count;
    } partners;

    struct helper asked[XRAY_MOUNTS_ASKED]; /* a statfs each */
    size_t mount_of[XRAY_MOUNTS_ASKED];     /* index into the part */
    size_t asked_count;
    struct helper names, queues, logins, jobs, logs, health;
};

/* One way to see sockets, processes and who holds what. */
struct xray_back_end {
    const char *name;                                /* as in snap_host.back_end */
    bool (*begin)(struct xray *x, struct text *why); /* false: it can't be had, and why; true: why it is taken */
    void (*sockets_and_processes)(struct xray *x);
};

/* A file below `folder`, into x->room; what it holds up to that size, empty when it can't be read. */
struct slice xray_read(struct xray *x, int folder, const char *path);
/* What one read gives, which is all of a process's `stat`, `cmdline` or `cgroup`. */
struct slice xray_read_once(struct xray *x, int folder, const char *path);
/* What xray_read gives, kept. */
struct slice xray_keep(struct xray *x, int folder, const char *path);
/* What a link says; empty when it can't be read. */
struct slice xray_link(struct xray *x, int folder, const char *path);
void xray_gauge(struct xray *x, uint64_t value, const char *format, ...) __attribute__((format(printf, 3, 4)));

void xray_host(struct xray *x);
void xray_figures(struct xray *x); /* memory, pressure, load, modules, routes */
void xray_kmsg(struct xray *x);

void xray_clock_end(struct xray *x);

int64_t xray_last_pid(struct xray *x); /* the number that the kernel gave last, to a process or thread; 0: not known */
void xray_newest(struct xray *x);      /* before the sockets: who may be gone after them */
void xray_newcomers(struct xray *x);   /* between two looks at sockets: who was forked in the meantime */
void xray_partners_begin(struct xray *x);                          /* after xray_newest, before the sockets */
void xray_partner_of(struct xray *x, const struct diag_socket *s); /* if a newcomer has it */
void xray_partners_of(struct xray *x, size_t from);       /* the newest newcomer's, its holders from there on */
void xray_partners_end(struct xray *x, uint64_t network); /* those that were not listed */
void xray_processes(struct xray *x);
bool xray_list(struct xray *x); /* only which pids /proc lists: x->pids */
/* Those of them that have no record, by /proc; how many it could tell of. */
unsigned xray_processes_left(struct xray *x, bool (*has_record)(const struct xray *x, int64_t pid));
void xray_processes_again(struct xray *x); /* how many came meanwhile */
void xray_shown(struct xray *x, int64_t pid);
void xray_open_file(struct xray *x, int64_t pid, uint64_t descriptor, struct slice path);
/* A task in state D, out of its folder. */
void xray_waiter(struct xray *x, struct snap_process *p, int folder);
/* `wanted`: how long its arguments are, as the kernel has it. */
void xray_arguments(struct xray *x, struct snap_process *p, int folder, const char *path, uint64_t wanted);
void xray_image(struct snap_process *p); /* what kind of executable, by its name */
void xray_unlisted(struct xray *x);      /* after xray_processes and xray_mounts */
void xray_images(struct xray *x);        /* whose executable is deleted, whose replaced */

void xray_socket(struct xray *x, const char *kind, uint64_t network, const struct diag_socket *from);
void xray_sockets_listed(struct xray *x, int fd, uint64_t network); /* by sock_diag, in the namespace of `fd` */
void xray_sockets_here(struct xray *x);                             /* with the network and the firewall */
void xray_sockets_left(struct xray *x);                             /* those that sock_diag lists, and no record has */
void xray_sockets_elsewhere(struct xray *x);                        /* after xray_processes */
void xray_sockets_again(struct xray *x);                            /* what appeared and vanished meanwhile */

/* The iterators of sys/iter/: begin tells why they can't be had, and has read processes and descriptors when they can.
 */
bool iterate_begin(struct xray *x, struct text *why);
bool iterate_records(struct xray *x); /* false: there are processes that it was not told of */
/* Links that give what nobody holds in the namespace that they are opened in, ITERATE_REST descriptors. */
enum { ITERATE_REST = 3 };
bool iterate_open_rest(const struct iterate *it, int fds[ITERATE_REST]);
void iterate_rest(struct xray *x, const int fds[ITERATE_REST]);
void iterate_end(struct xray *x); /* what appeared and vanished */
void iterate_free(struct iterate *it);

/* Netlink, also with a socket out of another namespace: -1 with errno when the kernel can't tell. */
int netlink_open(int protocol);
int netlink_ask(struct xray *x, int fd, const void *question, size_t len,
                void (*message)(void *own, const struct diag_message *m), void *own);
int netlink_ask_inet(struct xray *x, int fd, uint8_t family, uint8_t protocol,
                     void (*message)(void *own, const struct diag_message *m), void *own);
int netlink_ask_tcp(struct xray *x, int fd, uint32_t states, void (*message)(void *own, const struct diag_message *m),
                    void *own);
void xray_network(struct xray *x, int fd, uint64_t network);  /* interfaces, addresses, routes, neighbours */
void xray_tracks(struct xray *x, int fd, uint64_t network);   /* what is translated */
void xray_firewall(struct xray *x, int fd, uint64_t network); /* all tables of nftables */
/* Those of iptables-legacy: for each family the list of tables and a socket, of the namespace they are opened in. */
enum { LEGACY_EYES = 4 };
void legacy_open(int fds[LEGACY_EYES]); /* -1: not in this kernel, or we may not */
void xray_legacy(struct xray *x, const int fds[LEGACY_EYES], uint64_t network);

void xray_mounts(struct xray *x); /* begins to ask them */
void xray_mounts_answers(struct xray *x);
void xray_disks(struct xray *x);
void xray_disks_again(struct xray *x);
void xray_health_begin(struct xray *x); /* after xray_disks */
void xray_health_end(struct xray *x);

/* What lies in files is looked at by helpers: they begin early and are heard at the end. */
void xray_names_begin(struct xray *x);
void xray_names_end(struct xray *x);
void xray_queues_begin(struct xray *x);
void xray_queues_end(struct xray *x);
void xray_logins_begin(struct xray *x);
void xray_logins_end(struct xray *x);
void xray_jobs_begin(struct xray *x);
void xray_jobs_end(struct xray *x);
bool xray_log_named(struct slice path); /* it is called as logs are */
void xray_log_seen(struct xray *x, int64_t pid, uint64_t descriptor, struct slice path);
void xray_logs_begin(struct xray *x); /* after xray_processes */
void xray_logs_end(struct xray *x);
/* Takes what such a helper said; `folders` may be what it hangs on. */
void xray_helper_end(struct xray *x, struct helper *h, enum snap_part part, const char *folders);

void xray_packages(struct xray *x, const char *against); /* against: a twin's manifest; NULL: what dpkg knows */
void xray_ports(struct xray *x, const struct join *j, bool deep); /* who has a port that is not listed */
#endif
