/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * record - what the iterators in the kernel (walk.bpf.c) write, and xray and watch read: one record behind the other,
 * each with its size and kind in front.
 *
 * Included on both sides, so plain types only.  The kernel writes it, so it is trusted as /proc is; sizes are
 * checked all the same.
 */
#ifndef SERVIOLA_SYS_ITER_RECORD_H
#define SERVIOLA_SYS_ITER_RECORD_H

enum {
    ITER_PROCESS = 1, /* struct iter_process */
    ITER_WAITER,      /* struct iter_waiter: a thread in state D that is not its process's first */
    ITER_OPEN,        /* struct iter_open: a descriptor of no interest but its number */
    ITER_FILE,        /* struct iter_file, and its path behind it */
    ITER_SOCKET,      /* struct iter_socket, and a UNIX socket's name behind it */
    ITER_OWNED,       /* struct iter_owned: a connected TCP socket that somebody holds, for the second look */
    ITER_GLIMPSE,     /* struct iter_glimpse: a process, for who looks each second */
    ITER_RAN,         /* struct iter_ran: another thread of one */
};

enum { ITER_NAME = 64, ITER_PATH = 4096, ITER_UNIX_PATH = 108 };

struct iter_head {
    unsigned short size; /* of the record, this included; a multiple of 8 */
    unsigned short kind;
    int pid; /* of the process, in the reader's pid namespace; 0: of none */
};

struct iter_process {
    struct iter_head head;
    int parent;
    unsigned int flags, threads, uid;
    unsigned int network;
    char state; /* as in /proc/PID/stat */
    char pad[3];
    unsigned long long started_ns; /* since boot */
    long long rss_pages;
    unsigned long long args_bytes; /* 0: a thread of the kernel, or gone */
    unsigned long long descriptors_most, tasks_most;
    unsigned long long exe[3], cwd[2], groups; /* who has the same numbers has the same executable, folder, control
                                                  groups; 0: none */
    char comm[ITER_NAME];
};

struct iter_waiter {
    struct iter_head head;
    int thread, pad;
};

struct iter_open {
    struct iter_head head;
};

struct iter_file {
    struct iter_head head;
    int descriptor;
    unsigned int flags;  /* as for open(2) */
    unsigned int behind; /* bytes of the path */
    unsigned int pad;
};

struct iter_socket {
    struct iter_head head;
    int descriptor; /* with head.pid 0: nothing */
    unsigned int network, uid;
    unsigned long long inode, peer_inode, cookie;
    unsigned long long identity; /* the same for the same socket as long as it lives */
    unsigned short family, type, protocol, local_port, remote_port; /* ports in host order */
    unsigned char state, timer, retransmits, behind;                /* behind: bytes of the name */
    unsigned char pad[2];
    unsigned int receive_queue, send_queue;
    unsigned char local[16], remote[16];
};

struct iter_owned {
    struct iter_head head;
    unsigned long long identity;
};

struct iter_glimpse {
    struct iter_head head;
    int parent;
    unsigned int flags, threads;
    char state;
    char pad[3];
    unsigned long long started_ns; /* since boot */
    unsigned long long ran_ns;     /* its first thread, and those that have ended */
    unsigned long long rss_pages;
    char comm[16];
};

struct iter_ran {
    struct iter_head head;
    unsigned long long ran_ns;
};
#endif
