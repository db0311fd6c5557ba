/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_from(struct addr a, struct sockaddr_storage *room)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(a.port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(a.port) };

    memset(room, 0, sizeof(*room));
    if (a.family == 4) {
        memcpy(&v4.sin_addr, a.ip, sizeof(v4.sin_addr));
        memcpy(room, &v4, sizeof(v4));
        return sizeof(v4);
    }
    memcpy(&v6.sin6_addr, a.ip, sizeof(v6.sin6_addr));
    memcpy(room, &v6, sizeof(v6));
    return sizeof(v6);
}

struct addr sockaddr_read(const struct sockaddr_storage *room)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)room;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)room;

    if (room->ss_family == AF_INET)
        return addr_from_ip(4, (const uint8_t *)&v4->sin_addr, ntohs(v4->sin_port));
    if (room->ss_family == AF_INET6)
        return addr_from_ip(6, (const uint8_t *)&v6->sin6_addr, ntohs(v6->sin6_port));
    return (struct addr){ 0 };
}
