/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "core/eye.h"
#include "sense/gate/ports.h"
#include "sense/watch/updates.h"
#include "sys/jail.h"
#include "sys/lock.h"
#include "sys/loop.h"
#include "sys/memfile.h"
#include "sys/net.h"
#include "sys/peer.h"
#include "sys/runner.h"
#include "sys/say.h"
#include "sys/spawn.h"

enum { IMAGE_MOST = 256 * 1024 * 1024, RESOLV_MOST = 64 * 1024 };

static const struct {
    cap_value_t cap;
    const char *name, *why;
} needed[] = {
    { CAP_NET_ADMIN, "CAP_NET_ADMIN", "to block" },
    { CAP_NET_RAW, "CAP_NET_RAW", "to see packets" },
    { CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "to listen on port 25" },
    { CAP_SETUID, "CAP_SETUID", "to run each part as a user of its own" },
    { CAP_SETGID, "CAP_SETGID", "likewise" },
    { CAP_SETPCAP, "CAP_SETPCAP", "to give capabilities up for good" },
    { CAP_KILL, "CAP_KILL", "to end a part" },
    { CAP_CHOWN, "CAP_CHOWN", "to give the folders to their writers" },
    { CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "to see where a process hangs" },
    { CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "likewise" },
    { CAP_SYSLOG, "CAP_SYSLOG", "likewise" },
    { CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "likewise, for its kernel stack" },
};

int prepare_privileges(struct err *e)
{
    char words[440];
    struct text t = TEXT_IN(words);
    cap_t have = cap_get_proc();

    if (!have)
        return err_set(e, errno, "cap_get_proc");
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        cap_flag_value_t held = CAP_CLEAR;

        if (cap_get_flag(have, needed[i].cap, CAP_EFFECTIVE, &held) < 0 || held != CAP_SET)
            text_addf(&t, "%s%s (%s)", t.len ? ", " : "", needed[i].name, needed[i].why);
    }
    (void)cap_free(have);
    if (t.len == 0 && geteuid() == 0)
        return 0;
    if (t.len == 0)
        return err_set(e, 0,
                       "must be started by root: its parts become users of their own; sudo serviola run, or "
                       "systemctl start serviola");
    return err_set(e, 0, "missing privileges: %s; start it with sudo, or systemctl start serviola", words);
}

/* The folder and what leads to it; what exists is left as it is, but the last belongs to the scribe. */
static int make_folder(const char *path, const char *user, struct err *e)
{
    char part[256];
    uid_t uid;
    gid_t gid;

    if (path[0] != '/' || strlen(path) >= sizeof(part))
        return err_set(e, 0, "%s: the path must begin with / and be shorter than %zu bytes", path, sizeof(part));
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return err_set(e, errno, "folder %s", part);
    }
    if (!user)
        return 0;
    if (jail_user(user, &uid, &gid, e) < 0)
        return -1;
    if (chown(path, uid, gid) < 0 || chmod(path, 0750) < 0)
        return err_set(e, errno, "give folder %s to %s", path, user);
    return 0;
}

static int open_image(const char *folder, const char *name, struct err *e)
{
    char path[512];
    int from;
    int fd;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return err_set(e, ENAMETOOLONG, "%s", name);
    from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_set(e, errno, "%s (it stands beside serviola)", path);
    fd = memfile_copy(from, IMAGE_MOST, name, e);
    close(from);
    return fd;
}

static int open_images(struct ground *g, struct err *e)
{
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0)
        return err_set(e, errno, "/proc/self/exe (is /proc mounted?)");
    self[n] = '\0';
    g->image = spawn_own_image("serviola", e);
    if (g->image < 0)
        return -1;
    g->hand_image = open_image(dirname(self), "serviola-hand", e);
    return g->hand_image < 0 ? -1 : 0;
}

static int open_control(const char *path, struct ground *g, struct err *e)
{
    char folder[128];
    gid_t gid;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    if (make_folder(dirname(folder), NULL, e) < 0 || peer_group("serviola", &gid, e) < 0)
        return -1;
    g->control = peer_listen(path, 0660, gid, e);
    return g->control < 0 ? err_wrap(e, "control socket") : 0;
}

void prepare_resolvers(struct ground *g)
{
    char text[RESOLV_MOST];
    int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

    if (fd >= 0)
        close(fd);
    g->resolvers_count = n <= 0 ? 0 : net_resolvers_read(slice_of(text, (size_t)n), g->resolvers, HAND_RESOLVERS);
}

/* As many as the hard limit and the loop have room for: a gate with 20,000 clients needs 40,000.  The children inherit
 * it; what the gate can do with less, it says itself. */
static void allow_descriptors(void)
{
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, &now) < 0)
        return;
    now.rlim_cur = now.rlim_max < LOOP_FDS ? now.rlim_max : LOOP_FDS;
    (void)setrlimit(RLIMIT_NOFILE, &now);
}

static int start_runner(int *runner, const char *user, const struct runner_program *programs, uint32_t count,
                        int64_t most_us, struct err *e)
{
    const struct runner_job job = { .user = user, .programs = programs, .count = count, .most_us = most_us };

    *runner = count > 0 ? runner_start(&job, e) : -1;
    return count > 0 && *runner < 0 ? -1 : 0;
}

/* Programs of the configuration, each kind as its own user. */
static int start_runners(const struct house_settings *h, struct ground *g, struct err *e)
{
    struct runner_program tellers[NOTIFY_WAYS];
    struct runner_program probes[SERVICES_MOST];
    uint32_t tellers_count = 0;
    uint32_t probes_count = 0;

    for (uint32_t i = 0; i < h->notify.ways_count; i++)
        if (h->notify.ways[i].by == BY_RUN)
            tellers[tellers_count++] =
                (struct runner_program){ .name = h->notify.ways[i].name, .command = h->notify.ways[i].command };
    for (uint32_t i = 0; i < h->watch.services.count; i++)
        if (h->watch.services.at[i].probe == SERVICE_EXEC)
            probes[probes_count++] = (struct runner_program){ .name = h->watch.services.at[i].name,
                                                              .command = h->watch.services.at[i].to,
                                                              .answers = RUNNER_ANSWER };
    return start_runner(&g->watch_runner, "serviola-watch", &updates_simulation,
                        h->watch.mode == WATCH_ON && h->watch.updates_us > 0, UPDATES_PATIENCE_US, e) < 0 ||
                   start_runner(&g->runner, "serviola-notify", tellers, tellers_count, h->notify.timeout_us, e) < 0 ||
                   start_runner(&g->probe_runner, "serviola-probe", probes, probes_count, SERVICE_WITHIN_MOST, e) < 0
             ? -1
             : 0;
}

int prepare_ground(const struct house_settings *h, struct ground *g, struct err *e)
{
    struct err limit;
    gid_t gid;

    prepare_resolvers(g);
    if (lock_allow(&limit) < 0) /* the children inherit it */
        say("memory can't be locked here (CAP_SYS_RESOURCE or LimitMEMLOCK=infinity is missing): while a disk hangs, a "
            "part of the program may have to wait for it");
    allow_descriptors();
    if (make_folder(h->journal.folder, "serviola-scribe", e) < 0)
        return -1;
    if (gate_is_wanted(&h->gate) &&
        (make_folder(h->gate.folder, "serviola-book", e) < 0 || jail_user("serviola-gate", &g->gate_uid, &gid, e) < 0))
        return -1;
    if (h->log.mode != LOG_OFF && make_folder(h->log.folder, "serviola-log", e) < 0)
        return -1;
    if (open_images(g, e) < 0)
        return -1;
    if (h->watch.mode == WATCH_ON && (g->eye = eye_start(g->image, e)) < 0)
        return -1;
    if (start_runners(h, g, e) < 0)
        return -1;
    if (g->eye >= 0)
        g->glance = eye_glance(g->eye);
    return open_control(h->core.control, g, e);
}

void ground_done(struct ground *g, const char *control)
{
    const int fds[] = { g->image,  g->hand_image,   g->eye,          g->glance,
                        g->runner, g->probe_runner, g->watch_runner, g->control };

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (g->control >= 0)
        (void)unlink(control);
}
