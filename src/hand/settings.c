/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/settings.h"

#include <string.h>

static int check_nets(const struct hand_nets *nets, const char *what, struct err *e)
{
    if (nets->count > HAND_NETS)
        return err_set(e, 0, "settings: %s has %u networks, at most %d fit", what, nets->count, HAND_NETS);
    for (uint32_t i = 0; i < nets->count; i++) {
        struct prefix p = nets->at[i];
        struct prefix clean = prefix_of(p.net, p.bits);

        if ((p.net.family != 4 && p.net.family != 6) || clean.bits != p.bits || !addr_eq(clean.net, p.net))
            return err_set(e, 0, "settings: %s number %u is no network", what, i + 1);
    }
    return 0;
}

static bool is_word(const char *at, size_t size)
{
    size_t len = strnlen(at, size);

    return len > 0 && len < size &&
           strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

static int check_listens(const struct hand_settings *set, struct err *e)
{
    if (set->doors_count > HAND_LISTENS)
        return err_set(e, 0, "settings: %u doors are more than %d", set->doors_count, HAND_LISTENS);
    if (set->listens_count > HAND_LISTENS)
        return err_set(e, 0, "settings: %u places to listen at are more than %d", set->listens_count, HAND_LISTENS);
    if (set->guard_count > HAND_LISTENS || set->guard_open_count > HAND_LISTENS)
        return err_set(e, 0, "settings: more than %d ports or places for the guard", HAND_LISTENS);
    for (uint32_t i = 0; i < set->guard_open_count; i++)
        if (!addr_is_loopback(set->guard_open[i]) || set->guard_open[i].port == 0)
            return err_set(e, 0, "settings: the guard's place number %u is no loopback address with a port", i + 1);
    for (uint32_t i = 0; i < set->listens_count; i++) {
        struct addr a = set->listens[i].at;

        if ((a.family != 4 && a.family != 6) || a.port == 0 || !addr_eq(a, addr_from_ip(a.family, a.ip, a.port)))
            return err_set(e, 0, "settings: place number %u to listen at is no address with a port", i + 1);
    }
    return 0;
}

int settings_check(const struct hand_settings *set, struct err *e)
{
    if (!is_word(set->table, sizeof(set->table)))
        return err_set(e, 0, "settings: the table needs a name of letters, digits, _ and -");
    if (set->hold && set->gate_only)
        return err_set(e, 0, "settings: nothing is held where the hunt observes");
    if (set->how != HAND_DROP && set->how != HAND_REJECT)
        return err_set(e, 0, "settings: neither drop nor reject");
    if (set->ports_count > HAND_PORTS || set->ifs_count > HAND_IFS || set->resolvers_count > HAND_RESOLVERS)
        return err_set(e, 0, "settings: a list is longer than its room");
    if (set->total > HAND_TOTAL_MAX)
        return err_set(e, 0, "settings: %u blocks are more than %d", set->total, HAND_TOTAL_MAX);
    if (set->hold_wait_us < 0)
        return err_set(e, 0, "settings: a negative time");
    for (uint32_t i = 0; i < set->ifs_count; i++)
        if (set->ifs[i][HAND_NAME - 1] != '\0')
            return err_set(e, 0, "settings: an interface's name is too long");
    if (check_nets(&set->inside, "inside", e) < 0 || check_nets(&set->allow, "allow", e) < 0 ||
        check_nets(&set->admin, "admin", e) < 0 || check_nets(&set->own_blockable, "own_blockable", e) < 0 ||
        check_nets(&set->servers, "servers", e) < 0 || check_listens(set, e) < 0)
        return -1;
    return 0;
}
