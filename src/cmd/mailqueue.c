/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/mailqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"

enum { BATCH = 50, ARGUMENTS = 8 };
extern char **environ;

/* ---- programs ---- */

/* Calls `line` for each line it prints.  Exit code, or -1 when it could not be started. */
static int read_lines(const char *const *argv, void (*line)(void *own, struct slice s), void *own, struct err *e)
{
    posix_spawn_file_actions_t actions;
    char *text = NULL;
    size_t cap = 0;
    ssize_t n;
    int out[2], status = -1, failure;
    pid_t pid;
    FILE *from;

    if (pipe2(out, O_CLOEXEC) < 0)
        return err_set(e, errno, "pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    failure = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(out[1]);
    from = failure ? NULL : fdopen(out[0], "r");
    if (!from)
        (void)close(out[0]);
    while (from && (n = getline(&text, &cap, from)) > 0)
        line(own, slice_first(slice_of(text, (size_t)n), (size_t)n - (text[n - 1] == '\n')));
    free(text);
    if (from)
        (void)fclose(from);
    if (failure)
        return err_set(e, failure, "%s", argv[0]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(e, errno, "%s", argv[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : err_set(e, 0, "%s was ended by a signal", argv[0]);
}

static void forget_line(void *own, struct slice s)
{
    (void)own;
    (void)s;
}

int queue_run(const char *const *argv, struct err *e)
{
    return read_lines(argv, forget_line, NULL, e);
}

/* `PROGRAM [-c CONFIG]`; how many words. */
static size_t begin(const struct queue_server *s, const char *program, const char **argv)
{
    size_t n = 0;

    argv[n++] = program;
    if (s->config) {
        argv[n++] = s->kind == QUEUE_POSTFIX ? "-c" : "-C";
        argv[n++] = s->config;
    }
    return n;
}

static const char *exim(void)
{
    return access("/usr/sbin/exim4", X_OK) == 0 ? "exim4" : "exim";
}

bool queue_find_server(struct queue_server *s)
{
    static const char *const places[] = { "/usr/sbin/postsuper", "/usr/local/sbin/postsuper", "/usr/sbin/exim4",
                                          "/usr/sbin/exim", "/usr/local/sbin/exim" };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], X_OK) == 0) {
            s->kind = i < 2 ? QUEUE_POSTFIX : QUEUE_EXIM;
            return true;
        }
    return false;
}

/* ---- reading ---- */

static bool is_id(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.at[i];

        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c == '-' && i > 0))
            return false;
    }
    return s.len >= 5 && s.len < QUEUE_ID;
}

static void copy(char *to, size_t size, struct slice from)
{
    from = slice_first(from, size - 1);
    if (from.len > 0)
        memcpy(to, from.at, from.len);
    to[from.len] = '\0';
}

static struct queued *add(struct queue *q, struct slice id)
{
    if (!is_id(id))
        return NULL;
    if (q->count == QUEUE_MOST) {
        q->more = true;
        return NULL;
    }
    if (q->count == q->cap) {
        size_t cap = q->cap ? 2 * q->cap : 256;
        struct queued *wider = realloc(q->at, cap * sizeof(*wider));

        if (!wider)
            return NULL;
        q->at = wider;
        q->cap = cap;
    }
    memset(&q->at[q->count], 0, sizeof(q->at[0]));
    copy(q->at[q->count].id, QUEUE_ID, id);
    return &q->at[q->count++];
}

/* What stands behind `"key": "`, up to the next quote. */
static struct slice json_text(struct slice line, const char *key)
{
    char start[32];
    int len = snprintf(start, sizeof(start), "\"%s\": \"", key);
    const uint8_t *at = line.len > 0 ? memmem(line.at, line.len, start, (size_t)len) : NULL;
    struct slice rest;

    if (!at)
        return slice_of(NULL, 0);
    return slice_until(slice_skip(line, (size_t)(at - line.at) + (size_t)len), '"', &rest);
}

/* postqueue -j: one object a line; queue_name, queue_id and sender stand in this order, before what others wrote. */
static void postfix_message(void *own, struct slice line)
{
    struct queued *m = add(own, json_text(line, "queue_id"));

    if (!m)
        return;
    m->held = slice_eq(json_text(line, "queue_name"), SLICE("hold"));
    copy(m->sender, sizeof(m->sender), json_text(line, "sender"));
}

struct reading { /* of the envelopes of one batch */
    struct queued *batch, *now;
    size_t count;
};

static struct queued *find(const struct reading *r, struct slice id)
{
    for (size_t i = 0; i < r->count; i++)
        if (slice_eq(slice_text(r->batch[i].id), id))
            return &r->batch[i];
    return NULL;
}

/* postcat -e: `*** ENVELOPE RECORDS deferred/4/4CDE ***`, then attributes. */
static void postfix_envelope(void *own, struct slice line)
{
    static const struct slice head = { (const uint8_t *)"*** ENVELOPE RECORDS ", 21 };
    static const struct slice user = { (const uint8_t *)"named_attribute: sasl_username=", 31 };
    struct reading *r = own;

    if (slice_starts_nocase(line, head)) {
        struct slice path = slice_until(slice_skip(line, head.len), ' ', &line);
        struct slice rest = path;

        while (rest.len > 0)
            path = slice_until(rest, '/', &rest);
        r->now = find(r, path);
    } else if (r->now && slice_starts_nocase(line, user))
        copy(r->now->account, sizeof(r->now->account), slice_skip(line, user.len));
}

static int postfix_accounts(const struct queue_server *s, struct queue *q, struct err *e)
{
    for (size_t from = 0; from < q->count; from += BATCH) {
        const char *argv[ARGUMENTS + BATCH];
        struct reading r = { .batch = q->at + from, .count = q->count - from < BATCH ? q->count - from : BATCH };
        size_t n = begin(s, "postcat", argv);

        argv[n++] = "-qe";
        for (size_t i = 0; i < r.count; i++)
            argv[n++] = r.batch[i].id;
        argv[n] = NULL;
        if (read_lines(argv, postfix_envelope, &r, e) <
            0) /* one that has left the queue since is a failure of its own */
            return -1;
    }
    return 0;
}

/* exim -bp: `25m  2.9K 0t5C6f-0000c8-00 <sender>` and perhaps `*** frozen ***`, then recipients. */
static void exim_message(void *own, struct slice line)
{
    struct slice rest = line, word = { NULL, 0 };
    struct queued *m;

    for (int i = 0; i < 3; i++)
        word = slice_until(slice_trim(rest), ' ', &rest);
    if (!memchr(line.len > 0 ? line.at : (const uint8_t *)"", '<', line.len) || !(m = add(own, word)))
        return;
    m->held = memmem(line.at, line.len, "*** frozen ***", 14) != NULL;
    copy(m->sender, sizeof(m->sender), slice_until(slice_skip(slice_trim(rest), 1), '>', &rest));
}

struct exim_reading { /* of one message's options */
    struct queued *now;
    bool began, over; /* behind the options stand recipients and headers: what others wrote */
};

/* exim -Mvh: `-auth_id ana`; with two dashes where Exim marks what came from outside. */
static void exim_header(void *own, struct slice line)
{
    struct exim_reading *r = own;
    bool option = slice_starts_nocase(line, SLICE("-"));

    r->over |= r->began && !option;
    r->began |= option;
    if (slice_starts_nocase(line, SLICE("--")))
        line = slice_skip(line, 1);
    if (!r->over && slice_starts_nocase(line, SLICE("-auth_id ")))
        copy(r->now->account, sizeof(r->now->account), slice_trim(slice_skip(line, 9)));
}

static int exim_accounts(const struct queue_server *s, struct queue *q, struct err *e)
{
    for (size_t i = 0; i < q->count; i++) {
        const char *argv[ARGUMENTS];
        struct exim_reading r = { .now = &q->at[i] };
        size_t n = begin(s, exim(), argv);

        argv[n++] = "-Mvh";
        argv[n++] = q->at[i].id;
        argv[n] = NULL;
        if (read_lines(argv, exim_header, &r, e) < 0)
            return -1;
    }
    return 0;
}

int queue_read(const struct queue_server *s, struct queue *q, struct err *e)
{
    bool postfix = s->kind == QUEUE_POSTFIX;
    const char *argv[ARGUMENTS];
    size_t n = begin(s, postfix ? "postqueue" : exim(), argv);
    int code;

    *q = (struct queue){ 0 };
    argv[n++] = postfix ? "-j" : "-bp";
    argv[n] = NULL;
    code = read_lines(argv, postfix ? postfix_message : exim_message, q, e);
    if (code > 0)
        return err_set(e, 0, "%s can't read the queue (exit code %d)", argv[0], code);
    if (code < 0)
        return -1;
    return postfix ? postfix_accounts(s, q, e) : exim_accounts(s, q, e);
}

void queue_free(struct queue *q)
{
    free(q->at);
    *q = (struct queue){ 0 };
}

/* ---- doing ---- */

/* Some messages in one call: Postfix wants the option before each. */
static int do_batch(const struct queue_server *s, enum queue_act act, const char *const *ids, size_t count,
                    struct err *e)
{
    static const char *const options[QUEUE_ACTS][2] = {
        [QUEUE_HOLD] = { "-h", "-Mf" },
        [QUEUE_RELEASE] = { "-H", "-Mt" },
        [QUEUE_PURGE_HELD] = { "-d", "-Mrm" },
        [QUEUE_PURGE] = { "-d", "-Mrm" },
    };
    const char *argv[ARGUMENTS + 2 * BATCH];
    size_t n = begin(s, s->kind == QUEUE_POSTFIX ? "postsuper" : exim(), argv);

    for (size_t i = 0; i < count; i++) {
        if (i == 0 || s->kind == QUEUE_POSTFIX)
            argv[n++] = options[act][s->kind];
        argv[n++] = ids[i];
    }
    argv[n] = NULL;
    switch (queue_run(argv, e)) {
    case 0:
        return 0;
    case -1:
        return -1;
    default:
        return err_set(e, 0, "%s did not do it; is this root?", argv[0]);
    }
}

static bool concerns(const struct queued *m, enum queue_act act, const char *account)
{
    return strcasecmp(m->account, account) == 0 && (act == QUEUE_PURGE || m->held == (act != QUEUE_HOLD));
}

int queue_do(const struct queue_server *s, const struct queue *q, enum queue_act act, const char *account,
             size_t *count, struct err *e)
{
    const char *ids[BATCH];
    size_t n = 0;

    *count = 0;
    for (size_t i = 0; i < q->count; i++) {
        if (concerns(&q->at[i], act, account))
            ids[n++] = q->at[i].id;
        if (n == 0 || (n < BATCH && i + 1 < q->count))
            continue;
        if (do_batch(s, act, ids, n, e) < 0)
            return -1;
        *count += n;
        n = 0;
    }
    return 0;
}
