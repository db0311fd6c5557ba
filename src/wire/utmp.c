/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/utmp.h"

#include <string.h>

/* Offsets as every Linux with 32-bit times in utmp has them, x86-64 among them. */
enum {
    PID = 4,
    LINE = 8,
    LINE_LEN = 32,
    USER = 44,
    USER_LEN = 32,
    HOST = 76,
    HOST_LEN = 256,
    SECONDS = 340,
    MICROS = 344,
    ADDRESS = 348
};

static int32_t i32_at(struct slice s, size_t offset)
{
    int32_t number;

    memcpy(&number, s.at + offset, sizeof(number));
    return number;
}

static struct slice words_at(struct slice s, size_t offset, size_t len)
{
    struct slice rest;

    return slice_until(slice_of(s.at + offset, len), '\0', &rest);
}

static struct addr address_at(struct slice s)
{
    static const uint8_t zeros[16];
    struct addr none = { .family = 0 };

    if (memcmp(s.at + ADDRESS, zeros, 16) == 0)
        return none;
    /* IPv4 stands in the first four bytes, the others are 0. */
    return addr_from_ip(memcmp(s.at + ADDRESS + 4, zeros, 12) == 0 ? 4 : 6, s.at + ADDRESS, 0);
}

bool utmp_next(struct slice *rest, struct utmp_record *r)
{
    struct slice s = slice_first(*rest, UTMP_SIZE);
    int16_t type;

    memset(r, 0, sizeof(*r));
    if (s.len < UTMP_SIZE)
        return false;
    *rest = slice_skip(*rest, UTMP_SIZE);
    memcpy(&type, s.at, sizeof(type));
    r->type = type;
    r->pid = i32_at(s, PID);
    r->at_us = (int64_t)(uint32_t)i32_at(s, SECONDS) * 1000000 + (uint32_t)i32_at(s, MICROS) % 1000000;
    r->line = words_at(s, LINE, LINE_LEN);
    r->user = words_at(s, USER, USER_LEN);
    r->host = words_at(s, HOST, HOST_LEN);
    r->address = address_at(s);
    return true;
}

bool lastlog_next(struct slice *rest, struct lastlog_record *r)
{
    struct slice s = slice_first(*rest, LASTLOG_SIZE);

    memset(r, 0, sizeof(*r));
    if (s.len < LASTLOG_SIZE)
        return false;
    *rest = slice_skip(*rest, LASTLOG_SIZE);
    r->at_s = (uint32_t)i32_at(s, 0);
    r->line = words_at(s, 4, 32);
    r->host = words_at(s, 36, 256);
    return true;
}
