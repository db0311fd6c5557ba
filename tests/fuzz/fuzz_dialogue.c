/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of the gate that sends any bytes, in segments that a 0xff ends; the server behind is a scripted one on
 * loopback.  Every reply is a reply, every session ends, and nothing stays behind.
 */
#include "../unit/gate_world.h"

/* Each line that comes back begins with a code. */
static void hear(int fd)
{
    static char heard[1 << 18];
    size_t len = 0;
    ssize_t n;

    while (len < sizeof(heard) && (n = recv(fd, heard + len, sizeof(heard) - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    for (char *at = heard, *end; len > 0 && (end = memchr(at, '\n', len)); len -= (size_t)(end + 1 - at), at = end + 1)
        assert(end - at >= 4 && at[0] >= '2' && at[0] <= '5' && end[-1] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    int client;

    if (!g)
        gate_world_open();
    if (size > 65536 || (client = gate_world_come()) < 0)
        return 0;
    for (int segments = 0; rest.len > 0 && segments < 16; segments++) {
        struct slice one = slice_until(rest, (char)0xff, &rest);

        (void)!send(client, one.at, one.len, MSG_NOSIGNAL);
        gate_world_turn();
        hear(client);
    }
    gate_world_leave(client);
    return 0;
}
