/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kernel - those few members of the kernel's own structs that walk.bpf.c reads.
 *
 * Only names and types count: libbpf looks up where the running kernel has
 * them (CO-RE), so neither its headers nor its BTF are needed to build.  What
 * changed its shape between kernels is here twice, the older one with three
 * underscores behind its name.
 */
#ifndef SERVIOLA_SYS_ITER_KERNEL_H
#define SERVIOLA_SYS_ITER_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;
typedef u8 __u8;
typedef u16 __u16;
typedef u32 __u32;
typedef u64 __u64;
typedef s64 __s64;
typedef int __s32;
typedef u16 __be16;
typedef u32 __be32;
typedef u32 __wsum;
typedef _Bool bool;

enum { BPF_MAP_TYPE_PERCPU_ARRAY = 6 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    u32 val;
} kuid_t;
typedef struct {
    int counter;
} atomic_t;
typedef struct {
    s64 counter;
} atomic64_t;
typedef struct refcount_struct {
    atomic_t refs;
} refcount_t;

struct ns_common {
    u32 inum;
};
struct net {
    struct ns_common ns;
};
typedef struct {
    struct net *net;
} possible_net_t;
struct nsproxy {
    struct net *net_ns;
};
struct upid {
    int nr;
    void *ns;
};
struct pid {
    u32 level;
    struct upid numbers[1];
};
struct rlimit {
    unsigned long rlim_cur, rlim_max;
};
struct sched_entity {
    u64 sum_exec_runtime;
};
struct signal_struct {
    unsigned long long sum_sched_runtime;
    int nr_threads;
    struct pid *pids[4];
    struct rlimit rlim[16];
};
struct cred {
    kuid_t euid;
};
struct dentry;
struct vfsmount;
struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};
struct fs_struct {
    struct path pwd;
};
struct super_block {
    unsigned long s_magic;
};
struct inode {
    u16 i_mode;
    struct super_block *i_sb;
    unsigned long i_ino;
    u32 i_rdev;
};
struct file {
    struct inode *f_inode;
    u32 f_flags;
    struct path f_path;
};
struct percpu_counter {
    s64 count;
};
struct mm_struct {
    unsigned long arg_start, arg_end;
    struct file *exe_file;
    struct percpu_counter rss_stat[4];
};
struct mm_rss_stat___old { /* before 6.2 */
    atomic64_t count[4];
};
struct mm_struct___old {
    struct mm_rss_stat___old rss_stat;
};
struct kthread {
    char *full_name;
};
struct css_set;
struct task_struct {
    u32 __state;
    u32 flags;
    int exit_state;
    int pid, tgid;
    struct task_struct *real_parent;
    struct pid *thread_pid;
    void *worker_private;
    struct sched_entity se;
    u64 start_boottime;
    const struct cred *cred;
    char comm[16];
    struct mm_struct *mm;
    struct fs_struct *fs;
    struct nsproxy *nsproxy;
    struct signal_struct *signal;
    struct css_set *cgroups;
};

struct in6_addr {
    u8 s6_addr[16]; /* a union there; only the whole is read */
};
struct sock_common {
    __be32 skc_daddr, skc_rcv_saddr;
    __be16 skc_dport;
    u16 skc_num;
    u16 skc_family;
    volatile u8 skc_state;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
    atomic64_t skc_cookie;
};
struct hlist_node {
    struct hlist_node **pprev;
};
struct timer_list {
    struct hlist_node entry;
};
struct sk_buff_head {
    u32 qlen;
};
struct socket;
struct sock_backlog {
    atomic_t rmem_alloc;
};
struct sock {
    struct sock_common __sk_common;
    struct sk_buff_head sk_receive_queue;
    struct sock_backlog sk_backlog;
    struct socket *sk_socket;
    refcount_t sk_wmem_alloc;
    struct timer_list sk_timer;
    kuid_t sk_uid;
    u16 sk_type, sk_protocol;
    u32 sk_ack_backlog, sk_max_ack_backlog;
};
struct socket {
    struct file *file;
    struct sock *sk;
};
struct socket_alloc {
    struct socket socket;
    struct inode vfs_inode;
};
struct inet_sock {
    struct sock sk;
};
struct inet_connection_sock {
    struct inet_sock icsk_inet;
    u8 icsk_retransmits, icsk_pending, icsk_probes_out;
};
struct tcp_sock {
    struct inet_connection_sock inet_conn;
    u32 rcv_nxt, copied_seq, write_seq, snd_una;
};
struct inet_timewait_sock {
    volatile u8 tw_substate;
};
struct tcp_timewait_sock {
    struct inet_timewait_sock tw_sk;
};
struct udp_sock {
    struct inet_sock inet;
};
struct sockaddr_un {
    u16 sun_family;
    char sun_path[108];
};
struct unix_address {
    int len; /* the family's two bytes included */
    struct sockaddr_un name[1];
};
struct unix_sock {
    struct sock sk;
    struct unix_address *addr;
    struct sock *peer;
};

struct seq_file;
struct bpf_iter_meta {
    struct seq_file *seq;
};
struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};
struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    u32 fd;
    struct file *file;
};
struct bpf_iter__tcp {
    struct bpf_iter_meta *meta;
    struct sock_common *sk_common;
};
struct bpf_iter__udp {
    struct bpf_iter_meta *meta;
    struct udp_sock *udp_sk;
};
struct bpf_iter__unix {
    struct bpf_iter_meta *meta;
    struct unix_sock *unix_sk;
};

#pragma clang attribute pop
#endif
