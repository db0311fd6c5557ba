/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/log_lines.h"

#include <stdio.h>

static char room[LOG_LINE_ROOM];

void log_line_json(struct text *t, const struct log_line *line)
{
    text_addf(t, "\"seq\":%llu,\"arrived\":\"", (unsigned long long)line->seq);
    text_time(t, line->at_us, 6);
    text_addf(t, "\",\"way\":\"%s\",\"peer\":\"", log_way_name(line->way));
    text_json(t, line->peer);
    text_word(t, "\",\"host\":\"");
    text_json(t, line->host);
    text_word(t, "\",\"program\":\"");
    text_json(t, line->program);
    text_addf(t, "\",\"pid\":%u", line->pid);
    if (line->severity != LOG_UNKNOWN)
        text_addf(t, ",\"facility\":%u,\"severity\":%u", line->facility, line->severity);
    text_word(t, ",\"stamp\":\"");
    if (line->stamp_us != 0)
        text_time(t, line->stamp_us, 6);
    text_word(t, "\"");
    if (line->whole_bytes > 0)
        text_addf(t, ",\"whole\":%llu", (unsigned long long)line->whole_bytes);
    text_word(t, ",\"text\":\"");
    text_json(t, line->raw);
    text_word(t, "\"");
}

void log_line_print_json(const struct log_line *line, bool near)
{
    struct text t = TEXT_IN(room);

    text_word(&t, near ? "{\"near\":true," : "{");
    log_line_json(&t, line);
    text_word(&t, "}");
    (void)puts(room);
}

void log_line_print(const struct log_line *line, char separator)
{
    struct text t = TEXT_IN(room);

    text_addf(&t, "%llu%c", (unsigned long long)line->seq, separator);
    text_time(&t, line->at_us, 3);
    text_word(&t, "  ");
    text_visible(&t, line->raw);
    (void)puts(room);
}
