/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which faults of devices and file systems does a host report, in which order?  One story for each host and domain: its
 * disks, its processors and memory, its tasks that wait.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

#define OVER_US (7 * DAY_US)
enum { STORIES = 1024, STEPS = LOG_FINDING_PROOFS, SHOWN = 110 };
enum domain { DOMAIN_DISK, DOMAIN_CHIP, DOMAIN_WAIT };

struct story_key {
    uint32_t host, domain;
};

struct step { /* one kind of message in the story */
    uint32_t program, template;
    uint8_t fault;
    uint8_t first_len, last_len;
    int64_t first_us, last_us;
    uint64_t lines;
    char first[SHOWN], last[SHOWN];
};

struct story {
    int64_t first_us, last_us;
    uint64_t lines;
    unsigned steps;
    struct step step[STEPS];
};

struct faults {
    struct table *stories;
};

int hardware_open(struct analysis *a, struct err *e)
{
    a->faults = calloc(1, sizeof(*a->faults));
    if (!a->faults)
        return err_set(e, ENOMEM, "analysis");
    a->faults->stories = table_new(STORIES, sizeof(struct story_key), sizeof(struct story), a->seed, e);
    return a->faults->stories ? 0 : -1;
}

void hardware_close(struct analysis *a)
{
    if (a->faults)
        table_free(a->faults->stories);
    free(a->faults);
}

static void prove(struct log_finding *f, const struct step *s)
{
    struct log_words first = shown(slice_of(s->first, s->first_len));

    if (s->lines == 1)
        finding_proof(f, "%s  %s", shown_time(s->first_us).text, first.text);
    else if (s->last_len == s->first_len && memcmp(s->first, s->last, s->first_len) == 0)
        finding_proof(f, _("%s  %s (%" PRIu64 " times until %s)"), shown_time(s->first_us).text, first.text, s->lines,
                      shown_time(s->last_us).text);
    else
        finding_proof(f, _("%s  %.120s (%" PRIu64 " times until %s: %.100s)"), shown_time(s->first_us).text, first.text,
                      s->lines, shown_time(s->last_us).text, shown(slice_of(s->last, s->last_len)).text);
}

static void tell(struct analysis *a, const struct story *s, enum log_phase phase)
{
    const struct story_key *key = table_key(a->faults->stories, s);
    bool wait = key->domain == DOMAIN_WAIT;
    struct log_finding f = finding_of(a, wait ? "hung_task" : "hardware", GRADE_ALARM, key->host);
    uint32_t told = 0;

    f.phase = phase;
    f.from_us = s->first_us;
    f.to_us = phase == LOG_ENDED ? s->last_us : 0;
    f.count = s->lines;
    if (wait)
        finding_text(&f, _("%s: tasks wait for minutes for their disk, since %s"), shown_host(a, key->host).text,
                     shown_time(s->first_us).text);
    else {
        finding_text(&f, _("%s reports faults of its hardware since %s:"), shown_host(a, key->host).text,
                     shown_time(s->first_us).text);
        for (unsigned i = 0; i < s->steps; i++) {
            if (told >> s->step[i].fault & 1)
                continue;
            finding_text(&f, "%s %s", told ? "," : "", fault_class_name(s->step[i].fault));
            told |= 1u << s->step[i].fault;
        }
    }
    for (unsigned i = 0; i < s->steps; i++)
        prove(&f, &s->step[i]);
    finding_next(&f, "%s",
                 key->domain == DOMAIN_CHIP
                     ? _("test memory and processor; note the bank, replace the part")
                     : _("save what can be saved, then look at disk, cable and controller (smartctl -a)"));
    finding_tell(a, &f, key->domain ^ (uint64_t)s->first_us);
}

static uint8_t keep(char *into, struct slice text)
{
    size_t n = text.len < SHOWN ? text.len : SHOWN;

    if (n > 0)
        memcpy(into, text.at, n);
    return (uint8_t)n;
}

void hardware_line(struct analysis *a, struct reading *r)
{
    bool chip = r->kind.fault == FAULT_MCE || r->kind.fault == FAULT_EDAC || r->kind.fault == FAULT_HEAT;
    struct story_key key = { r->host->id, r->kind.marks & KIND_HUNG ? DOMAIN_WAIT : chip ? DOMAIN_CHIP : DOMAIN_DISK };
    struct story *s = table_add(a->faults->stories, &key, NULL, NULL, NULL);
    struct step *step = NULL;
    bool fresh;

    if (s->lines++ == 0)
        s->first_us = r->at_us;
    s->last_us = r->at_us;
    for (unsigned i = 0; i < s->steps && !step; i++)
        if (s->step[i].program == r->program && s->step[i].template == r->template)
            step = &s->step[i];
    fresh = !step && s->steps < STEPS;
    if (fresh) {
        step = &s->step[s->steps++];
        step->program = r->program;
        step->template = r->template;
        step->fault = r->kind.fault;
        step->first_us = r->at_us;
        step->first_len = keep(step->first, r->text);
    }
    if (!step)
        return;
    step->lines++;
    step->last_us = r->at_us;
    step->last_len = keep(step->last, r->text);
    if (fresh)
        tell(a, s, LOG_BEGAN);
}

/* So long without a fault, and what comes then is told anew. */
void hardware_tick(struct analysis *a, int64_t now_us)
{
    struct story *s = table_oldest(a->faults->stories);

    while (s && now_us - s->last_us > OVER_US) {
        tell(a, s, LOG_ENDED);
        table_remove(a->faults->stories, s);
        s = table_oldest(a->faults->stories);
    }
}

void hardware_end(struct analysis *a)
{
    for (const struct story *s = table_oldest(a->faults->stories); s; s = table_newer(a->faults->stories, s))
        tell(a, s, LOG_ENDED);
}
