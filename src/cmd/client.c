/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/words.h"
#include "sys/chan.h"
#include "sys/clock.h"

#define PATIENCE_US 5000000LL        /* for one answer */
#define SITTING_US  (2 * 65000000LL) /* for a picture: whoever takes one has a minute, and one may come before it */

struct client {
    struct chan *chan;
    uint32_t id; /* of the ask that is open */
    bool answered;
    bool news;
    void *into;           /* where the answer goes, */
    size_t size;          /* its exact size */
    int fd;               /* that came with it, or -1 */
    void (*taking)(void); /* called when another one's picture is waited for */
    void (*each)(void *own, const struct ctl_entry *entry);
    void *own;
};

static int take_blocks(struct client *c, const struct ctl_blocks *b)
{
    if (b->count > CTL_BATCH)
        return -1;
    for (uint32_t i = 0; i < b->count; i++)
        c->each(c->own, &b->at[i]);
    c->answered = b->count == 0;
    return 0;
}

static int on_answer(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct client *c = ctx;

    (void)from;
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = fd;
    if (m->id != c->id)
        return 0; /* late: who asked has given up */
    if (m->len != c->size)
        return -1;
    if (c->each)
        return take_blocks(c, body);
    if (c->into)
        memcpy(c->into, body, c->size);
    c->answered = true;
    return 0;
}

static int on_taking(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    const struct client *c = ctx;

    (void)from;
    (void)body;
    (void)fd;
    if (m->id == c->id && c->taking)
        c->taking();
    return 0;
}

static int on_news(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    (void)from;
    (void)m;
    (void)body;
    (void)fd;
    ((struct client *)ctx)->news = true;
    return 0;
}

static const struct chan_op ops[] = {
    { CTL_ANSWER, "answer", 0, CHAN_BODY, false, on_answer },
    { CTL_BLOCKS, "blocks", sizeof(struct ctl_blocks), sizeof(struct ctl_blocks), false, on_answer },
    { CTL_TAIL, "tail", 0, 0, true, on_answer },
    { CTL_RECORDER, "recorder", 0, 0, true, on_answer },
    { CTL_XRAY, "picture", sizeof(struct ctl_done), sizeof(struct ctl_done), true, on_answer },
    { CTL_TAKING, "taking", 0, 0, false, on_taking },
    { CTL_NEWS, "news", sizeof(struct ctl_news), sizeof(struct ctl_news), false, on_news },
};

bool client_says_down(const struct err *e)
{
    return e->code == ENOENT || e->code == ECONNREFUSED || e->code == ENOTDIR;
}

/* The sentence for a connect that failed; the code stays in e->code. */
static int cannot_connect(const char *path, int code, struct err *e)
{
    (void)err_set(e, code, "connect");
    if (client_says_down(e))
        (void)err_set(
            e, 0,
            _("serviola is not running: nothing listens at %s; start it with ./run, serviola run or systemctl "
              "start serviola"),
            path);
    else if (code == EACCES || code == EPERM)
        (void)err_set(
            e, 0,
            _("no permission to talk to serviola at %s: be root, or let an administrator add you to the group "
              "serviola (usermod -aG serviola NAME, then log in anew)"),
            path);
    else if (code == EAGAIN)
        (void)err_set(e, 0, _("serviola does not take the connection at %s: its core hangs, or too many commands wait"),
                      path);
    else
        (void)err_set(e, code, _("cannot talk to serviola at %s"), path);
    e->code = code;
    return -1;
}

static int connect_to(const char *path, struct err *e)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = PATIENCE_US / 1000000 };
    int fd;

    if (strlen(path) >= sizeof(at.sun_path))
        return err_set(e, 0, _("the path of the control socket is too long: %s"), path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, errno, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* bounds connect() as well */
    if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
        (void)cannot_connect(path, errno, e);
        goto fail;
    }
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        (void)err_set(e, errno, "fcntl");
        goto fail;
    }
    return fd;
fail:
    (void)close(fd);
    return -1;
}

struct client *client_open(const char *path, struct err *e)
{
    struct client *c = calloc(1, sizeof(*c));
    int fd;

    if (!c) {
        (void)err_set(e, ENOMEM, "client");
        return NULL;
    }
    c->fd = -1;
    fd = connect_to(path, e);
    if (fd >= 0)
        c->chan = chan_new(fd, "serviola", ops, sizeof(ops) / sizeof(ops[0]), c, e);
    if (c->chan)
        return c;
    free(c);
    return NULL;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    chan_free(c->chan);
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c);
}

/* Waits for an answer of exactly `size` bytes, which goes to c->into or c->each. */
static int ask_for(struct client *c, int64_t patience_us, uint16_t op, const void *body, size_t len, size_t size,
                   struct err *e)
{
    int64_t deadline_us = clock_mono_us() + patience_us;

    c->id++;
    c->answered = false;
    c->size = size;
    if (chan_send(c->chan, op, c->id, 0, body, len, -1) < 0)
        return err_set(e, 0, _("serviola has ended"));
    while (!c->answered) {
        int64_t left_us = deadline_us - clock_mono_us();

        if (left_us <= 0)
            return err_set(e, 0, _("serviola does not answer: its core has been silent for %d s"),
                           (int)(patience_us / 1000000));
        if (chan_wait(c->chan, left_us, e) < 0 && !c->answered)
            return err_wrap(e, _("no answer from serviola"));
    }
    return 0;
}

static int ask(struct client *c, uint16_t op, const void *body, size_t len, size_t size, struct err *e)
{
    return ask_for(c, PATIENCE_US, op, body, len, size, e);
}

int client_status(struct client *c, struct ctl_status *s, struct err *e)
{
    int r;

    c->into = s;
    r = ask(c, CTL_STATUS, NULL, 0, sizeof(*s), e);
    c->into = NULL;
    return r;
}

static int ask_done(struct client *c, uint16_t op, const void *body, size_t len, struct ctl_done *done, struct err *e)
{
    int r;

    c->into = done;
    r = ask(c, op, body, len, sizeof(*done), e);
    c->into = NULL;
    if (r == 0)
        done->text[sizeof(done->text) - 1] = '\0';
    return r;
}

int client_block(struct client *c, const struct ctl_block *b, struct ctl_done *done, struct err *e)
{
    return ask_done(c, CTL_BLOCK, b, sizeof(*b), done, e);
}

int client_reload(struct client *c, struct ctl_done *done, struct err *e)
{
    return ask_done(c, CTL_RELOAD, NULL, 0, done, e);
}

int client_account(struct client *c, const struct link_account *a, struct ctl_done *done, struct err *e)
{
    return ask_done(c, CTL_ACCOUNT, a, sizeof(*a), done, e);
}

int client_unblock(struct client *c, const struct ctl_block *b, struct ctl_done *done, struct err *e)
{
    return ask_done(c, CTL_UNBLOCK, b, sizeof(*b), done, e);
}

int client_allow(struct client *c, const struct ctl_allow *a, struct ctl_done *done, struct err *e)
{
    return ask_done(c, CTL_ALLOW, a, sizeof(*a), done, e);
}

int client_ack(struct client *c, const struct ctl_ack *a, struct ctl_done *done, struct err *e)
{
    return ask_done(c, CTL_ACK, a, sizeof(*a), done, e);
}

int client_blocks(struct client *c, void (*each)(void *own, const struct ctl_entry *entry), void *own, struct err *e)
{
    int r;

    c->each = each;
    c->own = own;
    r = ask(c, CTL_BLOCKS, NULL, 0, sizeof(struct ctl_blocks), e);
    c->each = NULL;
    return r;
}

struct tail *client_tail(struct client *c, struct err *e)
{
    struct tail *t;

    if (ask(c, CTL_TAIL, NULL, 0, 0, e) < 0)
        return NULL;
    if (c->fd < 0) {
        (void)err_set(e, 0, _("serviola gave no descriptor of its events"));
        return NULL;
    }
    t = tail_open(c->fd, e);
    (void)close(c->fd);
    c->fd = -1;
    return t;
}

int client_recorder(struct client *c, struct err *e)
{
    int fd;

    if (ask(c, CTL_RECORDER, NULL, 0, 0, e) < 0)
        return -1;
    fd = c->fd;
    c->fd = -1;
    return fd >= 0 ? fd : err_set(e, 0, _("the watch does not run: see `mode` of the section watch"));
}

int client_xray(struct client *c, bool keep, void (*taking)(void), char kept[CTL_TEXT], struct err *e)
{
    const struct ctl_xray want = { .keep = keep };
    struct ctl_done done;
    int fd = -1;

    c->into = &done;
    c->taking = taking;
    if (ask_for(c, SITTING_US, CTL_XRAY, &want, sizeof(want), sizeof(done), e) < 0)
        goto out;
    fd = c->fd;
    c->fd = -1;
    done.text[sizeof(done.text) - 1] = '\0';
    memcpy(kept, done.text, CTL_TEXT);
    if (done.code != 0 || fd < 0) {
        if (fd >= 0)
            (void)close(fd);
        fd = err_set(e, 0, _("serviola took no picture: %s"), done.text);
    }
out:
    c->into = NULL;
    c->taking = NULL;
    return fd;
}

int client_follow(struct client *c, struct err *e)
{
    c->news = true; /* what came before the ask is news as well */
    return chan_send(c->chan, CTL_FOLLOW, 0, 0, NULL, 0, -1) < 0 ? err_set(e, 0, _("serviola has ended")) : 0;
}

int client_wait(struct client *c, int64_t timeout_us, struct err *e)
{
    if (!c->news && chan_wait(c->chan, timeout_us, e) < 0)
        return -1;
    if (!c->news)
        return 0;
    c->news = false;
    return 1;
}
