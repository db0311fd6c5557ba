/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/ports.h"

#include <stddef.h>
#include <string.h>

bool log_port_eq(const struct log_port *a, const struct log_port *b)
{
    return a->way == b->way && addr_eq(a->at, b->at);
}

static size_t add(const struct key_addrs *from, enum log_way way, uint16_t usual, struct log_port *to, size_t count)
{
    for (uint32_t i = 0; i < from->count; i++) {
        struct log_port port = { .at = from->at[i], .way = way };
        size_t k = 0;

        if (port.at.port == 0)
            port.at.port = usual;
        while (k < count && !log_port_eq(&to[k], &port))
            k++;
        to[k] = port;
        count += k == count;
    }
    return count;
}

size_t log_ports(const struct log_settings *s, struct log_port at[LOG_PORTS])
{
    size_t count = add(&s->udp, LOG_UDP, 514, at, 0);

    count = add(&s->tcp, LOG_TCP, 514, at, count);
    count = add(&s->tls, LOG_TLS, 6514, at, count);
    count = add(&s->relp, LOG_RELP, 2514, at, count);
    return add(&s->peers, LOG_PEER, 2515, at, count);
}

bool log_port_is_named(const struct log_settings *s, const struct log_port *port)
{
    struct log_port ports[LOG_PORTS];
    size_t count = log_ports(s, ports);

    for (size_t i = 0; i < count; i++)
        if (log_port_eq(&ports[i], port))
            return true;
    return false;
}

/* Files are in the jail from its start on, the kernel's own were opened before it, and memory is not moved. */
#define FIXED(field, key)                                                                                              \
    {                                                                                                                  \
        offsetof(struct log_settings, field), sizeof(((struct log_settings *)NULL)->field), key                        \
    }
static const struct {
    size_t offset, size;
    const char *key;
} fixed[] = {
    FIXED(folder, "log.folder"),
    FIXED(socket, "log.socket"),
    FIXED(kernel, "log.kernel"),
    FIXED(journald, "log.journald"),
    FIXED(journald_folder, "log.journald_folder"),
    FIXED(files, "log.files"),
    FIXED(files_count, "log.files"),
    FIXED(forwards, "log.forward"),
    FIXED(forwards_count, "log.forward"),
    FIXED(classes, "log.keep.classes"),
    FIXED(classes_count, "log.keep.classes"),
    FIXED(udp_sockets, "log.udp_sockets"),
    FIXED(memory_bytes, "log.keep.memory"),
    FIXED(reserve_bytes, "log.keep.reserve"),
    FIXED(analyse.on, "log.analyse.on"),
    FIXED(analyse.memory_bytes, "log.analyse.memory"),
    FIXED(analyse.own, "log.analyse.own"),
};

static const char *at(const struct log_settings *s, size_t i)
{
    return (const char *)s + fixed[i].offset;
}

const char *log_needs_restart(const struct log_settings *old, const struct log_settings *now)
{
    if (old->mode == LOG_OFF && now->mode != LOG_OFF)
        return "log.mode"; /* its folder is made and opened to it at the start */
    if (now->mode == LOG_OFF)
        return NULL;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (memcmp(at(old, i), at(now, i), fixed[i].size) != 0)
            return fixed[i].key;
    return NULL;
}

void log_keep_fixed(const struct log_settings *old, struct log_settings *now)
{
    if (old->mode == LOG_OFF) {
        now->mode = LOG_OFF;
        now->mail = false;
    }
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        memcpy((char *)now + fixed[i].offset, at(old, i), fixed[i].size);
}
