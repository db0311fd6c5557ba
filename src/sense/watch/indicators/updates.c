/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Updates that wait, as apt's own simulation counts them: pins, holds and dependencies are its business.
 *
 * A lookout has a runner start it (updates.h), and only when the lists of
 * packages, what dpkg has installed, or what apt was told is another than
 * before.  What the lists do not know does not wait: so their age is told,
 * and without lists nothing is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "sense/watch/indicator.h"
#include "sense/watch/lookout.h"
#include "sense/watch/updates.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "wire/aptsim.h"

enum { SECOND_US = 1000000, FIRST = 30 /* after so small a part of the time between two */ };
#define LISTS "/var/lib/apt/lists"

/* What the answer hangs on: none of them changes without its time. */
static const char *const grounds[] = { LISTS,
                                       "/var/lib/dpkg/status",
                                       "/etc/apt/sources.list",
                                       "/etc/apt/sources.list.d",
                                       "/etc/apt/preferences",
                                       "/etc/apt/preferences.d",
                                       NULL };
static const char *const readable[] = { LISTS, "/boot", NULL };

struct answer {
    bool counted;        /* by a simulation that went well */
    bool reboot;         /* the host has to be started anew */
    int64_t lists_at_us; /* wall clock, when a list came last; 0: there is none */
    struct aptsim sum;
};

struct own {
    struct lookout *lookout;
    int64_t ask_us; /* boot clock: when it is asked next; 0: not known yet */
    struct answer last;
    bool known;
};

/* ---- in the lookout ---- */

static int64_t time_us(struct timespec t)
{
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* When the newest came.  A list itself has the time of its server. */
static int64_t lists_at_us(void)
{
    DIR *dir = opendir(LISTS);
    const struct dirent *entry;
    struct stat st;
    bool any = false;

    while (dir && !any && (entry = readdir(dir)) != NULL)
        any = strstr(entry->d_name, "_Packages") != NULL;
    if (dir)
        (void)closedir(dir);
    return any && stat(LISTS, &st) == 0 ? time_us(st.st_mtim) : 0;
}

/* A kernel that was installed since this one runs, or somebody says so. */
static bool wants_reboot(void)
{
    int64_t began_us = clock_wall_us() - clock_mono_us();
    bool wants = access("/run/reboot-required", F_OK) == 0;
    DIR *dir = wants ? NULL : opendir("/boot");
    const struct dirent *entry;
    struct stat st;

    while (dir && !wants && (entry = readdir(dir)) != NULL)
        wants = strncmp(entry->d_name, "vmlinuz-", 8) == 0 && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
                S_ISREG(st.st_mode) && time_us(st.st_ctim) > began_us;
    if (dir)
        (void)closedir(dir);
    return wants;
}

static uint64_t grounds_now(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; grounds[i]; i++) {
        struct stat st;
        int64_t at_us = stat(grounds[i], &st) == 0 ? time_us(st.st_mtim) : 0;

        sum = hash_bytes(&at_us, sizeof(at_us), sum);
    }
    return sum;
}

/* What it ended with, as waitpid says; -1: it was not started, or there was no answer. */
static int32_t simulate_into(int file)
{
    static uint64_t number;
    struct runner_ask ask = { .timeout_us = UPDATES_PATIENCE_US };
    struct pollfd p = { .fd = LOOKOUT_KEPT_FD, .events = POLLIN };
    int64_t until_us = clock_mono_us() + UPDATES_PATIENCE_US + 10 * SECOND_US;
    struct runner_done done;
    struct err e;

    ask.id = (uint64_t)getpid() << 32 | ++number; /* an earlier life's answer may still come */
    memcpy(ask.name, updates_simulation.name, strlen(updates_simulation.name));
    if (runner_send(LOOKOUT_KEPT_FD, &ask, file, &e) < 0)
        return -1;
    while (clock_mono_us() < until_us && poll(&p, 1, (int)((until_us - clock_mono_us()) / 1000)) == 1) {
        ssize_t n = recv(LOOKOUT_KEPT_FD, &done, sizeof(done), MSG_DONTWAIT);

        if (n == 0)
            return -1;
        if (n == (ssize_t)sizeof(done) && done.id == ask.id)
            return done.status;
    }
    return -1;
}

static bool simulate(struct aptsim *sum)
{
    int file = memfd_create("serviola-updates", MFD_CLOEXEC);
    int32_t status = file < 0 ? -1 : simulate_into(file);
    off_t len = file < 0 ? 0 : lseek(file, 0, SEEK_END);
    void *text = status == 0 && len > 0 ? malloc((size_t)len) : NULL;
    bool read_it = text && pread(file, text, (size_t)len, 0) == len;

    aptsim_read(slice_of(text, read_it ? (size_t)len : 0), sum);
    free(text);
    if (file >= 0)
        (void)close(file);
    return status == 0 && (len == 0 || read_it);
}

static void look(void *ctx, void *answer)
{
    static uint64_t counted_on;
    static bool told;
    struct answer *a = answer;
    uint64_t ground = grounds_now();

    (void)ctx;
    a->reboot = wants_reboot();
    a->lists_at_us = lists_at_us();
    if (a->lists_at_us == 0)
        a->counted = false;
    else if (!a->counted || ground != counted_on) {
        a->counted = simulate(&a->sum);
        counted_on = ground;
    }
    if (!a->counted && !told)
        say(a->lists_at_us == 0 ? "apt has no lists of packages: which updates wait is not known until apt-get update"
                                : "apt-get -s dist-upgrade fails: which updates wait is not known");
    told = !a->counted;
}

/* ---- in the watch ---- */

static int open_it(const struct watch_world *w, void **own_, struct err *e)
{
    struct lookout_job job = { .name = "updates",
                               .user = w->user,
                               .read_only = readable,
                               .work = look,
                               .answer_bytes = sizeof(struct answer),
                               .kept = UPDATES_RUNNER_FD };
    struct own *own;

    if (w->settings->updates_us == 0)
        return 0;
    if (access("/usr/bin/apt-get", X_OK) < 0)
        return err_set(e, 0, "there is no apt-get here");
    if (!runner_is_there(UPDATES_RUNNER_FD))
        return err_set(e, 0, "serviola has to be started again for it");
    own = calloc(1, sizeof(*own));
    if (!own)
        return err_set(e, ENOMEM, "updates");
    *own_ = own;
    own->lookout = lookout_new(&job, e);
    return own->lookout ? 0 : -1;
}

static void close_it(void *own_)
{
    struct own *own = own_;

    if (own)
        lookout_free(own->lookout);
    free(own);
}

static void ask(struct own *own, int64_t every_us, int64_t now_us)
{
    if (own->ask_us == 0) /* not while all others begin */
        own->ask_us = now_us + every_us / FIRST;
    if (now_us < own->ask_us)
        return;
    lookout_ask(own->lookout, now_us);
    own->ask_us = now_us + every_us;
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    const struct answer *a = own ? lookout_answer(own->lookout) : NULL;

    if (!own)
        return;
    if (a)
        own->last = *a;
    own->known = (own->known || a) && lookout_waits_us(own->lookout, f->mono_us) <= 2 * UPDATES_PATIENCE_US;
    if (w->settings->updates_us > 0)
        ask(own, w->settings->updates_us, f->mono_us);
    if (!own->known)
        return;
    (void)values_set(out, "updates.reboot", own->last.reboot);
    if (own->last.lists_at_us > 0)
        (void)values_set(out, "updates.age", (double)(f->at_us - own->last.lists_at_us) / SECOND_US);
    if (own->last.counted) {
        (void)values_set(out, "updates.all", own->last.sum.all);
        (void)values_set(out, "updates.security", own->last.sum.security);
    }
}

static const struct indicator_help values[] = {
    { "updates.security", "", "packages with a security update that waits" },
    { "updates.all", "", "packages with an update that waits, those too" },
    { "updates.age", "s", "since the lists of packages were renewed; what they do not know does not wait" },
    { "updates.reboot", "", "1: a newer kernel is installed than the one that runs, or /run/reboot-required is there" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_updates = { "updates", values, open_it, sample, close_it };
