/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/line.h"

#include "wire/syslog.h"

static const int64_t believable_us = 2 * (int64_t)86400 * 1000000;

static const char *const ways[LOG_WAYS] = {
    [LOG_UDP] = "udp",   [LOG_TCP] = "tcp",     [LOG_TLS] = "tls",   [LOG_RELP] = "relp",         [LOG_UNIX] = "unix",
    [LOG_KMSG] = "kmsg", [LOG_STDIN] = "stdin", [LOG_FILE] = "file", [LOG_JOURNALD] = "journald", [LOG_PEER] = "peer",
};

const char *log_way_name(enum log_way way)
{
    return way > 0 && way < LOG_WAYS ? ways[way] : "-";
}

enum log_way log_way_of(struct slice name)
{
    for (int w = 1; w < LOG_WAYS; w++)
        if (slice_eq(name, slice_text(ways[w])))
            return (enum log_way)w;
    return 0;
}

/* "6,1234,5678901,-;text" (Documentation/ABI/testing/dev-kmsg); what follows in lines of its own is about devices. */
static void read_kmsg(struct log_line *line)
{
    struct slice head;
    struct slice text;
    uint64_t pri;

    line->program = SLICE("kernel");
    line->text = line->raw;
    head = slice_until(line->raw, ';', &text);
    if (text.at == NULL || !slice_to_u64(slice_until(head, ',', &head), &pri))
        return;
    line->facility = (uint8_t)(pri / 8 % 24);
    line->severity = (uint8_t)(pri % 8);
    line->text = slice_until(text, '\n', &head);
}

void log_line_read(struct log_line *line)
{
    bool framed = line->way == LOG_UDP || line->way == LOG_TCP || line->way == LOG_TLS || line->way == LOG_RELP ||
                  line->way == LOG_UNIX;
    struct syslog s;
    uint64_t pid;

    line->host = line->program = (struct slice){ 0 };
    line->pid = 0;
    line->stamp_us = 0;
    line->zoned = false;
    line->facility = line->severity = LOG_UNKNOWN;
    if (line->way == LOG_KMSG) {
        read_kmsg(line);
        return;
    }
    syslog_read(line->raw, line->near_us, &s);
    line->host = s.host;
    line->program = s.program;
    line->text = s.message;
    if (slice_to_u64(s.pid, &pid) && pid <= UINT32_MAX)
        line->pid = (uint32_t)pid;
    line->facility = s.facility == SYSLOG_NO_PRI && framed ? 1 : s.facility; /* RFC 3164, 4.3.3: user.notice */
    line->severity = s.severity == SYSLOG_NO_PRI && framed ? 5 : s.severity;
    line->stamp_us = s.stamped ? s.stamp_us : 0;
    line->zoned = s.zoned;
}

int64_t log_line_time(const struct log_line *line)
{
    int64_t away = line->stamp_us - line->near_us;

    if (line->stamp_us == 0 || ((away > believable_us || away < -believable_us) && line->way != LOG_FILE))
        return line->at_us;
    return line->stamp_us;
}
