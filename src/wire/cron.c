/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/cron.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* How many bytes `count` words at the start take; 0 when there are fewer, or nothing behind them. */
static size_t words_len(struct slice s, unsigned count)
{
    size_t n = 0;

    for (unsigned i = 0; i < count; i++) {
        while (n < s.len && is_blank(s.at[n]))
            n++;
        if (n == s.len)
            return 0;
        while (n < s.len && !is_blank(s.at[n]))
            n++;
    }
    return n < s.len ? n : 0;
}

bool cron_line_read(struct slice line, bool has_user, struct cron_line *c)
{
    size_t n;

    *c = (struct cron_line){ .user = SLICE("") };
    line = slice_trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return false;
    n = words_len(line, line.at[0] == '@' ? 1 : 5);
    if (n == 0 || (line.at[0] != '@' && line.at[0] != '*' && (line.at[0] < '0' || line.at[0] > '9')))
        return false;
    c->when = slice_first(line, n);
    line = slice_skip_blanks(slice_skip(line, n));
    if (has_user) {
        n = words_len(line, 1);
        c->user = slice_first(line, n);
        line = slice_skip_blanks(slice_skip(line, n));
    }
    c->command = line;
    return line.len > 0 && (!has_user || c->user.len > 0);
}

bool unit_setting(struct slice *rest, const char *name, struct slice *value)
{
    while (rest->len > 0) {
        struct slice line = slice_trim(slice_until(*rest, '\n', rest));
        struct slice after;
        struct slice key = slice_trim(slice_until(line, '=', &after));

        if (key.len == line.len || !slice_eq(key, slice_text(name)))
            continue;
        *value = slice_trim(after);
        return true;
    }
    return false;
}
