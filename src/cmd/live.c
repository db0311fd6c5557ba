/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/live.h"

#include "base/slice.h"
#include "base/text.h"
#include "base/words.h"

enum { INTERFACE_NAME = 16 }; /* the kernel's, with the NUL */

const char *const live_modes[] = { "off", "observe", "learn", "block", "hold", NULL };

bool live_interfaces(const char *list, struct key_names *names, struct slice *wrong)
{
    struct slice rest = slice_text(list);

    for (names->count = 0; rest.len > 0 && names->count < KEY_NAME_CAP; names->count++) {
        *wrong = slice_until(rest, ',', &rest);
        if (wrong->len == 0 || !text_cstr(names->at[names->count], INTERFACE_NAME, *wrong))
            return false;
    }
    *wrong = slice_until(rest, ',', &rest);
    return wrong->len == 0 && names->count > 0;
}

bool live_networks(const char *list, struct key_prefixes *nets, struct slice *wrong)
{
    struct slice rest = slice_text(list);

    for (nets->count = 0; rest.len > 0 && nets->count < KEY_PREFIX_CAP; nets->count++) {
        *wrong = slice_until(rest, ',', &rest);
        if (!prefix_read(*wrong, &nets->at[nets->count]))
            return false;
    }
    *wrong = slice_until(rest, ',', &rest);
    return wrong->len == 0 && nets->count > 0;
}

struct word {
    char text[4 * 64 + 1];
};
static struct word shown(struct slice s)
{
    struct word w;
    struct text t = TEXT_IN(w.text);

    text_visible(&t, slice_first(s, 64));
    return w;
}

int live_wrong_interface(const struct usage *u, struct slice wrong)
{
    return options_wrong(u,
                         _("-i takes interface names of 1 to 15 letters with commas between them, such as eth0,eth1; "
                           "\"%s\" is none"),
                         shown(wrong).text);
}

int live_wrong_network(const struct usage *u, struct slice wrong)
{
    return options_wrong(u,
                         _("--lan takes networks with commas between them, such as 10.1.0.0/16,fd00:20::/64; \"%s\" is "
                           "none"),
                         shown(wrong).text);
}
