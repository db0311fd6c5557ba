/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/nl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

enum { READ_BYTES = 32768, BATCH_ENDS = 64 };

int nl_open(struct nl *n, int bus, struct err *e)
{
    int bytes = 64 << 20; /* limits, not memory: a batch that puts back 100,000 blocks is sent as a whole */

    *n = (struct nl){ .socket = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK) };
    if (!n->socket)
        return err_set(e, errno, "netlink socket");
    if (mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        (void)err_set(e, errno, "netlink: bind");
        nl_close(n);
        return -1;
    }
    n->port = mnl_socket_get_portid(n->socket);
    (void)setsockopt(mnl_socket_get_fd(n->socket), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
    (void)setsockopt(mnl_socket_get_fd(n->socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    return 0;
}

void nl_close(struct nl *n)
{
    if (n->socket)
        (void)mnl_socket_close(n->socket);
    n->socket = NULL;
}

void nl_drain(struct nl *n)
{
    char left[READ_BYTES];

    while (mnl_socket_recvfrom(n->socket, left, sizeof(left)) > 0)
        ;
}

int nl_ask(struct nl *n, struct nlmsghdr *request, mnl_cb_t each, void *ctx)
{
    _Alignas(struct nlmsghdr) char answer[READ_BYTES];
    int saved;

    request->nlmsg_seq = ++n->seq;
    if (mnl_socket_sendto(n->socket, request, request->nlmsg_len) < 0)
        return -1;
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(n->socket, answer, sizeof(answer));
        int more;

        if (got < 0)
            return errno == EAGAIN ? 0 : -1; /* an answer without an end: a request that is no dump */
        more = mnl_cb_run(answer, (size_t)got, n->seq, n->port, each, ctx);
        if (more > 0)
            continue;
        saved = errno;
        if (more < 0)
            nl_drain(n);
        errno = saved;
        return more;
    }
}

int nl_batch_init(struct nl_batch *b, struct nl *n, size_t size, struct err *e)
{
    *b = (struct nl_batch){ .nl = n, .size = size + NL_MESSAGE + BATCH_ENDS };
    b->at = calloc(1, b->size);
    return b->at ? 0 : err_set(e, ENOMEM, "a firewall batch of %zu bytes", size);
}

void nl_batch_done(struct nl_batch *b)
{
    free(b->at);
    b->at = NULL;
}

void nl_batch_begin(struct nl_batch *b)
{
    b->used = nftnl_batch_begin(b->at, ++b->nl->seq)->nlmsg_len;
    b->changes = 0;
}

struct nlmsghdr *nl_batch_add(struct nl_batch *b, uint16_t type, uint16_t flags)
{
    assert(b->used + NL_MESSAGE + BATCH_ENDS <= b->size);
    b->last = ++b->nl->seq;
    return nftnl_nlmsg_build_hdr(b->at + b->used, type, NFPROTO_INET, flags, b->last);
}

void nl_batch_added(struct nl_batch *b, const struct nlmsghdr *h)
{
    assert(h->nlmsg_len <= NL_MESSAGE);
    b->last_offset = b->used;
    b->used += NLMSG_ALIGN(h->nlmsg_len);
    b->changes++;
}

/* The first error of the answers, or 0 once the last change is acknowledged. */
static int read_acks(struct nl *n, uint32_t last)
{
    _Alignas(struct nlmsghdr) char answer[READ_BYTES];
    int error = 0;

    for (;;) {
        ssize_t got = mnl_socket_recvfrom(n->socket, answer, sizeof(answer));
        const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)answer;
        int left = (int)got;

        if (got < 0)
            return error ? error : errno == EAGAIN ? EIO : errno;
        for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
            const struct nlmsgerr *said = mnl_nlmsg_get_payload(h);

            if (h->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(h) < sizeof(*said))
                continue;
            if (said->error != 0 && error == 0)
                error = -said->error;
            if (said->error == 0 && h->nlmsg_seq == last)
                return error;
        }
    }
}

int nl_batch_send(struct nl_batch *b)
{
    int error;

    if (b->changes == 0)
        return 0;
    /* Only the last change is acknowledged; errors come for any. */
    ((struct nlmsghdr *)(void *)(b->at + b->last_offset))->nlmsg_flags |= NLM_F_ACK;
    b->used += nftnl_batch_end(b->at + b->used, ++b->nl->seq)->nlmsg_len;
    if (mnl_socket_sendto(b->nl->socket, b->at, b->used) < 0)
        return -1;
    error = read_acks(b->nl, b->last);
    if (error == 0)
        return 0;
    nl_drain(b->nl);
    errno = error;
    return -1;
}
