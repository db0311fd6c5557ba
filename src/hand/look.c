/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hand/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/chan.h"
#include "sys/say.h"

struct look {
    struct loop *loop;
    struct chan *core; /* own */
};

uint8_t look_state(struct slice stat)
{
    size_t end = stat.len;

    while (end > 0 && stat.at[end - 1] != ')')
        end--;
    if (end == 0 || end + 1 >= stat.len || stat.at[end] != ' ' || stat.at[end + 1] < 'A' || stat.at[end + 1] > 'z')
        return 0;
    return stat.at[end + 1];
}

/* Bytes read, or -1 with errno. */
static ssize_t read_proc(int32_t pid, const char *what, char *buffer, size_t size)
{
    char path[64];
    ssize_t got;
    int saved;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    got = read(fd, buffer, size);
    saved = errno;
    (void)close(fd);
    errno = saved;
    return got;
}

void look_at(struct hand_stack *out)
{
    char stat[1024];
    ssize_t got = read_proc(out->pid, "stat", stat, sizeof(stat));

    if (got > 0)
        out->state = look_state(slice_of(stat, (size_t)got));
    got = read_proc(out->pid, "stack", out->text, sizeof(out->text));
    if (got < 0)
        out->error = errno;
    else
        out->len = (uint32_t)got;
}

static int on_stack(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct hand_stack out = { 0 };
    struct hand_pid ask;

    (void)ctx;
    (void)fd;
    memcpy(&ask, body, sizeof(ask));
    out.pid = ask.pid;
    if (ask.pid > 0)
        look_at(&out);
    else
        out.error = EINVAL;
    (void)chan_send(from, HAND_STACK + HAND_ANSWER, m->id, m->cause, &out, sizeof(out), -1);
    return 0;
}

static int on_stop(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct look *k = ctx;

    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    loop_stop(k->loop);
    return 0;
}

static const struct chan_op asks[] = {
    { HAND_STACK, "stack", sizeof(struct hand_pid), sizeof(struct hand_pid), false, on_stack },
    { HAND_STOP, "stop", sizeof(struct hand_stop), sizeof(struct hand_stop), false, on_stop },
};

static void on_core_gone(void *ctx, struct chan *c, const char *why)
{
    struct look *k = ctx;

    (void)c;
    say_debug("link to the core: %s", why);
    loop_stop(k->loop);
}

struct look *look_new(struct loop *l, int link, struct err *e)
{
    struct look *k = calloc(1, sizeof(*k));

    if (!k) {
        (void)err_set(e, ENOMEM, "look");
        return NULL;
    }
    k->loop = l;
    k->core = chan_new(link, "core", asks, sizeof(asks) / sizeof(asks[0]), k, e);
    if (!k->core) {
        free(k);
        return NULL;
    }
    return k;
}

void look_free(struct look *k)
{
    if (k)
        chan_free(k->core);
    free(k);
}

int look_begin(struct look *k, unsigned gaps, struct err *e)
{
    struct hand_ready ready = { .gaps = (uint8_t)gaps };

    if (chan_attach(k->core, k->loop, on_core_gone, e) < 0)
        return -1;
    return chan_send(k->core, HAND_FACT_READY, 0, 0, &ready, sizeof(ready), -1) < 0 ? err_set(e, 0, "the core is gone")
                                                                                    : 0;
}
