/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/schema.h"

#include <stdlib.h>
#include <string.h>

#include "conf/walk.h"

static const size_t sizes[KEY_TYPES] = {
    [KEY_BOOL] = sizeof(bool),
    [KEY_NUMBER] = sizeof(uint64_t),
    [KEY_BYTES] = sizeof(uint64_t),
    [KEY_SPAN] = sizeof(int64_t),
    [KEY_WORD] = sizeof(int),
    [KEY_ADDR] = sizeof(struct addr),
    [KEY_ADDRS] = sizeof(struct key_addrs),
    [KEY_PREFIXES] = sizeof(struct key_prefixes),
    [KEY_PORTS] = sizeof(struct key_ports),
    [KEY_NAMES] = sizeof(struct key_names),
};

static int check_keys(const struct key *keys, size_t room, struct err *e);

static int check_key(const struct key *k, size_t room, struct err *e)
{
    size_t needs = k->type == KEY_EACH ? k->size * k->cap : k->type == KEY_TABLE ? 0 : k->size;

    if (!k->help || k->help[0] == '\0')
        return err_set(e, 0, "%s: no help", k->name);
    if (k->offset > room || needs > room - k->offset)
        return err_set(e, 0, "%s: lies outside of its struct", k->name);
    if (sizes[k->type] != 0 && k->size != sizes[k->type])
        return err_set(e, 0, "%s: the member has %zu bytes, its type %zu", k->name, k->size, sizes[k->type]);
    if (k->min > k->max || k->min < 0)
        return err_set(e, 0, "%s: no value can lie in its range", k->name);
    if (k->type == KEY_NAMES && k->max >= KEY_NAME_LEN)
        return err_set(e, 0, "%s: names of %lld bytes don't fit", k->name, (long long)k->max);
    if (k->type == KEY_WORD && !k->words)
        return err_set(e, 0, "%s: no words", k->name);
    if (k->type == KEY_TEXT && k->size == 0)
        return err_set(e, 0, "%s: no room", k->name);
    if (k->type == KEY_EACH && (k->cap == 0 || k->size < KEY_NAME_LEN || k->count_at >= k->offset ||
                                k->offset - k->count_at > 2 * sizeof(uint32_t)))
        return err_set(e, 0, "%s: its count and array must stand side by side: use KEY_EACH_AT", k->name);
    if (k->type == KEY_TABLE && check_keys(k->sub, room - k->offset, e) < 0)
        return err_wrap(e, "%s", k->name);
    if (k->type == KEY_EACH && check_keys(k->sub, k->size, e) < 0)
        return err_wrap(e, "%s", k->name);
    return 0;
}

static int check_keys(const struct key *keys, size_t room, struct err *e)
{
    if (!keys || !keys[0].name)
        return err_set(e, 0, "no keys");
    for (const struct key *k = keys; k->name; k++) {
        if (k - keys >= KEY_CAP)
            return err_set(e, 0, "more than %d keys", KEY_CAP);
        for (const struct key *other = keys; other < k; other++)
            if (strcmp(other->name, k->name) == 0)
                return err_set(e, 0, "%s stands twice", k->name);
        if (check_key(k, room, e) < 0)
            return -1;
    }
    return 0;
}

static int check_defaults(const struct section *s, struct err *e)
{
    const struct section alone[2] = { *s, { .name = NULL } };
    struct conf_faults *faults = malloc(sizeof(*faults));
    void *settings = calloc(1, s->size);
    int result = 0;

    if (!faults || !settings)
        result = err_set(e, 0, "no memory");
    else if (schema_check_defaults(alone, &settings, faults) < 0)
        result = err_set(e, 0, "%s", faults->at[0].text);
    free(settings);
    free(faults);
    return result;
}

int schema_check(const struct section *sections, struct err *e)
{
    for (const struct section *s = sections; s->name; s++)
        if (check_keys(s->keys, s->size, e) < 0 || check_defaults(s, e) < 0)
            return err_wrap(e, "%s", s->name);
    return 0;
}
