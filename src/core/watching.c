/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The watch, seen from the core: which firing a recovery belongs to, pictures
 * that a trigger asks for, what others measure, and files on their way to the
 * scribe.  None of it waits.
 */
#include <string.h>
#include <unistd.h>

#include "core/core.h"
#include "core/crew.h"

/* A word of F_ACTS. */
static bool asks_for(const struct event *ev, struct slice act)
{
    struct slice rest;

    if (!event_get(ev, F_ACTS, &rest))
        return false;
    while (rest.len > 0)
        if (slice_eq(slice_until(rest, ' ', &rest), act))
            return true;
    return false;
}

/* A firing of a trigger, or a loss. */
static bool begins_something(uint16_t kind)
{
    return kind == EV_WATCH_TRIGGERED || kind == EV_WATCH_NOTICED || kind == EV_WATCH_SERVICE_LOST ||
           kind == EV_WATCH_SERVICE_FLAPPING || kind == EV_WATCH_NETWORK_LOST;
}

static bool ends_something(uint16_t kind)
{
    return kind == EV_WATCH_RECOVERED || kind == EV_WATCH_SERVICE_BACK || kind == EV_WATCH_SERVICE_HIDDEN ||
           kind == EV_WATCH_SERVICE_SHOWN || kind == EV_WATCH_SERVICE_BLINKED || kind == EV_WATCH_SERVICE_STEADY ||
           kind == EV_WATCH_NETWORK_BACK;
}

void watching_before(struct core *c, struct event *ev)
{
    uint64_t alarm;
    const struct alarm *seen;

    if (ev->kind == EV_XRAY_TAKEN || ev->kind == EV_XRAY_FAILED)
        ev->cause = c->picture_cause;
    else if (ev->kind == EV_XRAY_FOUND || ev->kind == EV_XRAY_ALARM)
        ev->cause = c->picture_seq;
    else if (ends_something(ev->kind) && event_get_number(ev, F_ALARM, &alarm)) {
        seen = &c->alarms[alarm % CORE_ALARMS];
        ev->cause = seen->alarm == alarm ? seen->seq : 0;
    }
}

static void take_picture(struct core *c, uint64_t cause)
{
    struct crew_row which = { (uint32_t)(core_peer(c, ROW_XRAY)->row - roster), 0 };

    if (core_peer(c, ROW_XRAY)->chan)
        return; /* one is being taken: it will show this too */
    c->picture_cause = cause;
    (void)chan_send(c->role->core, CREW_RUN, 0, cause, &which, sizeof(which), -1);
}

void watching_after(struct core *c, const struct event *ev)
{
    uint64_t alarm;

    if (ev->kind == EV_XRAY_TAKEN)
        c->picture_seq = ev->seq;
    if (!begins_something(ev->kind))
        return;
    if (event_get_number(ev, F_ALARM, &alarm))
        c->alarms[alarm % CORE_ALARMS] = (struct alarm){ alarm, ev->seq };
    if (asks_for(ev, SLICE("xray")))
        take_picture(c, ev->seq);
}

int watching_on_value(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)fd;
    (void)peer_say(core_peer(((struct peer *)ctx)->core, ROW_WATCH), LINK_VALUE, 0, 0, body, m->len, -1);
    return 0;
}

int watching_on_ring(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct core *c = ((struct peer *)ctx)->core;

    (void)from;
    (void)m;
    (void)body;
    if (fd < 0)
        return -1;
    if (c->recorder_known)
        (void)close(c->recorder);
    c->recorder = fd;
    c->recorder_known = true;
    return 0;
}

int watching_on_shelve(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    const struct link_shelve *what = body;

    (void)from;
    if (fd < 0)
        return -1;
    (void)peer_say(core_peer(p->core, ROW_SCRIBE), LINK_SHELVE, 0, what->shelf == SHELF_XRAY ? p->core->picture_seq : 0,
                   body, m->len, fd);
    (void)close(fd);
    return 0;
}
