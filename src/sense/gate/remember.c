/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was learned of accounts outlives us: sent to the book's role now and then, who is stopped at once.  The core
 * keeps what was sent last, so that a gate that dies and comes again goes on with it, however slow the disk is.
 */
#include <unistd.h>

#include "part/link.h"
#include "sense/gate/accountfile.h"
#include "sense/gate/inner.h"
#include "sys/clock.h"
#include "sys/memfile.h"
#include "sys/say.h"

#define SECOND_US 1000000LL
enum {
    EACH_S = 60,
    SHARE = 1000, /* at most so much of our time: many accounts are sent less often, */
    HASTE = 20,   /* and many stops in a row not each by itself */
};

int remember_on_accounts(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = ((struct role *)ctx)->own;
    struct slice kept;
    struct err e;

    (void)from;
    (void)body;
    if (fd < 0)
        return 0;
    if (m->op == LINK_ACCOUNTS_KEPT && g->remember.came) { /* what we sent in an earlier life is newer */
        (void)close(fd);
        return 0;
    }
    g->remember.came = true;
    if (memfile_map_any(fd, ACCOUNTFILE_MOST, &kept, &e) < 0) {
        say("what was known of accounts: %s", e.text);
    } else {
        if (warden_load(g->warden, kept, &e) < 0)
            say("%s; they are learned anew", e.text);
        memfile_unmap(kept.at, kept.len);
    }
    (void)close(fd);
    return 0;
}

static int send_all(struct gate *g, struct err *e)
{
    struct bytes_out out = { 0 };
    int status = -1;
    int fd;

    warden_save(g->warden, &out);
    if (out.bad || out.len > ACCOUNTFILE_MOST) {
        bytes_done(&out);
        return err_set(e, 0, "what is known of accounts is too much to be kept; gate.accounts.accounts is too high");
    }
    fd = memfile_from(out.at, out.len, "serviola-accounts", e);
    bytes_done(&out);
    if (fd >= 0)
        status = chan_send(g->role->core, LINK_ACCOUNTS, 0, 0, NULL, 0, fd);
    memfile_close(fd);
    return fd >= 0 && status < 0 ? err_set(e, 0, "the core does not listen") : status;
}

void remember_now(struct gate *g)
{
    int64_t began_us = clock_mono_us();
    int64_t took_us;
    struct err e;

    if (warden_news(g->warden) == WARDEN_NOTHING)
        return;
    if (send_all(g, &e) == 0) {
        g->remember.told = false;
    } else if (!g->remember.told) {
        g->remember.told = true;
        say("%s", e.text);
    }
    took_us = clock_mono_us() - began_us;
    g->remember.haste_us = began_us + took_us * HASTE;
    g->remember.next_us = began_us + (took_us * SHARE > EACH_S * SECOND_US ? took_us * SHARE : EACH_S * SECOND_US);
}

void remember_tick(struct gate *g)
{
    enum warden_news news = warden_news(g->warden);

    if (news != WARDEN_NOTHING &&
        clock_mono_us() >= (news == WARDEN_STOPS ? g->remember.haste_us : g->remember.next_us))
        remember_now(g);
}
