/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "part/link.h"

#include <string.h>

static bool is_name(const char *name, size_t room)
{
    size_t len = strnlen(name, room);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    for (size_t i = len; i < room; i++)
        if (name[i] != '\0')
            return false;
    return len < room;
}

bool link_mail_is_sound(const struct link_mail *m)
{
    static const uint8_t nothing[sizeof(m->zero)];
    bool located = m->what == LINK_MAIL_MESSAGE || m->what == LINK_MAIL_LOGIN || m->what == LINK_MAIL_LOGIN_FAILED;

    if (m->what >= LINK_MAILS || memcmp(m->zero, nothing, sizeof(nothing)) != 0 || m->count == 0 ||
        m->count > LINK_MAIL_MOST || m->at_us < 0 || !is_name(m->account, sizeof(m->account)))
        return false;
    if ((m->client.family != 0 && m->client.family != 4 && m->client.family != 6) || m->client.zero != 0)
        return false;
    if (!located && m->client.family != 0)
        return false;
    return m->what == LINK_MAIL_LOGIN_FAILED ? m->client.family != 0 : m->account[0] != '\0';
}
