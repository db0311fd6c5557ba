/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * diag - sockets as the kernel lists them over netlink: sock_diag(7), and addresses: rtnetlink(7).
 *
 * Pure: the bytes of one datagram in, entries out.
 */
#ifndef SERVIOLA_WIRE_DIAG_H
#define SERVIOLA_WIRE_DIAG_H
#include "base/addr.h"
#include "base/slice.h"

/* One netlink message. */
struct diag_message {
    uint16_t type; /* NLMSG_DONE, NLMSG_ERROR, SOCK_DIAG_BY_FAMILY, RTM_NEWADDR ... */
    uint16_t flags;
    struct slice body;
};
/* The next message of a datagram; false at its end, or when what follows is none. */
bool diag_next(struct slice *rest, struct diag_message *m);
/* The errno in a NLMSG_ERROR, positive; 0: none. */
int diag_error(const struct diag_message *m);

struct diag_socket {
    struct addr local, remote; /* none for unix and packet sockets */
    uint8_t state;             /* as TCP's: 1 established ... 10 listening */
    uint8_t timer;             /* 0 none, 1 retransmission, 2 keepalive, 3 TIME_WAIT, 4 window probe */
    uint8_t retransmits;
    uint32_t uid;
    uint64_t inode; /* 0: no process has it (yet): TIME_WAIT, accept queue */
    uint64_t cookie;
    uint64_t receive_queue, send_queue; /* bytes; of a listener: connections that wait, and how many may */
    uint64_t peer_inode;                /* unix: the other end; 0: not told */
    struct slice path;                  /* unix: its name, an abstract one begins with NUL; borrowed */
};
bool diag_inet_read(struct slice body, struct diag_socket *s);
bool diag_unix_read(struct slice body, struct diag_socket *s);
bool diag_packet_read(struct slice body, struct diag_socket *s);
const char *diag_state_name(uint8_t state); /* "ESTABLISHED"; "?" for none */

/* One address of an interface, from RTM_NEWADDR. */
struct diag_address {
    struct addr address;
    uint8_t bits;
    uint32_t interface; /* its number */
    struct slice label; /* its name; empty for IPv6 */
};
bool diag_address_read(struct slice body, struct diag_address *a);
#endif
