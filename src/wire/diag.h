/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * diag - what the kernel lists over netlink: sockets (sock_diag(7)), interfaces, addresses, routes and neighbours
 * (rtnetlink(7)), translated connections (nfnetlink's conntrack).
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

struct diag_link {
    uint32_t number;
    struct slice name, hardware; /* hardware: its address, raw bytes */
    uint8_t state;               /* RFC 2863: 2 down, 5 dormant, 6 up, 0 not told */
    bool promiscuous;
    uint32_t mtu;
    uint64_t errors, dropped; /* both directions */
};
bool diag_link_read(struct slice body, struct diag_link *l);
const char *diag_link_state_name(uint8_t state);

struct diag_route {
    struct addr net, gateway; /* the default route's net is unspecified */
    uint8_t bits, type, table;
    uint32_t interface, metric;
};
bool diag_route_read(struct slice body, struct diag_route *r);

struct diag_neighbour {
    struct addr address;
    struct slice hardware;
    uint32_t interface;
    uint16_t state; /* NUD_ */
};
bool diag_neighbour_read(struct slice body, struct diag_neighbour *n);
const char *diag_neighbour_state_name(uint16_t state);

/* An entry of conntrack: as it was opened, and as the answers come. */
struct diag_track {
    uint8_t protocol; /* IPPROTO_ */
    struct addr from, to, reply_from, reply_to;
};
bool diag_track_read(struct slice body, struct diag_track *t);
bool diag_track_translated(const struct diag_track *t); /* the answer does not go back the way that was asked */
#endif
