/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/bookkeeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "part/link.h"
#include "sense/gate/accountfile.h"
#include "sense/gate/bookfile.h"
#include "sense/gate/bookmem.h"
#include "sys/clock.h"
#include "sys/memfile.h"
#include "sys/say.h"

enum {
    SECOND_US = 1000000,
    STUCK_US = 3 * SECOND_US, /* the disk is slow: said */
    READ_US = 15 * SECOND_US, /* the gate does not wait longer for the file */
    RETRY_MOST_S = 30,
    STOP_US = 2 * SECOND_US, /* for the last round */
};

enum job { JOB_NONE, JOB_READ, JOB_ROUND };

struct keeper {
    struct role *role;
    const char *folders[2];
    struct bookfile *file;  /* the thread's while a job is under way */
    struct book *in_force;  /* from an earlier life; the file's once JOB_READ is done */
    struct book *meanwhile; /* the gate's, while the file can't be read */
    bool read;              /* the file's book is in force */
    struct ledger *ledger;  /* what the gate learns of accounts: the thread's; NULL: none */
    size_t written;         /* bytes of it that the disk has; 0: the file is to begin anew */
    int accounts, fresh;    /* the memory of another ledger: the thread's, and what comes next; -1: none */
    struct slice kept;      /* the same from the disk, until the gate has it */
    void *kept_bytes;
    bool kept_read;
    struct accountfile_found kept_found;

    pthread_t thread;
    pthread_mutex_t mutex; /* over job alone: what else the thread uses is its own until it is done */
    pthread_cond_t given;
    enum job job;
    int done; /* eventfd */
    int status;
    struct err error;
    struct book_read found;

    enum job doing; /* JOB_NONE: the thread is idle */
    bool adopted, stuck, failed, stopping, last;
    int64_t since_us, next_us;
    int retry_s;
};

static const struct book_settings *conf(const struct keeper *k)
{
    return k->role->settings;
}

/* ---- the disk's thread ---- */

static int do_read(struct keeper *k)
{
    struct book *b;

    if (!k->file)
        k->file = bookfile_open(conf(k)->folder, &k->error);
    if (!k->file)
        return -1;
    if (!k->in_force && !k->kept_read) { /* else the core has what the gate sent, or we did, in an earlier life */
        if (accountfile_read(conf(k)->folder, &k->kept, &k->kept_bytes, &k->kept_found, &k->error) < 0)
            return -1;
        k->kept_read = true;
    }
    if (k->in_force) {
        b = k->in_force;
        k->in_force = NULL;
        return bookfile_adopt(k->file, b, &k->error);
    }
    b = bookfile_read(k->file, conf(k)->greylist.entries, &k->found, &k->error);
    return b ? 0 : -1;
}

static int write_accounts(struct keeper *k)
{
    struct slice pieces;
    struct err e;
    int status;

    if (k->accounts >= 0) {
        ledger_free(k->ledger);
        k->ledger = ledger_take(k->accounts, &e); /* without one nothing is lost: it was none */
        k->accounts = -1;
        k->written = 0;
    }
    pieces = k->ledger ? ledger_bytes(k->ledger) : slice_of(NULL, 0);
    if (pieces.len <= k->written)
        return 0;
    status = accountfile_write(conf(k)->folder, pieces, k->written, &k->error);
    k->written = status == 0 ? pieces.len : 0;
    return status;
}

static int do_round(struct keeper *k)
{
    uint64_t entries;

    return bookfile_round(k->file, &entries, &k->error) < 0 ? -1 : write_accounts(k);
}

static void *disk(void *ctx)
{
    struct keeper *k = ctx;
    const uint64_t one = 1;

    for (;;) {
        enum job job;

        (void)pthread_mutex_lock(&k->mutex);
        while (k->job == JOB_NONE)
            (void)pthread_cond_wait(&k->given, &k->mutex);
        job = k->job;
        k->job = JOB_NONE;
        (void)pthread_mutex_unlock(&k->mutex);
        k->status = job == JOB_ROUND ? do_round(k) : do_read(k);
        if (write(k->done, &one, sizeof(one)) < 0)
            return NULL; /* an eventfd of ours: it can't fail */
    }
}

static void give_job(struct keeper *k, enum job job)
{
    if (job == JOB_ROUND && k->fresh >= 0) {
        memfile_close(k->accounts);
        k->accounts = k->fresh;
        k->fresh = -1;
    }
    k->doing = job;
    k->since_us = clock_mono_us();
    (void)pthread_mutex_lock(&k->mutex);
    k->job = job;
    (void)pthread_cond_signal(&k->given);
    (void)pthread_mutex_unlock(&k->mutex);
}

/* ---- what is told ---- */

static void tell_read(struct keeper *k)
{
    struct event ev = event_new(EV_GATE_BOOK_READ);
    struct event bad = event_new(EV_GATE_BOOK_DAMAGED);

    event_add_words(&ev, F_NAME, conf(k)->folder);
    event_add_number(&ev, F_COUNT, k->found.entries);
    event_add_number(&ev, F_SPAN, (uint64_t)(clock_mono_us() - k->since_us));
    (void)role_emit(k->role, &ev, 0);
    if (k->found.damaged == 0 && !k->found.cut && !k->found.put_aside)
        return;
    event_add_words(&bad, F_NAME, conf(k)->folder);
    event_add_number(&bad, F_COUNT, k->found.damaged);
    event_add_words(&bad, F_WHY,
                    k->found.put_aside ? "gate.book is no such file: it is kept as gate.book.damaged, a new one begins"
                    : k->found.cut     ? "the file ended early: what was left of it was read"
                                       : "their bytes made no sense");
    (void)role_emit(k->role, &bad, 0);
}

static void tell_stuck(struct keeper *k, const char *why)
{
    struct event ev = event_new(EV_GATE_BOOK_STUCK);

    event_add_words(&ev, F_NAME, conf(k)->folder);
    event_add_words(&ev, F_WHY, why);
    (void)role_emit(k->role, &ev, 0);
    say("the greylist can't be written to disk: %s", why);
}

static void tell_back(struct keeper *k)
{
    struct event ev = event_new(EV_GATE_BOOK_BACK);

    event_add_words(&ev, F_NAME, conf(k)->folder);
    (void)role_emit(k->role, &ev, 0);
}

/* ---- the gate's memory ---- */

static void send_book(struct keeper *k, const struct book *b)
{
    (void)chan_send(k->role->core, LINK_BOOK, 0, 0, NULL, 0, book_fd(b));
}

static void tell_kept(struct keeper *k)
{
    struct event lost = event_new(EV_GATE_BOOK_ACCOUNTS_LOST);
    struct event cut = event_new(EV_GATE_BOOK_DAMAGED);

    event_add_words(&lost, F_NAME, "gate.accounts.damaged");
    event_add_words(&cut, F_NAME, conf(k)->folder);
    event_add_words(&cut, F_WHY, "the end of gate.accounts made no sense: what stands before it was read");
    if (k->kept_found.aside)
        (void)role_emit(k->role, &lost, 0);
    if (k->kept_found.cut)
        (void)role_emit(k->role, &cut, 0);
}

/* Before the book: with that the gate's doors open. */
static void send_kept(struct keeper *k)
{
    struct err e;
    int fd;

    tell_kept(k);
    if (k->kept.len > 0) {
        fd = memfile_from(k->kept.at, k->kept.len, "serviola-accounts", &e);
        if (fd < 0)
            say("%s", e.text);
        else
            (void)chan_send(k->role->core, LINK_ACCOUNTS_KEPT, 0, 0, NULL, 0, fd);
        memfile_close(fd);
    }
    free(k->kept_bytes);
    k->kept = slice_of(NULL, 0);
    k->kept_bytes = NULL;
    k->kept_found = (struct accountfile_found){ .aside = false };
}

/* The gate must not stand still because the file can't be read. */
static void begin_meanwhile(struct keeper *k)
{
    struct err e;

    if (k->read || k->meanwhile)
        return;
    k->meanwhile = book_new(-1, conf(k)->greylist.entries, &e);
    if (k->meanwhile)
        send_book(k, k->meanwhile);
    else
        say("%s", e.text);
}

static void on_read(struct keeper *k)
{
    struct book *b = bookfile_book(k->file);

    book_set(b, &conf(k)->greylist, &conf(k)->callback);
    k->read = true;
    if (!k->adopted)
        tell_read(k);
    send_kept(k);
    send_book(k, b);
    book_free(k->meanwhile);
    k->meanwhile = NULL;
}

/* ---- each second ---- */

static void on_failure(struct keeper *k)
{
    if (!k->failed && !k->stuck)
        tell_stuck(k, k->error.text);
    k->failed = true;
    k->retry_s = k->retry_s == 0 ? 1 : k->retry_s * 2 > RETRY_MOST_S ? RETRY_MOST_S : k->retry_s * 2;
    k->next_us = clock_mono_us() + (int64_t)k->retry_s * SECOND_US;
    begin_meanwhile(k);
}

static void on_success(struct keeper *k)
{
    if (k->stuck || k->failed)
        tell_back(k);
    k->stuck = k->failed = false;
    k->retry_s = 0;
    k->next_us = 0;
    if (!k->read)
        on_read(k);
}

/* What changed since the last round goes out before the end. */
static void end_or_last_round(struct keeper *k)
{
    if (k->last || k->failed || !k->read) {
        loop_stop(k->role->loop);
        return;
    }
    k->last = true;
    give_job(k, JOB_ROUND);
}

static void on_done(void *ctx, int fd, int events)
{
    struct keeper *k = ctx;
    uint64_t n;

    (void)events;
    if (read(fd, &n, sizeof(n)) < 0)
        return;
    k->doing = JOB_NONE;
    if (k->status < 0)
        on_failure(k);
    else
        on_success(k);
    if (k->stopping)
        end_or_last_round(k);
}

static void each_second(void *ctx)
{
    struct keeper *k = ctx;
    int64_t now_us = clock_mono_us();
    int64_t span_us = now_us - k->since_us;

    if (k->doing == JOB_NONE) {
        if (now_us >= k->next_us && !k->stopping)
            give_job(k, k->read ? JOB_ROUND : JOB_READ);
        return;
    }
    if (span_us > (k->doing == JOB_READ ? READ_US : STUCK_US) && !k->stuck) {
        if (!k->failed)
            tell_stuck(k, "the disk does not answer");
        k->stuck = true;
        begin_meanwhile(k);
    }
}

/* ---- the part ---- */

/* From the core, once at the start: the memory of an earlier life, or none. */
static int on_book(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct keeper *k = ((struct role *)ctx)->own;
    struct err e;

    (void)from;
    (void)m;
    (void)body;
    if (k->read || k->doing != JOB_NONE) {
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    if (fd >= 0) {
        k->in_force = book_new(fd, 0, &e);
        if (!k->in_force)
            say("%s", e.text);
    }
    k->adopted = k->in_force != NULL;
    give_job(k, JOB_READ);
    return 0;
}

/* What the gate learns of accounts; also when we start, from an earlier life. */
static int on_accounts(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct keeper *k = ((struct role *)ctx)->own;

    (void)from;
    (void)m;
    (void)body;
    if (fd < 0)
        return 0;
    memfile_close(k->fresh);
    k->fresh = fd;
    return 0;
}

static int keeper_open(struct role *r, struct err *e)
{
    struct keeper *k = calloc(1, sizeof(*k)); /* lives as long as the process */

    if (!k)
        return err_set(e, ENOMEM, "book");
    r->own = k;
    k->role = r;
    k->accounts = k->fresh = -1;
    k->next_us = INT64_MAX; /* the core speaks first */
    (void)pthread_mutex_init(&k->mutex, NULL);
    (void)pthread_cond_init(&k->given, NULL);
    return 0;
}

static void keeper_confine(struct role *r, struct jail *j)
{
    struct keeper *k = r->own;

    k->folders[0] = conf(k)->folder;
    j->folders = k->folders;
}

static int keeper_run(struct role *r, struct err *e)
{
    struct keeper *k = r->own;
    int code;

    k->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (k->done < 0)
        return err_set(e, errno, "eventfd");
    if (loop_watch(r->loop, k->done, LOOP_IN, on_done, k, e) < 0)
        return -1;
    if (loop_timer(r->loop, SECOND_US, SECOND_US, each_second, k) == 0)
        return err_set(e, 0, "no timer is left");
    code = pthread_create(&k->thread, NULL, disk, k); /* after the jail, which holds for it too */
    return code == 0 ? 0 : err_set(e, code, "a thread for the disk");
}

static void keeper_reload(struct role *r)
{
    struct keeper *k = r->own;

    if (!k->read)
        return;
    book_set(bookfile_book(k->file), &conf(k)->greylist, &conf(k)->callback);
    if (book_slots_for(conf(k)->greylist.entries) != bookfile_book(k->file)->slots)
        say("the greylist has room for %llu entries from the next start on",
            (unsigned long long)conf(k)->greylist.entries);
}

static void give_up(void *ctx)
{
    loop_stop(((struct keeper *)ctx)->role->loop);
}

static void keeper_stop(struct role *r)
{
    struct keeper *k = r->own;

    k->stopping = true;
    if (loop_timer(r->loop, STOP_US, 0, give_up, k) == 0)
        loop_stop(r->loop);
    else if (k->doing == JOB_NONE)
        end_or_last_round(k);
}

static const struct chan_op ops[] = {
    { LINK_BOOK, "book", 0, 0, true, on_book },
    { LINK_ACCOUNTS, "accounts", 0, 0, true, on_accounts },
};

const struct part gate_book = {
    .name = "book",
    .what = "what the gate remembers, kept on disk",
    .user = "serviola-book",
    .keys = NULL, /* the gate's */
    .settings_size = sizeof(struct book_settings),
    .calls = JAIL_FILES | JAIL_THREADS,
    .confine = keeper_confine,
    .open = keeper_open,
    .run = keeper_run,
    .reload = keeper_reload,
    .ops = ops,
    .ops_count = sizeof(ops) / sizeof(ops[0]),
    .stop = keeper_stop,
};
