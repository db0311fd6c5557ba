/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own layout (Documentation/userspace-api/landlock.rst); Debian 12's headers end at ABI 2. */
struct ruleset_attr {
    uint64_t files;  /* handled, so refused where no rule allows: enum file_right */
    uint64_t net;    /* ABI 4 */
    uint64_t scoped; /* ABI 6 */
};
struct path_attr {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct port_attr { /* ABI 4 */
    uint64_t allowed, port;
};

enum { RULE_PATH = 1, RULE_PORT = 2, CREATE_VERSION = 1 };

enum file_right {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,     /* ABI 2: rename or link across folders */
    TRUNCATE = 1 << 14,  /* ABI 3 */
    IOCTL_DEV = 1 << 15, /* ABI 5 */
};
enum net_right { BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1 };
enum scope { ABSTRACT_UNIX = 1 << 0, SIGNAL = 1 << 1 };

enum {
    OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
    READING = READ_FILE | READ_DIR,
    WRITING = READING | WRITE_FILE | TRUNCATE | REMOVE_FILE | REMOVE_DIR | MAKE_REG | MAKE_DIR | REFER,
};

static struct ruleset_attr attr_for(const struct jail *j, long abi, unsigned *gaps)
{
    struct ruleset_attr a = { .files = (REFER - 1) | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0) |
                                       (abi >= 5 ? IOCTL_DEV : 0) };

    if (abi < 3)
        *gaps |= JAIL_NO_TRUNCATE;
    if (abi < 4)
        *gaps |= JAIL_NO_LANDLOCK_NET;
    else
        a.net =
            (j->tcp & JAIL_TCP_BIND ? 0 : BIND_TCP) | (j->tcp & JAIL_TCP_CONNECT && !j->tcp_ports ? 0 : CONNECT_TCP);
    if (abi < 6)
        *gaps |= JAIL_NO_LANDLOCK_SCOPE;
    else /* the supervisor's children are older than its jail, and must hear its signals */
        a.scoped = ABSTRACT_UNIX | (j->calls & JAIL_SPAWN ? 0 : SIGNAL);
    return a;
}

static int allow(int ruleset, const char *path, uint64_t rights, bool must_exist, struct err *e)
{
    struct path_attr rule = { .allowed = rights, .parent = open(path, O_PATH | O_CLOEXEC) };
    struct stat st;
    int result = 0;

    if (rule.parent < 0)
        return must_exist || errno != ENOENT ? err_set(e, errno, "folder %s", path) : 0;
    if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed &= OF_A_FILE;
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) < 0)
        result = err_set(e, errno, "Landlock rule for %s", path);
    (void)close(rule.parent);
    return result;
}

static int allow_port(int ruleset, uint16_t port, uint64_t rights, struct err *e)
{
    struct port_attr rule = { .allowed = rights, .port = port };

    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) < 0)
        return err_set(e, errno, "Landlock rule for port %u", port);
    return 0;
}

/* `net` is what is refused but for these. */
static int allow_ports(int ruleset, const struct jail *j, uint64_t net, struct err *e)
{
    if (j->tcp & JAIL_TCP_SOURCE && net & BIND_TCP && allow_port(ruleset, 0, BIND_TCP, e) < 0)
        return -1;
    for (size_t i = 0; j->tcp & JAIL_TCP_CONNECT && net & CONNECT_TCP && i < j->tcp_ports_count; i++)
        if (allow_port(ruleset, j->tcp_ports[i], CONNECT_TCP, e) < 0)
            return -1;
    return 0;
}

int landlock_open(const struct jail *j, unsigned *gaps, struct err *e)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    struct ruleset_attr a;
    uint64_t more = 0;
    int fd;

    if (abi < 1) {
        *gaps |= JAIL_NO_LANDLOCK | JAIL_NO_LANDLOCK_NET | JAIL_NO_LANDLOCK_SCOPE | JAIL_NO_TRUNCATE;
        return LANDLOCK_ABSENT;
    }
    a = attr_for(j, abi, gaps);
    fd = (int)syscall(SYS_landlock_create_ruleset, &a, abi < 4 ? 8 : abi < 6 ? 16 : sizeof(a), 0);
    if (fd < 0)
        return err_set(e, errno, "Landlock ruleset");
    if (j->calls & JAIL_SPAWN) /* children execute, reach the devices of a terminal, and one makes /dev/log */
        more = EXECUTE | MAKE_SOCK | (a.files & IOCTL_DEV);
    for (const char *const *at = j->folders; at && *at; at++)
        if (allow(fd, *at, (WRITING | more) & a.files, true, e) < 0)
            goto fail;
    for (const char *const *at = j->read_only; at && *at; at++)
        if (allow(fd, *at, (READING | more) & a.files, false, e) < 0)
            goto fail;
    if (allow_ports(fd, j, a.net, e) < 0)
        goto fail;
    return fd;
fail:
    (void)close(fd);
    return -1;
}

static bool covered(const char *const *folders, const char *path)
{
    for (; folders && *folders; folders++) {
        size_t n = strlen(*folders);

        while (n > 0 && (*folders)[n - 1] == '/')
            n--;
        if (strncmp(*folders, path, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return true;
    }
    return false;
}

static int must_fail(const char *path, int flags, struct err *e)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        return 0;
    (void)close(fd);
    return err_set(e, 0, "the jail does not hold: %s could be opened", path);
}

static int prove(const struct jail *j, struct err *e)
{
    if (!covered(j->folders, "/") && !covered(j->read_only, "/") && must_fail("/", O_RDONLY | O_DIRECTORY, e) < 0)
        return -1;
    return covered(j->folders, "/dev/null") ? 0 : must_fail("/dev/null", O_WRONLY, e);
}

int landlock_enter(int ruleset, const struct jail *j, struct err *e)
{
    int result = 0;

    if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        result = err_set(e, errno, "Landlock");
    (void)close(ruleset);
    return result < 0 ? -1 : prove(j, e);
}
