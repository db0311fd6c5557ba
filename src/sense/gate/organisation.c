/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/organisation.h"

#include <libpsl.h>
#include <string.h>

#include "base/text.h"
#include "wire/dns.h"

bool organisation_of(struct slice name, char *buffer, size_t size)
{
    char lower[DNS_NAME];
    const char *found;

    if (!dns_name_is_sound(name) || !text_cstr(lower, sizeof(lower), name))
        return false;
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    if (lower[name.len - 1] == '.')
        lower[name.len - 1] = '\0';
    found = psl_registrable_domain(psl_builtin(), lower);
    return found && text_cstr(buffer, size, slice_text(found));
}
