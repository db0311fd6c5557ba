/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "part/link.h"
#include "sense/watch/board.h"
#include "sense/watch/indicator.h"
#include "sense/watch/probe.h"
#include "sense/watch/recorder.h"
#include "sense/watch/sampler.h"
#include "sense/watch/settings.h"
#include "sense/watch/trigger.h"
#include "sys/clock.h"
#include "sys/iter/load.h"
#include "sys/memfile.h"
#include "sys/say.h"
#include "sys/whole.h"

enum {
    SECOND_US = 1000000,
    SOON_US = 250000,   /* between two samples, when the kernel calls */
    PAUSE_US = 3000000, /* a sample so late means that we did not run */
    STUCK_US = 500000,  /* after several processes went into state D */
    MANY_DOWN = 3,
    ALARMS = 128, /* as the core counts them; the upper half is that of services */
    INDICATORS = 64,
    PROCESSES = 32768,
    CONNECTIONS = 131072,
    DESCRIPTORS = 16384, /* kept open for processes */
    DESCRIPTORS_LEFT = 256,
    MOUNTINFO = 256 << 10,
};

_Static_assert((int)WATCH_TRIGGERS <= (int)ALARMS, "a trigger more than the core tells apart");

struct watch {
    struct role *role;
    struct watch_world world;
    void *own[INDICATORS]; /* each indicator's */
    bool silent[INDICATORS];
    struct sampler *sampler;
    struct recorder *recorder;
    struct board *board; /* this second's values, for others */
    struct probe_values *probes;
    struct watch_settings triggers_of; /* the settings that the triggers are made of */
    struct trigger *triggers[WATCH_TRIGGERS];
    uint64_t alarms[WATCH_TRIGGERS]; /* number of the firing that lasts */
    uint32_t soon_timer;
    int64_t sampled_us, cpu_us;
    struct values values;
    const char *read_only[3];
};

/* ---- events ---- */

static uint64_t thousandths(double number)
{
    double n = fabs(number) * 1000;

    return isfinite(n) && n < 1e18 ? (uint64_t)llround(n) : 0;
}

static void add_acts(struct event *ev, const struct key_names *acts)
{
    char words[EVENT_BODY];
    struct text t = TEXT_IN(words);

    for (uint32_t i = 0; i < acts->count && i < KEY_NAME_CAP; i++)
        text_addf(&t, "%s%s", i ? " " : "", acts->at[i]);
    event_add_words(ev, F_ACTS, words);
}

static void tell_fired(struct watch *w, uint32_t i, const struct trigger_state *s, const struct facts *f)
{
    const struct watch_trigger *row = &w->triggers_of.triggers[i];
    struct event ev = event_new(row->grade == WATCH_ALARM ? EV_WATCH_TRIGGERED : EV_WATCH_NOTICED);

    w->alarms[i] = (uint64_t)f->at_us * ALARMS + i; /* its remainder is its row: two at once are two */
    event_add_words(&ev, F_NAME, row->name);
    event_add_number(&ev, F_ALARM, w->alarms[i]);
    event_add_number(&ev, F_VALUE, thousandths(s->why.value));
    event_add_number(&ev, F_LIMIT, thousandths(s->why.limit));
    event_add_number(&ev, F_SINCE, (uint64_t)(f->at_us - (f->mono_us - s->since_us)));
    if (s->acts)
        add_acts(&ev, &row->acts);
    event_add_words(&ev, F_MEASURED, s->why.words);
    (void)role_emit(w->role, &ev, 0);
}

static void tell_over(struct watch *w, uint32_t i, const struct trigger_state *s)
{
    struct event ev = event_new(EV_WATCH_RECOVERED);

    event_add_words(&ev, F_NAME, w->triggers_of.triggers[i].name);
    event_add_number(&ev, F_ALARM, w->alarms[i]);
    event_add_number(&ev, F_SPAN, (uint64_t)(s->span_us > 0 ? s->span_us : 0));
    add_acts(&ev, &w->triggers_of.triggers[i].acts);
    event_add_words(&ev, F_MEASURED, s->why.name);
    (void)role_emit(w->role, &ev, 0);
}

static void tell_paused(struct watch *w, int64_t span_us)
{
    struct event ev = event_new(EV_WATCH_PAUSED);

    event_add_number(&ev, F_SPAN, (uint64_t)span_us);
    (void)role_emit(w->role, &ev, 0);
}

/* ---- triggers ---- */

/* One that is as it was goes on; a new one begins.  The configuration has been looked at: none is refused here. */
static void fit_triggers(struct watch *w)
{
    const struct watch_settings *now = w->world.settings;
    struct trigger *old[WATCH_TRIGGERS];
    uint64_t alarms[WATCH_TRIGGERS];
    struct err e;

    memcpy(old, w->triggers, sizeof(old));
    memcpy(alarms, w->alarms, sizeof(alarms));
    for (uint32_t i = 0; i < WATCH_TRIGGERS; i++) {
        w->triggers[i] = NULL;
        for (uint32_t k = 0; i < now->triggers_count && k < w->triggers_of.triggers_count; k++)
            if (old[k] && memcmp(&w->triggers_of.triggers[k], &now->triggers[i], sizeof(now->triggers[i])) == 0) {
                w->triggers[i] = old[k];
                w->alarms[i] = alarms[k];
                old[k] = NULL;
            }
        if (i < now->triggers_count && !w->triggers[i]) {
            w->triggers[i] = trigger_new(&now->triggers[i], &e);
            if (!w->triggers[i])
                say("the trigger \"%s\" can't be used: %s", now->triggers[i].name, e.text);
        }
    }
    for (uint32_t k = 0; k < WATCH_TRIGGERS; k++)
        trigger_free(old[k]);
    w->triggers_of = *now;
}

static void judge(struct watch *w, const struct facts *f)
{
    for (uint32_t i = 0; i < w->triggers_of.triggers_count && i < WATCH_TRIGGERS; i++) {
        const struct trigger_state *s;

        if (!w->triggers[i])
            continue;
        if (f->step_us > PAUSE_US)
            trigger_paused(w->triggers[i]);
        s = trigger_judge(w->triggers[i], &w->values, f->mono_us);
        if (s->news == TRIGGER_FIRED)
            tell_fired(w, i, s, f);
        else if (s->news == TRIGGER_OVER)
            tell_over(w, i, s);
    }
}

/* ---- a sample ---- */

static int64_t own_cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

static void measure_self(struct watch *w, const struct facts *f)
{
    int64_t cpu_us = own_cpu_us();

    if (f->step_us > 0)
        (void)values_set(&w->values, "watch.cpu", 100 * (double)(cpu_us - w->cpu_us) / (double)f->step_us);
    w->cpu_us = cpu_us;
    (void)values_set(&w->values, "watch.iterator", sampler_walks(w->sampler));
    (void)values_set(&w->values, "watch.recorder", (double)recorder_bytes(w->recorder));
    (void)values_set(&w->values, "watch.refused", (double)(sampler_refused(w->sampler) + w->values.refused));
}

static void soon(void *ctx);

static void sample(struct watch *w)
{
    const struct watch_settings *s = w->world.settings;
    int64_t mono_us = clock_mono_us();
    const struct facts *f = sampler_sample(w->sampler, s->sockets ? s->budget_us : 0, clock_wall_us(), mono_us);

    w->sampled_us = mono_us;
    if (f->step_us > PAUSE_US)
        tell_paused(w, f->step_us);
    mounts_second(w->world.mounts, mono_us);
    values_clear(&w->values);
    for (uint32_t i = 0; indicators[i] && i < INDICATORS; i++)
        if (!w->silent[i])
            indicators[i]->sample(w->own[i], &w->world, f, &w->values);
    probe_values_sample(w->probes, mono_us, &w->values);
    measure_self(w, f);
    judge(w, f);
    board_write(w->board, &w->values, f->at_us);
    recorder_take(w->recorder, f, &w->values);
    if (f->going_down >= MANY_DOWN && w->soon_timer == 0) /* are they stuck, or is a disk busy? */
        w->soon_timer = loop_timer(w->role->loop, STUCK_US, 0, soon, w);
}

static void each_second(void *ctx)
{
    sample(ctx);
}

static void soon(void *ctx)
{
    struct watch *w = ctx;

    w->soon_timer = 0;
    sample(w);
}

/* The kernel says that something happens: look now, but not all the time. */
static void on_edge(void *ctx, int fd, int events)
{
    struct watch *w = ctx;
    struct epoll_event got[8];
    int64_t wait_us = w->sampled_us + SOON_US - clock_mono_us();

    (void)events;
    (void)epoll_wait(fd, got, 8, 0);
    if (w->soon_timer == 0)
        w->soon_timer = loop_timer(w->role->loop, wait_us > 0 ? wait_us : 0, 0, soon, w);
}

/* ---- for the disk ---- */

static void shelve(void *ctx, int64_t from_us, struct slice frames)
{
    struct watch *w = ctx;
    struct link_shelve what = { .shelf = SHELF_RECORDER, .from_us = from_us };
    struct err e;
    int fd;

    if (w->world.settings->disk_keep_us == 0)
        return;
    fd = memfile_from(frames.at, frames.len, "serviola-record", &e);
    if (fd >= 0 && chan_send(w->role->core, LINK_SHELVE, 0, 0, &what, sizeof(what), fd) < 0)
        say("a minute of the recorder found no way to the disk");
    memfile_close(fd);
}

/* ---- start and end ---- */

static uint32_t allow_descriptors(void)
{
    struct rlimit limit = { 1024, 1024 };

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS + DESCRIPTORS_LEFT ? limit.rlim_max : DESCRIPTORS + DESCRIPTORS_LEFT;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 2 * DESCRIPTORS_LEFT ? (uint32_t)limit.rlim_cur - DESCRIPTORS_LEFT : DESCRIPTORS_LEFT;
}

static int open_mounts(struct watch *w, struct err *e)
{
    int fd = openat(w->world.proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    uint8_t *text = malloc(MOUNTINFO);
    ssize_t len = fd >= 0 && text ? whole_read(fd, text, MOUNTINFO) : 0;

    w->world.mounts =
        mounts_new(slice_of(text, len > 0 ? (size_t)len : 0), w->world.settings->read_disks, w->world.user, e);
    free(text);
    if (fd >= 0)
        close(fd);
    return w->world.mounts ? 0 : -1;
}

static void open_indicators(struct watch *w)
{
    struct err e;

    for (uint32_t i = 0; indicators[i] && i < INDICATORS; i++)
        if (indicators[i]->open && indicators[i]->open(&w->world, &w->own[i], &e) < 0) {
            w->silent[i] = true;
            say("%s is not measured: %s", indicators[i]->name, e.text);
        }
}

static int watch_open(struct role *r, struct err *e)
{
    struct watch *w = calloc(1, sizeof(*w));
    const struct watch_settings *s = r->settings;
    struct sampler_limits limits = { .processes = PROCESSES,
                                     .sockets = CONNECTIONS,
                                     .glance = iter_is_link(WATCH_GLANCE_FD) ? WATCH_GLANCE_FD : -1 };
    struct recorder_limits past = { .ring_bytes = s->memory_bytes,
                                    .ring_us = s->memory_us,
                                    .disk_every_us = s->disk_keep_us ? s->disk_every_us : 0 };

    if (!w)
        return err_set(e, ENOMEM, "the watch");
    r->own = w;
    w->role = r;
    (void)signal(SIGCHLD, SIG_IGN); /* a lookout that ends is nobody's to wait for */
    limits.descriptors = allow_descriptors();
    w->world = (struct watch_world){ .settings = s,
                                     .proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                     .sys = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                     .edges = epoll_create1(EPOLL_CLOEXEC),
                                     .user = r->part->user };
    if (w->world.proc < 0 || w->world.sys < 0 || w->world.edges < 0)
        return err_set(e, errno, "/proc and /sys");
    if (open_mounts(w, e) < 0)
        return -1;
    open_indicators(w);
    w->sampler = sampler_new(w->world.proc, &limits, e);
    w->recorder = w->sampler ? recorder_new(&past, shelve, w, e) : NULL;
    w->board = w->recorder ? board_new(e) : NULL;
    w->probes = w->board ? probe_values_new(e) : NULL;
    return w->probes ? 0 : -1;
}

static void watch_confine(struct role *r, struct jail *j)
{
    struct watch *w = r->own;

    w->read_only[0] = "/proc";
    w->read_only[1] = "/sys";
    j->read_only = w->read_only;
}

static int watch_run(struct role *r, struct err *e)
{
    struct watch *w = r->own;
    struct event ev = event_new(EV_WATCH_STARTED);

    fit_triggers(w);
    sample(w);
    event_add_number(&ev, F_COUNT, w->values.count);
    (void)role_emit(r, &ev, 0);
    (void)chan_send(r->core, LINK_RING, 0, 0, NULL, 0, recorder_fd(w->recorder));
    (void)chan_send(r->core, LINK_BOARD, 0, 0, NULL, 0, board_fd(w->board));
    if (loop_watch(r->loop, w->world.edges, LOOP_IN, on_edge, w, e) < 0)
        return -1;
    return loop_timer(r->loop, SECOND_US, SECOND_US, each_second, w) ? 0 : err_set(e, 0, "no room for a timer");
}

bool watch_needs_restart(const struct watch_settings *old, const struct watch_settings *now)
{
    return now->read_disks != old->read_disks || now->memory_bytes != old->memory_bytes ||
           now->memory_us != old->memory_us || now->disk_every_us != old->disk_every_us ||
           (now->disk_keep_us == 0) != (old->disk_keep_us == 0) || (now->updates_us == 0) != (old->updates_us == 0) ||
           now->logs_count != old->logs_count || memcmp(now->logs, old->logs, sizeof(now->logs)) != 0;
}

static void watch_reload(struct role *r)
{
    struct watch *w = r->own;

    w->world.settings = r->settings;
    fit_triggers(w);
}

static void watch_stop(struct role *r)
{
    struct watch *w = r->own;

    if (w->recorder)
        recorder_flush(w->recorder);
    loop_stop(r->loop);
}

static int on_value(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct watch *w = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)fd;
    (void)probe_values_take(w->probes, body, clock_mono_us());
    return 0;
}

static const struct chan_op ops[] = {
    { LINK_VALUE, "value", sizeof(struct link_value), sizeof(struct link_value), false, on_value },
};

const struct part sense_watch = {
    .name = "watch",
    .what = "measures and records each second",
    .user = "serviola-watch",
    .keys = watch_keys,
    .settings_size = sizeof(struct watch_settings),
    .calls = JAIL_PROC | JAIL_WALK,
    .locked = true,
    .confine = watch_confine,
    .open = watch_open,
    .run = watch_run,
    .reload = watch_reload,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
    .stop = watch_stop,
};
