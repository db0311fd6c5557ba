/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/roster.h"

#include <string.h>

#include "core/core.h"
#include "core/figures.h"
#include "core/notices.h"
#include "core/picture.h"
#include "core/scribe.h"
#include "sense/gate/bookkeeper.h"
#include "sense/gate/gate.h"
#include "sense/gate/listkeeper.h"
#include "sense/gate/ports.h"
#include "sense/hunt/hunt.h"
#include "sense/watch/watch.h"
#include "sense/log/part.h"
#include "sense/watch/services/part.h"
#include "sys/say.h"
#include "view/console.h"

/*
 * In the order of their start.  A new sensor is one folder and one line here.
 */
const struct row roster[] = {
    /* kind        name       part           mode    settings         events    may ask the hand */
    { ROW_CORE, "core", &core_part, NULL, SETTINGS_HOUSE, NULL, { 0 } },        /* numbers events, decides, asks */
    { ROW_SCRIBE, "scribe", &scribe_part, NULL, SETTINGS_SCRIBE, NULL, { 0 } }, /* writes the journal to disk */
    { ROW_HAND, "hand", NULL, NULL, SETTINGS_HAND, NULL, { 0 } },               /* the only one with capabilities */
    { ROW_LOOK, "look", NULL, "look", SETTINGS_HAND, NULL, { 0 } },             /* reads what needs privilege */
    { ROW_HOLD, "hold", NULL, "hold", SETTINGS_HAND, NULL, { 0 } },             /* the valve of hold mode */
    { ROW_SENSOR, "hunt", &sense_hunt, NULL, SETTINGS_HUNT, "hunt.", { HAND_CAPTURE, HAND_HOLD } },
    { ROW_HELPER, "book", &gate_book, NULL, SETTINGS_BOOK, "gate.book_", { 0 } },     /* the gate's memory, on disk */
    { ROW_HELPER, "lists", &gate_lists, NULL, SETTINGS_LISTS, "gate.lists_", { 0 } }, /* reads the gate's lists */
    { ROW_SENSOR, "gate", &sense_gate, NULL, SETTINGS_GATE, "gate.", { HAND_LISTEN, HAND_BORROW } },
    { ROW_HELPER, "log", &sense_log, NULL, SETTINGS_LOG, "log.", { HAND_LISTEN } }, /* keeps what others log */
    { ROW_WATCH, "watch", &sense_watch, NULL, SETTINGS_WATCH, "watch.", { 0 } }, /* measures each second, and records */
    { ROW_READER, "notify", &core_notices, NULL, SETTINGS_NOTIFY, "notify.", { 0 } }, /* tells people */
    { ROW_HELPER, "probe", &sense_services, NULL, SETTINGS_PROBE, "watch.", { 0 } },  /* asks services over the network
                                                                                       */
    { ROW_READER, "metrics", &core_figures, NULL, SETTINGS_METRICS, "metrics.", { HAND_LISTEN } }, /* shows figures */
    { ROW_XRAY, "xray", &core_picture, NULL, SETTINGS_NONE, "xray.", { 0 } }, /* takes one picture, through the eye */
    { ROW_CONSOLE, "console", &view_console, NULL, SETTINGS_NONE, NULL, { 0 } }, /* shows it all, live */
};
const uint32_t roster_count = sizeof(roster) / sizeof(roster[0]);
_Static_assert(sizeof(roster) / sizeof(roster[0]) <= ROSTER_MAX, "a row more than the core has links");

size_t roster_settings(const struct row *row, const struct house_settings *h, const struct found *found, void *room,
                       size_t size)
{
    static const size_t sizes[] = {
        [SETTINGS_NONE] = 0,
        [SETTINGS_HOUSE] = sizeof(struct house_settings),
        [SETTINGS_SCRIBE] = sizeof(struct scribe_settings),
        [SETTINGS_HAND] = sizeof(struct hand_settings),
        [SETTINGS_HUNT] = sizeof(struct hunt_settings),
        [SETTINGS_GATE] = sizeof(struct gate_settings),
        [SETTINGS_BOOK] = sizeof(struct book_settings),
        [SETTINGS_LISTS] = sizeof(struct lists_settings),
        [SETTINGS_WATCH] = sizeof(struct watch_settings),
        [SETTINGS_LOG] = sizeof(struct log_house),
        [SETTINGS_PROBE] = sizeof(struct services_settings),
        [SETTINGS_NOTIFY] = sizeof(struct notify_house),
        [SETTINGS_METRICS] = sizeof(struct metrics_settings),
    };

    if (sizes[row->settings] > size)
        return 0;
    switch (row->settings) {
    case SETTINGS_NONE:
        break;
    case SETTINGS_HOUSE:
        settings_for_core(h, room);
        break;
    case SETTINGS_SCRIBE:
        settings_for_scribe(h, room);
        break;
    case SETTINGS_HAND:
        settings_for_hand(h, found, room);
        break;
    case SETTINGS_HUNT:
        memcpy(room, &h->hunt, sizeof(h->hunt));
        break;
    case SETTINGS_GATE:
        settings_for_gate(h, found, room);
        break;
    case SETTINGS_BOOK:
        settings_for_book(h, room);
        break;
    case SETTINGS_LISTS:
        settings_for_lists(h, room);
        break;
    case SETTINGS_WATCH:
        memcpy(room, &h->watch, sizeof(h->watch));
        break;
    case SETTINGS_LOG:
        settings_for_log(h, found, room);
        break;
    case SETTINGS_PROBE:
        settings_for_probe(h, found, room);
        break;
    case SETTINGS_NOTIFY:
        settings_for_notify(h, room);
        break;
    case SETTINGS_METRICS:
        memcpy(room, &h->metrics, sizeof(h->metrics));
        break;
    }
    return sizes[row->settings];
}

bool roster_wanted(const struct row *row, const struct house_settings *h, bool console)
{
    if (row->part == &sense_hunt)
        return h->hunt.mode != HUNT_OFF;
    if (row->part == &sense_log)
        return h->log.mode != LOG_OFF;
    if (row->kind == ROW_HOLD)
        return h->hunt.mode == HUNT_HOLD;
    if (row->settings == SETTINGS_GATE || row->settings == SETTINGS_BOOK || row->settings == SETTINGS_LISTS)
        return gate_is_wanted(&h->gate);
    if (row->kind == ROW_WATCH)
        return h->watch.mode == WATCH_ON;
    if (row->part == &sense_services)
        return h->watch.mode == WATCH_ON && (h->watch.services.count > 0 || h->watch.services.domains_count > 0);
    if (row->settings == SETTINGS_NOTIFY)
        return h->notify.ways_count > 0;
    if (row->settings == SETTINGS_METRICS)
        return h->metrics.listen.family != 0;
    if (row->kind == ROW_XRAY)
        return false; /* when a trigger asks for it: CREW_RUN */
    return row->kind != ROW_CONSOLE || console;
}

static bool same_files(const struct gate_settings *a, const struct gate_settings *b)
{
    for (uint32_t i = 0; i < b->lists_count; i++)
        if (i >= a->lists_count || strcmp(a->lists[i].file, b->lists[i].file) != 0)
            return false;
    return strcmp(a->accounts.countries, b->accounts.countries) == 0;
}

bool roster_outgrown(const struct row *row, const struct house_settings *old, const struct house_settings *now)
{
    if (row->settings == SETTINGS_GATE)
        return !gate_ports_suffice(&old->gate, &now->gate);
    if (row->settings == SETTINGS_WATCH)
        return watch_needs_restart(&old->watch, &now->watch);
    if (row->settings == SETTINGS_PROBE)
        return services_need_restart(&old->watch.services, &now->watch.services);
    if (row->settings == SETTINGS_NOTIFY) /* secrets, certificates and names are read before its jail */
        return memcmp(&old->notify, &now->notify, sizeof(now->notify)) != 0;
    if (row->settings == SETTINGS_METRICS)
        return !addr_eq(old->metrics.listen, now->metrics.listen);
    if (row->settings == SETTINGS_LOG)
        return old->log.mail != now->log.mail; /* it tells the gate from its start on, or it does not */
    return row->settings == SETTINGS_LISTS && !same_files(&old->gate, &now->gate);
}

int roles_main(const char *name)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].part && strcmp(roster[i].name, name) == 0)
            return role_main(roster[i].part);
    say("there is no role \"%s\"; this form is for serviola itself, not for people", name);
    return 2;
}
