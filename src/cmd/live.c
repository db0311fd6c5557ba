/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/live.h"

#include "base/slice.h"
#include "base/text.h"

const char *const live_modes[] = { "off", "observe", "learn", "block", "hold", NULL };

bool live_interfaces(const char *list, struct key_names *names)
{
    struct slice rest = slice_text(list);

    for (names->count = 0; rest.len > 0 && names->count < KEY_NAME_CAP; names->count++) {
        struct slice one = slice_until(rest, ',', &rest);

        if (one.len == 0 || !text_cstr(names->at[names->count], 16, one))
            return false;
    }
    return rest.len == 0 && names->count > 0;
}

bool live_networks(const char *list, struct key_prefixes *nets)
{
    struct slice rest = slice_text(list);

    for (nets->count = 0; rest.len > 0 && nets->count < KEY_PREFIX_CAP; nets->count++)
        if (!prefix_read(slice_until(rest, ',', &rest), &nets->at[nets->count]))
            return false;
    return rest.len == 0 && nets->count > 0;
}
