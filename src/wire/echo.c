/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/echo.h"

#include <string.h>

enum { REQUEST_4 = 8, REPLY_4 = 0, REQUEST_6 = 128, REPLY_6 = 129, IP_LEAST = 20, ICMP = 1 };

/* RFC 1071 */
static uint16_t sum_of(const uint8_t *at, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(at[i] << 8 | at[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void echo_write(uint8_t bytes[ECHO_BYTES], uint8_t family, uint16_t id, uint16_t number,
                const uint8_t token[ECHO_TOKEN])
{
    memset(bytes, 0, ECHO_BYTES);
    bytes[0] = family == 4 ? REQUEST_4 : REQUEST_6;
    put16(bytes + 4, id);
    put16(bytes + 6, number);
    memcpy(bytes + 8, token, ECHO_TOKEN);
    if (family == 4)
        put16(bytes + 2, sum_of(bytes, ECHO_BYTES));
}

bool echo_read(struct slice packet, uint8_t family, struct slice *token)
{
    if (family == 4 && packet.len > 0 && packet.at[0] >> 4 == 4) { /* an ICMP type of 0x4? is none of ours */
        size_t head = (size_t)(packet.at[0] & 15) * 4;

        if (head < IP_LEAST || packet.len < head || packet.at[9] != ICMP)
            return false;
        packet = slice_skip(packet, head);
    }
    if (packet.len < ECHO_BYTES || packet.at[0] != (family == 4 ? REPLY_4 : REPLY_6) || packet.at[1] != 0)
        return false;
    *token = slice_of(packet.at + 8, ECHO_TOKEN);
    return true;
}
