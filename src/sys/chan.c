/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sys/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"

_Static_assert(sizeof(struct msg) == 16, "the header is 16 bytes");

struct waiting { /* a message that the socket did not take */
    struct waiting *next;
    int fd;     /* ours, or -1 */
    size_t len; /* of msg and body */
    _Alignas(16) uint8_t bytes[];
};

struct chan {
    int fd;
    const char *what;
    const struct chan_op *table;
    void *ctx;
    uint8_t row[CHAN_OPS]; /* by op: row + 1, 0 for none */

    struct loop *loop; /* NULL until attached */
    void (*ended)(void *ctx, struct chan *c, const char *why);

    struct waiting *first, **last; /* oldest first; `last` is where the next one is hung */
    size_t queued, limit;
    unsigned queued_fds;
    uint64_t lost;
    bool gone;    /* the socket said so; nothing more is sent */
    bool reading; /* a handler is running: chan_free waits for it */
    bool freed;   /* ... and was called */

    _Alignas(16) uint8_t in[sizeof(struct msg) + CHAN_BODY + 1]; /* the byte more shows what is too long */
};

int chan_pair(int fds[2], struct err *e)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        return err_set(e, errno, "socketpair");
    return 0;
}

struct chan *chan_new(int fd, const char *what, const struct chan_op *table, size_t rows, void *ctx, struct err *e)
{
    struct chan *c = calloc(1, sizeof(*c));

    if (!c || rows > CHAN_ROWS) {
        (void)err_set(e, c ? EINVAL : ENOMEM, "link with %s", what);
        goto fail;
    }
    for (size_t i = 0; i < rows; i++) {
        if (table[i].op >= CHAN_OPS || c->row[table[i].op] || table[i].max > CHAN_BODY) {
            (void)err_set(e, EINVAL, "link with %s: row %s", what, table[i].name);
            goto fail;
        }
        c->row[table[i].op] = (uint8_t)(i + 1);
    }
    c->fd = fd;
    c->what = what;
    c->table = table;
    c->ctx = ctx;
    c->last = &c->first;
    c->limit = CHAN_QUEUE;
    return c;
fail:
    free(c);
    (void)close(fd);
    return NULL;
}

static void drop_first(struct chan *c)
{
    struct waiting *w = c->first;

    c->first = w->next;
    if (!c->first)
        c->last = &c->first;
    c->queued -= w->len;
    if (w->fd >= 0) {
        c->queued_fds--;
        (void)close(w->fd);
    }
    free(w);
}

void chan_free(struct chan *c)
{
    if (!c)
        return;
    if (c->fd >= 0) {
        if (c->loop)
            loop_unwatch(c->loop, c->fd);
        (void)close(c->fd);
        c->fd = -1;
    }
    c->gone = true;
    c->freed = true;
    while (c->first)
        drop_first(c);
    if (!c->reading)
        free(c);
}

uint64_t chan_lost(const struct chan *c)
{
    return c->lost;
}

size_t chan_queued(const struct chan *c)
{
    return c->queued;
}

void chan_limit(struct chan *c, size_t queue_bytes)
{
    c->limit = queue_bytes;
}

int chan_fd(const struct chan *c)
{
    return c->fd;
}

const char *chan_what(const struct chan *c)
{
    return c->what;
}

/* --- sending --- */

enum put { PUT, PUT_LATER, PUT_GONE, PUT_REFUSED };

static enum put put(const struct chan *c, struct iovec *parts, size_t count, int fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct msghdr m = { .msg_iov = parts, .msg_iovlen = count };

    if (fd >= 0) {
        struct cmsghdr *h = &control.align;

        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(h), &fd, sizeof(int));
    }
    while (sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS)
            return PUT_LATER;
        if (errno == EMSGSIZE || errno == EBADF)
            return PUT_REFUSED;
        if (errno != EINTR)
            return PUT_GONE;
    }
    return PUT;
}

static int queue(struct chan *c, const struct msg *m, const void *body, int fd)
{
    size_t len = sizeof(*m) + m->len;
    struct waiting *w;

    if (c->queued + len > c->limit || (fd >= 0 && c->queued_fds == CHAN_QUEUED_FDS))
        return -1;
    w = malloc(sizeof(*w) + len);
    if (!w)
        return -1;
    w->next = NULL;
    w->len = len;
    w->fd = -1;
    memcpy(w->bytes, m, sizeof(*m));
    if (m->len > 0)
        memcpy(w->bytes + sizeof(*m), body, m->len);
    if (fd >= 0) {
        w->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (w->fd < 0) {
            free(w);
            return -1;
        }
        c->queued_fds++;
    }
    if (!c->first && c->loop)
        (void)loop_change(c->loop, c->fd, LOOP_IN | LOOP_OUT, NULL);
    *c->last = w;
    c->last = &w->next;
    c->queued += len;
    return 0;
}

int chan_send(struct chan *c, uint16_t op, uint32_t id, uint64_t cause, const void *body, size_t len, int fd)
{
    struct msg m = { .op = op, .len = (uint16_t)len, .id = id, .cause = cause };
    struct iovec parts[2] = { { .iov_base = &m, .iov_len = sizeof(m) }, { .iov_len = len } };
    enum put how = PUT_LATER;

    memcpy(&parts[1].iov_base, &body, sizeof(body)); /* sendmsg only reads it, but its type does not say so */
    if (c->gone)
        return -1;
    if (len > CHAN_BODY)
        how = PUT_REFUSED;
    else if (!c->first)
        how = put(c, parts, 2, fd);
    if (how == PUT)
        return 0;
    if (how == PUT_GONE) {
        c->gone = true;
        return -1;
    }
    if (how == PUT_LATER && queue(c, &m, body, fd) == 0)
        return 0;
    c->lost++;
    return -1;
}

static void flush(struct chan *c)
{
    while (c->first && !c->gone) {
        struct iovec whole = { .iov_base = c->first->bytes, .iov_len = c->first->len };
        enum put how = put(c, &whole, 1, c->first->fd);

        if (how == PUT_LATER)
            return;
        c->lost += how != PUT;
        c->gone = how == PUT_GONE;
        drop_first(c);
    }
    if (c->loop)
        (void)loop_change(c->loop, c->fd, LOOP_IN, NULL);
}

/* --- reading --- */

/* Takes what descriptors came; all but a single one are closed.  Returns how many there were. */
static size_t take_fds(struct msghdr *m, int *fd)
{
    size_t found = 0;

    *fd = -1;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= h->cmsg_len; at += sizeof(int)) {
            int one;

            memcpy(&one, (const uint8_t *)h + at, sizeof(one));
            if (found++ == 0)
                *fd = one;
            else
                (void)close(one);
        }
    }
    if (found > 1) {
        (void)close(*fd);
        *fd = -1;
    }
    return found;
}

static const struct chan_op *row_of(const struct chan *c, const struct msg *m)
{
    return m->op < CHAN_OPS && c->row[m->op] ? &c->table[c->row[m->op] - 1] : NULL;
}

/* What is wrong with a datagram, or NULL. */
static const char *wrong(const struct msg *m, const struct chan_op *row, size_t got, int flags, size_t fds)
{
    if (got < sizeof(*m))
        return "it is shorter than a header";
    if ((flags & MSG_TRUNC) || got - sizeof(*m) != m->len)
        return "its length is not what it says";
    if (!row)
        return "nobody here knows that word";
    if (m->len < row->min || m->len > row->max)
        return "its size is not that of its kind";
    if ((flags & MSG_CTRUNC) || fds > (row->with_fd ? 1 : 0))
        return "too many descriptors came along";
    return NULL;
}

/* One message; 1 handled, 0 none there, -1 the peer is to be ended. */
static int read_one(struct chan *c, struct err *e)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec whole = { .iov_base = c->in, .iov_len = sizeof(c->in) };
    struct msghdr m = {
        .msg_iov = &whole, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    ssize_t got = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct chan_op *row;
    struct msg head = { 0 };
    const char *fault;
    size_t fds;
    int fd;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0 && errno == ECONNRESET) /* it died with our words unread; its own last ones come after this */
        return 1;
    if (got < 0)
        return err_set(e, errno, "%s", c->what);
    fds = take_fds(&m, &fd);
    if (got == 0 && fds == 0)
        return err_set(e, 0, "%s closed the link", c->what);
    memcpy(&head, c->in, (size_t)got < sizeof(head) ? (size_t)got : sizeof(head));
    row = row_of(c, &head);
    fault = wrong(&head, row, (size_t)got, m.msg_flags, fds);
    if (fault || !row) {
        if (fd >= 0)
            (void)close(fd);
        return err_set(e, 0, "%s broke the rules of the link: message %u of %zd bytes: %s", c->what, (unsigned)head.op,
                       got, fault);
    }
    if (row->handle(c->ctx, c, &head, c->in + sizeof(head), fd) < 0 && !c->freed)
        return err_set(e, 0, "%s said %s, which was not in order", c->what, row->name);
    return 1;
}

/* As chan_read; *freed says that a handler did away with the chan. */
static int read_turn(struct chan *c, bool *freed, struct err *e)
{
    int got = 1;

    c->reading = true;
    for (int i = 0; i < CHAN_TURN && got == 1 && !c->freed; i++)
        got = read_one(c, e);
    c->reading = false;
    *freed = c->freed;
    if (c->freed) {
        free(c);
        return 0;
    }
    return got < 0 ? -1 : 0;
}

int chan_read(struct chan *c, struct err *e)
{
    bool freed;

    return read_turn(c, &freed, e);
}

static void ready(void *ctx, int fd, int events)
{
    struct chan *c = ctx;
    struct err why = { 0 };
    bool freed;

    if (events & LOOP_OUT)
        flush(c);
    if (!(events & (LOOP_IN | LOOP_GONE)) || read_turn(c, &freed, &why) == 0)
        return;
    loop_unwatch(c->loop, fd);
    c->loop = NULL;
    c->gone = true;
    c->ended(c->ctx, c, why.text);
}

int chan_attach(struct chan *c, struct loop *l, void (*ended)(void *ctx, struct chan *c, const char *why),
                struct err *e)
{
    if (loop_watch(l, c->fd, c->first ? LOOP_IN | LOOP_OUT : LOOP_IN, ready, c, e) < 0)
        return err_wrap(e, "link with %s", c->what);
    c->loop = l;
    c->ended = ended;
    return 0;
}

int chan_wait(struct chan *c, int64_t timeout_us, struct err *e)
{
    int64_t until_us = clock_mono_us() + timeout_us;

    for (;;) {
        int64_t left_us = timeout_us < 0 ? 0 : until_us - clock_mono_us();
        struct timespec wait = { .tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000 };
        struct pollfd p = { .fd = c->fd, .events = (short)(POLLIN | (c->first ? POLLOUT : 0)) };
        int n;

        if (left_us < 0)
            return 0;
        n = ppoll(&p, 1, timeout_us < 0 ? NULL : &wait, NULL);
        if (n < 0 && errno != EINTR)
            return err_set(e, errno, "%s: poll", c->what);
        if (n == 0)
            return 0;
        if (n > 0 && (p.revents & POLLOUT))
            flush(c);
        if (n > 0 && (p.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)))
            return chan_read(c, e);
    }
}
