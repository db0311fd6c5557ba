/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The watch, seen from the core: which firing a recovery belongs to, pictures
 * that a trigger asks for, what others measure, and files on their way to the
 * scribe.  None of it waits.
 */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "core/core.h"
#include "core/crew.h"
#include "sys/clock.h"

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

/* For who waits for the picture. */
static void note_why(struct core *c, const struct event *ev)
{
    struct slice why;

    if (event_get(ev, F_WHY, &why))
        (void)text_cstr(c->picture_why, sizeof(c->picture_why), slice_first(why, sizeof(c->picture_why) - 1));
}

void watching_before(struct core *c, struct event *ev)
{
    uint64_t alarm;
    const struct alarm *seen;

    if (ev->kind == EV_XRAY_FAILED)
        note_why(c, ev);
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

    c->picture_cause = cause;
    c->picture_why[0] = '\0';
    if (chan_send(c->role->core, CREW_RUN, 0, cause, &which, sizeof(which), -1) < 0)
        watching_over(c, "the supervisor does not listen");
}

enum sitting_answer watching_ask(struct core *c, const struct sitter *who, struct event *asked)
{
    enum sitting_answer answer = sitting_ask(&c->sitting, who, clock_mono_us());

    if (answer == SITTING_TOO_OFTEN || answer == SITTING_CROWDED)
        return answer;
    core_emit(c, asked, 0);
    if (answer == SITTING_BEGINS)
        take_picture(c, asked->seq);
    else if (answer == SITTING_NEXT)
        c->picture_next = asked->seq;
    return answer;
}

void watching_over(struct core *c, const char *why)
{
    struct sitter waited[SITTING_WAITERS];
    size_t count;
    bool again = sitting_end(&c->sitting, waited, &count, clock_mono_us());

    for (size_t i = 0; i < count; i++)
        desk_picture(c->desk, &waited[i], -1, c->picture_why[0] ? c->picture_why : why, -1);
    if (again)
        take_picture(c, c->picture_next);
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
    if (asks_for(ev, SLICE("xray")) && sitting_begin(&c->sitting, clock_mono_us()))
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

/* To those who wait for it.  True: the scribe gets it, too. */
static bool show_picture(struct core *c, const struct link_shelve *what, int fd)
{
    struct sitter waited[SITTING_WAITERS];
    char name[sizeof(what->name) + 1] = "";
    size_t count;
    bool keep = sitting_show(&c->sitting, waited, &count);

    memcpy(name, what->name, sizeof(what->name));
    for (size_t i = 0; i < count; i++)
        desk_picture(c->desk, &waited[i], 0, waited[i].keep ? name : "", fd);
    return keep;
}

int watching_on_shelve(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    const struct link_shelve *what = body;

    (void)from;
    if (fd < 0)
        return -1;
    if (p->row->kind != ROW_XRAY || show_picture(p->core, what, fd))
        (void)peer_say(core_peer(p->core, ROW_SCRIBE), LINK_SHELVE, 0,
                       what->shelf == SHELF_XRAY ? p->core->picture_seq : 0, body, m->len, fd);
    (void)close(fd);
    return 0;
}
