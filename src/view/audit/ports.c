/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three lists beside each other: what listens, what is declared, and what another host sees. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/audit/inner.h"

enum { LISTENERS_MOST = 16384 };

struct ports {
    struct explain *x;
    const struct audit_wish *wish;
    const struct seen_host *outside; /* NULL: nobody looked at this host */
    const struct snap_socket **at;   /* owned: all listeners */
    size_t count;
    struct audit *to;
};

bool audit_listens(const struct snap *s, const struct snap_socket *k)
{
    if (k->network != snap_host(s)->network || k->local.port == 0)
        return false;
    if (slice_eq(k->kind, SLICE("tcp")))
        return slice_eq(k->state, SLICE("LISTEN"));
    return slice_eq(k->kind, SLICE("udp")) && k->remote.port == 0 && k->local.port < UDP_CLIENTS;
}

/* --- the parts of a row */

static void add_once(struct text *t, const char *word)
{
    const char *there = strstr(t->at, word);
    size_t len = strlen(word);

    if (there && (there == t->at || there[-1] == ' ') && (there[len] == '\0' || there[len] == ','))
        return;
    text_word(t, t->len > 0 ? ", " : "");
    text_word(t, word);
}

static void name_package(const struct snap *s, struct slice exe, struct audit_row *row)
{
    struct text t = TEXT_IN(row->package);

    SNAP_LIST(s, SNAP_INSTALLED, struct snap_installed, p)
    {
        struct slice rest = p->programs;

        while (rest.len > 0 && exe.len > 0 && t.len == 0)
            if (slice_eq(slice_until(rest, ' ', &rest), exe))
                text_visible(&t, p->name);
    }
}

static void look_inside(const struct ports *p, struct audit_row *row)
{
    struct text programs = TEXT_IN(row->program);
    struct text addresses = TEXT_IN(row->addresses);

    for (size_t i = 0; i < p->count; i++) {
        const struct snap_socket *k = p->at[i];
        const struct snap_process *owner;
        bool any = addr_is_unspecified(k->local);

        if (k->local.port != row->port || slice_eq(k->kind, SLICE("udp")) != row->udp)
            continue;
        if (row->inside != AUDIT_REACHABLE)
            row->inside = addr_is_loopback(k->local) ? AUDIT_LOOPBACK : AUDIT_REACHABLE;
        add_once(&addresses, any ? _("all addresses") : addr_ip_text(k->local).text);
        owner = join_process(p->x->j, k->pid);
        if (owner) {
            add_once(&programs, words_of_program(owner).text);
            name_package(p->x->s, owner->exe, row);
        }
    }
    if (programs.len == 0)
        text_word(&programs, row->inside == AUDIT_NOBODY ? "-" : "?");
}

static bool has_port(const struct key_ports *ports, uint16_t port)
{
    for (uint32_t i = 0; i < ports->count; i++)
        if (ports->at[i] == port)
            return true;
    return false;
}

static void look_declared(const struct ports *p, struct audit_row *row)
{
    struct text t = TEXT_IN(row->declared);

    for (uint32_t i = 0; i < p->wish->declared->count; i++) {
        const struct audit_service *v = &p->wish->declared->at[i];

        if (!has_port(row->udp ? &v->udp : &v->tcp, row->port))
            continue;
        row->is_declared = true;
        if (v->from.count == 0)
            add_once(&t, _("anybody"));
        for (uint32_t n = 0; n < v->from.count; n++)
            add_once(&t, prefix_text(v->from.at[n]).text);
    }
}

/* Whether who looked is among those that the port was declared for; nobody knows where nmap ran. */
static bool is_meant_for(const struct ports *p, const struct audit_row *row, struct addr from)
{
    for (uint32_t i = 0; i < p->wish->declared->count; i++) {
        const struct audit_service *v = &p->wish->declared->at[i];

        if (!has_port(row->udp ? &v->udp : &v->tcp, row->port))
            continue;
        if (v->from.count == 0 || from.family == 0)
            return true;
        for (uint32_t n = 0; n < v->from.count; n++)
            if (prefix_has(v->from.at[n], from))
                return true;
    }
    return false;
}

/* --- what is wrong with it */

static struct finding *found(struct ports *p, struct audit_row *row, const char *id, enum grade grade)
{
    row->verdict = id;
    return explain_found(p->x, id, grade);
}

static void prove(struct finding *f, const struct audit_row *row)
{
    if (strcmp(row->program, "?") == 0)
        explain_proof(f, "it listens on %s; this picture does not say which program", row->addresses);
    else if (row->inside != AUDIT_NOBODY)
        explain_proof(f, "%s listens on %s", row->program, row->addresses);
    if (row->package[0])
        explain_proof(f, "it is of the package %s", row->package);
}

static void open_without_listener(struct ports *p, struct audit_row *row, const char *protocol)
{
    struct finding *f = found(p, row, "open_without_listener", GRADE_ALARM);

    if (row->inside == AUDIT_LOOPBACK)
        explain_text(f, "%s port %u is open from outside, though only 127.0.0.1 or ::1 listens here", protocol,
                     row->port);
    else
        explain_text(f, "%s port %u is open from outside, and nobody listens on it here", protocol, row->port);
    prove(f, row);
    explain_proof(f, "another host was let in at %s", addr_ip_text(p->outside->address).text);
    explain_next(f, "a translation (NAT), a router that forwards, or a listener that hides: serviola xray show FILE "
                    "rule, and serviola xray --deep");
}

static void undeclared(struct ports *p, struct audit_row *row, const char *protocol)
{
    bool policy = p->wish->declared->count > 0;
    bool open = row->outside == SEEN_OPEN;
    bool shut = row->outside == SEEN_SHUT;
    struct finding *f = found(p, row,
                              shut   ? "bind_to_loopback"
                              : open ? "undeclared_open"
                                     : "undeclared",
                              open && policy   ? GRADE_ALARM
                              : policy || open ? GRADE_WARN
                                               : GRADE_NOTE);

    if (open)
        explain_text(f, "%s port %u is open from outside, and nothing declares it", protocol, row->port);
    else if (shut)
        explain_text(f, "%s port %u listens to others, nothing declares it, and nobody outside reaches it", protocol,
                     row->port);
    else
        explain_text(f, "%s port %u listens to others, and nothing declares it", protocol, row->port);
    prove(f, row);
    if (shut)
        explain_next(f, "let it listen on 127.0.0.1 instead of trusting the firewall in front of it");
    else
        explain_next(f,
                     "stop it, or let it listen on 127.0.0.1; if it is wanted, write it down: audit: { services: "
                     "{ NAME: { %s: %u } } }",
                     row->udp ? "udp" : "tcp", row->port);
}

static void beyond_declared(struct ports *p, struct audit_row *row, const char *protocol)
{
    struct finding *f = found(p, row, "open_to_others", GRADE_ALARM);

    explain_text(f, "%s port %u is open to %s, and declared for %s alone", protocol, row->port,
                 addr_ip_text(p->wish->outside->from).text, row->declared);
    prove(f, row);
    explain_next(f, "let the firewall take it from %s only", row->declared);
}

static void unreached(struct ports *p, struct audit_row *row, const char *protocol)
{
    struct finding *f = found(p, row, "declared_unreached", GRADE_WARN);

    explain_text(f, "%s port %u is declared, and who looked from outside did not reach it", protocol, row->port);
    prove(f, row);
    explain_next(f, row->inside == AUDIT_LOOPBACK ? N_("it listens on the loopback alone: change its address")
                                                  : N_("look at the firewall, here and on the way"));
}

static void missing(struct ports *p, struct audit_row *row, const char *protocol)
{
    struct finding *f = found(p, row, "declared_missing", GRADE_WARN);

    explain_text(f, "%s port %u is declared for %s, and nobody listens on it", protocol, row->port, row->declared);
    explain_next(f, "start the service, or take the port out of audit: { services: }");
}

static void judge(struct ports *p, struct audit_row *row)
{
    const char *protocol = row->udp ? "UDP" : "TCP";
    struct addr from = p->wish->outside ? p->wish->outside->from : (struct addr){ .family = 0 };
    bool open = row->outside == SEEN_OPEN;

    row->verdict = row->inside == AUDIT_LOOPBACK ? "inner" : "fine";
    if (open && row->inside != AUDIT_REACHABLE)
        open_without_listener(p, row, protocol);
    else if (row->is_declared && row->inside == AUDIT_NOBODY)
        missing(p, row, protocol);
    else if (!row->is_declared && row->inside == AUDIT_REACHABLE)
        undeclared(p, row, protocol);
    else if (row->is_declared && open && !is_meant_for(p, row, from))
        beyond_declared(p, row, protocol);
    else if (row->is_declared && row->outside == SEEN_SHUT && is_meant_for(p, row, from))
        unreached(p, row, protocol);
}

/* --- which ports */

/* Who looks at itself sees what no firewall stands before. */
static bool is_from_outside(const struct seen *seen, const struct seen_host *h)
{
    return !addr_is_loopback(h->address) && !addr_eq_ip(h->address, seen->from);
}

/* The one of those looked at that is this host; a host behind a translation is the only one in the file. */
static const struct seen_host *find_outside(const struct snap *s, const struct seen *seen)
{
    SNAP_LIST(s, SNAP_ADDRESS, struct snap_address, a)
    for (size_t i = 0; seen && i < seen->hosts; i++)
        if (addr_eq_ip(seen->host[i].address, a->address) && is_from_outside(seen, &seen->host[i]))
            return &seen->host[i];
    return seen && seen->hosts == 1 && is_from_outside(seen, &seen->host[0]) ? &seen->host[0] : NULL;
}

static void mark_declared(const struct audit_settings *declared, uint8_t (*mark)[SEEN_PORTS])
{
    for (uint32_t i = 0; i < declared->count; i++) {
        for (uint32_t n = 0; n < declared->at[i].tcp.count; n++)
            mark[SEEN_TCP][declared->at[i].tcp.at[n]] = 1;
        for (uint32_t n = 0; n < declared->at[i].udp.count; n++)
            mark[SEEN_UDP][declared->at[i].udp.at[n]] = 1;
    }
}

static void fill_row(struct ports *p, size_t protocol, uint16_t port)
{
    struct audit_row *row;

    if (p->to->rows == AUDIT_ROWS) {
        p->to->rows_more++;
        return;
    }
    row = &p->to->row[p->to->rows++];
    *row = (struct audit_row){ .udp = protocol == SEEN_UDP, .port = port };
    row->outside = p->outside ? (enum seen_state)p->outside->port[protocol][port] : SEEN_NOT_TRIED;
    look_inside(p, row);
    look_declared(p, row);
    judge(p, row);
}

static void fill(struct ports *p, uint8_t (*mark)[SEEN_PORTS])
{
    SNAP_LIST(p->x->s, SNAP_SOCKET, struct snap_socket, k)
    if (audit_listens(p->x->s, k) && p->count < LISTENERS_MOST) {
        p->at[p->count++] = k;
        mark[slice_eq(k->kind, SLICE("udp")) ? SEEN_UDP : SEEN_TCP][k->local.port] = 1;
    }
    mark_declared(p->wish->declared, mark);
    for (size_t protocol = 0; protocol < SEEN_PROTOCOLS; protocol++)
        for (size_t port = 1; port < SEEN_PORTS; port++)
            if (mark[protocol][port] || (p->outside && p->outside->port[protocol][port] == SEEN_OPEN))
                fill_row(p, protocol, (uint16_t)port);
}

/* The file speaks of hosts that this one is not, or was written by a host that looked at itself. */
static void tell_strangers(struct explain *x, const struct seen *seen)
{
    struct finding *f = explain_found(x, "looked_at_others", GRADE_WARN);

    explain_text(f, "what another host saw is not of this one: it is left out");
    for (size_t i = 0; i < seen->hosts; i++)
        if (is_from_outside(seen, &seen->host[i]))
            explain_proof(f, "it looked at %s", addr_ip_text(seen->host[i].address).text);
        else
            explain_proof(f, "it looked at itself, %s", addr_ip_text(seen->host[i].address).text);
    explain_next(f, "serviola audit look HOST, run on another host, looks at this one");
}

void audit_ports(struct explain *x, const struct audit_wish *wish, struct audit *a)
{
    struct ports p = { .x = x, .wish = wish, .outside = find_outside(x->s, wish->outside), .to = a };
    uint8_t(*mark)[SEEN_PORTS] = calloc(SEEN_PROTOCOLS, sizeof(*mark));

    p.at = calloc(LISTENERS_MOST, sizeof(*p.at));
    a->has_outside = p.outside != NULL;
    if (mark && p.at)
        fill(&p, mark);
    if (wish->outside && !p.outside)
        tell_strangers(x, wish->outside);
    free(mark);
    free(p.at);
}
