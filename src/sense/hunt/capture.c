/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/hunt/twins.h"
#include "sys/clock.h"
#include "sys/ring.h"
#include "sys/say.h"

enum { LOOPBACK = 772 }; /* ARPHRD_LOOPBACK */

struct listener { /* one interface that the hand told of, by its index */
    struct capture *capture;
    struct hand_link link; /* ifindex 0: free */
    struct ring *ring;     /* owned; NULL: not listened to */
    enum link_type type;
    int64_t again_us;      /* boot clock: ask not before */
    int64_t wait_us;       /* after the next refusal */
    bool was_up;           /* as last reported in an event */
    bool heard;            /* was listened to, under this name */
    uint32_t nap;          /* timer; 0: the descriptor is watched */
    uint64_t frames, lost; /* of rings that are closed by now */
    uint64_t said_lost;    /* reported so far */
    int64_t said_us;
};

struct capture {
    struct loop *loop;
    struct capture_calls calls;
    const struct hunt_settings *settings;
    struct twins *twins; /* NULL until there are two to listen to */
    uint64_t seed;
    bool known; /* the first round of facts is complete */
    unsigned rings;
    struct listener at[CAPTURE_LINKS];
};

struct capture *capture_new(struct loop *l, const struct capture_calls *calls, uint64_t seed, struct err *e)
{
    struct capture *c = calloc(1, sizeof(*c));

    if (!c) {
        (void)err_set(e, ENOMEM, "capture");
        return NULL;
    }
    c->loop = l;
    c->calls = *calls;
    c->seed = seed;
    return c;
}

/* ---- frames ---- */

static bool inner(const struct listener *l)
{
    return !l->link.default_route;
}

static void on_frame(void *ctx, const struct ring_frame *f);

/* What crosses this host was on its inner side first: there it is looked at first, too. */
static void read_inner(struct capture *c)
{
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        if (c->at[i].ring && inner(&c->at[i]))
            (void)ring_read(c->at[i].ring, CAPTURE_TURN, on_frame, &c->at[i]);
}

static bool mine(struct listener *l, const struct ring_frame *f)
{
    struct capture *c = l->capture;
    struct twins_frame seen;

    if (!c->twins || !twins_read(c->twins, l->type, f->bytes, &seen))
        return true;
    if (seen.opening && !inner(l))
        read_inner(c);
    return twins_mine(
        c->twins,
        (struct twins_place){ .interface = (uint8_t)(l - c->at), .inner = inner(l), .leaves = f->way == RING_FROM_US },
        &seen, f->at_us);
}

static void on_frame(void *ctx, const struct ring_frame *f)
{
    static const enum engine_way ways[] = { [RING_TO_US] = WAY_IN,
                                            [RING_TO_MANY] = WAY_IN,
                                            [RING_FROM_US] = WAY_OUT,
                                            [RING_TO_OTHERS] = WAY_UNKNOWN /* a mirror port shows both */ };
    struct listener *l = ctx;
    struct engine_frame frame = { .link = l->type,
                                  .bytes = f->bytes,
                                  .wire_len = f->wire_len,
                                  .at_us = f->at_us,
                                  .vlans = f->tagged,
                                  .tci = { f->tag },
                                  .way = ways[f->way],
                                  .sum = f->sum == RING_SUM_UNKNOWN ? SUM_CHECK : SUM_GOOD };

    if (mine(l, f))
        l->capture->calls.frame(l->capture->calls.ctx, &frame);
}

static int64_t read_ring(struct listener *l)
{
    size_t got = ring_read(l->ring, CAPTURE_TURN, on_frame, l);

    return ring_nap_us(l->ring, got, clock_mono_us());
}

static void nap_over(void *ctx)
{
    struct listener *l = ctx;
    int64_t nap_us = read_ring(l);

    l->nap = nap_us > 0 ? loop_timer(l->capture->loop, nap_us, 0, nap_over, l) : 0;
    if (l->nap == 0)
        (void)loop_change(l->capture->loop, ring_fd(l->ring), LOOP_IN, NULL);
}

static void on_ready(void *ctx, int fd, int events)
{
    struct listener *l = ctx;
    struct loop *loop = l->capture->loop;
    int64_t nap_us;

    if (events & LOOP_GONE)
        (void)ring_error(l->ring); /* taken off, or we would be called for ever; the hand tells what happened */
    nap_us = read_ring(l);
    if (nap_us == 0 || l->nap != 0)
        return;
    l->nap = loop_timer(loop, nap_us, 0, nap_over, l);
    if (l->nap != 0)
        (void)loop_change(loop, fd, 0, NULL);
}

void capture_drain(struct capture *c)
{
    read_inner(c);
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        if (c->at[i].ring && !inner(&c->at[i]))
            (void)ring_read(c->at[i].ring, CAPTURE_TURN, on_frame, &c->at[i]);
}

/* ---- listening, and its end ---- */

static void tell(struct listener *l, enum event_kind kind, const char *why)
{
    struct event ev = event_new(kind);

    event_add_words(&ev, F_NAME, l->link.name);
    if (why)
        event_add_words(&ev, F_WHY, why);
    l->capture->calls.event(l->capture->calls.ctx, &ev);
    l->was_up = kind == EV_HUNT_STARTED;
    l->heard = l->heard || l->was_up;
}

static void tell_renamed(struct listener *l, const char name[HAND_NAME])
{
    char why[64];
    struct text t = TEXT_IN(why);

    text_word(&t, "it was renamed to ");
    text_visible(&t, slice_text(name));
    tell(l, EV_HUNT_INTERFACE_LOST, why);
    l->heard = false;
}

static void close_ring(struct listener *l)
{
    struct ring_counts n;

    if (!l->ring)
        return;
    n = ring_counts(l->ring);
    l->frames += n.frames;
    l->lost += n.lost;
    loop_untimer(l->capture->loop, l->nap);
    l->nap = 0;
    loop_unwatch(l->capture->loop, ring_fd(l->ring));
    ring_close(l->ring);
    l->ring = NULL;
    l->capture->rings--;
}

void capture_free(struct capture *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        close_ring(&c->at[i]);
    twins_free(c->twins);
    free(c);
}

static int open_ring(struct listener *l, int fd, struct err *e)
{
    struct capture *c = l->capture;

    if (c->rings > 0 && !c->twins) {
        c->twins = twins_new(c->seed, e);
        if (!c->twins)
            goto fail;
    }
    l->ring = ring_open(fd, c->settings->ring_bytes, e);
    if (!l->ring)
        goto fail;
    c->rings++;
    if (loop_watch(c->loop, fd, LOOP_IN, on_ready, l, e) == 0)
        return 0;
    close_ring(l);
    return -1;
fail:
    (void)close(fd);
    return -1;
}

static void ask_later(struct listener *l)
{
    l->wait_us = l->wait_us == 0 ? CAPTURE_RETRY_MS * 1000 : l->wait_us * 2;
    if (l->wait_us > CAPTURE_RETRY_MAX_MS * INT64_C(1000))
        l->wait_us = CAPTURE_RETRY_MAX_MS * INT64_C(1000);
    l->again_us = clock_mono_us() + l->wait_us;
}

static struct listener *named(struct capture *c, const char name[HAND_NAME])
{
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        if (c->at[i].link.ifindex != 0 && strncmp(c->at[i].link.name, name, HAND_NAME) == 0)
            return &c->at[i];
    return NULL;
}

void capture_got(struct capture *c, const struct hand_captured *got, int fd)
{
    struct listener *l = named(c, got->name);
    struct err e = { 0 };
    int done = -1;

    if (!l || l->ring) { /* it has another name by now, or an earlier answer came late */
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    if (!link_from_arphrd(got->link_type, &l->type))
        l->type = LINK_RAW; /* the hand opens such links without their own header */
    if (fd < 0)
        (void)err_set(&e, got->error, "%s", hand_code_words((enum hand_code)got->code));
    else
        done = open_ring(l, fd, &e);
    if (done == 0) {
        l->wait_us = 0;
        l->again_us = 0;
        tell(l, EV_HUNT_STARTED, NULL);
        return;
    }
    if (l->was_up || l->wait_us == 0)
        tell(l, EV_HUNT_INTERFACE_LOST, e.text);
    ask_later(l);
}

/* ---- which interfaces ---- */

static bool wanted(const struct listener *l)
{
    const struct hunt_settings *s = l->capture->settings;

    if (l->link.ifindex == 0 || l->link.gone)
        return false;
    for (uint32_t i = 0; i < s->interfaces.count; i++)
        if (strncmp(s->interfaces.at[i], l->link.name, HAND_NAME) == 0)
            return true;
    return s->interfaces.count == 0 && l->link.routed && l->link.link_type != LOOPBACK;
}

static void ask(struct listener *l)
{
    struct hand_capture what = { 0 };

    l->again_us = clock_mono_us() + CAPTURE_ANSWER_MS * INT64_C(1000);
    memcpy(what.name, l->link.name, sizeof(what.name));
    l->capture->calls.ask(l->capture->calls.ctx, &what);
}

/* Listens where it should and no longer where it should not. */
static void settle(struct listener *l)
{
    bool want = wanted(l);

    if (l->ring && !want) {
        if (l->was_up && !l->link.gone) /* one that is down has no route */
            tell(l, EV_HUNT_INTERFACE_LOST, l->link.up ? "it is no longer to be watched" : "it went down");
        close_ring(l);
    }
    if (l->link.gone && l->heard) { /* it was down before, mostly */
        tell(l, EV_HUNT_INTERFACE_LOST, "it was removed");
        l->heard = false;
    }
    if (l->ring && l->was_up != (l->link.up != 0)) /* the socket stays and sees frames again when it is up */
        tell(l, l->link.up ? EV_HUNT_STARTED : EV_HUNT_INTERFACE_LOST, l->link.up ? NULL : "it went down");
    if (want && !l->ring && l->link.up && clock_mono_us() >= l->again_us)
        ask(l);
}

static void settle_all(struct capture *c)
{
    if (!c->known || !c->settings)
        return;
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        if (c->at[i].link.ifindex != 0)
            settle(&c->at[i]);
}

/* The place of this interface: its own, that of one with its name that is gone, a free one, that of any that is gone.
 */
static struct listener *place_for(struct capture *c, const struct hand_link *link)
{
    struct listener *best = NULL;
    int best_rank = 0;

    for (unsigned i = 0; i < CAPTURE_LINKS; i++) {
        struct listener *l = &c->at[i];
        bool same_name = strncmp(l->link.name, link->name, HAND_NAME) == 0;
        int rank = l->link.ifindex == link->ifindex ? 4
                 : l->link.ifindex == 0             ? 2
                 : l->link.gone                     ? (same_name ? 3 : 1)
                                                    : 0;

        if (rank > best_rank) {
            best = l;
            best_rank = rank;
        }
    }
    if (best_rank == 1)
        *best = (struct listener){ 0 }; /* another interface from now on */
    return best;
}

void capture_link(struct capture *c, const struct hand_link *link)
{
    struct listener *l;

    if (link->ifindex <= 0 || link->count > HAND_LINK_ADDRS || link->name[HAND_NAME - 1] != '\0')
        return;
    l = place_for(c, link);
    if (!l) {
        say("more than %d interfaces: %s is not watched", CAPTURE_LINKS, link->name);
        return;
    }
    if (l->link.ifindex != link->ifindex && l->ring)
        close_ring(l); /* another one under the same name */
    if (l->link.ifindex != link->ifindex) {
        l->again_us = 0;
        l->wait_us = 0;
    }
    l->capture = c;
    if (l->heard && l->link.ifindex == link->ifindex && strncmp(l->link.name, link->name, HAND_NAME) != 0)
        tell_renamed(l, link->name); /* the socket goes with it: what follows has the new name */
    l->link = *link;
    settle_all(c);
}

/* Interfaces that the configuration names and that are not there: said once, and waited for. */
static void tell_missing(struct capture *c)
{
    for (uint32_t i = 0; i < c->settings->interfaces.count; i++) {
        struct event ev = event_new(EV_HUNT_INTERFACE_LOST);
        char name[HAND_NAME] = "";

        if (!text_cstr(name, sizeof(name), slice_text(c->settings->interfaces.at[i])) || named(c, name))
            continue;
        event_add_words(&ev, F_NAME, name);
        event_add_words(&ev, F_WHY, "it is not there");
        c->calls.event(c->calls.ctx, &ev);
    }
}

void capture_links_known(struct capture *c)
{
    if (!c->known)
        tell_missing(c);
    c->known = true;
    settle_all(c);
}

void capture_set(struct capture *c, const struct hunt_settings *s)
{
    c->settings = s;
    settle_all(c);
}

/* ---- what the engine is told of them ---- */

static void add_prefix(struct key_prefixes *to, struct prefix p)
{
    if (p.net.family != 0 && to->count < KEY_PREFIX_CAP)
        to->at[to->count++] = p;
}

static bool is_there(const struct hand_link *link)
{
    return link->ifindex != 0 && !link->gone;
}

static void add_own(const struct capture *c, struct key_prefixes *to)
{
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        for (uint32_t k = 0; is_there(&c->at[i].link) && k < c->at[i].link.count; k++) {
            struct addr own = addr_ip(c->at[i].link.own[k]);

            add_prefix(to, prefix_of(own, own.family == 4 ? 32 : 128));
        }
}

void capture_own(const struct capture *c, struct key_prefixes *own)
{
    own->count = 0;
    add_own(c, own);
}

void capture_inside(const struct capture *c, struct key_prefixes *inside)
{
    inside->count = 0;
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        for (uint32_t k = 0; is_there(&c->at[i].link) && inner(&c->at[i]) && k < c->at[i].link.count; k++)
            if (c->at[i].link.link_type != LOOPBACK)
                add_prefix(inside, c->at[i].link.net[k]);
    add_own(c, inside);
}

/* ---- counters ---- */

static void tell_lost(struct listener *l, uint64_t lost)
{
    int64_t now_us = clock_mono_us();
    struct event ev = event_new(EV_HUNT_PACKETS_LOST);

    if (lost == l->said_lost || (l->said_us != 0 && now_us - l->said_us < CAPTURE_LOST_EVERY_S * INT64_C(1000000)))
        return;
    event_add_words(&ev, F_NAME, l->link.name);
    event_add_number(&ev, F_COUNT, lost - l->said_lost);
    l->said_lost = lost;
    l->said_us = now_us;
    l->capture->calls.event(l->capture->calls.ctx, &ev);
}

void capture_second(struct capture *c)
{
    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        if (c->at[i].ring)
            tell_lost(&c->at[i], c->at[i].lost + ring_counts(c->at[i].ring).lost);
    settle_all(c);
}

bool capture_counters(const struct capture *c, unsigned n, struct link_counters *counters)
{
    for (unsigned i = 0; i < CAPTURE_LINKS; i++) {
        const struct listener *l = &c->at[i];

        if ((!l->ring && l->frames == 0) || n-- > 0)
            continue;
        *counters = (struct link_counters){ .packets = l->frames, .lost = l->lost };
        memcpy(counters->name, l->link.name, sizeof(counters->name));
        if (l->ring) {
            struct ring_counts now = ring_counts(l->ring);

            counters->packets += now.frames;
            counters->lost += now.lost;
        }
        return true;
    }
    return false;
}

uint64_t capture_frames(const struct capture *c)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < CAPTURE_LINKS; i++)
        sum += c->at[i].frames + (c->at[i].ring ? ring_seen(c->at[i].ring) : 0);
    return sum;
}
