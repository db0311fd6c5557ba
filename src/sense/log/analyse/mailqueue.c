/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How does a mail server fare?  Its queue grows, much of its mail is deferred (and why), others refuse it by a list. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"
#include "wire/maillog.h"

enum {
    SERVERS = 1024,
    DAY = 24,
    LISTS = 8,
    DOMAINS = 8,
    GROWTH = 200,
    GROWTH_TIMES = 4,
    DEFERRED = 50,
    DEFERRED_TIMES = 5,
    LISTED = 3
};

enum why { WHY_TIMEOUT, WHY_REFUSED, WHY_NAME, WHY_GREY, WHY_RATE, WHY_FULL, WHY_LIST, WHY_TLS, WHY_OTHER, WHYS };
static const struct {
    const char *name;
    const char *words; /* between bars; in any of them the reason is seen */
} whys[WHYS] = {
    [WHY_TIMEOUT] = { N_("no answer in time"), "timed out|timeout|wasn't_able_to_establish" },
    [WHY_REFUSED] = { N_("connection refused or unreachable"), "onnection refused|unreachable|o route to host" },
    [WHY_NAME] = { N_("names that are not found"),
                   "ost not found|ost or domain name not found|name service|CNAME_lookup|lookup failed" },
    [WHY_GREY] = { N_("greylisted"), "reylist|raylist|try again later" },
    [WHY_RATE] = { N_("too fast for the other side"), "ate limit|too many|Too many|unusual rate|hrottl" },
    [WHY_FULL] = { N_("mailbox full"), "ver quota|ailbox full|nsufficient" },
    [WHY_LIST] = { N_("on a black list"), "" },
    [WHY_TLS] = { N_("TLS"), "TLS|certificate" },
    [WHY_OTHER] = { N_("other reasons"), "" },
};

struct top {
    char name[48];
    uint8_t len;
    uint32_t count;
};
struct listing {
    char name[64];
    uint8_t len;
    struct addr host;
    uint32_t count;
    int64_t first_us, last_us;
};
struct server {
    int64_t hour;
    int32_t growth, growth_before, growth_most; /* this hour, the one before; the most in two hours ever */
    uint32_t hours;                             /* that were seen */
    int64_t queue_from_us;                      /* 0: it does not grow */
    int32_t queue_grown;
    uint32_t sent, deferred, deferred_most;
    uint32_t why[WHYS];
    struct top domain[DOMAINS];
    bool deferred_told;
    struct listing list[LISTS];
};

struct queues {
    struct table *servers; /* host's id -> struct server */
};

int mailqueue_open(struct analysis *a, struct err *e)
{
    a->queues = calloc(1, sizeof(*a->queues));
    if (!a->queues)
        return err_set(e, ENOMEM, "analysis");
    a->queues->servers = table_new(SERVERS, sizeof(uint32_t), sizeof(struct server), a->seed, e);
    return a->queues->servers ? 0 : -1;
}

void mailqueue_close(struct analysis *a)
{
    if (a->queues)
        table_free(a->queues->servers);
    free(a->queues);
}

static uint32_t host_of(const struct analysis *a, const struct server *s)
{
    return *(const uint32_t *)table_key(a->queues->servers, s);
}

/* --- the queue */

static void tell_queue(struct analysis *a, struct server *s, enum log_phase phase)
{
    uint32_t host = host_of(a, s);
    struct log_finding f = finding_of(a, "mail_queue", GRADE_WARN, host);

    f.phase = phase;
    f.from_us = s->queue_from_us;
    f.to_us = phase == LOG_ENDED ? a->now_us : 0;
    f.count = (uint64_t)s->queue_grown;
    finding_text(&f,
                 _("the mail queue of %s grew by %" PRIi32
                   " messages since %s; in two hours it never grew by more than %" PRIi32),
                 shown_host(a, host).text, s->queue_grown, shown_time(s->queue_from_us).text, s->growth_most);
    finding_next(&f, "%s", _("see whose messages they are, and why they stay (postqueue -p, exim -bp, qmail-qread)"));
    finding_tell(a, &f, (uint64_t)s->queue_from_us);
}

static void judge_queue(struct analysis *a, struct server *s)
{
    int32_t two = s->growth + s->growth_before;

    if (s->queue_from_us != 0 && two > s->queue_grown) {
        s->queue_grown = two;
    } else if (s->queue_from_us != 0 && two < s->queue_grown / 4) {
        tell_queue(a, s, LOG_ENDED);
        s->growth_most = s->queue_grown;
        s->queue_from_us = 0;
    } else if (s->queue_from_us == 0 && s->hours >= DAY && two >= GROWTH && two >= GROWTH_TIMES * s->growth_most) {
        s->queue_from_us = (s->hour - 1) * HOUR_US;
        s->queue_grown = two;
        tell_queue(a, s, LOG_BEGAN);
    }
}

/* --- deferred */

static enum why why_of(const struct maillog *m)
{
    struct slice list;
    struct addr host;

    if (maillog_is_listed(m->reason, &list, &host))
        return WHY_LIST;
    for (unsigned w = 0; w < WHY_OTHER; w++) {
        struct slice rest = slice_text(whys[w].words);

        while (rest.len > 0) {
            struct slice word = slice_until(rest, '|', &rest);

            if (m->reason.len > 0 && memmem(m->reason.at, m->reason.len, word.at, word.len))
                return (enum why)w;
        }
    }
    return WHY_OTHER;
}

/* The commonest ones survive; the rarest leaves for a new one. */
static void count_domain(struct server *s, struct slice to)
{
    struct slice domain;
    struct top *least = &s->domain[0];

    (void)slice_until(to, '@', &domain);
    domain = slice_first(domain, sizeof(least->name));
    if (domain.len == 0)
        return;
    for (size_t i = 0; i < DOMAINS; i++) {
        struct top *t = &s->domain[i];

        if (slice_eq(domain, slice_of(t->name, t->len))) {
            t->count++;
            return;
        }
        least = t->count < least->count ? t : least;
    }
    memcpy(least->name, domain.at, domain.len);
    least->len = (uint8_t)domain.len;
    least->count++;
}

static void tell_deferred(struct analysis *a, struct server *s, enum log_phase phase)
{
    uint32_t host = host_of(a, s);
    struct log_finding f = finding_of(a, "mail_deferred", GRADE_WARN, host);
    const struct top *most = &s->domain[0];

    f.phase = phase;
    f.from_us = s->hour * HOUR_US;
    f.to_us = phase == LOG_ENDED ? (s->hour + 1) * HOUR_US : 0;
    f.count = s->deferred;
    finding_text(
        &f, _("%s deferred %" PRIu32 " of %" PRIu32 " deliveries since %s; at most %" PRIu32 " an hour are usual"),
        shown_host(a, host).text, s->deferred, s->deferred + s->sent, shown_time(f.from_us).text, s->deferred_most);
    for (unsigned w = 0; w < WHYS; w++)
        if (s->why[w] > 0)
            finding_proof(&f, "%" PRIu32 ": %s", s->why[w], _(whys[w].name));
    for (size_t i = 1; i < DOMAINS; i++)
        most = s->domain[i].count > most->count ? &s->domain[i] : most;
    if (most->count > 0)
        finding_proof(&f, _("%s most of all, about %" PRIu32 " times"), shown(slice_of(most->name, most->len)).text,
                      most->count);
    finding_tell(a, &f, (uint64_t)s->hour);
}

static void judge_deferred(struct analysis *a, struct server *s)
{
    if (s->deferred_told || s->hours < DAY || s->deferred < DEFERRED ||
        s->deferred < DEFERRED_TIMES * s->deferred_most || s->deferred * 10ull < (s->deferred + s->sent) * 3ull)
        return;
    s->deferred_told = true;
    tell_deferred(a, s, LOG_BEGAN);
}

/* --- lists */

static void tell_list(struct analysis *a, const struct server *s, const struct listing *l, enum log_phase phase)
{
    uint32_t host = host_of(a, s);
    struct log_finding f = finding_of(a, "mail_blacklisted", GRADE_ALARM, host);
    struct log_words name = shown(l->len > 0 ? slice_of(l->name, l->len) : SLICE("?"));

    f.phase = phase;
    f.from_us = l->first_us;
    f.to_us = phase == LOG_ENDED ? l->last_us : 0;
    f.count = l->count;
    if (l->host.family != 0)
        finding_text(&f, _("other servers refuse mail of %s because %s is on the list %s: %" PRIu32 " times since %s"),
                     shown_host(a, host).text, addr_ip_text(l->host).text, name.text, l->count,
                     shown_time(l->first_us).text);
    else
        finding_text(&f, _("other servers refuse mail of %s by the list %s: %" PRIu32 " times since %s"),
                     shown_host(a, host).text, name.text, l->count, shown_time(l->first_us).text);
    finding_next(
        &f, "%s",
        _("find what was sent first (stolen_account, serviola hunt); only then ask the list to remove the address"));
    finding_tell(a, &f, (uint64_t)l->first_us);
}

static void note_listing(struct analysis *a, struct server *s, const struct maillog *m, int64_t at_us)
{
    struct slice name;
    struct addr host;
    struct listing *l = NULL;

    if (!maillog_is_listed(m->reason, &name, &host))
        return;
    name = slice_first(name, sizeof(l->name));
    for (size_t i = 0; i < LISTS && !l; i++)
        if (s->list[i].count == 0 || slice_eq(name, slice_of(s->list[i].name, s->list[i].len)))
            l = &s->list[i];
    if (!l)
        return;
    if (l->count++ == 0) {
        l->first_us = at_us;
        l->host = host;
        l->len = (uint8_t)name.len;
        if (name.len > 0)
            memcpy(l->name, name.at, name.len);
    }
    l->last_us = at_us;
    if (l->count == LISTED)
        tell_list(a, s, l, LOG_BEGAN);
}

/* --- lines and minutes */

static void turn(struct analysis *a, struct server *s, int64_t hour)
{
    if (hour <= s->hour)
        return;
    if (s->deferred_told)
        tell_deferred(a, s, LOG_ENDED);
    else if (s->deferred > s->deferred_most)
        s->deferred_most = s->deferred;
    if (s->queue_from_us == 0 && s->growth + s->growth_before > s->growth_most)
        s->growth_most = s->growth + s->growth_before;
    s->growth_before = hour == s->hour + 1 ? s->growth : 0;
    s->growth = 0;
    s->sent = s->deferred = 0;
    s->deferred_told = false;
    memset(s->why, 0, sizeof(s->why));
    memset(s->domain, 0, sizeof(s->domain));
    s->hours += s->hour == 0 ? 0 : hour - s->hour < DAY ? (uint32_t)(hour - s->hour) : DAY;
    s->hour = hour;
}

void mailqueue_line(struct analysis *a, struct reading *r, const struct maillog *m)
{
    struct server *s = table_add(a->queues->servers, &r->host->id, NULL, NULL, NULL);
    bool began = m->server == MAILLOG_POSTFIX ? m->what == MAILLOG_NAMED : m->what == MAILLOG_ACCEPTED;

    turn(a, s, r->at_us / HOUR_US);
    s->growth += began - (m->what == MAILLOG_REMOVED);
    s->sent += m->what == MAILLOG_SENT;
    if (m->what == MAILLOG_DEFERRED) {
        s->deferred++;
        s->why[why_of(m)]++;
        count_domain(s, m->to);
        judge_deferred(a, s);
    }
    if (m->what == MAILLOG_DEFERRED || m->what == MAILLOG_BOUNCED)
        note_listing(a, s, m, r->at_us);
}

void mailqueue_tick(struct analysis *a, int64_t now_us)
{
    for (struct server *s = table_oldest(a->queues->servers); s; s = table_newer(a->queues->servers, s)) {
        turn(a, s, now_us / HOUR_US);
        judge_queue(a, s);
    }
}

void mailqueue_end(struct analysis *a)
{
    for (const struct server *s = table_oldest(a->queues->servers); s; s = table_newer(a->queues->servers, s))
        for (size_t i = 0; i < LISTS; i++)
            if (s->list[i].count >= LISTED)
                tell_list(a, s, &s->list[i], LOG_ENDED);
}
