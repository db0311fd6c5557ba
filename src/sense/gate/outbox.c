/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sense/gate/tls.h"

bool inbox_keep(struct inbox *in, struct slice rest)
{
    uint8_t *copy = NULL;

    if (rest.len > 0) {
        copy = malloc(rest.len);
        if (!copy)
            return false;
        memcpy(copy, rest.at, rest.len);
    }
    free(in->at);
    *in = (struct inbox){ copy, (uint32_t)rest.len };
    return true;
}

bool outbox_add(struct outbox *o, struct slice s)
{
    size_t needs = o->len + s.len;

    if (s.len == 0)
        return true;
    if (needs > OUTBOX_MOST)
        return false;
    if (needs > o->cap) {
        size_t cap = needs < 512 ? 512 : needs + needs / 2;
        uint8_t *more = realloc(o->at, cap);

        if (!more)
            return false;
        o->at = more;
        o->cap = (uint32_t)cap;
    }
    memcpy(o->at + o->len, s.at, s.len);
    o->len = (uint32_t)needs;
    return true;
}

int outbox_send(struct outbox *o, int fd, struct tls *tls)
{
    uint32_t sent = 0;
    int result = 1;

    while (sent < o->len) {
        ssize_t n =
            tls ? tls_send(tls, o->at + sent, o->len - sent) : send(fd, o->at + sent, o->len - sent, MSG_NOSIGNAL);

        if (n > 0) {
            sent += (uint32_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        result = n < 0 && errno == EAGAIN ? 0 : -1;
        break;
    }
    if (result == 1) {
        outbox_free(o);
        return 1;
    }
    memmove(o->at, o->at + sent, o->len - sent);
    o->len -= sent;
    return result;
}

void outbox_free(struct outbox *o)
{
    free(o->at);
    *o = (struct outbox){ 0 };
}
