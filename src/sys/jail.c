/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/calls.h"
#include "sys/landlock.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LEAK_CHECK 1
#endif
#endif

#ifdef WITH_LEAK_CHECK
/* The leak check at exit traces its own process, which no jail allows: a jailed test build goes without. */
static int jailed;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return jailed;
}
#endif

const char *jail_gap_words(enum jail_gap one)
{
    switch (one) {
    case JAIL_NO_LANDLOCK:
        return "files by Landlock (Linux 5.13)";
    case JAIL_NO_LANDLOCK_NET:
        return "TCP ports by Landlock (Linux 6.7)";
    case JAIL_NO_LANDLOCK_SCOPE:
        return "signals and abstract sockets by Landlock (Linux 6.12)";
    case JAIL_NO_TRUNCATE:
        return "truncation by Landlock (Linux 6.2)";
    }
    return "something newer than this program";
}

/* --- ids --- */

int jail_user(const char *name, uid_t *uid, gid_t *gid, struct err *e)
{
    FILE *f = fopen("/etc/passwd", "re"); /* not getpwnam: it may load modules and ask the network */
    const struct passwd *found;

    if (!f)
        return err_set(e, errno, "/etc/passwd");
    do
        found = fgetpwent(f);
    while (found && strcmp(found->pw_name, name) != 0);
    if (found) {
        *uid = found->pw_uid;
        *gid = found->pw_gid;
    }
    (void)fclose(f);
    return found ? 0 : err_set(e, 0, "user %s does not exist; tools/users makes the users (as root)", name);
}

static int choose_ids(const struct jail *j, struct jail_ids *who, struct err *e)
{
    *who = (struct jail_ids){ geteuid(), getegid() };
    if (j->ids)
        *who = *j->ids;
    else if (j->user && jail_user(j->user, &who->uid, &who->gid, e) < 0)
        return -1;
    if (who->uid == 0 && !(j->calls & JAIL_SPAWN))
        return err_set(e, 0, "root can't be jailed; name a user");
    if (who->uid != geteuid() && geteuid() != 0)
        return err_set(e, EPERM, "become user %s; start as root", j->user);
    return 0;
}

static int change_ids(const struct jail *j, struct jail_ids who, struct err *e)
{
    if (j->user && geteuid() == 0 && setgroups(0, NULL) < 0)
        return err_set(e, errno, "leave all groups");
    if (setresgid(who.gid, who.gid, who.gid) < 0)
        return err_set(e, errno, "become group %u", (unsigned)who.gid);
    if (setresuid(who.uid, who.uid, who.uid) < 0)
        return err_set(e, errno, "become user %u", (unsigned)who.uid);
    return 0;
}

static int prove_ids(const struct jail *j, struct jail_ids who, struct err *e)
{
    struct jail_ids real;
    struct jail_ids effective;
    struct jail_ids saved;

    if (getresuid(&real.uid, &effective.uid, &saved.uid) < 0 || getresgid(&real.gid, &effective.gid, &saved.gid) < 0)
        return err_set(e, errno, "ids");
    if (real.uid != who.uid || effective.uid != who.uid || saved.uid != who.uid || real.gid != who.gid ||
        effective.gid != who.gid || saved.gid != who.gid)
        return err_set(e, 0, "the jail does not hold: user or group is still another one");
    if (j->user && getgroups(0, NULL) != 0)
        return err_set(e, 0, "the jail does not hold: groups are still there");
    return 0;
}

/* --- capabilities --- */

struct cap_sets {
    uint64_t effective, permitted, inheritable;
};

static int read_caps(struct cap_sets *c, struct err *e)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct half[2];

    if (syscall(SYS_capget, &head, half) < 0)
        return err_set(e, errno, "capget");
    c->effective = half[0].effective | (uint64_t)half[1].effective << 32;
    c->permitted = half[0].permitted | (uint64_t)half[1].permitted << 32;
    c->inheritable = half[0].inheritable | (uint64_t)half[1].inheritable << 32;
    return 0;
}

static int write_caps(struct cap_sets c, struct err *e)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct half[2];

    for (int i = 0; i < 2; i++) {
        half[i].effective = (uint32_t)(c.effective >> (32 * i));
        half[i].permitted = (uint32_t)(c.permitted >> (32 * i));
        half[i].inheritable = (uint32_t)(c.inheritable >> (32 * i));
    }
    return syscall(SYS_capset, &head, half) < 0 ? err_set(e, errno, "capset") : 0;
}

static int capability_in_bounds(int cap) /* -1: the kernel knows no such capability */
{
    return cap < 64 ? prctl(PR_CAPBSET_READ, (unsigned long)cap, 0, 0, 0) : -1;
}

/* Before the ids change: it needs CAP_SETPCAP.  Who has no capability at all can't, and gains nothing by them either.
 */
static int shrink_bounds(const struct jail *j, struct err *e)
{
    struct cap_sets now = { 0 };

    if (read_caps(&now, e) < 0)
        return -1;
    if (now.permitted == 0)
        return 0;
    for (int cap = 0; capability_in_bounds(cap) >= 0; cap++)
        if (!(j->lend_caps >> cap & 1) && capability_in_bounds(cap) == 1 &&
            prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0, 0) < 0)
            return err_set(e, errno, "drop capability %d for good (CAP_SETPCAP)", cap);
    return 0;
}

static int shrink_caps(const struct jail *j, struct err *e)
{
    struct cap_sets now = { 0 };
    struct cap_sets wanted = { .effective = j->keep_caps, .permitted = j->keep_caps | j->lend_caps };

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return err_set(e, errno, "clear ambient capabilities");
    if (read_caps(&now, e) < 0)
        return -1;
    if (wanted.permitted & ~now.permitted)
        return err_set(e, EPERM, "capabilities %#llx are missing; start as root, or grant them in the unit file",
                       (unsigned long long)(wanted.permitted & ~now.permitted));
    return write_caps(wanted, e);
}

static int prove_caps(const struct jail *j, struct err *e)
{
    struct cap_sets now = { 0 };
    uint64_t kept = j->keep_caps | j->lend_caps;

    if (read_caps(&now, e) < 0)
        return -1;
    if (now.effective != j->keep_caps || now.permitted != kept || now.inheritable != 0)
        return err_set(e, 0, "the jail does not hold: capabilities are still there");
    for (int cap = 0; now.permitted != 0 && capability_in_bounds(cap) >= 0; cap++)
        if (!(j->lend_caps >> cap & 1) && capability_in_bounds(cap) != 0)
            return err_set(e, 0, "the jail does not hold: capability %d can come back", cap);
    return 0;
}

/* --- the order of things --- */

static int alone(struct err *e) /* threads that run already would stay outside */
{
    struct stat st;

    if (stat("/proc/self/task", &st) < 0)
        return err_set(e, errno, "/proc must be mounted");
#ifndef __SANITIZE_THREAD__ /* which runs a thread of its own */
    if (st.st_nlink != 3)
        return err_set(e, 0, "the jail was entered with several threads");
#endif
    return 0;
}

static int harden(int death_signal, pid_t parent, struct err *e)
{
    const struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_set(e, errno, "no_new_privs");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
        return err_set(e, errno, "switch off core dumps");
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)death_signal, 0, 0, 0) < 0)
        return err_set(e, errno, "parent-death signal");
    return death_signal == 0 || getppid() == parent ? 0 : err_set(e, 0, "whoever started this is gone");
}

static int become_small(const struct jail *j, struct jail_ids who, struct err *e)
{
    pid_t parent = getppid();
    int death_signal = 0;

    if (prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0) < 0)
        return err_set(e, errno, "parent-death signal");
    if (shrink_bounds(j, e) < 0)
        return -1;
    if ((j->keep_caps | j->lend_caps) && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return err_set(e, errno, "keep capabilities");
    if (change_ids(j, who, e) < 0 || shrink_caps(j, e) < 0)
        return -1;
    return harden(death_signal, parent, e);
}

/* Files were tried by landlock_enter; where none are left, seccomp answers by itself. */
static int prove_no_files(struct err *e)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    (void)close(fd);
    return err_set(e, 0, "the jail does not hold: / could be opened");
}

static int prove(const struct jail *j, struct jail_ids who, struct err *e)
{
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2)
        return err_set(e, 0, "the jail does not hold: seccomp is not in force");
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return err_set(e, 0, "the jail does not hold: new privileges are possible");
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_set(e, 0, "the jail does not hold: memory can be dumped");
    if (prove_ids(j, who, e) < 0 || prove_caps(j, e) < 0)
        return -1;
    return j->calls & (JAIL_FILES | JAIL_PROC | JAIL_SPAWN) ? 0 : prove_no_files(e);
}

int jail_enter(const struct jail *j, unsigned *gaps, struct err *e)
{
    bool traces = j->keep_caps >> CAP_SYS_PTRACE & 1;
    struct jail_ids who;
    int ruleset;

    *gaps = 0;
    if (traces && (j->calls & (JAIL_FILES | JAIL_SPAWN)))
        return err_set(e, EINVAL, "jail: who may trace others may not write files too");
    if (alone(e) < 0 || choose_ids(j, &who, e) < 0)
        return err_wrap(e, "jail");
    ruleset = traces ? LANDLOCK_ABSENT : landlock_open(j, gaps, e); /* while its folders can still be reached */
    if (ruleset == -1)
        return err_wrap(e, "jail");
    if (become_small(j, who, e) < 0 || (ruleset >= 0 && landlock_enter(ruleset, j, e) < 0) ||
        calls_enter(j->calls, e) < 0 || prove(j, who, e) < 0)
        return err_wrap(e, "jail");
#ifdef WITH_LEAK_CHECK
    jailed = 1;
#endif
    return 0;
}
