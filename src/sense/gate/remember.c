/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was learned of accounts outlives us: written into the ledger, a little before each sleep so that nobody waits
 * for it, who is stopped at once.  The core keeps the ledger, so that a gate that dies and comes again goes on with it,
 * however slow the disk is.
 */
#include <string.h>
#include <unistd.h>

#include "part/link.h"
#include "sense/gate/accountfile.h"
#include "sense/gate/inner.h"
#include "sense/gate/ledger.h"
#include "sys/clock.h"
#include "sys/memfile.h"
#include "sys/say.h"

#define SECOND_US 1000000LL
enum {
    EACH_S = 20,
    PIECE = 128, /* accounts at a time: some 0.3 ms */
    GO_ON_US = 5000,
    OF_ACCOUNT = 1250, /* bytes at most, */
    OF_STOP = 160,
    SPARE = 1 << 20, /* and for what comes between */
};

/* ---- what an earlier life knew ---- */

static int load_pieces(struct gate *g, struct slice bytes, bool all, struct err *e)
{
    struct slice piece;

    while (ledger_next(&bytes, &piece))
        if (warden_load_some(g->warden, piece, all, e) < 0)
            return -1;
    return bytes.len == 0 ? 0 : err_set(e, 0, "accounts: the end of it is damaged");
}

/* The ledger of a gate that died: it is ours now. */
static int adopt(struct gate *g, int fd, struct err *e)
{
    struct ledger *l = ledger_take(fd, e);
    bool fresh = warden_is_fresh(g->warden) && !g->remember.ledger && !g->remember.next;

    if (!l)
        return -1;
    if (load_pieces(g, ledger_bytes(l), fresh, e) < 0 || !fresh) {
        ledger_free(l); /* what was sound of it is written into another one */
        return fresh ? -1 : 0;
    }
    warden_saved(g->warden);
    g->remember.ledger = l;
    g->remember.base = ledger_bytes(l).len / 2;
    return 0;
}

static int load_file(struct gate *g, int fd, struct err *e)
{
    bool fresh = warden_is_fresh(g->warden);
    struct slice kept;
    struct slice content;
    bool first;
    int status;

    if (memfile_map_any(fd, ACCOUNTFILE_MOST, &kept, e) < 0)
        return -1;
    content = accountfile_content(kept, &first);
    status = first ? warden_load_first_form(g->warden, content, fresh, e) : load_pieces(g, content, fresh, e);
    memfile_unmap(kept.at, kept.len);
    return status;
}

int remember_on_accounts(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct gate *g = ((struct role *)ctx)->own;
    int status = 0;
    struct err e;

    (void)from;
    (void)body;
    if (fd < 0)
        return 0;
    if (m->op == LINK_ACCOUNTS)
        status = adopt(g, fd, &e);
    else if (!g->remember.came) /* else what we wrote in an earlier life is newer */
        status = load_file(g, fd, &e);
    if (m->op != LINK_ACCOUNTS)
        (void)close(fd);
    if (status < 0)
        say("what was known of accounts: %s", e.text);
    g->remember.came = true;
    return 0;
}

/* ---- what we know ---- */

/* Nothing is lost but the next start's knowledge: said once, tried again later. */
static void failed(struct gate *g, const struct err *e)
{
    struct remember *r = &g->remember;

    if (!r->told)
        say("what is known of accounts can't be kept: %s", e->text);
    r->told = true;
    ledger_free(r->next);
    r->next = NULL;
    r->next_us = clock_mono_us() + EACH_S * SECOND_US;
}

/* The other ledger is whole: it is the one in force. */
static void hand_over(struct gate *g)
{
    struct remember *r = &g->remember;
    struct err e;

    if (chan_send(g->role->core, LINK_ACCOUNTS, 0, 0, NULL, 0, ledger_fd(r->next)) < 0) {
        (void)err_set(&e, 0, "the core does not listen");
        failed(g, &e);
        return;
    }
    ledger_free(r->ledger);
    r->ledger = r->next;
    r->next = NULL;
    r->base = ledger_bytes(r->ledger).len;
    r->told = false;
}

static void begin_next(struct gate *g)
{
    uint64_t accounts = g->set.accounts.accounts;
    size_t room = 2 * (size_t)(accounts * OF_ACCOUNT + (uint64_t)WARDEN_STOPPED * OF_STOP) + SPARE;
    struct err e;

    g->remember.next = ledger_new(room, &e);
    if (g->remember.next)
        warden_save_again(g->warden);
    else
        failed(g, &e);
}

/* What is new, a piece of it.  News of stops go into the ledger in force, too: the other one is not whole yet. */
static void write_piece(struct gate *g)
{
    struct remember *r = &g->remember;
    bool stops = warden_news(g->warden) == WARDEN_STOPS;
    struct bytes_out out = { 0 };
    bool into_ledger = true;
    bool into_next = true;
    struct err e;

    warden_save_some(g->warden, &out, PIECE);
    if (r->ledger && (stops || !r->next))
        into_ledger = !out.bad && ledger_add(r->ledger, slice_of(out.at, out.len));
    if (r->next)
        into_next = !out.bad && ledger_add(r->next, slice_of(out.at, out.len));
    bytes_done(&out);
    if (!into_next) {
        (void)err_set(&e, 0, "it is too much; gate.accounts.accounts is too high");
        failed(g, &e);
        warden_save_again(g->warden);
    } else if (!into_ledger && !r->next)
        begin_next(g);
}

static bool has_grown(const struct remember *r)
{
    return r->ledger && ledger_bytes(r->ledger).len > 2 * r->base + SPARE;
}

/* True: there is more to write. */
static bool go_on(struct gate *g)
{
    struct remember *r = &g->remember;

    if (!r->next && (!r->ledger || has_grown(r)))
        begin_next(g);
    if (!r->next && !r->ledger)
        return false;
    write_piece(g);
    if (warden_news(g->warden) != WARDEN_NOTHING)
        return r->next || r->ledger;
    if (r->next)
        hand_over(g);
    r->next_us = clock_mono_us() + EACH_S * SECOND_US;
    return false;
}

void remember_now(struct gate *g)
{
    while (warden_news(g->warden) != WARDEN_NOTHING && go_on(g)) {
    }
}

void remember_tell(struct gate *g)
{
    struct warden_count now = warden_count(g->warden);
    struct link_account_sums sums = { .known = (uint32_t)now.known,
                                      .stopped = (uint32_t)now.stopped,
                                      .suspected = (uint32_t)now.suspected };

    if (g->remember.summed && memcmp(&sums, &g->remember.sums, sizeof(sums)) == 0)
        return;
    g->remember.summed = chan_send(g->role->core, LINK_ACCOUNT_SUMS, 0, 0, &sums, sizeof(sums), -1) == 0;
    g->remember.sums = sums;
}

static void on_timer(void *ctx)
{
    struct gate *g = ctx;

    g->remember.timer = 0;
    remember_tick(g);
}

void remember_tick(struct gate *g)
{
    struct remember *r = &g->remember;
    enum warden_news news = warden_news(g->warden);
    bool at_once = r->going_on || (news == WARDEN_STOPS && !r->told);

    if (news == WARDEN_NOTHING || (!at_once && clock_mono_us() < r->next_us))
        return;
    r->going_on = go_on(g);
    if (r->going_on && r->timer == 0)
        r->timer = loop_timer(g->role->loop, GO_ON_US, 0, on_timer, g);
}
