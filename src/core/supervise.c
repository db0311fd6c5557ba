/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/supervise.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "core/crew.h"
#include "core/doors.h"
#include "core/eye.h"
#include "core/pem.h"
#include "core/prepare.h"
#include "core/roster.h"
#include "core/stock.h"
#include "part/link.h"
#include "sense/gate/ports.h"
#include "sense/log/ports.h"
#include "sense/watch/updates.h"
#include "sense/watch/watch.h"
#include "sys/chan.h"
#include "sys/clock.h"
#include "sys/jail.h"
#include "sys/loop.h"
#include "sys/memfile.h"
#include "sys/runner.h"
#include "sys/say.h"
#include "sys/spawn.h"

enum {
    GRACE_US = 5000000,     /* from the wish to stop to the use of force, */
    DRAIN_US = 35000000,    /* or so long, where a gate lets its last messages through, */
    LEAVE_US = 10000000,    /* or so long, where clients wait meanwhile for the next one, */
    IMPATIENT_US = 1000000, /* or sooner, when somebody asks again after this */
    AGAIN_US = 100000,      /* before a part is started again; grows with each time */
    EARLY_US = 3000000,     /* a part that can't start so soon after the house will never start */
    DEATHS = 64,
    CANNOT_START = 3, /* exit code of a part that was refused its jail, a file, a kernel */
};

struct child {
    struct house *house;
    uint32_t row;
    struct spawned process; /* pid 0: not running */
    uint32_t restarts;
    uint32_t timer;            /* until it is started again, or, when it was dismissed, killed */
    int64_t deaths_us[DEATHS]; /* a ring: when it died */
    uint32_t deaths;
    bool gave_up, dismissed; /* dismissed: it ends because we say so */
};

enum house_state { HOUSE_UP, HOUSE_STOPPING, HOUSE_RESTARTING };

struct house {
    const struct run_options *options;
    struct house_settings *conf, *fresh; /* in force; room to read the next one */
    struct ground ground;
    struct pem pem;       /* for the gate */
    struct papers papers; /* for the log */
    struct loop *loop;
    struct chan *core;
    struct stock stock; /* sockets that the house listens at */
    struct child children[ROSTER_MAX];
    enum house_state state;
    int64_t up_us, asked_us;
    uint32_t force_timer;
    int code; /* exit */
};

static void bring_up(void *ctx);

/* ---- settings ---- */

/* `serviola gate`: what its options say instead of the file. */
static void override_gate(const struct run_options *o, struct house_settings *h)
{
    struct gate_settings *gate = &h->gate;

    if (o->listener) {
        gate->listeners[0] = *o->listener;
        gate->listeners_count = 1;
    }
    if (o->certificate)
        (void)snprintf(gate->certificate, sizeof(gate->certificate), "%s", o->certificate);
    if (o->key)
        (void)snprintf(gate->key, sizeof(gate->key), "%s", o->key);
    if (!o->state)
        return;
    (void)snprintf(h->core.control, sizeof(h->core.control), "%s/control", o->state);
    (void)snprintf(h->journal.folder, sizeof(h->journal.folder), "%s/journal", o->state);
    (void)snprintf(gate->folder, sizeof(gate->folder), "%s/gate", o->state);
}

static void override(const struct run_options *o, struct house_settings *h)
{
    override_gate(o, h);
    if (o->mode >= 0)
        h->hunt.mode = o->mode;
    if (o->interfaces.count > 0)
        h->hunt.interfaces = o->interfaces;
    if (o->inside.count > 0)
        h->hunt.inside = o->inside;
}

static int settings_file(const struct house *h, const struct row *row, struct err *e)
{
    const struct found found = {
        .resolvers = h->ground.resolvers,
        .resolvers_count = h->ground.resolvers_count,
        .certificate = slice_of(h->pem.certificate, h->pem.certificate_len),
        .key = slice_of(h->pem.key, h->pem.key_len),
        .gate_uid = h->ground.gate_uid,
        .papers = &h->papers,
    };
    size_t room = sizeof(struct house_settings) + sizeof(struct hand_settings) + sizeof(struct papers);
    void *bytes = calloc(1, room);
    size_t size;
    int fd;

    if (!bytes)
        return err_set(e, ENOMEM, "settings");
    size = roster_settings(row, h->conf, &found, bytes, room);
    fd = memfile_from(bytes, size, "serviola-settings", e);
    explicit_bzero(bytes, room);
    free(bytes);
    return fd;
}

/* ---- one process ---- */

/* What a part finds at RUNNER_FD or, the watch, at WATCH_GLANCE_FD; -1: nothing. */
static int gift_of(const struct house *h, const struct row *row)
{
    return row->settings == SETTINGS_NOTIFY ? h->ground.runner
         : row->settings == SETTINGS_PROBE  ? h->ground.probe_runner
         : row->settings == SETTINGS_WATCH  ? h->ground.glance
                                            : -1;
}

static int spawn_row(struct house *h, struct child *c, int link, int settings, int gift, struct err *e)
{
    const struct row *row = &roster[c->row];
    const char *argv[] = { row->part ? "serviola" : "serviola-hand", "-x", row->part ? row->name : row->mode, NULL };
    struct spawn_place places[] = { { link, LINK_FD }, { settings, SETTINGS_FD }, { gift, RUNNER_FD }, { -1, -1 } };
    struct spawn how = {
        .image = row->part ? h->ground.image : h->ground.hand_image, .argv = argv, .places = places, .places_count = 2
    };

    if (gift >= 0)
        how.places_count++;
    if (row->settings == SETTINGS_WATCH && h->ground.watch_runner >= 0)
        places[how.places_count++] = (struct spawn_place){ h->ground.watch_runner, UPDATES_RUNNER_FD };
    if (!row->part && !row->mode)
        argv[1] = NULL;
    return spawn_start(&how, &c->process, e);
}

_Static_assert((int)WATCH_GLANCE_FD == (int)RUNNER_FD && (int)HAND_STOCK_FD == (int)RUNNER_FD, "one place for all");

static void on_exit_of(void *ctx, int fd, int events);
static struct chan *core_link(struct house *h, int fd, struct err *e);

static int introduce(struct house *h, struct child *c, int *link, struct err *e)
{
    struct crew_link who = { .row = c->row, .pid = c->process.pid, .restarts = c->restarts };

    if (roster[c->row].kind == ROW_CORE) {
        h->core = core_link(h, *link, e);
        *link = -1; /* the chan's now */
        return h->core ? 0 : -1;
    }
    if (!h->core || chan_send(h->core, CREW_LINK, 0, 0, &who, sizeof(who), *link) < 0)
        return err_set(e, 0, "the core does not listen");
    return 0;
}

static int start_child(struct house *h, struct child *c, struct err *e)
{
    bool is_hand = roster[c->row].kind == ROW_HAND;
    int pair[2] = { -1, -1 };
    int settings = settings_file(h, &roster[c->row], e);
    int stock = settings >= 0 && is_hand ? stock_link(&h->stock, h->loop, e) : -1;
    int gift = is_hand ? stock : gift_of(h, &roster[c->row]);
    int rc = -1;

    loop_untimer(h->loop, c->timer); /* it may have been about to be started again */
    c->timer = 0;
    if (settings >= 0 && (!is_hand || stock >= 0) && chan_pair(pair, e) == 0 &&
        spawn_row(h, c, pair[1], settings, gift, e) == 0 &&
        loop_watch(h->loop, c->process.pidfd, LOOP_IN, on_exit_of, c, e) == 0)
        rc = introduce(h, c, &pair[0], e);
    if (rc < 0)
        err_wrap(e, "%s", roster[c->row].name);
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    if (settings >= 0)
        close(settings);
    if (stock >= 0)
        close(stock);
    return rc;
}

static void signal_child(const struct child *c, int signal)
{
    if (c->process.pid > 0)
        (void)kill(c->process.pid, signal);
}

/* ---- the end of a process ---- */

static void lose_patience(void *ctx)
{
    struct child *c = ctx;

    c->timer = 0;
    say("%s does not end; it is killed", roster[c->row].name);
    signal_child(c, SIGKILL);
}

static bool anybody_left(const struct house *h)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (h->children[i].process.pid > 0)
            return true;
    return false;
}

static void use_force(void *ctx)
{
    struct house *h = ctx;

    h->force_timer = 0;
    for (uint32_t i = 0; i < roster_count; i++)
        if (h->children[i].process.pid > 0)
            lose_patience(&h->children[i]);
    h->force_timer = loop_timer(h->loop, GRACE_US, 0, bring_up, h); /* one in state D can't even be killed */
}

/* All are told to end; on_exit_of goes on when the last is gone. */
static void wind_down(struct house *h, enum house_state why)
{
    struct crew_stop stop = { 0 };
    bool drains = why == HOUSE_STOPPING && h->core && gate_is_wanted(&h->conf->gate);

    if (h->state == HOUSE_STOPPING)
        return;
    h->state = why;
    if (why == HOUSE_STOPPING)
        stock_freeze(&h->stock);
    if (h->core && why == HOUSE_STOPPING)
        (void)chan_send(h->core, CREW_STOP, 0, 0, &stop, sizeof(stop), -1);
    for (uint32_t i = 0; i < roster_count; i++) {
        loop_untimer(h->loop, h->children[i].timer);
        h->children[i].timer = 0;
    }
    loop_untimer(h->loop, h->force_timer);
    h->force_timer = loop_timer(h->loop, drains ? DRAIN_US : GRACE_US, 0, use_force, h);
    if (!anybody_left(h))
        bring_up(h);
}

static bool too_often(const struct house *h, struct child *c, int64_t now_us)
{
    uint32_t recent = 0;

    c->deaths_us[c->deaths++ % DEATHS] = now_us;
    for (uint32_t i = 0; i < DEATHS && i < c->deaths; i++)
        recent += now_us - c->deaths_us[i] < h->conf->core.restart_window_us;
    return recent > h->conf->core.restarts;
}

static void again(void *ctx)
{
    struct child *c = ctx;
    struct err e;

    c->timer = 0;
    if (start_child(c->house, c, &e) < 0)
        say("%s", e.text);
}

static void say_death(const struct child *c, int status)
{
    const char *name = roster[c->row].name;

    if (WIFSIGNALED(status))
        say("%s was ended by signal %d (%s)", name, WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    else
        say("%s ended with code %d", name, WEXITSTATUS(status));
}

/* A part that died alone: the core hears of it, and it is started again, unless that happens too often. */
static void replace(struct house *h, struct child *c, int pid, int status)
{
    int64_t now_us = clock_mono_us();
    struct crew_died died = { .row = c->row, .pid = pid, .status = status };

    say_death(c, status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_START && c->restarts == 0 && now_us - h->up_us < EARLY_US) {
        say("%s can't start, so nothing does", roster[c->row].name);
        h->code = CANNOT_START;
        wind_down(h, HOUSE_STOPPING);
        return;
    }
    c->gave_up = too_often(h, c, now_us);
    died.gave_up = c->gave_up;
    (void)chan_send(h->core, CREW_DIED, 0, 0, &died, sizeof(died), -1);
    if (c->gave_up) {
        say("%s died more than %llu times; it stays down until serviola is started again", roster[c->row].name,
            (unsigned long long)h->conf->core.restarts);
        return;
    }
    c->restarts++;
    c->timer = loop_timer(h->loop, AGAIN_US * (c->restarts < 10 ? c->restarts : 10), 0, again, c);
}

static void on_exit_of(void *ctx, int fd, int events)
{
    struct child *c = ctx;
    struct house *h = c->house;
    int pid = c->process.pid;
    int status = 0;

    (void)events;
    if (waitpid(pid, &status, WNOHANG) != pid)
        return;
    loop_unwatch(h->loop, fd);
    loop_untimer(h->loop, c->timer);
    c->timer = 0;
    spawn_done(&c->process);
    if (roster[c->row].kind == ROW_CORE) {
        chan_free(h->core);
        h->core = NULL;
        if (h->state == HOUSE_UP) {
            bool early = WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_START;

            say_death(c, status);
            h->code = early || too_often(h, c, clock_mono_us()) ? CANNOT_START : 0;
            wind_down(h, h->code ? HOUSE_STOPPING : HOUSE_RESTARTING); /* links closed: the others end by themselves */
        }
    } else if (h->state == HOUSE_UP && !c->dismissed)
        replace(h, c, pid, status);
    else if (h->state == HOUSE_UP && roster_wanted(&roster[c->row], h->conf, h->options->console))
        again(c);
    c->dismissed = false;
    if (h->state != HOUSE_UP && !anybody_left(h))
        bring_up(h);
}

/* ---- the house ---- */

static int start_all(struct house *h, struct err *e)
{
    h->state = HOUSE_UP;
    h->up_us = clock_mono_us();
    for (uint32_t i = 0; i < roster_count; i++) {
        struct child *c = &h->children[i];

        if (roster_wanted(&roster[i], h->conf, h->options->console) && start_child(h, c, e) < 0)
            return -1;
    }
    if (chan_send(h->core, CREW_CONTROL, 0, 0, NULL, 0, h->ground.control) < 0)
        return err_set(e, 0, "the core does not listen");
    return 0;
}

/* After the last one ended (or would not): the end, or the next beginning. */
static void bring_up(void *ctx)
{
    struct house *h = ctx;
    struct err e;

    loop_untimer(h->loop, h->force_timer);
    h->force_timer = 0;
    if (h->state == HOUSE_STOPPING) {
        loop_stop(h->loop);
        return;
    }
    say("starting again");
    if (start_all(h, &e) < 0) {
        say("%s", e.text);
        h->code = CANNOT_START;
        wind_down(h, HOUSE_STOPPING);
    }
}

static void on_stop_signal(void *ctx, int signal)
{
    struct house *h = ctx;

    (void)signal;
    if (h->state != HOUSE_STOPPING) {
        h->asked_us = clock_mono_us();
        wind_down(h, HOUSE_STOPPING);
    } else if (clock_mono_us() - h->asked_us > IMPATIENT_US)
        use_force(h);
}

/* ---- reload ---- */

/* Both or neither. */
static int read_papers(struct house *h, const struct house_settings *fresh, struct err *e)
{
    struct papers *papers = calloc(1, sizeof(*papers));
    int result = papers ? papers_read(papers, &fresh->log, e) : err_set(e, ENOMEM, "log");

    if (result == 0)
        result = pem_read(&h->pem, &fresh->gate, e);
    if (result == 0)
        memcpy(&h->papers, papers, sizeof(h->papers));
    if (papers)
        papers_forget(papers);
    free(papers);
    return result;
}

/* What can't change under a running house. */
static const char *needs_restart(const struct house_settings *a, const struct house_settings *b)
{
    if (strcmp(a->core.control, b->core.control) != 0)
        return "serviola.control";
    if (a->core.tail_slots != b->core.tail_slots)
        return "serviola.memory_events";
    if (strcmp(a->journal.folder, b->journal.folder) != 0)
        return "journal.folder";
    if (strcmp(a->block.table, b->block.table) != 0)
        return "block.table";
    if (!gate_is_wanted(&a->gate) && gate_is_wanted(&b->gate))
        return "gate"; /* its folder is made and opened to its keeper at the start */
    if (strcmp(a->gate.folder, b->gate.folder) != 0)
        return "gate.folder";
    if (a->gate.greylist.entries != b->gate.greylist.entries)
        return "gate.greylist.entries";
    if (a->hunt.mode == HUNT_HOLD && b->hunt.mode == HUNT_HOLD &&
        (a->hunt.hold_wait_us != b->hunt.hold_wait_us || a->hunt.hold_fails_open != b->hunt.hold_fails_open))
        return "hunt.valve"; /* packets wait in it */
    if (!notify_knows_programs(&a->notify, &b->notify))
        return "notify.ways: what is run";
    return log_needs_restart(&a->log, &b->log);
}

static void tell_settings(struct house *h, struct child *c)
{
    struct crew_row to = { .row = c->row };
    struct err e;
    int fd;

    if (roster[c->row].kind == ROW_LOOK || roster[c->row].kind == ROW_HOLD)
        return; /* look has none, and the valve's can't change: see needs_restart */
    fd = settings_file(h, &roster[c->row], &e);
    if (fd < 0) {
        say("settings for %s: %s", roster[c->row].name, e.text);
        return;
    }
    if (roster[c->row].kind == ROW_CORE)
        (void)chan_send(h->core, LINK_SETTINGS, 0, 0, NULL, 0, fd);
    else
        (void)chan_send(h->core, CREW_SETTINGS, 0, 0, &to, sizeof(to), fd);
    close(fd);
}

/* Those stay as they are. */
static void keep_fixed(const struct house_settings *old, struct house_settings *fresh)
{
    memcpy(fresh->core.control, old->core.control, sizeof(old->core.control));
    memcpy(fresh->journal.folder, old->journal.folder, sizeof(old->journal.folder));
    memcpy(fresh->block.table, old->block.table, sizeof(old->block.table));
    memcpy(fresh->gate.folder, old->gate.folder, sizeof(old->gate.folder));
    fresh->core.tail_slots = old->core.tail_slots;
    fresh->gate.greylist.entries = old->gate.greylist.entries;
    log_keep_fixed(&old->log, &fresh->log);
    if (!gate_is_wanted(&old->gate)) {
        fresh->gate.listeners_count = 0;
        fresh->gate.policy_listen = (struct addr){ 0 };
        fresh->gate.milter_listen = (struct addr){ 0 };
        fresh->gate.accounts.logs = false;
    }
}

/* What it has in hand (mail, lines, a minute of the recorder) is not lost with it. */
static void dismiss(struct house *h, struct child *c)
{
    const struct part *part = roster[c->row].part;
    struct crew_row who = { .row = c->row };

    if (c->dismissed)
        return;
    c->dismissed = true;
    if (part && part->stop && chan_send(h->core, CREW_LEAVE, 0, 0, &who, sizeof(who), -1) == 0)
        c->timer = loop_timer(h->loop, LEAVE_US, 0, lose_patience, c);
    if (c->timer == 0)
        signal_child(c, SIGKILL);
}

/* Parts that the new configuration wants and the old one did not, or the other way round. */
static void fit(struct house *h, struct child *c, const struct house_settings *old)
{
    bool wanted = roster_wanted(&roster[c->row], h->conf, h->options->console);
    struct err e;

    if (wanted && c->process.pid == 0 && start_child(h, c, &e) < 0)
        say("%s", e.text);
    else if (wanted && !roster_outgrown(&roster[c->row], old, h->conf))
        tell_settings(h, c);
    else if (c->process.pid > 0) {
        if (wanted)
            say("%s starts anew: its jail was made for other ports or files", roster[c->row].name);
        dismiss(h, c);
    }
}

static void take_fresh(struct house *h, struct text *words)
{
    struct house_settings *old = h->conf;
    const char *fixed = needs_restart(old, h->fresh);

    if (fixed)
        text_addf(words, "%s changes with the next start; all else is in force", fixed);
    keep_fixed(old, h->fresh);
    h->conf = h->fresh;
    h->fresh = old;
    prepare_resolvers(&h->ground);
    for (uint32_t i = 0; i < roster_count; i++)
        fit(h, &h->children[i], old);
}

static void on_reload(void *ctx, int signal)
{
    struct house *h = ctx;
    struct conf_faults faults;
    struct crew_reloaded how = { 0 };
    struct text words = TEXT_IN(how.text);
    struct err e;

    (void)signal;
    if (h->state != HOUSE_UP || !h->core)
        return;
    words_off(); /* what the first fault is goes into the journal */
    if (settings_read(settings_path(h->options->conf_path), h->fresh, &faults) < 0) {
        how.code = -1;
        conf_print_faults(&faults, stderr, isatty(STDERR_FILENO));
        say("the configuration has %zu fault%s; the running one stays in force", faults.count,
            faults.count == 1 ? "" : "s");
        text_addf(&words, "%s:%u:%u: %s", faults.file, faults.at[0].line, faults.at[0].column, faults.at[0].text);
    } else if (override(h->options, h->fresh), read_papers(h, h->fresh, &e) < 0) {
        how.code = -1;
        say("%s; the running configuration stays in force", e.text);
        text_addf(&words, "%s", e.text);
    } else {
        take_fresh(h, &words);
        say("the configuration is in force%s%s", how.text[0] ? "; " : "", how.text);
    }
    (void)malloc_trim(0);
    (void)chan_send(h->core, CREW_RELOADED, 0, 0, &how, sizeof(how), -1);
}

/* ---- what the core says ---- */

static int on_reload_asked(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    on_reload(ctx, 0);
    return 0;
}

static int on_stuck(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct house *h = ctx;
    const struct crew_row *which = body;

    (void)from;
    (void)m;
    (void)fd;
    if (which->row < roster_count)
        signal_child(&h->children[which->row], SIGKILL);
    return 0;
}

static int on_core_ready(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)ctx;
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    return 0;
}

/* A part that is started for one thing, through the eye, and ends by itself. */
static int on_run(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct house *h = ctx;
    struct crew_link who = { .row = ((const struct crew_row *)body)->row };
    struct crew_not_run not = { 0 };
    struct text why = TEXT_IN(not .text);
    int pair[2] = { -1, -1 };
    struct err e;

    (void)from;
    (void)m;
    (void)fd;
    if (who.row >= roster_count || roster[who.row].kind != ROW_XRAY || h->state != HOUSE_UP)
        return 0;
    if (h->ground.eye < 0)
        text_word(&why, "the watch was off when serviola was started, and pictures are taken with its eye");
    else if (chan_pair(pair, &e) < 0 || eye_open(h->ground.eye, pair[1], &e) < 0)
        text_word(&why, e.text);
    else
        (void)chan_send(h->core, CREW_LINK, 0, 0, &who, sizeof(who), pair[0]);
    if (why.len > 0) {
        say("no picture: %s", not .text);
        (void)chan_send(h->core, CREW_NOT_RUN, 0, 0, &not, sizeof(not ), -1);
    }
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    return 0;
}

static const struct chan_op core_ops[] = {
    { LINK_READY, "ready", sizeof(struct link_ready), sizeof(struct link_ready), false, on_core_ready },
    { CREW_RELOAD, "reload", 0, 0, false, on_reload_asked },
    { CREW_STUCK, "stuck", sizeof(struct crew_row), sizeof(struct crew_row), false, on_stuck },
    { CREW_RUN, "run", sizeof(struct crew_row), sizeof(struct crew_row), false, on_run },
};

/* The core ended or went mad: its end is noticed by its pidfd, and mad it is made to end. */
static void on_core_link_ended(void *ctx, struct chan *chan, const char *why)
{
    struct house *h = ctx;

    (void)chan;
    say_debug("core: %s", why);
    for (uint32_t i = 0; i < roster_count; i++)
        if (roster[i].kind == ROW_CORE && h->state == HOUSE_UP)
            signal_child(&h->children[i], SIGKILL);
}

static struct chan *core_link(struct house *h, int fd, struct err *e)
{
    struct chan *c = chan_new(fd, "core", core_ops, sizeof(core_ops) / sizeof(core_ops[0]), h, e);

    if (c && chan_attach(c, h->loop, on_core_link_ended, e) < 0) {
        chan_free(c);
        return NULL;
    }
    return c;
}

/* ---- start ---- */

/* "/var/log/x.log" becomes "/var/log"; NULL when there is no path. */
static const char *folder_of(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash)
        return NULL;
    slash[slash == path] = '\0';
    return path;
}

static int jail_self(const struct house *h, struct err *e)
{
    static const char *const all[] = { "/", NULL };
    char control[sizeof(h->conf->core.control)];
    char log[sizeof(h->conf->hunt.story_log)];
    const char *folders[8] = { "/dev", h->conf->journal.folder,
                               folder_of(memcpy(control, h->conf->core.control, sizeof(control))) };
    size_t count = 3;
    struct jail jail = {
        .calls = JAIL_SPAWN,
        .folders = folders,
        .read_only = all,
        .keep_caps = 1ull << CAP_KILL,
        .tcp = JAIL_TCP_BIND | JAIL_TCP_CONNECT, /* for its children: its own seccomp list has both anyway */
        .lend_caps = 1ull << CAP_NET_ADMIN | 1ull << CAP_NET_RAW | 1ull << CAP_NET_BIND_SERVICE |
                     1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_SYSLOG | 1ull << CAP_SYS_ADMIN |
                     1ull << CAP_IPC_LOCK | 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP |
                     1ull << CAP_KILL,
    };
    unsigned gaps;

    if (folder_of(memcpy(log, h->conf->hunt.story_log, sizeof(log))))
        folders[count++] = log;
    if (gate_is_wanted(&h->conf->gate))
        folders[count++] = h->conf->gate.folder;
    if (h->conf->log.mode != LOG_OFF)
        folders[count++] = h->conf->log.folder;
    folders[count] = NULL;
    return jail_enter(&jail, &gaps, e);
}

/* What systemd kept for us, before anything else has a descriptor. */
static int open_stock(struct house *h, struct err *e)
{
    const struct found nothing = { .gate_uid = 0 };
    struct hand_settings *named = calloc(1, sizeof(*named));

    if (!named)
        return err_set(e, ENOMEM, "settings");
    doors_tell_hand(h->conf, &nothing, named);
    stock_open(&h->stock, named);
    free(named);
    return 0;
}

static int open_house(struct house *h, struct err *e)
{
    h->loop = loop_new(e);
    if (!h->loop || loop_signal(h->loop, SIGINT, on_stop_signal, h, e) < 0 ||
        loop_signal(h->loop, SIGTERM, on_stop_signal, h, e) < 0 || loop_signal(h->loop, SIGHUP, on_reload, h, e) < 0)
        return -1;
    (void)signal(SIGPIPE, SIG_IGN);
    for (uint32_t i = 0; i < roster_count; i++)
        h->children[i] = (struct child){ .house = h, .row = i };
    if (prepare_ground(h->conf, &h->ground, e) < 0 || jail_self(h, e) < 0 || read_papers(h, h->conf, e) < 0)
        return -1;
    return start_all(h, e);
}

static void close_house(struct house *h)
{
    chan_free(h->core);
    stock_close(&h->stock);
    loop_free(h->loop);
    if (h->conf)
        ground_done(&h->ground, h->conf->core.control);
    free(h->conf);
    free(h->fresh);
    pem_forget(&h->pem);
    papers_forget(&h->papers);
    free(h);
}

int run_house(const struct run_options *o)
{
    struct house *h = calloc(1, sizeof(*h));
    struct conf_faults faults;
    struct err e = { 0 };
    int code = CANNOT_START;

    if (!h)
        return CANNOT_START;
    h->options = o;
    h->stock.manager = -1;
    h->ground = (struct ground){ .image = -1,
                                 .hand_image = -1,
                                 .eye = -1,
                                 .glance = -1,
                                 .runner = -1,
                                 .probe_runner = -1,
                                 .watch_runner = -1,
                                 .control = -1 };
    h->conf = calloc(1, sizeof(*h->conf));
    h->fresh = calloc(1, sizeof(*h->fresh));
    if (!h->conf || !h->fresh)
        goto out;
    if (settings_read(settings_path(o->conf_path), h->conf, &faults) < 0) {
        conf_print_faults(&faults, stderr, isatty(STDERR_FILENO));
        code = 2;
        goto out;
    }
    override(o, h->conf);
    if (open_stock(h, &e) < 0 || prepare_privileges(&e) < 0 || open_house(h, &e) < 0) {
        say("%s", e.text);
        for (uint32_t i = 0; i < roster_count; i++)
            signal_child(&h->children[i], SIGKILL);
        goto out;
    }
    (void)malloc_trim(0); /* reading the configuration took more than all that follows */
    code = loop_run(h->loop, &e) < 0 ? CANNOT_START : h->code;
out:
    close_house(h);
    return code;
}
