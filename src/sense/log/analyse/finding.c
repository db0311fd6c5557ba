/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a finding is written: bytes from outside are escaped before they are in it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "sense/log/analyse/inner.h"

struct log_words shown(struct slice s)
{
    enum { SHOWN = 180 };
    struct log_words w;
    struct text t = text_in(w.text, sizeof(w.text) - 4);

    text_visible(&t, slice_first(slice_trim(s), SHOWN));
    if (t.cut || s.len > SHOWN)
        memcpy(w.text + t.len, "...", 4);
    return w;
}

struct log_words shown_host(const struct analysis *a, uint32_t id)
{
    struct slice name = names_of(a->host_names, id);

    return shown(name.len > 0 ? name : SLICE("(no name)"));
}

struct log_words shown_program(const struct analysis *a, uint32_t id)
{
    struct slice name = names_of(a->program_names, id);

    return shown(name.len > 0 ? name : SLICE("(no name)"));
}

struct log_words shown_time(int64_t at_us)
{
    struct log_words w;
    struct text t = TEXT_IN(w.text);

    text_time(&t, at_us, 0);
    return w;
}

struct log_words shown_span(int64_t us)
{
    struct log_words w;
    struct text t = TEXT_IN(w.text);

    text_duration(&t, us);
    return w;
}

struct log_finding finding_of(const struct analysis *a, const char *id, enum grade grade, uint32_t host)
{
    struct log_finding f = { .id = id, .grade = grade, .phase = LOG_NOW, .key = host };
    struct text t = TEXT_IN(f.host);

    if (host > 0)
        text_visible(&t, names_of(a->host_names, host));
    return f;
}

__attribute__((format(printf, 3, 0))) static void put(char *into, size_t size, const char *format, va_list args)
{
    (void)vsnprintf(into, size, format, args); /* what does not fit is cut */
}

void finding_text(struct log_finding *f, const char *format, ...)
{
    size_t len = strlen(f->text);
    va_list args;

    va_start(args, format);
    put(f->text + len, sizeof(f->text) - len, format, args);
    va_end(args);
}

void finding_proof(struct log_finding *f, const char *format, ...)
{
    va_list args;

    if (f->proofs == LOG_FINDING_PROOFS) {
        f->proofs_more++;
        return;
    }
    va_start(args, format);
    put(f->proof[f->proofs++], sizeof(f->proof[0]), format, args);
    va_end(args);
}

void finding_next(struct log_finding *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    put(f->next, sizeof(f->next), format, args);
    va_end(args);
}

void finding_tell_as(struct analysis *a, struct log_finding *f, const char *as, uint64_t what)
{
    uint64_t of[2] = { f->key, what };

    f->key = hash_bytes(of, sizeof(of), hash_bytes(as, strlen(as), 0));
    a->found(a->own, f);
}

void finding_tell(struct analysis *a, struct log_finding *f, uint64_t what)
{
    finding_tell_as(a, f, f->id, what);
}

/* As many of its clauses as there is room for. */
static void add_why(struct event *ev, struct slice words)
{
    size_t room = (size_t)EVENT_BODY - ev->len - 2;
    size_t end = 0;

    for (size_t i = 0; i < room && i < words.len; i++)
        end = words.at[i] == ';' ? i : end;
    ev->cut = words.len > room;
    event_add_text(ev, F_WHY, words.len > room && end > 0 ? slice_first(words, end) : words);
}

struct event log_finding_event(const struct log_finding *f)
{
    struct event ev = event_new(f->phase == LOG_ENDED ? EV_LOG_FOUND_OVER : EV_LOG_FOUND);

    ev.grade = (uint8_t)(f->phase == LOG_ENDED ? GRADE_NOTE : f->grade);
    event_add_words(&ev, F_RULE, f->id);
    if (f->host[0])
        event_add_text(&ev, F_NAME, slice_first(slice_text(f->host), 32));
    if (f->count > 0)
        event_add_number(&ev, F_COUNT, f->count);
    event_add_number(&ev, F_SINCE, (uint64_t)f->from_us);
    if (f->to_us > f->from_us)
        event_add_number(&ev, F_SPAN, (uint64_t)(f->to_us - f->from_us));
    event_add_number(&ev, F_FLOW, f->key);
    add_why(&ev, slice_text(f->text));
    return ev;
}
