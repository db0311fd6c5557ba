/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/crc32c.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[8][256]; /* slicing by 8: table[k][b] is byte b, followed by k zero bytes */
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t c = b;

        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
        table[0][b] = c;
    }
    for (uint32_t b = 0; b < 256; b++)
        for (int k = 1; k < 8; k++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
}

uint32_t crc32c_portable(uint32_t before, const void *at, size_t len)
{
    const uint8_t *p = at;
    uint32_t c = ~before;

    (void)pthread_once(&table_made, make_table);
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t w;

        memcpy(&w, p, 8);
        w ^= c;
        c = 0;
        for (int k = 0; k < 8; k++)
            c ^= table[7 - k][w >> (8 * k) & 0xff];
    }
    for (; len > 0; len--, p++)
        c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
    return ~c;
}

#if defined(__x86_64__)
/*
 * The instruction takes three cycles and one can begin in each: three stretches of LANE bytes are summed side by side,
 * then joined.  lane[k][b] is what byte k of a sum, of value b, becomes when LANE zero bytes follow.
 */
enum { LANE = 1024 };
static uint32_t lane[4][256];
static pthread_once_t lane_made = PTHREAD_ONCE_INIT;

static void make_lane(void)
{
    static const uint8_t zeros[LANE];

    for (unsigned bit = 0; bit < 32; bit++)
        lane[bit / 8][1u << bit % 8] = ~crc32c_portable(~(1u << bit), zeros, LANE);
    for (unsigned k = 0; k < 4; k++)
        for (uint32_t b = 1; b < 256; b++) /* sums of those of its bits */
            lane[k][b] = lane[k][b & (b - 1)] ^ lane[k][b & (0 - b)];
}

static uint32_t behind(uint32_t sum, uint64_t next)
{
    return lane[0][sum & 0xff] ^ lane[1][sum >> 8 & 0xff] ^ lane[2][sum >> 16 & 0xff] ^ lane[3][sum >> 24] ^
           (uint32_t)next;
}

static inline uint64_t load(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, 8);
    return w;
}

__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t before, const uint8_t *p, size_t len)
{
    uint64_t c = ~before;

    if (len >= 3 * LANE)
        (void)pthread_once(&lane_made, make_lane);
    for (; len >= 3 * LANE; len -= 3 * LANE, p += 3 * LANE) {
        uint64_t second = 0;
        uint64_t third = 0;

        for (size_t i = 0; i < LANE; i += 8) {
            c = __builtin_ia32_crc32di(c, load(p + i));
            second = __builtin_ia32_crc32di(second, load(p + LANE + i));
            third = __builtin_ia32_crc32di(third, load(p + 2 * LANE + i));
        }
        c = behind(behind((uint32_t)c, second), third);
    }
    for (; len >= 8; len -= 8, p += 8)
        c = __builtin_ia32_crc32di(c, load(p));
    for (; len > 0; len--, p++)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return ~(uint32_t)c;
}

uint32_t crc32c(uint32_t before, const void *at, size_t len)
{
    return __builtin_cpu_supports("sse4.2") ? by_processor(before, at, len) : crc32c_portable(before, at, len);
}
#else
uint32_t crc32c(uint32_t before, const void *at, size_t len)
{
    return crc32c_portable(before, at, len);
}
#endif
