/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/ours.h"

bool ours_addr(const struct gate_means *m, struct addr a)
{
    if (addr_is_self(m->self, a))
        return true;
    for (uint32_t i = 0; i < m->set->own.count; i++)
        if (prefix_has(m->set->own.at[i], a))
            return true;
    return false;
}

bool ours_name(const struct gate_means *m, struct slice name)
{
    if (name.len > 0 && name.at[name.len - 1] == '.')
        name.len--;
    return name.len > 0 && slice_eq_nocase(name, slice_text(m->name));
}
