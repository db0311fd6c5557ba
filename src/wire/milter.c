/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/milter.h"

#include <string.h>

enum {
    VERSION = 6,
    VERSION_LEAST = 2,
    NO_BODY = 0x10,
    NO_HEADERS = 0x20,
    NO_HEADERS_END = 0x40,
    NO_UNKNOWN = 0x100,
    NO_DATA = 0x200,
    UNWANTED = NO_BODY | NO_HEADERS | NO_HEADERS_END | NO_UNKNOWN | NO_DATA,
};

static uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void add_number(struct text *t, uint32_t n)
{
    const uint8_t bytes[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

    text_add(t, slice_of(bytes, sizeof(bytes)));
}

enum milter_got milter_packet_read(struct slice in, struct milter_packet *p)
{
    uint32_t len;

    if (in.len < 4)
        return MILTER_MORE;
    len = number(in.at);
    if (len < 1 || len > MILTER_BYTES - 4)
        return MILTER_BAD;
    if (in.len - 4 < len)
        return MILTER_MORE;
    p->letter = (char)in.at[4];
    p->body = slice_of(in.at + 5, len - 1);
    p->used = 4 + (size_t)len;
    return MILTER_OK;
}

bool milter_text(struct slice *rest, struct slice *text)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->at, 0, rest->len) : NULL;

    if (!end)
        return false;
    *text = slice_first(*rest, (size_t)(end - rest->at));
    *rest = slice_skip(*rest, text->len + 1);
    return true;
}

bool milter_connection(struct slice body, struct addr *client)
{
    struct slice name, ip;
    uint16_t port;

    memset(client, 0, sizeof(*client));
    if (!milter_text(&body, &name) || body.len < 1)
        return false;
    if (body.at[0] != '4' && body.at[0] != '6')
        return body.at[0] == 'U' || body.at[0] == 'L';
    if (body.len < 4)
        return false;
    port = (uint16_t)(body.at[1] << 8 | body.at[2]);
    body = slice_skip(body, 3);
    if (!milter_text(&body, &ip))
        return false;
    if (slice_starts_nocase(ip, SLICE("IPv6:")))
        ip = slice_skip(ip, 5);
    if (!addr_read(ip, client))
        return false;
    client->port = port;
    return true;
}

bool milter_macros(struct slice body, char *command, struct slice *rest)
{
    if (body.len < 1)
        return false;
    *command = (char)body.at[0];
    *rest = slice_skip(body, 1);
    return true;
}

static void begin(struct text *t, char letter, size_t body)
{
    add_number(t, (uint32_t)body + 1);
    text_add(t, slice_of(&letter, 1));
}

bool milter_options_write(struct slice body, struct text *t)
{
    uint32_t version;

    if (body.len < 12)
        return false;
    version = number(body.at);
    if (version < VERSION_LEAST)
        return false;
    begin(t, 'O', 12);
    add_number(t, version < VERSION ? version : VERSION);
    add_number(t, 0);
    add_number(t, number(body.at + 8) & UNWANTED);
    return true;
}

void milter_go_on_write(struct text *t)
{
    begin(t, 'c', 0);
}

void milter_reply_write(unsigned code, const char *enhanced, const char *words, struct text *t)
{
    char room[512];
    struct text line = TEXT_IN(room);

    text_addf(&line, "%03u %s %s", code, enhanced, words);
    for (size_t i = 0; i < line.len; i++) /* a percent sign would begin something, a line end another line */
        if (room[i] < ' ' || room[i] > '~' || room[i] == '%')
            room[i] = '?';
    begin(t, 'y', line.len + 1);
    text_add(t, slice_of(room, line.len + 1));
}
