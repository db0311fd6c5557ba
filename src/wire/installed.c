/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/installed.h"

static bool ends_with(struct slice s, struct slice end)
{
    return s.len >= end.len && slice_eq(slice_skip(s, s.len - end.len), end);
}

/* One paragraph, to the empty line behind it; whether the package in it is installed. */
static bool paragraph(struct slice *rest, struct installed *p)
{
    bool is_there = false;

    *p = (struct installed){ .name = SLICE("") };
    while (rest->len > 0) {
        struct slice line = slice_until(*rest, '\n', rest);
        struct slice value;
        struct slice key;

        if (line.len == 0)
            break;
        key = slice_until(line, ':', &value);
        value = slice_trim(value);
        if (slice_eq(key, SLICE("Package")))
            p->name = value;
        else if (slice_eq(key, SLICE("Version")))
            p->version = value;
        else if (slice_eq(key, SLICE("Architecture")))
            p->architecture = value;
        else if (slice_eq(key, SLICE("Status")))
            is_there = ends_with(value, SLICE(" installed"));
    }
    return is_there && p->name.len > 0 && p->version.len > 0;
}

bool installed_next(struct slice *rest, struct installed *p)
{
    while (rest->len > 0)
        if (paragraph(rest, p))
            return true;
    return false;
}
