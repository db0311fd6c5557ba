/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/aptsim.h"

/* The next word; both ends of `s` are moved behind it. */
static struct slice word(struct slice *s)
{
    return slice_until(slice_skip_blanks(*s), ' ', s);
}

bool aptsim_line_read(struct slice line, struct aptsim_line *l)
{
    struct slice rest = slice_trim(line);
    struct slice old;

    if (!slice_eq(word(&rest), SLICE("Inst")))
        return false;
    l->name = word(&rest);
    old = word(&rest);
    if (l->name.len == 0 || old.len < 3 || old.at[0] != '[' || old.at[old.len - 1] != ']')
        return false;
    l->old = slice_first(slice_skip(old, 1), old.len - 2);
    rest = slice_skip_blanks(rest);
    if (rest.len == 0 || rest.at[0] != '(')
        return false;
    rest = slice_until(slice_skip(rest, 1), ')', &old);
    l->now = word(&rest);
    l->origins = slice_trim(rest);
    return l->now.len > 0;
}

static bool ends_in(struct slice s, struct slice end)
{
    return s.len >= end.len && slice_eq_nocase(slice_skip(s, s.len - end.len), end);
}

bool aptsim_is_security(struct slice origins)
{
    while (origins.len > 0) {
        struct slice one = slice_trim(slice_until(origins, ',', &origins));
        struct slice label = slice_until(one, ':', &one);
        struct slice archive;

        (void)slice_until(one, '/', &archive);
        archive = slice_until(archive, ' ', &one); /* "[amd64]" */
        if (ends_in(label, SLICE("-Security")) || ends_in(archive, SLICE("-security")))
            return true;
    }
    return false;
}

void aptsim_read(struct slice text, struct aptsim *sum)
{
    struct aptsim_line l;

    *sum = (struct aptsim){ 0 };
    while (text.len > 0)
        if (aptsim_line_read(slice_until(text, '\n', &text), &l)) {
            sum->all++;
            sum->security += aptsim_is_security(l.origins);
        }
}
