/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/values.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

enum { SLOTS = 2 * VALUES_MOST };

void values_clear(struct values *v)
{
    for (uint32_t i = 0; i < v->count; i++)
        v->at[i].number = NAN;
}

void values_forget(struct values *v)
{
    memset(v, 0, sizeof(*v));
}

static uint32_t slot_of(struct slice name)
{
    return (uint32_t)(hash_bytes(name.at, name.len, 0) % SLOTS);
}

int values_find(const struct values *v, struct slice name)
{
    for (uint32_t s = slot_of(name), n = 0; v->hashed[s] && n < SLOTS; s = (s + 1) % SLOTS, n++)
        if (slice_eq(slice_text(v->at[v->hashed[s] - 1].name), name))
            return v->hashed[s] - 1;
    return -1;
}

/* What may stand in an expression stays, the rest becomes an underscore. */
static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '/' || c == ':' || c == '-';
}

bool values_set(struct values *v, const char *name, double number)
{
    char made[VALUE_NAME];
    size_t len = 0;
    int place;

    for (; name[len] && len < VALUE_NAME - 1; len++)
        made[len] = plain(name[len]) ? name[len] : '_';
    made[len] = '\0';
    place = values_find(v, slice_of(made, len));
    if (place < 0) {
        uint32_t s = slot_of(slice_of(made, len));

        if (v->count == VALUES_MOST) {
            v->refused++;
            return false;
        }
        while (v->hashed[s])
            s = (s + 1) % SLOTS;
        place = (int)v->count++;
        v->hashed[s] = (uint16_t)(place + 1);
        memcpy(v->at[place].name, made, len + 1);
    }
    v->at[place].number = number;
    v->at[place].was_known = v->at[place].was_known || !isnan(number);
    return true;
}

bool values_setf(struct values *v, double number, const char *format, ...)
{
    char name[VALUE_NAME];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    return values_set(v, name, number);
}

double values_get(const struct values *v, const char *name)
{
    int place = values_find(v, slice_text(name));

    return place < 0 ? (double)NAN : v->at[place].number;
}
