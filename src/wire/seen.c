/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/seen.h"

#include <string.h>

/* --- what both forms consist of */

bool seen_ports(struct slice list, void (*range)(void *own, uint16_t first, uint16_t last), void *own)
{
    if (list.len == 0)
        return false;
    while (list.len > 0) {
        struct slice end;
        struct slice item = slice_until(list, ',', &list);
        struct slice begin = slice_until(item, '-', &end);
        uint64_t first;
        uint64_t last;

        if (!slice_to_u64(begin, &first) || first >= SEEN_PORTS)
            return false;
        last = first;
        if (end.len > 0 && (!slice_to_u64(end, &last) || last >= SEEN_PORTS || last < first))
            return false;
        range(own, (uint16_t)first, (uint16_t)last);
    }
    return true;
}

static void mark_tried(void *own, uint16_t first, uint16_t last)
{
    memset((uint8_t *)own + first, SEEN_SHUT, (size_t)last - first + 1);
}

static int protocol_of(struct slice word)
{
    return slice_eq_nocase(word, SLICE("tcp")) ? SEEN_TCP : slice_eq_nocase(word, SLICE("udp")) ? SEEN_UDP : -1;
}

static void set_tried(struct seen *s, struct slice protocol, struct slice list)
{
    int p = protocol_of(protocol);

    if (p >= 0)
        (void)seen_ports(list, mark_tried, s->tried[p]);
}

static struct seen_host *host_at(struct seen *s, struct slice address)
{
    struct addr a;

    if (!addr_read(address, &a))
        return NULL;
    for (size_t i = 0; i < s->hosts; i++)
        if (addr_eq(s->host[i].address, a))
            return &s->host[i];
    if (s->hosts == SEEN_HOSTS) {
        s->hosts_more++;
        return NULL;
    }
    s->host[s->hosts].address = a;
    memcpy(s->host[s->hosts].port, s->tried, sizeof(s->tried));
    return &s->host[s->hosts++];
}

/* Of a host that is down nothing was learned. */
static void is_down(struct seen_host *h)
{
    memset(h->port, SEEN_NOT_TRIED, sizeof(h->port));
}

static void set_port(struct seen_host *h, struct slice protocol, struct slice number, struct slice state)
{
    int p = protocol_of(protocol);
    uint64_t port;

    if (p < 0 || !slice_to_u64(number, &port) || port >= SEEN_PORTS)
        return;
    /* what is left, "open|filtered" of UDP and "unfiltered", says nothing */
    if (slice_eq(state, SLICE("open")))
        h->port[p][port] = SEEN_OPEN;
    else if (slice_eq(state, SLICE("closed")) || slice_eq(state, SLICE("filtered")) ||
             slice_eq(state, SLICE("closed|filtered")))
        h->port[p][port] = SEEN_SHUT;
    else
        h->port[p][port] = SEEN_NOT_TRIED;
}

/* --- nmap -oG: lines */

static bool take(struct slice *s, struct slice begin)
{
    if (!slice_eq(slice_first(*s, begin.len), begin))
        return false;
    *s = slice_skip(*s, begin.len);
    return true;
}

/* TCP(3;22,25,80) UDP(0;) SCTP(0;) PROTOCOLS(0;) */
static void read_tried(struct seen *s, struct slice line)
{
    while (line.len > 0) {
        struct slice list;
        struct slice protocol = slice_until(slice_skip_blanks(line), '(', &line);

        (void)slice_until(slice_until(line, ')', &line), ';', &list);
        if (list.len > 0)
            set_tried(s, protocol, list);
    }
}

/* 22/open/tcp//ssh///, 25/closed/tcp//smtp/// */
static void read_ports(struct seen_host *h, struct slice list)
{
    while (list.len > 0) {
        struct slice item = slice_trim(slice_until(list, ',', &list));
        struct slice number = slice_until(item, '/', &item);
        struct slice state = slice_until(item, '/', &item);

        if (state.len > 0)
            set_port(h, slice_until(item, '/', &item), number, state);
    }
}

static void read_host(struct seen *s, struct slice line)
{
    struct slice fields;
    struct slice rest;
    struct seen_host *h = host_at(s, slice_until(slice_until(line, '\t', &fields), ' ', &rest));

    while (h && fields.len > 0) {
        struct slice field = slice_until(fields, '\t', &fields);

        if (take(&field, SLICE("Ports: ")))
            read_ports(h, field);
        else if (take(&field, SLICE("Status: Down")))
            is_down(h);
    }
}

static void read_lines(struct seen *s, struct slice text)
{
    while (text.len > 0) {
        struct slice line = slice_until(text, '\n', &text);

        if (take(&line, SLICE("# Ports scanned: ")))
            read_tried(s, line);
        else if (take(&line, SLICE("# From: ")))
            (void)addr_read(slice_trim(line), &s->from);
        else if (take(&line, SLICE("Host: ")))
            read_host(s, line);
    }
}

/* --- nmap -oX: tags; what stands between them is nothing of ours */

static struct slice attribute(struct slice tag, const char *name)
{
    size_t len = strlen(name);

    while (tag.len > 0) {
        struct slice rest;
        struct slice before = slice_until(tag, '=', &rest);
        struct slice value;

        if (rest.len == 0 || rest.at[0] != '"')
            return SLICE("");
        value = slice_until(slice_skip(rest, 1), '"', &tag);
        before = slice_trim(before);
        if (before.len >= len && memcmp(before.at + before.len - len, name, len) == 0 &&
            (before.len == len || before.at[before.len - len - 1] == ' '))
            return value;
    }
    return SLICE("");
}

static void read_tags(struct seen *s, struct slice text)
{
    struct seen_host *h = NULL;
    struct slice port = SLICE("");
    bool down = false;

    while (text.len > 0) {
        struct slice tag;

        (void)slice_until(text, '<', &text);
        tag = slice_until(text, '>', &text);
        if (take(&tag, SLICE("scaninfo "))) {
            set_tried(s, attribute(tag, "protocol"), attribute(tag, "services"));
        } else if (take(&tag, SLICE("host ")) || slice_eq(tag, SLICE("host")) || slice_eq(tag, SLICE("/host"))) {
            h = NULL;
            down = false;
        } else if (take(&tag, SLICE("status "))) {
            down = slice_eq(attribute(tag, "state"), SLICE("down"));
        } else if (take(&tag, SLICE("address ")) && !h) {
            h = host_at(s, attribute(tag, "addr"));
            if (h && down)
                is_down(h);
        } else if (take(&tag, SLICE("port "))) {
            port = tag;
        } else if (take(&tag, SLICE("state ")) && h && port.len > 0) {
            set_port(h, attribute(port, "protocol"), attribute(port, "portid"), attribute(tag, "state"));
            port = SLICE("");
        }
    }
}

bool seen_read(struct seen *s, struct slice text)
{
    struct slice head = slice_first(text, 4096);

    if (text.len == 0)
        return false;
    if (memmem(head.at, head.len, "<nmaprun", 8))
        read_tags(s, text);
    else
        read_lines(s, text);
    return s->hosts > 0;
}
