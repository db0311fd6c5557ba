/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/dnsask.h"

#include <string.h>

enum { HEAD = 12, LABEL = 63, CLASS_IN = 1, OPT = 41, EDNS_BYTES = 1232, NAME_MOST = 253 };

static size_t put16(uint8_t *at, size_t n, unsigned value)
{
    at[n] = (uint8_t)(value >> 8);
    at[n + 1] = (uint8_t)value;
    return n + 2;
}

size_t dnsask_write(uint8_t at[DNSASK_BYTES], uint16_t id, enum dns_kind kind, struct slice name)
{
    size_t n = HEAD;

    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    if (!dns_name_is_sound(name) || name.len > NAME_MOST)
        return 0;
    memset(at, 0, DNSASK_BYTES);
    (void)put16(at, 0, id);
    at[2] = 1;  /* recursion is wanted */
    at[5] = 1;  /* one question, */
    at[11] = 1; /* and one OPT */
    while (name.len > 0) {
        struct slice label = slice_until(name, '.', &name);

        if (label.len == 0 || label.len > LABEL)
            return 0;
        at[n++] = (uint8_t)label.len;
        memcpy(at + n, label.at, label.len);
        n += label.len;
    }
    n = put16(at, n + 1, dns_type(kind));
    n = put16(at, n, CLASS_IN);
    n = put16(at, n + 1, OPT);
    n = put16(at, n, EDNS_BYTES);
    return n + 6; /* no extended code, no flags, no data */
}

bool dnsask_is_for(struct slice message, uint16_t id)
{
    return message.len >= HEAD && message.at[0] == id >> 8 && message.at[1] == (id & 0xff) && message.at[2] >> 7 == 1;
}

unsigned dnsask_code(struct slice message)
{
    return message.len >= HEAD ? message.at[3] & 15 : 15;
}
