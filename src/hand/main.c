/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * serviola-hand - the only program of the house that keeps a capability.
 *
 *   serviola-hand           act: firewall, packet sockets,        NET_ADMIN NET_RAW
 *                           listening sockets                     NET_BIND_SERVICE
 *                           and its child, the cutter: tracker    NET_ADMIN
 *   serviola-hand -x look   where a process stands in the kernel  SYS_ADMIN SYS_PTRACE DAC_READ_SEARCH, only reads
 * /proc serviola-hand -x hold   the valve of hold mode                NET_ADMIN
 *
 * Each is started by `serviola run` with its link and its settings, jails
 * itself, and then understands the fixed structs of hand/op.h (the cutter:
 * hand/cutter.h) and nothing else.  There is no exec in it and no parser of
 * anything from outside.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/capability.h>

#include "hand/act.h"
#include "hand/cutter.h"
#include "hand/look.h"
#include "hand/op.h"
#include "hand/settings.h"
#include "hand/stock.h"
#include "hand/valve.h"
#include "sys/chan.h"
#include "sys/jail.h"
#include "sys/lock.h"
#include "sys/loop.h"
#include "sys/memfile.h"
#include "sys/say.h"

enum { LATER = 10 }; /* nice */
#define KEEP(cap) (UINT64_C(1) << (cap))
static const char *const proc_only[] = { "/proc", NULL };

static int cutter_link = -1; /* act's end */
static bool has_stock;       /* the supervisor's link at HAND_STOCK_FD */

static void *new_act(struct loop *l, const struct hand_settings *set, struct err *e)
{
    struct act *a = act_new(l, HAND_LINK_FD, cutter_link, set, e);

    if (!a || !has_stock || act_inherit(a, HAND_STOCK_FD, e) == 0)
        return a;
    act_free(a);
    return NULL;
}

static int begin_act(void *own, unsigned gaps, struct err *e)
{
    return act_begin(own, gaps, e);
}

static void stop_act(void *own, int signal)
{
    (void)signal;
    act_stop(own);
}

static void free_act(void *own)
{
    act_free(own);
}

static void *new_cutter(struct loop *l, const struct hand_settings *set, struct err *e)
{
    memfile_unmap(set, sizeof(*set));
    return cutter_new(l, HAND_LINK_FD, e);
}

static int begin_cutter(void *own, unsigned gaps, struct err *e)
{
    (void)gaps;
    return cutter_begin(own, e);
}

static void stop_cutter(void *own, int signal) /* it ends with act, which may have orders yet */
{
    (void)own;
    (void)signal;
}

static void free_cutter(void *own)
{
    cutter_free(own);
}

static void *new_look(struct loop *l, const struct hand_settings *set, struct err *e)
{
    memfile_unmap(set, sizeof(*set));
    return look_new(l, HAND_LINK_FD, e);
}

static int begin_look(void *own, unsigned gaps, struct err *e)
{
    return look_begin(own, gaps, e);
}

static void free_look(void *own)
{
    look_free(own);
}

static void *new_valve(struct loop *l, const struct hand_settings *set, struct err *e)
{
    struct valve *v = valve_new(l, HAND_LINK_FD, set, e);

    memfile_unmap(set, sizeof(*set));
    return v;
}

static int begin_valve(void *own, unsigned gaps, struct err *e)
{
    return valve_begin(own, gaps, e);
}

static void free_valve(void *own)
{
    valve_free(own);
}

static const struct mode {
    const char *name;                                                              /* NULL: without -x */
    const char *says;                                                              /* before its lines */
    void *(*make)(struct loop *l, const struct hand_settings *set, struct err *e); /* owns link and `set` */
    int (*begin)(void *own, unsigned gaps, struct err *e);
    void (*stop)(void *own, int signal); /* NULL: the loop just ends */
    void (*end)(void *own);
    struct jail jail;
} modes[] = {
    { NULL,
      "hand",
      new_act,
      begin_act,
      stop_act,
      free_act,
      { .user = "serviola-hand",
        .calls = JAIL_NETLINK | JAIL_PACKET | JAIL_LISTEN,
        .keep_caps = KEEP(CAP_NET_ADMIN) | KEEP(CAP_NET_RAW) | KEEP(CAP_NET_BIND_SERVICE),
        .tcp = JAIL_TCP_BIND } },
    /* SYS_ADMIN: the kernel shows a stack to nobody else; without a system call that changes anything it is only that.
     */
    { "look",
      "look",
      new_look,
      begin_look,
      NULL,
      free_look,
      { .user = "serviola-look",
        .calls = JAIL_PROC,
        .read_only = proc_only,
        .keep_caps = KEEP(CAP_SYS_PTRACE) | KEEP(CAP_SYS_ADMIN) | KEEP(CAP_DAC_READ_SEARCH) } },
    { "hold",
      "valve",
      new_valve,
      begin_valve,
      NULL,
      free_valve,
      { .user = "serviola-hand", .calls = JAIL_NETLINK, .keep_caps = KEEP(CAP_NET_ADMIN) } },
};

static const struct mode cutter_mode = {
    NULL,
    "cutter",
    new_cutter,
    begin_cutter,
    stop_cutter,
    free_cutter,
    { .user = "serviola-hand", .calls = JAIL_NETLINK, .keep_caps = KEEP(CAP_NET_ADMIN) },
};

struct running {
    const struct mode *mode;
    struct loop *loop;
    void *own;
};

static void on_term(void *ctx, int signal)
{
    struct running *r = ctx;

    if (r->mode->stop)
        r->mode->stop(r->own, signal);
    else
        loop_stop(r->loop);
}

/* The child's link is to us, and the core's is none of its business. */
static int fork_cutter(struct running *r, struct err *e)
{
    const struct sched_param batch = { 0 };
    int ends[2];
    pid_t child;

    if (chan_pair(ends, e) < 0)
        return -1;
    child = fork();
    if (child < 0)
        return err_set(e, errno, "fork");
    if (child > 0) {
        cutter_link = ends[0];
        return close(ends[1]);
    }
    r->mode = &cutter_mode;
    say_name(r->mode->says);
    (void)prctl(PR_SET_NAME, "serviola-cut");
    /* Blocks come first: an order does not put who gives it to sleep, as a walk can't be interrupted.  (SCHED_IDLE
     * would be worse: the kernel takes the processor that it occupies for an idle one.) */
    (void)sched_setscheduler(0, SCHED_BATCH, &batch);
    (void)setpriority(PRIO_PROCESS, 0, LATER);
    (void)close(ends[0]);
    if (has_stock)
        (void)close(HAND_STOCK_FD);
    return dup2(ends[1], HAND_LINK_FD) < 0 || close(ends[1]) < 0 ? err_set(e, errno, "link") : 0;
}

static int start(struct running *r, struct err *e)
{
    const void *settings = NULL;
    unsigned gaps = 0;

    if (!r->mode->name && fork_cutter(r, e) < 0)
        return -1;
    if (memfile_map(HAND_SETTINGS_FD, sizeof(struct hand_settings), &settings, e) < 0)
        return err_wrap(e, "settings");
    (void)close(HAND_SETTINGS_FD);
    if (settings_check(settings, e) < 0)
        return -1;
    r->loop = loop_new(e);
    if (!r->loop)
        return -1;
    r->own = r->mode->make(r->loop, settings, e);
    if (!r->own || loop_signal(r->loop, SIGTERM, on_term, r, e) < 0)
        return -1;
    if (lock_memory(e) < 0) /* the supervisor has said it once for all */
        say_debug("memory is not locked: %s", e->text);
    if (jail_enter(&r->mode->jail, &gaps, e) < 0)
        return -1;
    return r->mode->begin(r->own, gaps, e);
}

static bool is_link(int fd)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

int main(int argc, char **argv)
{
    struct running r = { 0 };
    struct err e = { 0 };
    int code = 0;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (modes[i].name ? argc == 3 && strcmp(argv[1], "-x") == 0 && strcmp(argv[2], modes[i].name) == 0 : argc == 1)
            r.mode = &modes[i];
    say_name("serviola-hand");
    if (!r.mode || !is_link(HAND_LINK_FD)) {
        say("this is a part of serviola and not for people; type: serviola run");
        return 2;
    }
    has_stock = !r.mode->name && is_link(HAND_STOCK_FD);
    say_name(r.mode->says);
    (void)signal(SIGINT, SIG_IGN); /* Ctrl-C is said to the supervisor, which tells us */
    (void)signal(SIGPIPE, SIG_IGN);
    if (start(&r, &e) < 0) {
        say("does not start: %s", e.text);
        code = 3;
    } else if (loop_run(r.loop, &e) < 0) {
        say("%s", e.text);
        code = 3;
    }
    if (r.own)
        r.mode->end(r.own);
    loop_free(r.loop);
    return code;
}
