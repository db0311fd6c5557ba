/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Escaping: what comes out moves no cursor and ends no JSON string, loses nothing, and is never cut inside an escape.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

enum { ROOM = 65536 };
static char room[ROOM], cut[ROOM];

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the escapes back; the length, or SIZE_MAX when one is broken. */
static size_t unescape(const char *from, uint8_t *to)
{
    size_t n = 0;

    for (; *from; from++) {
        if (*from != '\\')
            to[n++] = (uint8_t)*from;
        else if (from[1] == '\\') {
            to[n++] = '\\';
            from++;
        } else if (from[1] == 'x' && hex(from[2]) >= 0 && hex(from[3]) >= 0) {
            to[n++] = (uint8_t)(hex(from[2]) * 16 + hex(from[3]));
            from += 3;
        } else
            return SIZE_MAX;
    }
    return n;
}

static void check_visible(struct slice s)
{
    static uint8_t back[ROOM];
    struct text t = TEXT_IN(room);

    text_visible(&t, s);
    MUST(!t.cut && strlen(room) == t.len);
    for (size_t i = 0; i < t.len; i++)
        MUST((uint8_t)room[i] >= 0x20 && room[i] != 0x7f);
    MUST(unescape(room, back) == s.len && (s.len == 0 || memcmp(back, s.at, s.len) == 0));
}

static void check_cut(struct slice s, size_t size)
{
    static uint8_t back[ROOM];
    struct text t = text_in(cut, size);

    text_visible(&t, s);
    MUST(t.len < size && strlen(cut) == t.len && memcmp(cut, room, t.len) == 0);
    MUST(unescape(cut, back) != SIZE_MAX);
    MUST(t.cut == (strlen(room) >= size));
}

static void check_json(struct slice s)
{
    struct text t = TEXT_IN(room);

    text_json(&t, s);
    MUST(!t.cut);
    for (size_t i = 0; i < t.len; i++) {
        MUST((uint8_t)room[i] >= 0x20 && room[i] != 0x7f && room[i] != '"');
        if (room[i] != '\\')
            continue;
        i++;
        MUST(room[i] == '"' || room[i] == '\\' || room[i] == 'u');
        for (int digit = 1; room[i] == 'u' && digit <= 4; digit++)
            MUST(hex(room[i + (size_t)digit]) >= 0);
    }
}

static void check_ascii(struct slice s)
{
    struct text t = TEXT_IN(room);

    text_ascii(&t, s);
    for (size_t i = 0; i < t.len; i++)
        MUST(room[i] >= 0x20 && room[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice s = slice_of(data, size < ROOM / 12 ? size : ROOM / 12);
    struct text t;
    int64_t us = 0;

    check_visible(s);
    if (size > 0)
        check_cut(s, 1u + data[0]);
    check_json(s);
    check_ascii(s);
    memcpy(&us, data, size < sizeof(us) ? size : sizeof(us));
    t = TEXT_IN(room);
    text_time(&t, us, (int)(us & 7));
    text_duration(&t, us);
    MUST(!t.cut && t.len < 100);
    return 0;
}
