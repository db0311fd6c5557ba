/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/sums.h"

#include <string.h>

static size_t hex_digits(struct slice s)
{
    size_t n = 0;

    while (n < s.len && ((s.at[n] >= '0' && s.at[n] <= '9') || (s.at[n] >= 'a' && s.at[n] <= 'f')))
        n++;
    return n;
}

bool sum_line_read(struct slice line, struct sum_line *s)
{
    size_t n = hex_digits(line);

    if ((n != 32 && n != 64) || line.len < n + 3 || line.at[n] != ' ' ||
        (line.at[n + 1] != ' ' && line.at[n + 1] != '*'))
        return false;
    s->digits = slice_first(line, n);
    s->path = slice_skip(line, n + 2);
    if (s->path.len >= 2 && s->path.at[0] == '.' && s->path.at[1] == '/')
        s->path = slice_skip(s->path, 2);
    while (s->path.len > 0 && s->path.at[0] == '/')
        s->path = slice_skip(s->path, 1);
    return s->path.len > 0 && !memchr(s->path.at, '\0', s->path.len);
}

static bool field(struct slice line, struct slice name, struct slice *value)
{
    if (line.len <= name.len || !slice_eq(slice_first(line, name.len), name))
        return false;
    *value = slice_trim(slice_skip(line, name.len));
    return true;
}

void status_next(struct slice *rest, struct status_line *l)
{
    while (rest->len > 0) {
        struct slice line = slice_until(*rest, '\n', rest);

        if (field(line, SLICE("Package:"), &l->value)) {
            l->kind = STATUS_PACKAGE;
            return;
        }
        if (field(line, SLICE("Version:"), &l->value)) {
            l->kind = STATUS_VERSION;
            return;
        }
        /* " /etc/crontab 0123... obsolete": the only lines that begin so. */
        if (line.len > 3 && line.at[0] == ' ' && line.at[1] == '/') {
            struct slice after;

            l->value = slice_until(slice_skip(line, 1), ' ', &after);
            l->digits = slice_first(after, hex_digits(after));
            l->kind = STATUS_CONFIGURATION;
            if (l->digits.len == 32 && l->digits.len == after.len)
                return;
        }
    }
    l->kind = STATUS_END;
}
