/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules of iptables-legacy, which nftables does not list.
 *
 * Only tables that are there are asked for: to ask for another one makes it,
 * and loads its module.  The kernel copies a table with its counters while
 * packets go on (since 2.6.30).
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* after the C library's, which has the same types */
#include <linux/netfilter_ipv4/ip_tables.h>

#include "sense/xray/inner.h"
#include "wire/xtables.h"

enum { TABLE_BYTES = 32 << 20, TABLES = 8, NAMES_BYTES = 512 };

static const struct family {
    uint8_t number;
    int domain, level;
    const char *names, *word;
} families[LEGACY_EYES / 2] = {
    { 4, AF_INET, SOL_IP, "/proc/self/net/ip_tables_names", "iptables" },
    { 6, AF_INET6, SOL_IPV6, "/proc/self/net/ip6_tables_names", "ip6tables" },
};

struct place {
    struct xray *x;
    const struct family *family;
    struct slice table;
    uint64_t network;
};

void legacy_open(int fds[LEGACY_EYES])
{
    for (size_t i = 0; i < LEGACY_EYES; i += 2) {
        const struct family *f = &families[i / 2];

        fds[i] = open(f->names, O_RDONLY | O_CLOEXEC);
        fds[i + 1] = fds[i] < 0 ? -1 : socket(f->domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
}

static void on_rule(void *own, const struct xtables_rule *rule)
{
    const struct place *p = own;
    struct snap_rule *to = snap_add(p->x->s, SNAP_RULE);

    if (!to)
        return;
    to->network = p->network;
    to->family = slice_text(p->family->word);
    to->table = p->table;
    to->chain = snap_keep(p->x->s, rule->chain);
    if (rule->hook) {
        to->hook = slice_text(rule->hook);
        to->policy = rule->drops ? SLICE("drop") : SLICE("accept");
    }
    to->counts = true;
    to->packets = rule->packets;
    to->bytes = rule->bytes;
    to->text = snap_keep(p->x->s, rule->text);
}

/* Between the two questions a table may have changed its size: EAGAIN, and it is asked anew. */
static int table(struct place *p, int fd, const char *name)
{
    struct ipt_getinfo info = { .size = 0 }; /* that of ip6_tables is the same */
    socklen_t len = sizeof(info);
    struct xtables_heads heads;
    struct ipt_get_entries *get;
    int status;

    memcpy(info.name, name, strlen(name));
    if (getsockopt(fd, p->family->level, IPT_SO_GET_INFO, &info, &len) < 0)
        return -1;
    if (info.size > TABLE_BYTES) {
        errno = EFBIG;
        return -1;
    }
    len = (socklen_t)(sizeof(*get) + info.size);
    get = calloc(1, len);
    if (!get)
        return -1;
    memcpy(get->name, name, strlen(name));
    get->size = info.size;
    status = getsockopt(fd, p->family->level, IPT_SO_GET_ENTRIES, get, &len);
    heads.hooks = info.valid_hooks;
    memcpy(heads.entry, info.hook_entry, sizeof(heads.entry));
    memcpy(heads.policy, info.underflow, sizeof(heads.policy));
    if (status == 0 &&
        !xtables_read(p->family->number, &heads, slice_of((const uint8_t *)get + sizeof(*get), info.size), on_rule, p))
        snap_note(p->x->s, "rule", "table %s of %s has entries that nobody can read", name, p->family->word);
    free(get);
    return status;
}

static void tables(struct place *p, int names, int fd)
{
    char room[NAMES_BYTES];
    ssize_t n = pread(names, room, sizeof(room), 0);
    struct slice rest = slice_of(room, n > 0 ? (size_t)n : 0);

    for (size_t i = 0; i < TABLES && rest.len > 0; i++) {
        struct slice line = slice_until(rest, '\n', &rest);
        char name[XT_TABLE_MAXNAMELEN];
        int status = -1;

        if (!text_cstr(name, sizeof(name), line) || line.len == 0)
            continue;
        p->table = snap_keep(p->x->s, line);
        for (int tries = 0; tries < 3 && status < 0 && (tries == 0 || errno == EAGAIN); tries++)
            status = table(p, fd, name);
        if (status < 0)
            snap_note(p->x->s, "rule", "table %s of %s can't be read in network namespace %llu: %s", name,
                      p->family->word, (unsigned long long)p->network, strerror(errno));
    }
}

void xray_legacy(struct xray *x, const int fds[LEGACY_EYES], uint64_t network)
{
    for (size_t i = 0; i < LEGACY_EYES; i += 2) {
        struct place p = { .x = x, .family = &families[i / 2], .network = network };

        if (fds[i] >= 0 && fds[i + 1] >= 0)
            tables(&p, fds[i], fds[i + 1]);
    }
}
