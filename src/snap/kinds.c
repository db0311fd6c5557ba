/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of all parts: names in the file, offsets in memory, bounds. */
#include "snap/snap.h"

/* A name, and the same as it stands in a line of JSON. */
#define NAMES(field)                                                                                                   \
#field,                                                                                                            \
    {                                                                                                                  \
        (const uint8_t *)"\"" #field "\":", sizeof("\"" #field "\":") - 1                                              \
    }
#define FIELD(kind, field, type)                                                                                       \
    {                                                                                                                  \
        NAMES(field), type, offsetof(struct kind, field)                                                               \
    }
#define TEXT(kind, field) FIELD(kind, field, SNAP_TYPE_TEXT)
#define U64(kind, field)  FIELD(kind, field, SNAP_TYPE_U64)
#define I64(kind, field)  FIELD(kind, field, SNAP_TYPE_I64)
#define FLAG(kind, field) FIELD(kind, field, SNAP_TYPE_FLAG)
#define ADDR(kind, field) FIELD(kind, field, SNAP_TYPE_ADDR)
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, { NULL, 0 }, SNAP_TYPE_END, 0                                                                            \
    }

static const struct snap_field host[] = {
    TEXT(snap_host, name),
    TEXT(snap_host, kernel),
    TEXT(snap_host, boot_id),
    TEXT(snap_host, command),
    TEXT(snap_host, back_end),
    TEXT(snap_host, back_end_why),
    TEXT(snap_host, taken_by),
    I64(snap_host, begun_us),
    I64(snap_host, ended_us),
    I64(snap_host, booted_us),
    U64(snap_host, cpus_present),
    U64(snap_host, cpus_online),
    U64(snap_host, taint),
    U64(snap_host, network),
    U64(snap_host, processes_vanished),
    U64(snap_host, sockets_appeared),
    U64(snap_host, sockets_vanished),
    U64(snap_host, unreadable),
    U64(snap_host, processes_appeared),
    END,
};

static const struct snap_field process[] = {
    I64(snap_process, pid),
    I64(snap_process, parent),
    U64(snap_process, start_ms),
    TEXT(snap_process, state),
    TEXT(snap_process, comm),
    TEXT(snap_process, exe),
    TEXT(snap_process, cwd),
    TEXT(snap_process, args),
    FLAG(snap_process, args_cut),
    U64(snap_process, image),
    U64(snap_process, flags),
    U64(snap_process, threads),
    U64(snap_process, uid),
    U64(snap_process, rss_kib),
    U64(snap_process, descriptors),
    U64(snap_process, descriptors_most),
    U64(snap_process, network),
    TEXT(snap_process, unit),
    U64(snap_process, waiting),
    TEXT(snap_process, wait),
    TEXT(snap_process, stack),
    TEXT(snap_process, wait_path),
    FLAG(snap_process, unlisted),
    U64(snap_process, tasks_most),
    END,
};

static const struct snap_field socket_fields[] = {
    TEXT(snap_socket, kind),
    U64(snap_socket, network),
    TEXT(snap_socket, state),
    ADDR(snap_socket, local),
    ADDR(snap_socket, remote),
    TEXT(snap_socket, path),
    U64(snap_socket, inode),
    U64(snap_socket, peer_inode),
    U64(snap_socket, uid),
    U64(snap_socket, cookie),
    U64(snap_socket, receive_queue),
    U64(snap_socket, send_queue),
    U64(snap_socket, timer),
    U64(snap_socket, retransmits),
    I64(snap_socket, pid),
    I64(snap_socket, peer_pid),
    END,
};

static const struct snap_field holder[] = {
    I64(snap_holder, pid),
    U64(snap_holder, descriptor),
    U64(snap_holder, inode),
    END,
};

static const struct snap_field mount[] = {
    U64(snap_mount, id),
    U64(snap_mount, parent),
    U64(snap_mount, major),
    U64(snap_mount, minor),
    TEXT(snap_mount, root),
    TEXT(snap_mount, point),
    TEXT(snap_mount, options),
    TEXT(snap_mount, type),
    TEXT(snap_mount, source),
    TEXT(snap_mount, super_options),
    U64(snap_mount, answer),
    U64(snap_mount, bytes),
    U64(snap_mount, bytes_free),
    U64(snap_mount, inodes),
    U64(snap_mount, inodes_free),
    U64(snap_mount, errors),
    U64(snap_mount, first_error_s),
    TEXT(snap_mount, first_error_at),
    END,
};

static const struct snap_field disk[] = {
    TEXT(snap_disk, name),
    U64(snap_disk, major),
    U64(snap_disk, minor),
    U64(snap_disk, in_flight),
    U64(snap_disk, in_flight_after),
    U64(snap_disk, done),
    U64(snap_disk, done_after),
    U64(snap_disk, busy_ms),
    TEXT(snap_disk, state),
    U64(snap_disk, waited_ms),
    U64(snap_disk, waited_ms_after),
    U64(snap_disk, errors),
    U64(snap_disk, timeouts),
    TEXT(snap_disk, raid_level),
    TEXT(snap_disk, raid_state),
    U64(snap_disk, raid_disks),
    U64(snap_disk, raid_missing),
    TEXT(snap_disk, health),
    END,
};

static const struct snap_field gauge[] = { TEXT(snap_gauge, name), U64(snap_gauge, value), END };

static const struct snap_field address[] = {
    U64(snap_address, network),
    TEXT(snap_address, interface),
    ADDR(snap_address, address),
    U64(snap_address, bits),
    END,
};

static const struct snap_field route[] = {
    TEXT(snap_route, interface),
    ADDR(snap_route, net),
    U64(snap_route, bits),
    ADDR(snap_route, gateway),
    U64(snap_route, metric),
    U64(snap_route, network),
    END,
};

static const struct snap_field kmsg[] = {
    U64(snap_kmsg, number), U64(snap_kmsg, level), U64(snap_kmsg, facility),
    I64(snap_kmsg, at_us),  TEXT(snap_kmsg, text), END,
};

static const struct snap_field name[] = {
    TEXT(snap_name, path),
    TEXT(snap_name, why),
    TEXT(snap_name, kind),
    U64(snap_name, uid),
    U64(snap_name, bytes),
    I64(snap_name, changed_s),
    END,
};

static const struct snap_field module[] = {
    TEXT(snap_module, name), TEXT(snap_module, state), TEXT(snap_module, taints), U64(snap_module, bytes), END,
};

static const struct snap_field queue[] = {
    TEXT(snap_queue, program), TEXT(snap_queue, folder),  U64(snap_queue, messages),
    U64(snap_queue, answer),   I64(snap_queue, oldest_s), END,
};

static const struct snap_field note[] = { TEXT(snap_note, part), TEXT(snap_note, text), END };

static const struct snap_field interface[] = {
    U64(snap_interface, network),   U64(snap_interface, number),
    TEXT(snap_interface, name),     TEXT(snap_interface, state),
    TEXT(snap_interface, hardware), FLAG(snap_interface, promiscuous),
    U64(snap_interface, mtu),       U64(snap_interface, errors),
    U64(snap_interface, dropped),   END,
};

static const struct snap_field neighbour[] = {
    U64(snap_neighbour, network), TEXT(snap_neighbour, interface), ADDR(snap_neighbour, address),
    TEXT(snap_neighbour, state),  TEXT(snap_neighbour, hardware),  END,
};

static const struct snap_field rule[] = {
    U64(snap_rule, network), TEXT(snap_rule, family), TEXT(snap_rule, table), TEXT(snap_rule, chain),
    TEXT(snap_rule, hook),   TEXT(snap_rule, policy), U64(snap_rule, handle), FLAG(snap_rule, counts),
    U64(snap_rule, packets), U64(snap_rule, bytes),   TEXT(snap_rule, text),  END,
};

static const struct snap_field track[] = {
    U64(snap_track, network),
    TEXT(snap_track, kind),
    ADDR(snap_track, from),
    ADDR(snap_track, to),
    ADDR(snap_track, reply_from),
    ADDR(snap_track, reply_to),
    END,
};

static const struct snap_field login[] = {
    TEXT(snap_login, kind),    TEXT(snap_login, user), TEXT(snap_login, line), TEXT(snap_login, host),
    ADDR(snap_login, address), I64(snap_login, at_s),  I64(snap_login, pid),   END,
};

static const struct snap_field job[] = {
    TEXT(snap_job, kind),
    TEXT(snap_job, source),
    TEXT(snap_job, when),
    TEXT(snap_job, user),
    TEXT(snap_job, command),
    I64(snap_job, changed_s),
    END,
};

static const struct snap_field log_fields[] = {
    TEXT(snap_log, path),
    I64(snap_log, pid),
    U64(snap_log, descriptor),
    U64(snap_log, inode),
    U64(snap_log, inode_now),
    U64(snap_log, bytes),
    U64(snap_log, line_bytes),
    I64(snap_log, born_us),
    I64(snap_log, changed_us),
    U64(snap_log, answer),
    END,
};

static const struct snap_field resolver[] = { ADDR(snap_resolver, address), END };

static const struct snap_field port[] = {
    TEXT(snap_port, kind), U64(snap_port, network), U64(snap_port, port),   ADDR(snap_port, address),
    I64(snap_port, pid),   TEXT(snap_port, shown),  TEXT(snap_port, lacks), END,
};

static const struct snap_field package[] = {
    TEXT(snap_package, path), TEXT(snap_package, package), TEXT(snap_package, version),  TEXT(snap_package, what),
    TEXT(snap_package, is),   TEXT(snap_package, should),  I64(snap_package, changed_s), END,
};

static const struct snap_field file[] = {
    I64(snap_file, pid),
    U64(snap_file, descriptor),
    TEXT(snap_file, path),
    END,
};

static const struct snap_field installed[] = {
    TEXT(snap_installed, name),
    TEXT(snap_installed, version),
    TEXT(snap_installed, architecture),
    TEXT(snap_installed, programs),
    END,
};

const struct snap_kind snap_kinds[SNAP_PARTS] = {
    [SNAP_HOST] = { "host", sizeof(struct snap_host), 1, host },
    [SNAP_PROCESS] = { "process", sizeof(struct snap_process), 100000, process },
    [SNAP_SOCKET] = { "socket", sizeof(struct snap_socket), 400000, socket_fields },
    [SNAP_HOLDER] = { "holder", sizeof(struct snap_holder), 1000000, holder },
    [SNAP_MOUNT] = { "mount", sizeof(struct snap_mount), 10000, mount },
    [SNAP_DISK] = { "disk", sizeof(struct snap_disk), 4096, disk },
    [SNAP_GAUGE] = { "gauge", sizeof(struct snap_gauge), 1024, gauge },
    [SNAP_ADDRESS] = { "address", sizeof(struct snap_address), 20000, address },
    [SNAP_ROUTE] = { "route", sizeof(struct snap_route), 20000, route },
    [SNAP_KMSG] = { "kmsg", sizeof(struct snap_kmsg), 20000, kmsg },
    [SNAP_NAME] = { "name", sizeof(struct snap_name), 1000, name },
    [SNAP_MODULE] = { "module", sizeof(struct snap_module), 2000, module },
    [SNAP_QUEUE] = { "queue", sizeof(struct snap_queue), 64, queue },
    [SNAP_NOTE] = { "note", sizeof(struct snap_note), 256, note },
    [SNAP_INTERFACE] = { "interface", sizeof(struct snap_interface), 20000, interface },
    [SNAP_NEIGHBOUR] = { "neighbour", sizeof(struct snap_neighbour), 20000, neighbour },
    [SNAP_RULE] = { "rule", sizeof(struct snap_rule), 20000, rule },
    [SNAP_TRACK] = { "track", sizeof(struct snap_track), 100000, track },
    [SNAP_LOGIN] = { "login", sizeof(struct snap_login), 4000, login },
    [SNAP_JOB] = { "job", sizeof(struct snap_job), 2000, job },
    [SNAP_LOG] = { "log", sizeof(struct snap_log), 1000, log_fields },
    [SNAP_RESOLVER] = { "resolver", sizeof(struct snap_resolver), 16, resolver },
    [SNAP_PORT] = { "port", sizeof(struct snap_port), 1000, port },
    [SNAP_PACKAGE] = { "package", sizeof(struct snap_package), 20000, package },
    [SNAP_FILE] = { "file", sizeof(struct snap_file), 200000, file },
    [SNAP_INSTALLED] = { "installed", sizeof(struct snap_installed), 60000, installed },
};
