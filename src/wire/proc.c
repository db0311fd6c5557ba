/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/proc.h"

#include <string.h>

/* The next word, blanks in front of it passed over; empty at the end. */
static struct slice word(struct slice *rest)
{
    size_t n = 0;

    while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t'))
        *rest = slice_skip(*rest, 1);
    while (n < rest->len && rest->at[n] != ' ' && rest->at[n] != '\t' && rest->at[n] != '\n')
        n++;
    struct slice found = slice_first(*rest, n);

    *rest = slice_skip(*rest, n);
    return found;
}

static bool number_word(struct slice *rest, uint64_t *value)
{
    return slice_to_u64(word(rest), value);
}

static bool begins(struct slice s, const char *with)
{
    struct slice w = slice_text(with);

    return s.len >= w.len && slice_eq(slice_first(s, w.len), w);
}

static bool skip_words(struct slice *rest, unsigned count)
{
    while (count-- > 0)
        if (word(rest).len == 0)
            return false;
    return true;
}

/* Fields are numbered as in proc(5): the state is the third. */
bool proc_stat_read(struct slice text, struct proc_stat *stat)
{
    struct slice rest;
    struct slice state;
    uint64_t pid;
    uint64_t ppid;
    uint64_t cpu[2];
    uint64_t args[2];
    size_t close = text.len;

    memset(stat, 0, sizeof(*stat));
    while (close > 0 && text.at[close - 1] != ')')
        close--;
    if (!slice_to_u64(slice_until(text, ' ', &rest), &pid) || rest.len == 0 || rest.at[0] != '(' ||
        text.at + close <= rest.at + 1)
        return false;
    stat->comm = slice_of(rest.at + 1, (size_t)(text.at + close - 1 - (rest.at + 1)));
    rest = slice_skip(text, close);
    state = word(&rest);
    if (state.len != 1 || !number_word(&rest, &ppid) || !skip_words(&rest, 4) || !number_word(&rest, &stat->flags) ||
        !skip_words(&rest, 4) || !number_word(&rest, &cpu[0]) || !number_word(&rest, &cpu[1]) ||
        !skip_words(&rest, 4) || !number_word(&rest, &stat->threads) || !skip_words(&rest, 1) ||
        !number_word(&rest, &stat->start_ticks) || !skip_words(&rest, 1) || !number_word(&rest, &stat->rss_pages) ||
        pid > INT32_MAX || ppid > INT32_MAX)
        return false;
    stat->pid = (int64_t)pid;
    stat->ppid = (int64_t)ppid;
    stat->state = (char)state.at[0];
    stat->cpu_ticks = cpu[0] + cpu[1];
    if (skip_words(&rest, 23) && number_word(&rest, &args[0]) && number_word(&rest, &args[1]) && args[1] > args[0])
        stat->args_bytes = args[1] - args[0];
    return true;
}

bool proc_field(struct slice text, const char *key, struct slice *value)
{
    struct slice name = slice_text(key);

    while (text.len > 0) {
        struct slice line = slice_until(text, '\n', &text);
        struct slice after;

        if (slice_eq(slice_until(line, ':', &after), name) && line.len > name.len) {
            *value = slice_trim(after);
            return true;
        }
    }
    return false;
}

bool proc_number(struct slice value, uint64_t *number)
{
    return number_word(&value, number);
}

bool proc_limit(struct slice text, const char *name, uint64_t *soft)
{
    while (text.len > 0) {
        struct slice line = slice_until(text, '\n', &text);

        if (!begins(line, name))
            continue;
        line = slice_skip(line, strlen(name));
        if (begins(slice_trim(line), "unlimited")) {
            *soft = UINT64_MAX;
            return true;
        }
        return number_word(&line, soft);
    }
    return false;
}

struct slice proc_unit(struct slice text)
{
    struct slice longest = SLICE("");
    struct slice unit = SLICE("");

    while (text.len > 0) {
        struct slice path;
        struct slice line = slice_until(text, '\n', &text);

        (void)slice_until(line, ':', &path);
        (void)slice_until(path, ':', &path);
        if (path.len > longest.len)
            longest = path;
    }
    while (longest.len > 0) {
        struct slice part = slice_until(longest, '/', &longest);

        if (part.len > 0)
            unit = part;
    }
    return unit;
}

bool proc_cpus(struct slice list, uint64_t *count)
{
    uint64_t all = 0;

    list = slice_trim(list);
    while (list.len > 0) {
        struct slice to;
        struct slice part = slice_until(list, ',', &list);
        struct slice from = slice_until(part, '-', &to);
        uint64_t a;
        uint64_t b;

        if (!slice_to_u64(from, &a) || a > 65535)
            return false;
        b = a;
        if (from.len < part.len && (!slice_to_u64(to, &b) || b > 65535 || b < a))
            return false;
        all += b - a + 1;
    }
    *count = all;
    return true;
}

bool proc_mount_read(struct slice line, struct proc_mount *m)
{
    struct slice minor;
    struct slice device;
    struct slice optional;

    memset(m, 0, sizeof(*m));
    if (!number_word(&line, &m->id) || !number_word(&line, &m->parent))
        return false;
    device = word(&line);
    if (!slice_to_u64(slice_until(device, ':', &minor), &m->major) || !slice_to_u64(minor, &m->minor))
        return false;
    m->root = word(&line);
    m->point = word(&line);
    m->options = word(&line);
    do
        optional = word(&line);
    while (optional.len > 0 && !slice_eq(optional, SLICE("-")));
    if (optional.len == 0)
        return false;
    m->type = word(&line);
    m->source = word(&line);
    m->super_options = word(&line);
    return m->point.len > 0 && m->type.len > 0;
}

static bool is_octal(struct slice s)
{
    return s.len >= 4 && s.at[0] == '\\' && s.at[1] >= '0' && s.at[1] <= '3' && s.at[2] >= '0' && s.at[2] <= '7' &&
           s.at[3] >= '0' && s.at[3] <= '7';
}

void proc_unescape(struct text *t, struct slice s)
{
    while (s.len > 0) {
        uint8_t byte = s.at[0];
        size_t n = 1;

        if (is_octal(s)) {
            byte = (uint8_t)((s.at[1] - '0') << 6 | (s.at[2] - '0') << 3 | (s.at[3] - '0'));
            n = 4;
        }
        text_add(t, slice_of(&byte, 1));
        s = slice_skip(s, n);
    }
}

bool proc_option(struct slice options, const char *wanted)
{
    while (options.len > 0)
        if (slice_eq(slice_until(options, ',', &options), slice_text(wanted)))
            return true;
    return false;
}

/* "12.34" gives 1234; digits behind the second are left out. */
static bool centi(struct slice s, uint64_t *value)
{
    struct slice part;
    struct slice whole = slice_until(s, '.', &part);
    uint64_t a;
    uint64_t b = 0;

    if (!slice_to_u64(whole, &a) || a > UINT32_MAX)
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (i < part.len && (part.at[i] < '0' || part.at[i] > '9'))
            return false;
        b = b * 10 + (i < part.len ? (uint64_t)part.at[i] - '0' : 0);
    }
    *value = a * 100 + b;
    return true;
}

/* The word `name=VALUE`. */
static struct slice assigned(struct slice *rest, const char *name)
{
    struct slice value;
    struct slice w = word(rest);

    return slice_eq(slice_until(w, '=', &value), slice_text(name)) ? value : SLICE("");
}

bool proc_pressure_read(struct slice line, struct proc_pressure *p)
{
    struct slice kind = word(&line);

    memset(p, 0, sizeof(*p));
    p->full = slice_eq(kind, SLICE("full"));
    if (!p->full && !slice_eq(kind, SLICE("some")))
        return false;
    return centi(assigned(&line, "avg10"), &p->avg10_centi) && centi(assigned(&line, "avg60"), &p->avg60_centi) &&
           centi(assigned(&line, "avg300"), &p->avg300_centi) && slice_to_u64(assigned(&line, "total"), &p->total_us);
}

bool proc_load_read(struct slice text, struct proc_load *load)
{
    struct slice tasks;
    struct slice both;

    memset(load, 0, sizeof(*load));
    if (!centi(word(&text), &load->one_centi) || !centi(word(&text), &load->five_centi) ||
        !centi(word(&text), &load->fifteen_centi))
        return false;
    both = word(&text);
    return slice_to_u64(slice_until(both, '/', &tasks), &load->running) && slice_to_u64(tasks, &load->tasks) &&
           number_word(&text, &load->last_pid);
}

bool proc_disk_read(struct slice line, struct proc_disk *d)
{
    uint64_t reading_ms = 0;
    uint64_t writing_ms = 0;

    memset(d, 0, sizeof(*d));
    if (!number_word(&line, &d->major) || !number_word(&line, &d->minor))
        return false;
    d->name = word(&line);
    if (d->name.len == 0 || !number_word(&line, &d->reads) || !skip_words(&line, 2) ||
        !number_word(&line, &reading_ms) || !number_word(&line, &d->writes) || !skip_words(&line, 2) ||
        !number_word(&line, &writing_ms) || !number_word(&line, &d->in_flight) || !number_word(&line, &d->busy_ms))
        return false;
    d->waited_ms = reading_ms + writing_ms;
    return true;
}

bool proc_kmsg_read(struct slice record, struct proc_kmsg *line)
{
    struct slice rest;
    struct slice text;
    struct slice head = slice_until(record, ';', &text);
    uint64_t priority;
    uint64_t at_us;

    memset(line, 0, sizeof(*line));
    if (head.len == record.len || !slice_to_u64(slice_until(head, ',', &rest), &priority) || priority > 1023 ||
        !slice_to_u64(slice_until(rest, ',', &rest), &line->number) ||
        !slice_to_u64(slice_until(rest, ',', &rest), &at_us) || at_us > INT64_MAX)
        return false;
    line->level = (unsigned)(priority & 7);
    line->facility = (unsigned)(priority >> 3);
    line->at_us = (int64_t)at_us;
    line->text = slice_until(text, '\n', &rest);
    return true;
}

static bool hex_byte(const uint8_t *at, uint8_t *value)
{
    *value = 0;
    for (size_t i = 0; i < 2; i++) {
        uint8_t c = at[i];
        unsigned digit = c >= '0' && c <= '9' ? c - '0'
                       : c >= 'a' && c <= 'f' ? c - 'a' + 10
                       : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                              : 16;

        if (digit > 15)
            return false;
        *value = (uint8_t)((unsigned)*value << 4 | digit);
    }
    return true;
}

static bool hex_bytes(struct slice s, uint8_t *bytes, size_t count)
{
    if (s.len != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!hex_byte(s.at + 2 * i, &bytes[i]))
            return false;
    return true;
}

/* A number of the kernel's own byte order, printed as hex: little-endian on all that Debian runs on today. */
static bool hex_address4(struct slice s, struct addr *a)
{
    uint8_t b[4];

    if (!hex_bytes(s, b, 4))
        return false;
    *a = addr_v4((uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0], 0);
    return true;
}

bool proc_route4_read(struct slice line, struct proc_route *r)
{
    struct addr mask;

    memset(r, 0, sizeof(*r));
    r->interface = word(&line);
    if (!hex_address4(word(&line), &r->net) || !hex_address4(word(&line), &r->gateway) || !skip_words(&line, 3) ||
        !number_word(&line, &r->metric) || !hex_address4(word(&line), &mask))
        return false;
    for (size_t i = 0; i < 32 && (mask.ip[i / 8] & (0x80 >> i % 8)) != 0; i++)
        r->bits++;
    return true;
}

bool proc_route6_read(struct slice line, struct proc_route *r)
{
    uint8_t net[16];
    uint8_t gateway[16];
    uint8_t source[16];
    uint8_t bits;
    uint8_t metric[4];

    memset(r, 0, sizeof(*r));
    if (!hex_bytes(word(&line), net, 16) || !hex_bytes(word(&line), &bits, 1) || bits > 128 ||
        !hex_bytes(word(&line), source, 16) || !skip_words(&line, 1) || !hex_bytes(word(&line), gateway, 16) ||
        !hex_bytes(word(&line), metric, 4) || !skip_words(&line, 3))
        return false;
    r->interface = word(&line);
    r->net = addr_from_ip(6, net, 0);
    r->gateway = addr_from_ip(6, gateway, 0);
    r->bits = bits;
    r->metric = (uint64_t)metric[0] << 24 | (uint64_t)metric[1] << 16 | (uint64_t)metric[2] << 8 | metric[3];
    return r->interface.len > 0;
}

/* Four bytes at a time stand in the kernel's own order, as in hex_address4. */
static bool hex_address6(struct slice s, struct addr *a)
{
    uint8_t b[16];
    uint8_t ip[16];

    if (!hex_bytes(s, b, 16))
        return false;
    for (size_t i = 0; i < 16; i++)
        ip[i] = b[i / 4 * 4 + 3 - i % 4];
    *a = addr_from_ip(6, ip, 0);
    return true;
}

bool proc_port_read(struct slice line, struct proc_port *p)
{
    struct slice port;
    struct slice ip;
    uint8_t two[2];

    memset(p, 0, sizeof(*p));
    (void)word(&line); /* its number, "0:" */
    ip = slice_until(word(&line), ':', &port);
    if (!(ip.len == 8 ? hex_address4(ip, &p->local) : hex_address6(ip, &p->local)) || !hex_bytes(port, two, 2))
        return false;
    p->local.port = (uint16_t)(two[0] << 8 | two[1]);
    return skip_words(&line, 1) && hex_bytes(word(&line), &p->state, 1) && skip_words(&line, 5) &&
           number_word(&line, &p->inode);
}

bool proc_module_read(struct slice line, struct proc_module *m)
{
    memset(m, 0, sizeof(*m));
    m->name = word(&line);
    if (m->name.len == 0 || !number_word(&line, &m->bytes) || !skip_words(&line, 2))
        return false;
    m->state = word(&line);
    (void)word(&line); /* its address */
    m->taints = word(&line);
    if (m->taints.len >= 2 && m->taints.at[0] == '(')
        m->taints = slice_of(m->taints.at + 1, m->taints.len - 2);
    return m->state.len > 0;
}
