/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nl - one netlink socket of the hand, and batches of nftables changes that the kernel takes as a whole or not at all.
 *
 * The kernel answers within the send, so nothing here ever waits.
 */
#ifndef SERVIOLA_HAND_NL_H
#define SERVIOLA_HAND_NL_H
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "base/err.h"

struct nl {
    struct mnl_socket *socket; /* own */
    uint32_t port;             /* our address on this bus */
    uint32_t seq;
};

/* Each attribute of a message behind `offset` bytes, or inside another attribute; never past the end.  (libmnl's own
 * macros draw warnings.) */
#define NL_EACH(a, h, offset)                                                                                          \
    for ((a) = mnl_nlmsg_get_payload_offset((h), (offset));                                                            \
         mnl_attr_ok((a), (int)((const char *)mnl_nlmsg_get_payload_tail(h) - (const char *)(a)));                     \
         (a) = mnl_attr_next(a))
#define NL_EACH_IN(a, nest)                                                                                            \
    for ((a) = mnl_attr_get_payload(nest);                                                                             \
         mnl_attr_ok((a), (int)((const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest) -            \
                                (const char *)(a)));                                                                   \
         (a) = mnl_attr_next(a))

int nl_open(struct nl *n, int bus, struct err *e); /* NETLINK_NETFILTER, NETLINK_SOCK_DIAG */
void nl_close(struct nl *n);                       /* one that is not open is fine */

/* Sends one request and calls `each` for every message of the answer, up to its end.  `each` returns MNL_CB_OK or
 * MNL_CB_ERROR with errno.  0, or -1 with errno. */
int nl_ask(struct nl *n, struct nlmsghdr *request, mnl_cb_t each, void *ctx);

void nl_drain(struct nl *n); /* forgets what was not read */

/* A batch grows in memory of its own. */
struct nl_batch {
    struct nl *nl;
    char *at; /* own */
    size_t size, used;
    uint32_t last;      /* sequence number of the last change, */
    size_t last_offset; /* and where it stands */
    size_t changes;
};
int nl_batch_init(struct nl_batch *b, struct nl *n, size_t size, struct err *e); /* room for `size` bytes of changes */
void nl_batch_done(struct nl_batch *b);
void nl_batch_begin(struct nl_batch *b);
/* Room for one message (at most NL_MESSAGE bytes); write its attributes, then nl_batch_added.  `type` is NFT_MSG_*. */
enum { NL_MESSAGE = 32768 };
struct nlmsghdr *nl_batch_add(struct nl_batch *b, uint16_t type, uint16_t flags);
void nl_batch_added(struct nl_batch *b, const struct nlmsghdr *h);
int nl_batch_send(struct nl_batch *b); /* 0: all is in force; -1: nothing is, errno says why */
#endif
