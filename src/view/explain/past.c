/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the journal says of the minutes around a picture.
 *
 * A picture shows a state, the journal how it came about: whoever ends a
 * loop, counts mails or reads logs has seen what an instant can't show.  Its
 * events become proofs of findings that are there; a few are findings by
 * themselves.
 */
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"
#include "view/tell.h"

enum { PROOFS_EACH = 3 };

static const struct row {
    enum event_kind kind;
    const char *rule; /* of log.found; NULL: any */
    const char *id;   /* of the finding that it proves */
    bool alone;       /* it is one without anything in the picture, too */
} rows[] = {
    { EV_GATE_LOOP_FOUND, NULL, "self_loop", false },
    { EV_GATE_FULL, NULL, "full_house", false },
    { EV_GATE_FILLING, NULL, "full_house", false },
    { EV_SCRIBE_STUCK, NULL, "stuck_disk", false },
    { EV_SCRIBE_FAILED, NULL, "full_disk", false },
    { EV_LOG_DISK_FULL, NULL, "full_disk", false },
    { EV_LOG_DISK_FAILED, NULL, "failing_disk", false },
    { EV_LOG_FOUND, "out_of_memory", "memory", false },
    { EV_HUNT_MAIL_SEEN, NULL, "worm", false },
    { EV_HUNT_RATE_CROSSED, NULL, "worm", false },
    { EV_HUNT_SERVERS_CROSSED, NULL, "worm", false },
    { EV_LOG_FOUND, "mail_egress", "worm", false },
    { EV_GATE_ACCOUNT_ABUSED, NULL, "stolen_account", true },
    { EV_GATE_PASSWORD_GUESSING, NULL, "stolen_account", false },
    { EV_LOG_FOUND, "stolen_account", "stolen_account", true },
    { EV_WATCH_PAUSED, NULL, "clock_jump", false },
    { EV_LOG_CLOCK_CHANGED, NULL, "clock_jump", false },
    { EV_GATE_DNS_DOWN, NULL, "dns_broken", true },
    { EV_LOG_FOUND, "silence", "log_silence", true },
    { EV_LOG_FOUND, "program_silence", "log_silence", true },
};

static bool fits(const struct row *r, const struct event *ev)
{
    struct slice rule;

    if (ev->kind != r->kind)
        return false;
    return !r->rule || (event_get(ev, F_RULE, &rule) && slice_eq(rule, slice_text(r->rule)));
}

static struct finding *found_already(const struct explain *x, const char *id)
{
    for (size_t i = 0; i < x->to->count; i++)
        if (strcmp(x->to->at[i].id, id) == 0)
            return &x->to->at[i];
    return NULL;
}

static void sentence(const struct event *ev, int64_t now_us, char to[300])
{
    struct text t = text_in(to, 300);

    tell(&t, ev, NULL, now_us);
}

static void prove(struct explain *x, struct finding *f, const struct event *ev)
{
    const struct snap_host *h = snap_host(x->s);
    char words[300];

    sentence(ev, h->begun_us, words);
    explain_proof(f, "the journal, %s: %s (event %llu)", words_at(x->s, ev->at_us - h->booted_us).text, words,
                  (unsigned long long)ev->seq);
}

static struct finding *found_now(struct explain *x, const struct row *r, const struct event *ev)
{
    struct finding *f = explain_found(x, r->id, (enum grade)ev->grade);
    char words[300];

    sentence(ev, snap_host(x->s)->begun_us, words);
    explain_text(f, "The journal says: %s", words);
    explain_next(f, "serviola why %llu   shows what led to it", (unsigned long long)ev->seq);
    return f;
}

static void explain_row(struct explain *x, const struct explain_past *past, const struct row *r)
{
    struct finding *f = found_already(x, r->id);
    unsigned told = 0;

    for (size_t i = past->count; i-- > 0 && told < PROOFS_EACH;) { /* the newest first */
        const struct event *ev = &past->at[i];

        if (!fits(r, ev))
            continue;
        if (!f && r->alone)
            f = found_now(x, r, ev);
        if (!f)
            return;
        prove(x, f, ev);
        told++;
    }
}

void explain_by_past(struct explain *x, const struct explain_past *past)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        explain_row(x, past, &rows[i]);
}

bool explain_past_wants(const struct snap *s, const struct event *ev)
{
    int64_t from_us = snap_host(s)->begun_us - EXPLAIN_BEFORE_US;
    int64_t to_us = snap_host(s)->ended_us + EXPLAIN_AFTER_US;

    if (ev->at_us < from_us || ev->at_us > to_us)
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (fits(&rows[i], ev))
            return true;
    return false;
}
