/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * walk - runs in the kernel: every process, every descriptor with its socket, and the sockets that nobody holds.
 *
 * One pass over the descriptors gives each socket together with who holds
 * it, so one that lives for 50 ms is seen whole or not at all; /proc needs
 * two looks, and it is gone between them.  Only members of typed pointers are
 * read: a pointer that ends badly gives zero.
 */
#include "sys/iter/kernel.h"
/* before the helpers' headers, which want its types */
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "sys/iter/record.h"

/* The kernel hands some of its helpers only to programs under the GPL; this is the name it knows the licence by. */
char LICENSE[] SEC("license") = "GPL";

enum {
    KIND = 0170000,
    SOCKET = 0140000,
    PIPE = 0010000,
    DEVICE = 0020000,
    NULL_DEVICE = 1 << 20 | 3,
    PIPES = 0x50495045, /* file systems of things without a path */
    NAMELESS = 0x09041934,
    KERNEL_THREAD = 0x00200000,
    UNINTERRUPTIBLE = 2,
    NO_LOAD = 0x400, /* of a task that is idle, and not stuck */
    LOCK_WAIT = 0x1000,
    FROZEN = 0x8000,
    AF_UNIX = 1,
    AF_INET = 2,
    AF_INET6 = 10,
    TCP = 6,
    STREAM = 1,
    TIME_WAIT = 6,
    LISTENING = 10,
    NEW_SYN_RECV = 12,
    SYN_RECV = 3,
    OF_PROCESS = 1, /* index into signal_struct.pids */
    TASKS_LIMIT = 6,
    FILES_LIMIT = 7,
};

/*
 * Since 6.4 the verifier looks through all names of the kernel's types, four
 * times, for each pointer that is read out of one it trusts: 70 ms for the
 * walk over processes.  Out of a pointer that it does not trust it reads as
 * well, and looks for nothing.
 */
extern int LINUX_KERNEL_VERSION __kconfig;
extern void *bpf_rdonly_cast(const void *pointer, u32 type) __ksym __weak; /* since 6.2 */
#define PLAIN(type, pointer)                                                                                           \
    (LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 4, 0)                                                                   \
         ? (type *)bpf_rdonly_cast((pointer), bpf_core_type_id_kernel(type))                                           \
         : (type *)(pointer))

/* In the reader's pid namespace; 0: it is not there. */
static __always_inline int seen_pid(const struct task_struct *t)
{
    const struct task_struct *reader = PLAIN(struct task_struct, bpf_get_current_task_btf());
    u32 level = reader->thread_pid->level;
    struct pid *pid;
    int nr = 0;

    if (level == 0)
        return t->tgid;
    pid = t->signal->pids[OF_PROCESS];
    if (!pid || pid->level < level)
        return 0;
    (void)bpf_probe_read_kernel(&nr, sizeof(nr),
                                (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                                    level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
    return nr;
}

static __always_inline int seen_thread(const struct task_struct *t)
{
    const struct task_struct *reader = PLAIN(struct task_struct, bpf_get_current_task_btf());
    u32 level = reader->thread_pid->level;
    struct pid *pid = t->thread_pid;
    int nr = 0;

    if (level == 0)
        return t->pid;
    if (!pid || pid->level < level)
        return 0;
    (void)bpf_probe_read_kernel(&nr, sizeof(nr),
                                (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                                    level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
    return nr;
}

static __always_inline bool is_stuck(u32 state)
{
    return (state & (LOCK_WAIT | FROZEN)) || (state & (UNINTERRUPTIBLE | NO_LOAD)) == UNINTERRUPTIBLE;
}

/* The letter of /proc/PID/stat: that of the highest bit. */
static __always_inline char letter(const struct task_struct *t)
{
    u32 state = t->__state;
    u32 bits = (state | (u32)t->exit_state) & 0x7f;

    if ((state & (UNINTERRUPTIBLE | NO_LOAD)) == (UNINTERRUPTIBLE | NO_LOAD))
        return 'I';
    if (state & (LOCK_WAIT | FROZEN))
        return 'D';
    if (bits & 0x40)
        return 'P';
    if (bits & 0x20)
        return 'Z';
    if (bits & 0x10)
        return 'X';
    if (bits & 0x08)
        return 't';
    if (bits & 0x04)
        return 'T';
    if (bits & 0x02)
        return 'D';
    return bits & 0x01 ? 'S' : 'R';
}

/* Files, anonymous memory, shared memory; what is swapped out is no part of it. */
static __always_inline s64 resident(const struct mm_struct *mm)
{
    s64 sum = 0;

    if (bpf_core_type_exists(struct mm_rss_stat___old)) {
        const struct mm_struct___old *old = (const void *)mm;

        sum += BPF_CORE_READ(old, rss_stat.count[0].counter);
        sum += BPF_CORE_READ(old, rss_stat.count[1].counter);
        sum += BPF_CORE_READ(old, rss_stat.count[3].counter);
        return sum;
    }
    sum += BPF_CORE_READ(mm, rss_stat[0].count);
    sum += BPF_CORE_READ(mm, rss_stat[1].count);
    sum += BPF_CORE_READ(mm, rss_stat[3].count);
    return sum;
}

static __always_inline void name(struct iter_process *r, struct task_struct *t)
{
    if ((t->flags & KERNEL_THREAD) && bpf_core_field_exists(struct kthread, full_name)) {
        const struct kthread *k = t->worker_private;
        const char *full = k ? BPF_CORE_READ(k, full_name) : 0;

        if (full && bpf_probe_read_kernel_str(r->comm, sizeof(r->comm), full) > 1)
            return;
    }
    (void)bpf_probe_read_kernel_str(r->comm, 16, t->comm);
}

static __always_inline void memory(struct iter_process *r, const struct task_struct *t)
{
    const struct mm_struct *mm = t->mm;
    const struct file *exe;

    if (!mm)
        return;
    r->args_bytes = mm->arg_end - mm->arg_start;
    r->rss_pages = resident(mm);
    exe = mm->exe_file;
    if (exe) {
        r->exe[0] = (u64)exe->f_path.dentry;
        r->exe[1] = (u64)exe->f_path.mnt;
        r->exe[2] = exe->f_inode->i_ino;
    }
}

SEC("iter/task")
int walk_tasks(struct bpf_iter__task *ctx)
{
    struct task_struct *t = ctx->task;
    struct iter_process r = {};

    if (!t)
        return 0;
    t = PLAIN(struct task_struct, t);
    if (t->pid != t->tgid) {
        struct iter_waiter w = { .head = { sizeof(w), ITER_WAITER, 0 } };

        if (is_stuck(t->__state)) {
            w.head.pid = seen_pid(t);
            w.thread = seen_thread(t);
            bpf_seq_write(ctx->meta->seq, &w, sizeof(w));
        }
        return 0;
    }
    r.head.size = sizeof(r);
    r.head.kind = ITER_PROCESS;
    r.head.pid = seen_pid(t);
    r.parent = seen_pid(t->real_parent);
    r.flags = t->flags;
    r.threads = (u32)t->signal->nr_threads;
    r.uid = t->cred->euid.val;
    if (t->nsproxy)
        r.network = t->nsproxy->net_ns->ns.inum;
    r.state = letter(t);
    r.started_ns = t->start_boottime;
    r.descriptors_most = t->signal->rlim[FILES_LIMIT].rlim_cur;
    r.tasks_most = t->signal->rlim[TASKS_LIMIT].rlim_cur;
    r.groups = (u64)t->cgroups;
    if (t->fs) {
        r.cwd[0] = (u64)t->fs->pwd.dentry;
        r.cwd[1] = (u64)t->fs->pwd.mnt;
    }
    memory(&r, t);
    name(&r, t);
    bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
    return 0;
}

/* What the recorder wants each second, and no more. */
SEC("iter/task")
int walk_glance(struct bpf_iter__task *ctx)
{
    struct task_struct *t = ctx->task;
    struct iter_glimpse r = { .head = { sizeof(r), ITER_GLIMPSE, 0 } };
    const struct mm_struct *mm;

    if (!t)
        return 0;
    t = PLAIN(struct task_struct, t);
    if (t->pid != t->tgid) {
        struct iter_ran ran = { .head = { sizeof(ran), ITER_RAN, seen_pid(t) }, .ran_ns = t->se.sum_exec_runtime };

        bpf_seq_write(ctx->meta->seq, &ran, sizeof(ran));
        return 0;
    }
    r.head.pid = seen_pid(t);
    r.parent = seen_pid(t->real_parent);
    r.flags = t->flags;
    r.threads = (u32)t->signal->nr_threads;
    r.state = letter(t);
    r.started_ns = t->start_boottime;
    r.ran_ns = t->se.sum_exec_runtime + t->signal->sum_sched_runtime;
    mm = t->mm;
    if (mm) {
        s64 pages = resident(mm);

        r.rss_pages = pages > 0 ? (u64)pages : 0;
    }
    (void)bpf_probe_read_kernel_str(r.comm, sizeof(r.comm), t->comm);
    bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
    return 0;
}

/* --- sockets */

/* What has a path behind its record: too big for the kernel's stack. */
struct room {
    union {
        struct iter_file file;
        struct iter_socket socket;
    };
    char path[ITER_PATH + 8];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct room);
} rooms SEC(".maps");

static __always_inline u16 swapped(u16 n)
{
    return (u16)(n << 8 | n >> 8);
}

static __always_inline void common(struct iter_socket *r, const struct sock_common *of)
{
    const struct sock_common *k = PLAIN(struct sock_common, of);

    r->network = k->skc_net.net->ns.inum;
    r->cookie = (u64)k->skc_cookie.counter;
    r->identity = (u64)k;
    r->family = k->skc_family;
    r->state = k->skc_state;
    r->local_port = k->skc_num;
    r->remote_port = swapped(k->skc_dport);
    if (r->family == AF_INET) {
        *(u32 *)r->local = k->skc_rcv_saddr;
        *(u32 *)r->remote = k->skc_daddr;
    } else if (r->family == AF_INET6) {
        (void)bpf_core_read(r->local, 16, &k->skc_v6_rcv_saddr);
        (void)bpf_core_read(r->remote, 16, &k->skc_v6_daddr);
    }
}

/* As the kernel's inet_diag has it. */
static __always_inline void tcp(struct iter_socket *r, const struct tcp_sock *t)
{
    const struct inet_connection_sock *c = &t->inet_conn;
    const struct sock *k = &c->icsk_inet.sk;
    u8 pending = c->icsk_pending;

    if (pending == 1 || pending == 5 || pending == 6) { /* again, the reordered, a probe for loss */
        r->timer = 1;
        r->retransmits = c->icsk_retransmits;
    } else if (pending == 3) {
        r->timer = 4;
        r->retransmits = c->icsk_probes_out;
    } else if (k->sk_timer.entry.pprev) {
        r->timer = 2;
        r->retransmits = c->icsk_probes_out;
    }
    if (r->state == LISTENING) {
        r->receive_queue = k->sk_ack_backlog;
        r->send_queue = k->sk_max_ack_backlog;
    } else {
        s64 waits = (s64)(int)(t->rcv_nxt - t->copied_seq);

        r->receive_queue = waits > 0 ? (u32)waits : 0;
        r->send_queue = t->write_seq - t->snd_una;
    }
}

/* The bytes of its name that now follow the record. */
static __always_inline u32 local_socket(struct iter_socket *r, const struct unix_sock *u, char *path)
{
    const struct unix_address *a = u->addr;
    const struct sock *peer = u->peer;
    u64 len;

    if (r->state == LISTENING) {
        r->receive_queue = u->sk.sk_receive_queue.qlen;
        r->send_queue = u->sk.sk_max_ack_backlog;
    } else {
        r->send_queue = (u32)u->sk.sk_wmem_alloc.refs.counter - 1;
    }
    if (peer && peer->sk_socket && peer->sk_socket->file)
        r->peer_inode = peer->sk_socket->file->f_inode->i_ino;
    if (!a)
        return 0;
    len = (u32)a->len;
    barrier_var(len); /* or the compiler checks a copy, and the verifier does not see it */
    if (len <= 2 || len > ITER_UNIX_PATH + 2)
        return 0;
    len -= 2;
    if (bpf_probe_read_kernel(path, (u32)len, (void *)a + bpf_core_field_offset(struct unix_address, name) + 2) < 0)
        return 0;
    r->behind = (u8)len;
    return (u32)len;
}

/* Who holds it is in the record already; the bytes behind it. */
static __always_inline u32 full(struct iter_socket *r, struct sock *k, char *path)
{
    struct tcp_sock *t;
    struct unix_sock *u;

    common(r, &k->__sk_common);
    r->type = k->sk_type;
    r->protocol = k->sk_protocol;
    r->uid = k->sk_uid.val;
    if (r->family == AF_UNIX) {
        u = bpf_skc_to_unix_sock(k);
        return u ? local_socket(r, u, path) : 0;
    }
    if (r->type == STREAM && r->protocol == TCP && (t = bpf_skc_to_tcp_sock(k))) {
        tcp(r, t);
    } else if (r->family == AF_INET || r->family == AF_INET6) {
        r->receive_queue = (u32)k->sk_backlog.rmem_alloc.counter;
        r->send_queue = (u32)k->sk_wmem_alloc.refs.counter - 1;
    }
    return 0;
}

static __always_inline void write_out(struct bpf_iter_meta *meta, struct room *room, u32 fixed, u32 behind)
{
    u32 size = (fixed + behind + 7) & ~7u;

    if (size > sizeof(*room))
        return;
    room->file.head.size = (u16)size;
    bpf_seq_write(meta->seq, room, size);
}

static __always_inline void clear(struct iter_socket *r)
{
    __builtin_memset(r, 0, sizeof(*r));
    r->head.kind = ITER_SOCKET;
}

/* Of a socket that has no descriptor. */
static __always_inline u64 inode_of(struct sock *k)
{
    void *socket = PLAIN(struct sock, k)->sk_socket;
    u64 inode = 0;

    if (socket)
        (void)bpf_probe_read_kernel(&inode, sizeof(inode),
                                    socket - bpf_core_field_offset(struct socket_alloc, socket) +
                                        bpf_core_field_offset(struct socket_alloc, vfs_inode) +
                                        bpf_core_field_offset(struct inode, i_ino));
    return inode;
}

static __always_inline bool is_held(const struct sock *k)
{
    const struct socket *s = PLAIN(struct sock, k)->sk_socket;

    return s && s->file;
}

static __always_inline void unheld(struct bpf_iter_meta *meta, struct sock *k)
{
    struct room *room = bpf_map_lookup_elem(&rooms, &(u32){ 0 });
    u32 behind;

    if (!room)
        return;
    clear(&room->socket);
    room->socket.inode = inode_of(k);
    behind = full(&room->socket, k, (char *)(&room->socket + 1));
    write_out(meta, room, sizeof(room->socket), behind);
}

SEC("iter/task_file")
int walk_files(struct bpf_iter__task_file *ctx)
{
    struct task_struct *t = ctx->task;
    struct file *f = ctx->file;
    struct iter_open open = { .head = { sizeof(open), ITER_OPEN, 0 } };
    struct room *room = bpf_map_lookup_elem(&rooms, &(u32){ 0 });
    struct inode *i;
    struct socket *s;
    struct sock *k;
    long behind;
    u32 kind;

    if (!t || !f || !room)
        return 0;
    t = PLAIN(struct task_struct, t);
    i = PLAIN(struct file, f)->f_inode;
    kind = i->i_mode & KIND;
    if (kind == SOCKET && (s = bpf_sock_from_file(f)) && (k = s->sk)) {
        clear(&room->socket);
        room->socket.head.pid = seen_pid(t);
        room->socket.descriptor = (int)ctx->fd;
        room->socket.inode = i->i_ino;
        behind = full(&room->socket, k, (char *)(&room->socket + 1));
        write_out(ctx->meta, room, sizeof(room->socket), (u32)behind);
        return 0;
    }
    open.head.pid = seen_pid(t);
    if (kind == SOCKET || (kind == DEVICE && i->i_rdev == NULL_DEVICE) || (kind == PIPE && i->i_sb->s_magic == PIPES) ||
        i->i_sb->s_magic == NAMELESS) {
        bpf_seq_write(ctx->meta->seq, &open, sizeof(open));
        return 0;
    }
    behind = bpf_d_path(&f->f_path, (char *)(&room->file + 1), ITER_PATH);
    if (behind < 2 || behind > ITER_PATH) {
        bpf_seq_write(ctx->meta->seq, &open, sizeof(open));
        return 0;
    }
    room->file.head.kind = ITER_FILE;
    room->file.head.pid = open.head.pid;
    room->file.descriptor = (int)ctx->fd;
    room->file.flags = f->f_flags;
    room->file.behind = (u32)behind - 1;
    write_out(ctx->meta, room, sizeof(room->file), (u32)behind - 1);
    return 0;
}

SEC("iter/tcp")
int walk_tcp(struct bpf_iter__tcp *ctx)
{
    struct sock_common *k = ctx->sk_common;
    struct iter_socket r = {};
    struct tcp_sock *t;

    if (!k)
        return 0;
    t = bpf_skc_to_tcp_sock(k);
    if (t && is_held(&t->inet_conn.icsk_inet.sk)) {
        struct iter_owned owned = { .head = { sizeof(owned), ITER_OWNED, 0 }, .identity = (u64)k };

        if (k->skc_dport)
            bpf_seq_write(ctx->meta->seq, &owned, sizeof(owned));
        return 0;
    }
    clear(&r);
    r.head.size = sizeof(r);
    common(&r, k);
    r.type = STREAM;
    r.protocol = TCP;
    if (t) {
        r.inode = inode_of(&t->inet_conn.icsk_inet.sk);
        r.uid = t->inet_conn.icsk_inet.sk.sk_uid.val;
        tcp(&r, t);
    } else if (r.state == NEW_SYN_RECV) {
        r.state = SYN_RECV;
        r.timer = 1;
    } else if (r.state == TIME_WAIT) {
        struct tcp_timewait_sock *w = bpf_skc_to_tcp_timewait_sock(k);

        if (w)
            r.state = w->tw_sk.tw_substate;
        r.timer = 3;
    }
    bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
    return 0;
}

SEC("iter/udp")
int walk_udp(struct bpf_iter__udp *ctx)
{
    struct udp_sock *u = ctx->udp_sk;

    if (u && !is_held(&u->inet.sk))
        unheld(ctx->meta, &u->inet.sk);
    return 0;
}

SEC("iter/unix")
int walk_unix(struct bpf_iter__unix *ctx)
{
    struct unix_sock *u = ctx->unix_sk;

    if (u && !is_held(&u->sk))
        unheld(ctx->meta, &u->sk);
    return 0;
}
