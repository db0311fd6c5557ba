/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/stock.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/sockaddr.h"

/* -1 when the kernel does not say: for a socket it always does. */
static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(fd, level, name, &value, &len) < 0 ? -1 : value;
}

int stock_read(int fd, struct hand_listen *place, struct err *e)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    int domain = option(fd, SOL_SOCKET, SO_DOMAIN);

    if (domain < 0)
        return err_set(e, 0, "it is no socket");
    if ((domain != AF_INET && domain != AF_INET6) || option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
        option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
        return err_set(e, 0, "it is no TCP socket");
    if (option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1)
        return err_set(e, 0, "it does not listen");
    if (getsockname(fd, (struct sockaddr *)(void *)&sa, &len) < 0)
        return err_set(e, errno, "getsockname");
    *place = (struct hand_listen){ .at = sockaddr_read(&sa),
                                   .v6only = domain == AF_INET6 && option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1 };
    return 0;
}

const struct hand_listen *stock_named(const struct hand_settings *set, int fd, struct err *e)
{
    struct hand_listen is;

    if (stock_read(fd, &is, e) < 0)
        return NULL;
    for (uint32_t i = 0; i < set->listens_count; i++) {
        const struct hand_listen *place = &set->listens[i];

        if (place->datagrams || place->tenant == HAND_FOR_LOG || !addr_eq(place->at, is.at))
            continue;
        if (place->v6only == is.v6only)
            return place;
        (void)err_set(e, 0, "it takes IPv4 too, which serviola does with a socket of its own (BindIPv6Only=ipv6-only)");
        return NULL;
    }
    (void)err_set(e, 0, "the configuration does not name its address and port");
    return NULL;
}
