/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/sight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/command.h"
#include "sys/say.h"
#include "view/paint.h"

enum { LIMIT_MOST = 1000000 }; /* events kept in memory to print the newest ones in order */

int sight_configure(struct sight *s, const struct common_options *o)
{
    struct conf_faults *faults = calloc(1, sizeof(*faults));
    int code = EXIT_FINE;

    s->conf = calloc(1, sizeof(*s->conf));
    if (!faults || !s->conf) {
        say(_("no memory"));
        code = EXIT_CANNOT;
    } else if (settings_read(settings_path(o->conf), s->conf, faults) < 0) {
        if (faults->at[0].line == 0) { /* no file, or none of it could be read */
            conf_print_faults(faults, stderr, paint_wanted(STDERR_FILENO));
            code = EXIT_USAGE;
        } else /* at a bad moment, a half-edited file must not keep anybody from looking */
            (void)fprintf(
                stderr,
                words_many("serviola: %s has %zu fault (serviola check shows it); going on with the rest of it\n",
                           "serviola: %s has %zu faults (serviola check shows them); going on with the rest of it\n",
                           faults->count),
                faults->file, faults->count);
    }
    free(faults);
    return code;
}

int sight_connect(struct sight *s)
{
    s->client = client_open(s->conf->core.control, &s->core_error);
    if (!s->client)
        return -1;
    s->tail = client_tail(s->client, &s->core_error);
    if (s->tail)
        return 0;
    sight_leave_core(s);
    return -1;
}

int sight_open_disk(struct sight *s)
{
    s->disk = reader_open(s->conf->journal.folder, &s->disk_error);
    if (s->disk)
        return 0;
    if (s->disk_error.code == ENOENT)
        (void)err_set(&s->disk_error, 0, _("there is no journal in %s yet"), s->conf->journal.folder);
    else if (s->disk_error.code == EACCES)
        (void)err_set(&s->disk_error, 0,
                      _("no permission to read the journal in %s: be root, or in the group serviola"),
                      s->conf->journal.folder);
    return -1;
}

void sight_leave_core(struct sight *s)
{
    tail_free(s->tail);
    client_close(s->client);
    s->tail = NULL;
    s->client = NULL;
}

void sight_close(struct sight *s)
{
    sight_leave_core(s);
    reader_close(s->disk);
    free(s->conf);
}

void sight_range(struct sight *s, uint64_t *first, uint64_t *last)
{
    struct err e;

    *first = *last = 0;
    if (s->disk && reader_range(s->disk, first, last, &e) < 0)
        *first = *last = 0;
    if (!s->tail || tail_next(s->tail) == tail_oldest(s->tail))
        return;
    if (*first == 0)
        *first = tail_oldest(s->tail);
    if (tail_next(s->tail) - 1 > *last)
        *last = tail_next(s->tail) - 1;
}

bool sight_get(struct sight *s, uint64_t seq, struct event *ev)
{
    struct err e;

    if (s->tail && tail_get(s->tail, seq, ev) == TAIL_GOT)
        return true;
    return s->disk && reader_find(s->disk, seq, ev, &e) == 1;
}

/* ---- queries over both ---- */

struct asking {
    const struct query *q;
    bool (*seen)(void *own, const struct event *ev);
    void *own;
    bool stopped;
};

static bool pass_on(void *own, const struct event *ev)
{
    struct asking *a = own;

    a->stopped = !a->seen(a->own, ev);
    return !a->stopped;
}

static int ask_disk(struct sight *s, struct asking *a, const struct query *q, struct err *e)
{
    struct query_told told = { 0 };

    if (!s->disk)
        return 0;
    if (reader_query(s->disk, q, pass_on, a, &told, e) < 0)
        return -1;
    if (told.damaged > 0)
        say(words_many("%llu part of the journal could not be read: %s (serviola log verify says more)",
                       "%llu parts of the journal could not be read: %s (serviola log verify says more)", told.damaged),
            (unsigned long long)told.damaged, told.damage);
    return 0;
}

/* Everything that matches behind number `last`, as far as it is in memory. */
static void ask_memory(struct sight *s, struct asking *a, uint64_t last, uint64_t next)
{
    struct event ev;
    uint64_t oldest = tail_oldest(s->tail);
    uint64_t from = last + 1 > oldest ? last + 1 : oldest;

    if (last != 0 && oldest > last + 1)
        say(_("the events %llu to %llu are not on the disk yet and no more in memory"), (unsigned long long)last + 1,
            (unsigned long long)oldest - 1);
    for (uint64_t seq = from; seq < next && !a->stopped; seq++)
        if (tail_get(s->tail, seq, &ev) == TAIL_GOT && query_matches(a->q, &ev))
            (void)pass_on(a, &ev);
}

static int ask_all(struct sight *s, struct asking *a, uint64_t last, uint64_t next, struct err *e)
{
    struct query disk = *a->q;

    if (disk.to_seq == 0 || disk.to_seq > last)
        disk.to_seq = last;
    if (last > 0 && disk.from_seq <= last && ask_disk(s, a, &disk, e) < 0)
        return -1;
    if (s->tail)
        ask_memory(s, a, last, next);
    return 0;
}

struct newest {         /* the last `cap` events that were seen */
    struct event *ring; /* owned */
    size_t cap, count;
};

static bool keep(void *own, const struct event *ev)
{
    struct newest *n = own;

    n->ring[n->count++ % n->cap] = *ev;
    return true;
}

static bool keep_reverse(void *own, const struct event *ev)
{
    struct newest *n = own;

    n->ring[n->cap - 1 - n->count++] = *ev;
    return n->count < n->cap;
}

/* The newest first from both, into the ring's end; then told from the oldest on. */
static int ask_newest(struct sight *s, const struct query *q, uint64_t last, uint64_t next, struct asking *out,
                      struct err *e)
{
    struct newest memory = { .cap = (size_t)(q->limit < LIMIT_MOST ? q->limit : LIMIT_MOST) };
    struct newest disk;
    struct query back = *q;
    size_t n;
    int r = -1;

    memory.ring = calloc(memory.cap, sizeof(*memory.ring));
    if (!memory.ring)
        return err_set(e, ENOMEM, "the newest %zu events", memory.cap);
    if (s->tail)
        ask_memory(s, &(struct asking){ .q = q, .seen = keep, .own = &memory }, last, next);
    n = memory.count < memory.cap ? memory.count : memory.cap;
    disk = (struct newest){ .cap = memory.cap - n };
    back.reverse = true;
    back.limit = disk.cap;
    if (back.to_seq == 0 || back.to_seq > last)
        back.to_seq = last;
    disk.ring = disk.cap > 0 ? calloc(disk.cap, sizeof(*disk.ring)) : NULL;
    if (disk.ring && last > 0 &&
        ask_disk(s, &(struct asking){ .q = &back, .seen = keep_reverse, .own = &disk }, &back, e) < 0)
        goto out;
    for (size_t i = disk.cap - disk.count; i < disk.cap && disk.ring && !out->stopped; i++)
        (void)pass_on(out, &disk.ring[i]);
    for (size_t i = memory.count - n; i < memory.count && !out->stopped; i++)
        (void)pass_on(out, &memory.ring[i % memory.cap]);
    r = 0;
out:
    free(disk.ring);
    free(memory.ring);
    return r;
}

int sight_query(struct sight *s, const struct query *q, bool (*seen)(void *own, const struct event *ev), void *own,
                uint64_t *next, struct err *e)
{
    struct asking a = { .q = q, .seen = seen, .own = own };
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t end;

    if (s->disk && reader_range(s->disk, &first, &last, e) < 0)
        return -1;
    end = s->tail ? tail_next(s->tail) : last + 1;
    if (next)
        *next = end > last ? end : last + 1;
    return q->limit > 0 ? ask_newest(s, q, last, end, &a, e) : ask_all(s, &a, last, end, e);
}
