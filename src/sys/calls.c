/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "sys/jail.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define CALL(name) SCMP_SYS(name)

/* Any arguments.  Ends with CALLS_END. */
enum { CALLS_END = -32768 };

static const int base_calls[] = {
    /* memory, but for mmap and mprotect (below) */
    CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(membarrier), CALL(memfd_create),
    /* open descriptors */
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(lseek), CALL(close),
    CALL(close_range), CALL(dup), CALL(dup2), CALL(dup3), CALL(fcntl), CALL(fstat), CALL(ftruncate), CALL(pipe2),
    CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg), CALL(shutdown),
    CALL(getsockname), CALL(getpeername), CALL(getsockopt),
    /* waiting */
    CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(poll),
    CALL(ppoll), CALL(select), CALL(pselect6), CALL(signalfd4), CALL(eventfd2), CALL(timerfd_create),
    CALL(timerfd_settime), CALL(timerfd_gettime), CALL(nanosleep), CALL(clock_nanosleep), CALL(futex),
    CALL(restart_syscall), CALL(sched_yield),
    /* clocks and facts about ourselves */
    CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday), CALL(time), CALL(getrandom), CALL(getpid),
    CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getresuid),
    CALL(getresgid), CALL(getgroups), CALL(capget), CALL(getrusage), CALL(getcpu), CALL(sched_getaffinity), CALL(uname),
    CALL(sysinfo),
    /* signals of our own, the end */
    CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigpending), CALL(sigaltstack), CALL(exit),
    CALL(exit_group),
    /* libc's own set-up of a thread */
    CALL(rseq), CALL(set_robust_list), CALLS_END
};

static const int file_calls[] = { CALL(getdents64), CALL(newfstatat), CALL(fstatat64),  CALL(stat),
                                  CALL(lstat),      CALL(statx),      CALL(access),     CALL(faccessat),
                                  CALL(faccessat2), CALL(readlink),   CALL(readlinkat), CALL(statfs),
                                  CALL(fstatfs),    CALL(getcwd),     CALL(fadvise64),  CALLS_END };

/* What the kernel thinks of its clock; to change that wants a capability that nobody here has. */
static const int clock_calls[] = { CALL(adjtimex), CALL(clock_adjtime), CALLS_END };

static const int write_calls[] = {
    CALL(open),     CALL(openat),          CALL(mkdir),           CALL(mkdirat), CALL(rmdir),
    CALL(rename),   CALL(renameat),        CALL(renameat2),       CALL(unlink),  CALL(unlinkat),
    CALL(fsync),    CALL(fdatasync),       CALL(sync_file_range), CALL(syncfs),  CALL(fallocate),
    CALL(fchmod),   CALL(flock),           CALL(preadv),          CALL(pwritev), CALL(pwritev2),
    CALL(sendfile), CALL(copy_file_range), CALL(umask),           CALLS_END
};

static const int netlink_calls[] = { CALL(bind), CALL(connect), CALL(setsockopt), CALLS_END };
static const int packet_calls[] = { CALL(bind), CALL(setsockopt), CALLS_END };
static const int listen_calls[] = { CALL(bind), CALL(listen), CALL(setsockopt), CALLS_END };
static const int connect_calls[] = { CALL(bind), CALL(connect), CALL(splice), CALLS_END };
static const int accept_calls[] = { CALL(accept), CALL(accept4), CALLS_END };
static const int thread_calls[] = { CALL(sched_setaffinity), CALL(sched_getscheduler), CALL(sched_getparam),
                                    CALL(setpriority), /* without a capability: to be nicer alone */
                                    CALLS_END };

/* The supervisor's filter stays on its children: what they do until their own jail has to be here too. */
static const int spawn_calls[] = { CALL(clone),
                                   CALL(clone3),
                                   CALL(fork),
                                   CALL(vfork),
                                   CALL(execve),
                                   CALL(execveat),
                                   CALL(wait4),
                                   CALL(waitid),
                                   CALL(pidfd_open),
                                   CALL(pidfd_send_signal),
                                   CALL(kill),
                                   CALL(tgkill),
                                   CALL(setgroups),
                                   CALL(setresuid),
                                   CALL(setresgid),
                                   CALL(setuid),
                                   CALL(setgid),
                                   CALL(setsid),
                                   CALL(setpgid),
                                   CALL(getpgrp),
                                   CALL(capset),
                                   CALL(prctl),
                                   CALL(prlimit64),
                                   CALL(setrlimit),
                                   CALL(getrlimit),
                                   CALL(seccomp),
                                   CALL(landlock_create_ruleset),
                                   CALL(landlock_add_rule),
                                   CALL(landlock_restrict_self),
                                   CALL(arch_prctl),
                                   CALL(set_tid_address),
                                   CALL(mmap),
                                   CALL(mprotect),
                                   CALL(mlock),
                                   CALL(mlock2),
                                   CALL(mlockall),
                                   CALL(munlockall),
                                   CALL(msync),
                                   CALL(ioctl),
                                   CALL(socket),
                                   CALL(socketpair),
                                   CALL(bind),
                                   CALL(connect),
                                   CALL(listen),
                                   CALL(setsockopt),
                                   CALL(chdir),
                                   CALL(chmod),
                                   CALL(fchmodat),
                                   CALL(chown),
                                   CALL(fchown),
                                   CALL(lchown),
                                   CALL(fchownat),
                                   CALL(pread64),
                                   CALL(pipe),
                                   CALL(setpriority),
                                   CALL(getpriority),
                                   CALL(sched_setscheduler),
                                   CALL(rt_sigtimedwait),
                                   CALL(truncate),
                                   CALL(link),
                                   CALL(symlink),
                                   CALLS_END };

/* What the sanitizers of a test build want besides. */
static const int sanitizer_calls[] = { CALL(sched_getscheduler), CALL(getpgrp), CALL(mlock), CALLS_END };

static const struct {
    unsigned when; /* any of these bits; 0: always */
    const int *calls;
} sets[] = {
    { 0, base_calls },
    { JAIL_FILES | JAIL_PROC | JAIL_SPAWN, file_calls },
    { JAIL_PROC | JAIL_SPAWN, clock_calls },
    { JAIL_FILES | JAIL_SPAWN, write_calls },
    { JAIL_NETLINK | JAIL_SPAWN, netlink_calls },
    { JAIL_PACKET | JAIL_SPAWN, packet_calls },
    { JAIL_LISTEN | JAIL_SPAWN, listen_calls },
    { JAIL_CONNECT | JAIL_SPAWN, connect_calls },
    { JAIL_ACCEPT | JAIL_SPAWN, accept_calls },
    { JAIL_THREADS | JAIL_SPAWN, thread_calls },
    { JAIL_SPAWN, spawn_calls },
};

struct filter { /* gathers rules; after the first failure the rest does nothing */
    scmp_filter_ctx ctx;
    int fault; /* an errno */
    int call;  /* that could not be added */
};

static struct scmp_arg_cmp is(unsigned argument, uint64_t value)
{
    return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value };
}

/* Of the bits in `mask`, exactly those of `value` are set. */
static struct scmp_arg_cmp has(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value };
}

static void rule(struct filter *f, uint32_t action, int call, unsigned count, const struct scmp_arg_cmp *args)
{
    int result = f->fault ? 0 : seccomp_rule_add_array(f->ctx, action, call, count, args);

    if (result == 0 || result == -EEXIST) /* a wider rule is there */
        return;
    f->fault = -result;
    f->call = call;
}

static void allow_if(struct filter *f, int call, struct scmp_arg_cmp arg)
{
    rule(f, SCMP_ACT_ALLOW, call, 1, &arg);
}

static void allow_set(struct filter *f, const int *calls)
{
    for (; *calls != CALLS_END; calls++)
        rule(f, SCMP_ACT_ALLOW, *calls, 0, NULL);
}

static void allow_memory(struct filter *f)
{
    allow_if(f, CALL(mmap), has(2, PROT_EXEC, 0));
    allow_if(f, CALL(mprotect), has(2, PROT_EXEC, 0));
}

/* Calls that only look at what they are given: stdio asks whether it writes to a terminal, abort ends ourselves. */
static void allow_small(struct filter *f)
{
    static const int asks[] = { PR_GET_SECCOMP,  PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ,
                                PR_GET_DUMPABLE, PR_SET_NAME,         PR_GET_NAME };
    const struct scmp_arg_cmp own_limits[2] = { is(0, 0), is(2, 0) };

    allow_if(f, CALL(ioctl), is(1, TCGETS));
    allow_if(f, CALL(ioctl), is(1, TIOCGWINSZ));
    allow_if(f, CALL(ioctl), is(1, FIONREAD));
    allow_if(f, CALL(newfstatat), is(3, AT_EMPTY_PATH)); /* glibc's fstat */
    allow_if(f, CALL(tgkill), is(0, (uint64_t)getpid()));
    allow_if(f, CALL(socketpair), is(0, AF_UNIX));
    rule(f, SCMP_ACT_ALLOW, CALL(prlimit64), 2, own_limits);
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
        allow_if(f, CALL(prctl), is(0, (uint64_t)asks[i]));
}

static void allow_open(struct filter *f, unsigned calls)
{
    enum { CHANGES = O_ACCMODE | O_CREAT | O_TRUNC };

    if (calls & (JAIL_FILES | JAIL_SPAWN))
        return; /* write_calls has them */
    if (calls & JAIL_PROC) {
        allow_if(f, CALL(open), has(1, CHANGES, O_RDONLY));
        allow_if(f, CALL(openat), has(2, CHANGES, O_RDONLY));
        return;
    }
    rule(f, SCMP_ACT_ERRNO(EACCES), CALL(open), 0, NULL);
    rule(f, SCMP_ACT_ERRNO(EACCES), CALL(openat), 0, NULL);
    rule(f, SCMP_ACT_ERRNO(EACCES), CALL(readlink), 0, NULL);
    rule(f, SCMP_ACT_ERRNO(EACCES), CALL(access), 0, NULL);
}

/* TCP and UDP alone, and the options of a connection: none that filters, marks or redirects. */
static void allow_connections(struct filter *f)
{
    enum { TYPE = 0xf }; /* the rest of the argument is SOCK_CLOEXEC and SOCK_NONBLOCK */
    static const struct {
        int level, name;
    } options[] = {
        { SOL_SOCKET, SO_REUSEADDR },
        { SOL_SOCKET, SO_KEEPALIVE },
        { SOL_SOCKET, SO_LINGER },
        { SOL_SOCKET, SO_SNDBUF },
        { SOL_SOCKET, SO_RCVBUF },
        { SOL_SOCKET, SO_RCVLOWAT },
        { IPPROTO_TCP, TCP_NODELAY },
        { IPPROTO_TCP, TCP_CORK },
        { IPPROTO_TCP, TCP_QUICKACK },
        { IPPROTO_TCP, TCP_KEEPIDLE },
        { IPPROTO_TCP, TCP_KEEPINTVL },
        { IPPROTO_TCP, TCP_KEEPCNT },
        { IPPROTO_TCP, TCP_SYNCNT },
        { IPPROTO_TCP, TCP_USER_TIMEOUT },
        { IPPROTO_TCP, TCP_NOTSENT_LOWAT },
        { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
        { IPPROTO_IP, IP_TOS },
        { IPPROTO_IPV6, IPV6_V6ONLY },
        { IPPROTO_IPV6, IPV6_TCLASS },
    };

    for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
        const struct scmp_arg_cmp stream[2] = { is(0, (uint64_t)family), has(1, TYPE, SOCK_STREAM) };
        const struct scmp_arg_cmp datagram[2] = { is(0, (uint64_t)family), has(1, TYPE, SOCK_DGRAM) };

        rule(f, SCMP_ACT_ALLOW, CALL(socket), 2, stream);
        rule(f, SCMP_ACT_ALLOW, CALL(socket), 2, datagram);
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const struct scmp_arg_cmp option[2] = { is(1, (uint64_t)options[i].level), is(2, (uint64_t)options[i].name) };

        rule(f, SCMP_ACT_ALLOW, CALL(setsockopt), 2, option);
    }
}

static void allow_sockets(struct filter *f, unsigned calls)
{
    if (calls & JAIL_NETLINK)
        allow_if(f, CALL(socket), is(0, AF_NETLINK));
    if (calls & JAIL_PACKET)
        allow_if(f, CALL(socket), is(0, AF_PACKET));
    if (calls & JAIL_LISTEN) {
        allow_if(f, CALL(socket), is(0, AF_INET));
        allow_if(f, CALL(socket), is(0, AF_INET6));
    }
    if (calls & JAIL_CONNECT)
        allow_connections(f);
    if ((calls & (JAIL_RING | JAIL_ACCEPT)) &&
        !(calls & (JAIL_NETLINK | JAIL_PACKET | JAIL_LISTEN | JAIL_CONNECT | JAIL_SPAWN))) {
        allow_if(f, CALL(setsockopt), is(1, SOL_SOCKET));
        allow_if(f, CALL(setsockopt), is(1, SOL_PACKET));
    }
    if (calls & JAIL_ACCEPT) { /* an answer goes out as soon as it is whole */
        const struct scmp_arg_cmp at_once[2] = { is(1, IPPROTO_TCP), is(2, TCP_NODELAY) };
        const struct scmp_arg_cmp whole[2] = { is(1, IPPROTO_TCP), is(2, TCP_CORK) };

        rule(f, SCMP_ACT_ALLOW, CALL(setsockopt), 2, at_once);
        rule(f, SCMP_ACT_ALLOW, CALL(setsockopt), 2, whole);
    }
}

static void allow_threads(struct filter *f)
{
    enum { A_THREAD = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD };

    allow_if(f, CALL(clone), has(0, A_THREAD, A_THREAD));
    rule(f, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0, NULL); /* its flags can't be seen; libc then takes clone */
}

static void gather(struct filter *f, unsigned calls)
{
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        if (sets[i].when == 0 || (sets[i].when & calls))
            allow_set(f, sets[i].calls);
    if (SANITIZED)
        allow_set(f, sanitizer_calls);
    allow_open(f, calls);
    allow_sockets(f, calls);
    if (calls & (JAIL_WALK | JAIL_SPAWN))
        allow_if(f, CALL(bpf), is(0, BPF_ITER_CREATE));
    if (calls & JAIL_SPAWN)
        return; /* the sets have the rest, with any arguments */
    allow_memory(f);
    allow_small(f);
    if (calls & JAIL_THREADS)
        allow_threads(f);
}

int calls_enter(unsigned calls, struct err *e)
{
    struct filter f = { .ctx = seccomp_init(SCMP_ACT_KILL_PROCESS) };
    int result;

    if (!f.ctx)
        return err_set(e, ENOMEM, "seccomp");
    gather(&f, calls);
    if (f.fault) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, f.call);

        (void)err_set(e, f.fault, "seccomp: rule for %s", name ? name : "an unknown call");
        free(name);
        seccomp_release(f.ctx);
        return -1;
    }
    (void)seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE,
                           2); /* a tree: the kernel's time does not grow with the list */
    result = seccomp_load(f.ctx);
    seccomp_release(f.ctx);
    return result < 0 ? err_set(e, -result, "seccomp: this kernel can't enforce it (CONFIG_SECCOMP_FILTER)") : 0;
}
