/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/story_log.h"

#include <time.h>

#include "journal/json.h"

static void add_time(struct text *t, int64_t at_us)
{
    time_t at = (time_t)(at_us / 1000000);
    struct tm local = { 0 };

    (void)localtime_r(&at, &local);
    text_addf(t, "%02d:%02d:%02d.%06d", local.tm_hour, local.tm_min, local.tm_sec, (int)(at_us % 1000000));
}

/* As tcpdump writes it: address, dot, port. */
static void add_end(struct text *t, struct addr a)
{
    text_addf(t, "%s.%u", addr_ip_text(a).text, (unsigned)a.port);
}

/* A backslash is doubled: one alone begins an escape. */
static void add_path(struct text *t, struct slice path)
{
    while (path.len > 0) {
        struct slice rest = { 0 };
        struct slice plain = slice_until(path, '\\', &rest);

        text_ascii(t, plain);
        if (plain.len < path.len)
            text_word(t, "\\\\");
        path = slice_skip(path, plain.len + (plain.len < path.len));
    }
}

bool story_line(const struct event *ev, struct text *t)
{
    struct slice path = { 0 };

    if (ev->kind != EV_HUNT_MAIL_SEEN)
        return false;
    (void)event_get(ev, F_PATH, &path);
    add_time(t, ev->at_us);
    text_word(t, ev->src.family == 6 ? " IP6 " : " IP ");
    add_end(t, ev->src);
    text_word(t, " > ");
    add_end(t, ev->dst);
    text_addf(t, ": Flags [P.], length %zu: SMTP: mail from:<", path.len + sizeof("mail from:<>\r\n") - 1);
    add_path(t, path);
    text_word(t, ">");
    return true;
}

bool story_json(const struct event *ev, struct text *t)
{
    if (ev->kind != EV_HUNT_MAIL_SEEN)
        return false;
    event_json(ev, t);
    return true;
}
