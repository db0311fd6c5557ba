/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Was this line here before?  A sender that starts again may send again; the same message may stand in two files.
 *
 * Of each line a fingerprint is kept for a while, places and all lines of it.  It is looked up when the stamp is older
 * than the newest one of its host or than now, or when the line comes from another source than the first one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { PRINTS = 1 << 20, WAYS = 2, RUN_HOSTS = 16, RUN_LINES = 10 };
#define ORDER_US (30 * SECOND_US)
#define QUIET_US (10 * MINUTE_US)

struct print {
    uint32_t hash;
    uint8_t source;
    uint8_t zero[3];
};

struct run { /* copies of one host that follow each other */
    uint32_t host;
    uint64_t lines;
    int64_t first_us, last_us;
    int64_t from_stamp_us, to_stamp_us;
};

struct copies {
    struct print *at; /* [PRINTS] */
    struct run run[RUN_HOSTS];
};

int copies_open(struct analysis *a, struct err *e)
{
    a->copies = calloc(1, sizeof(*a->copies));
    if (!a->copies)
        return err_set(e, ENOMEM, "analysis");
    a->copies->at = calloc(PRINTS, sizeof(struct print));
    return a->copies->at ? 0 : err_set(e, ENOMEM, "analysis");
}

void copies_close(struct analysis *a)
{
    if (a->copies)
        free(a->copies->at);
    free(a->copies);
}

static void tell_run(struct analysis *a, struct run *r)
{
    struct log_finding f = finding_of(a, "replay", GRADE_NOTE, r->host);

    if (r->lines >= RUN_LINES) {
        f.phase = LOG_ENDED;
        f.from_us = r->first_us;
        f.to_us = r->last_us;
        f.count = r->lines;
        finding_text(&f, _("%" PRIu64 " lines of %s were sent again at %s; they count once"), r->lines,
                     shown_host(a, r->host).text, shown_time(r->first_us).text);
        finding_proof(&f, _("stamps from %s to %s"), shown_time(r->from_stamp_us).text,
                      shown_time(r->to_stamp_us).text);
        finding_tell(a, &f, (uint64_t)r->first_us);
    }
    memset(r, 0, sizeof(*r));
}

static void note_copy(struct analysis *a, uint32_t host, const struct reading *r)
{
    struct run *run = NULL;
    int64_t stamp = r->line->stamp_us;

    for (size_t i = 0; i < RUN_HOSTS && !run; i++)
        if (a->copies->run[i].lines > 0 && a->copies->run[i].host == host)
            run = &a->copies->run[i];
    for (size_t i = 0; i < RUN_HOSTS && !run; i++)
        if (a->copies->run[i].lines == 0)
            run = &a->copies->run[i];
    if (!run)
        return;
    if (run->lines++ == 0) {
        run->host = host;
        run->first_us = r->at_us;
        run->from_stamp_us = run->to_stamp_us = stamp;
    }
    run->last_us = r->at_us;
    run->from_stamp_us = stamp < run->from_stamp_us ? stamp : run->from_stamp_us;
    run->to_stamp_us = stamp > run->to_stamp_us ? stamp : run->to_stamp_us;
}

static uint64_t print_of(const struct analysis *a, const struct log_line *l)
{
    uint64_t h = hash_bytes(l->text.at, l->text.len, a->seed);

    h = hash_bytes(l->host.at, l->host.len, h);
    h = hash_bytes(l->program.at, l->program.len, h);
    return hash_bytes(&l->stamp_us, sizeof(l->stamp_us), h + l->pid);
}

static struct print *set_of(const struct analysis *a, uint64_t print)
{
    return &a->copies->at[(print >> 32) % PRINTS / WAYS * WAYS];
}

void copies_look(struct analysis *a, struct reading *r)
{
    r->print = print_of(a, r->line);
    __builtin_prefetch(set_of(a, r->print), 1);
}

bool copies_line(struct analysis *a, struct reading *r)
{
    const struct log_line *l = r->line;
    uint32_t host = names_find(a->host_names, l->host);
    struct log_host *h = &a->hosts[host];
    struct print *set = set_of(a, r->print);
    struct print is = { .hash = (uint32_t)r->print | 1, .source = (uint8_t)l->source };
    bool old;

    r->host = h;
    if (l->stamp_us == 0 || l->text.len == 0)
        return false;
    old = l->stamp_us < h->newest_stamp_us - ORDER_US || l->stamp_us < r->at_us + h->offset_us - 4 * ORDER_US;
    for (size_t w = 0; w < WAYS; w++) {
        if (set[w].hash != is.hash || (!old && set[w].source == is.source))
            continue;
        if (set[w].source == is.source)
            note_copy(a, host, r);
        return true;
    }
    memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
    set[0] = is;
    if (host != 0 && l->stamp_us > h->newest_stamp_us && l->stamp_us < r->at_us + DAY_US)
        h->newest_stamp_us = l->stamp_us;
    return false;
}

void copies_tick(struct analysis *a, int64_t now_us)
{
    for (size_t i = 0; i < RUN_HOSTS; i++)
        if (a->copies->run[i].lines > 0 && now_us - a->copies->run[i].last_us > QUIET_US)
            tell_run(a, &a->copies->run[i]);
}
