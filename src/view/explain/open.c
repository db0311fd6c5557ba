/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is open to the outside that should not be?  Which port hides?  Who listens to everything?  Are names answered?
 */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"

static bool is(struct slice s, const char *word)
{
    return slice_eq(s, slice_text(word));
}

/* --- hidden ports */

static void tell_hidden_port(struct explain *x, const struct snap_port *p)
{
    struct finding *f = explain_found(x, "hidden_port", GRADE_ALARM);

    explain_text(f, "%s port %" PRIu64 " is in use, and the kernel's list does not show it", words_of(p->kind).text,
                 p->port);
    explain_proof(f, "%s shows it; %s does not; two looks in a row say the same", words_of(p->shown).text,
                  words_of(p->lacks).text);
    if (p->pid != 0)
        explain_proof(f, "%s holds the socket", words_process(join_process(x->j, p->pid)).text);
    explain_next(f, "trust no tool of this host; look at the port from outside, and keep its memory and disks");
}

void explain_hidden_ports(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_PORT, struct snap_port, p)
    tell_hidden_port(x, p);
}

/* --- exposed services */

static const struct {
    uint16_t port;
    const char *what;
} inner_services[] = {
    { 111, "rpcbind" },       { 139, "SMB" },
    { 445, "SMB" },           { 512, "rexec" },
    { 513, "rlogin" },        { 514, "rsh" },
    { 873, "rsync" },         { 1433, "SQL Server" },
    { 2049, "NFS" },          { 2375, "Docker, without a key" },
    { 2379, "etcd" },         { 3306, "MySQL" },
    { 3389, "RDP" },          { 4369, "Erlang's port mapper" },
    { 5432, "PostgreSQL" },   { 5900, "VNC" },
    { 5984, "CouchDB" },      { 6379, "Redis" },
    { 6443, "Kubernetes" },   { 8086, "InfluxDB" },
    { 9000, "FastCGI" },      { 9200, "Elasticsearch" },
    { 10250, "the kubelet" }, { 11211, "memcached" },
    { 27017, "MongoDB" },
};

static const char *inner_service(uint16_t port)
{
    for (size_t i = 0; i < sizeof(inner_services) / sizeof(inner_services[0]); i++)
        if (inner_services[i].port == port)
            return inner_services[i].what;
    return NULL;
}

static bool is_public(struct addr a)
{
    return a.family != 0 && !addr_is_loopback(a) && !addr_is_private(a) && !addr_is_link_local(a) &&
           !addr_is_multicast(a) && !addr_is_unspecified(a);
}

/* The address at which the world reaches a listener; family 0: none. */
static struct addr public_address(const struct snap *s, const struct snap_socket *l)
{
    struct addr none = { .family = 0 };

    if (!addr_is_unspecified(l->local))
        return is_public(l->local) ? l->local : none;
    SNAP_LIST(s, SNAP_ADDRESS, struct snap_address, a)
    if (a->network == l->network && is_public(a->address) && (l->local.family == 6 || a->address.family == 4))
        return a->address;
    return none;
}

/* A chain that drops what no rule lets in. */
static bool is_guarded(const struct snap *s, uint64_t network)
{
    SNAP_LIST(s, SNAP_RULE, struct snap_rule, r)
    if (r->network == network && is(r->hook, "input") && is(r->policy, "drop"))
        return true;
    return false;
}

void explain_exposed(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, l)
    {
        const char *what = inner_service(l->local.port);
        struct addr a;
        struct finding *f;

        if (!what || !is(l->kind, "tcp") || !is(l->state, "LISTEN") || l->network != snap_host(x->s)->network ||
            (a = public_address(x->s, l)).family == 0)
            continue;
        f = explain_found(x, "exposed_service", is_guarded(x->s, l->network) ? GRADE_NOTE : GRADE_WARN);
        f->likely = is_guarded(x->s, l->network);
        explain_text(f, "%s (%s) listens to the whole world on port %u", words_process(join_process(x->j, l->pid)).text,
                     what, (unsigned)l->local.port);
        explain_proof(f, "listening socket %s; %s is an address of this host", addr_socket_text(l->local).text,
                      addr_ip_text(a).text);
        if (f->likely)
            explain_proof(f, "the firewall drops what no rule lets in: whether one lets this in, serviola xray show "
                             "FILE rule tells");
        explain_next(f, "let it listen on 127.0.0.1, or close port %u to the outside", (unsigned)l->local.port);
    }
}

/* --- interfaces that take everything */

void explain_promiscuous(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_INTERFACE, struct snap_interface, i)
    {
        struct finding *f;

        if (!i->promiscuous)
            continue;
        f = explain_found(x, "promiscuous", GRADE_NOTE);
        explain_text(f, "%s takes every packet on its cable, not only its own", words_of(i->name).text);
        SNAP_LIST(x->s, SNAP_SOCKET, struct snap_socket, s)
        if (is(s->kind, "packet") && s->network == i->network && s->pid != 0)
            explain_proof(f, "%s has a packet socket", words_process(join_process(x->j, s->pid)).text);
        explain_next(f, "a bridge, a capture or a sniffer: ask who holds the packet sockets");
    }
}

/* --- names */

enum { WAITING_MANY = 5 };

static bool listens_on_53(const struct snap *s, struct addr a)
{
    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, l)
    if (is(l->kind, "udp") && l->local.port == 53 && l->network == snap_host(s)->network &&
        (addr_eq_ip(l->local, a) || addr_is_unspecified(l->local)))
        return true;
    return false;
}

static bool is_own(const struct snap *s, struct addr a)
{
    SNAP_LIST(s, SNAP_ADDRESS, struct snap_address, own)
    if (own->network == snap_host(s)->network && addr_eq_ip(own->address, a))
        return true;
    return addr_is_loopback(a);
}

static bool has_route(const struct snap *s, struct addr a)
{
    SNAP_LIST(s, SNAP_ROUTE, struct snap_route, r)
    {
        struct prefix p = { .net = r->net, .bits = (uint8_t)r->bits };

        if (r->network != snap_host(s)->network || r->net.family != a.family || is(r->interface, "(refused)"))
            continue;
        if (r->bits == 0 || (r->bits <= 128 && prefix_has(p, a)))
            return true;
    }
    return false;
}

/* Sockets that asked a name server and wait. */
static size_t waiting_for(const struct snap *s, struct addr a)
{
    size_t count = 0;

    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, q)
    count += q->remote.port == 53 && addr_eq_ip(q->remote, a) &&
             ((is(q->kind, "udp") && q->receive_queue == 0) || (is(q->kind, "tcp") && is(q->state, "SYN_SENT")));
    return count;
}

/* Why this one does not answer; NULL: nothing speaks against it. */
static const char *trouble_with(const struct snap *s, struct addr a)
{
    if (is_own(s, a))
        return listens_on_53(s, a) ? NULL : N_("it is this host, and nobody listens on UDP port 53 here");
    return has_route(s, a) ? NULL : N_("there is no route to it");
}

static void tell_dns(struct explain *x, size_t all, size_t broken, size_t waiting)
{
    struct finding *f = explain_found(x, "dns_broken", broken == all ? GRADE_ALARM : GRADE_WARN);
    const struct snap_resolver *first = x->s->part[SNAP_RESOLVER].at;

    f->likely = broken == 0;
    if (broken > 0)
        explain_text(f, "%zu of %zu name servers in /etc/resolv.conf can't answer", broken, all);
    else
        explain_text(f, "%zu sockets wait for an answer of a name server", waiting);
    SNAP_LIST(x->s, SNAP_RESOLVER, struct snap_resolver, r)
    {
        const char *why = trouble_with(x->s, r->address);
        size_t n = waiting_for(x->s, r->address);

        if (why)
            explain_proof(f, "%s: %s", addr_ip_text(r->address).text, _(why));
        if (n > 0)
            explain_proof(f, "%zu sockets wait for %s", n, addr_ip_text(r->address).text);
    }
    explain_next(f, "dig @%s example.org   asks it; look at /etc/resolv.conf, and at the resolver that should listen",
                 addr_ip_text(first->address).text);
}

void explain_dns(struct explain *x)
{
    size_t all = 0;
    size_t broken = 0;
    size_t waiting = 0;

    SNAP_LIST(x->s, SNAP_RESOLVER, struct snap_resolver, r)
    {
        all++;
        broken += trouble_with(x->s, r->address) != NULL;
        waiting += waiting_for(x->s, r->address);
    }
    if (broken > 0 || waiting >= WAITING_MANY)
        tell_dns(x, all, broken, waiting);
}
