/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/xray/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snap/line.h"
#include "sys/clock.h"
#include "sys/whole.h"

enum { AT_ONCE = 128 };

bool helper_start(struct helper *h, void (*work)(int fd, const void *ctx), const void *ctx)
{
    int ends[2];

    memset(h, 0, sizeof(*h));
    h->fd = -1;
    h->at = malloc(HELPER_MOST);
    if (!h->at || pipe2(ends, O_CLOEXEC) < 0) {
        free(h->at);
        h->at = NULL;
        return false;
    }
    h->pid = fork();
    if (h->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        work(ends[1], ctx);
        _exit(0);
    }
    close(ends[1]);
    h->fd = ends[0];
    (void)fcntl(h->fd, F_SETFL, O_NONBLOCK);
    if (h->pid > 0)
        return true;
    h->pid = 0;
    helper_done(h);
    return false;
}

/* Takes what is there; false when nothing more will come. */
static bool take(struct helper *h)
{
    while (h->len < HELPER_MOST) {
        ssize_t n = read(h->fd, h->at + h->len, HELPER_MOST - h->len);

        if (n > 0) {
            h->len += (size_t)n;
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        h->ended = n == 0;
        return false;
    }
    return false;
}

void helper_collect(struct helper *h, size_t count, int64_t deadline_ms)
{
    struct pollfd waiting[AT_ONCE];
    struct helper *of[AT_ONCE];
    size_t n;

    do {
        int64_t left_ms = deadline_ms - clock_mono_us() / 1000;

        n = 0;
        for (size_t i = 0; i < count && n < AT_ONCE; i++) {
            if (h[i].fd < 0 || !h[i].at)
                continue;
            waiting[n] = (struct pollfd){ .fd = h[i].fd, .events = POLLIN };
            of[n++] = &h[i];
        }
        if (n == 0 || poll(waiting, (nfds_t)n, left_ms > 0 ? (int)left_ms : 0) == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            if (waiting[i].revents == 0 || take(of[i]))
                continue;
            close(of[i]->fd);
            of[i]->fd = -1;
        }
    } while (clock_mono_us() / 1000 < deadline_ms);
}

struct slice helper_said(const struct helper *h)
{
    return slice_of(h->at, h->len);
}

void helper_done(struct helper *h)
{
    if (h->pid > 0) {
        if (!h->ended)
            (void)kill(h->pid, SIGKILL);
        (void)waitpid(h->pid, NULL, h->ended ? 0 : WNOHANG);
    }
    if (h->at && h->fd >= 0)
        close(h->fd);
    free(h->at);
    memset(h, 0, sizeof(*h));
    h->fd = -1;
}

void helper_say(int fd, const void *at, size_t len)
{
    if (whole_write(fd, at, len) < 0)
        _exit(1);
}

void helper_say_record(int fd, enum snap_part part, const void *record)
{
    static char line[32 << 10];
    struct text t = TEXT_IN(line);

    text_word(&t, snap_kinds[part].name);
    text_word(&t, " ");
    snap_line_write(&t, part, record);
    text_word(&t, "\n");
    if (!t.cut)
        helper_say(fd, line, t.len);
}

void helper_records(const struct helper *h, struct snap *s)
{
    struct slice said = helper_said(h);

    while (said.len > 0) {
        struct slice line = slice_until(said, '\n', &said);
        struct slice record;
        struct slice name = slice_until(line, ' ', &record);

        /* The last one may be cut: who said it was ended by us. */
        if (record.len < 2 || record.at[record.len - 1] != '}')
            continue;
        for (size_t p = 0; p < SNAP_PARTS; p++)
            if (slice_eq(name, slice_text(snap_kinds[p].name)))
                (void)snap_line_read(s, (enum snap_part)p, record, NULL);
    }
}
