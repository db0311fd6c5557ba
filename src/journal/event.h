/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * event - one thing that happened: 256 bytes in memory, on a link and on disk.
 *
 * Made with event_new and event_add_*; the core gives it its number.  A field
 * is tag (1 byte), length (1 byte), bytes, and stands at most once; what does
 * not fit is cut (a text) or left out, and `cut` in the event says so.  A
 * NUMBER, TIME or SPAN is its 1 to 8 low bytes, little-endian, an ADDR is a
 * struct addr; the body is zero behind `len`.
 */
#ifndef SERVIOLA_JOURNAL_EVENT_H
#define SERVIOLA_JOURNAL_EVENT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/slice.h"

enum grade { GRADE_NOTE = 1, GRADE_WARN, GRADE_ALARM };

enum event_kind {
    EV_NONE,
#define EVENT(id, name, grade, what) EV_##id,
#include "journal/events.def"
    EV_KINDS
};

enum field {
    F_NONE,
#define FIELD(id, name, type, help) F_##id,
#include "journal/events.def"
    F_FIELDS
};

enum field_type { FIELD_TEXT, FIELD_NUMBER, FIELD_TIME, FIELD_SPAN, FIELD_HEX, FIELD_ADDR };

enum { EVENT_BODY = 173 };
struct event {
    uint64_t seq;    /* its place; 0 until the core has it */
    uint64_t cause;  /* the event that led to it; 0: the world did */
    int64_t at_us;   /* wall clock */
    int64_t mono_us; /* boot clock */
    uint32_t host;   /* 0 is here */
    uint16_t kind;   /* enum event_kind */
    uint16_t len;    /* bytes used in body */
    struct addr src; /* who did it; family 0: nobody in particular */
    struct addr dst; /* to whom */
    uint8_t grade;   /* enum grade */
    uint8_t fields;  /* how many stand in body */
    uint8_t cut;     /* 1: something did not fit */
    uint8_t body[EVENT_BODY];
};
_Static_assert(sizeof(struct event) == 256, "one event is one slot, one message, one record");

struct event event_new(enum event_kind kind); /* zeroed, with the kind's own grade */
void event_add_text(struct event *ev, enum field f, struct slice s);
void event_add_words(struct event *ev, enum field f, const char *terminated);
void event_add_number(struct event *ev, enum field f, uint64_t n); /* NUMBER, TIME and SPAN */
void event_add_bytes(struct event *ev, enum field f, const void *at, size_t len);

bool event_get(const struct event *ev, enum field f, struct slice *value); /* raw bytes; inside ev */
bool event_get_number(const struct event *ev, enum field f, uint64_t *n);
bool event_number(struct slice value, uint64_t *n); /* what stands in a NUMBER, TIME or SPAN */
/* The n-th field in the order it was added; false behind the last or when the body is malformed. */
bool event_field_at(const struct event *ev, unsigned n, enum field *f, struct slice *value);
/* What arrives from another process: grade, families, fields and lengths are sound, kind and fields are known. */
bool event_is_sound(const struct event *ev);
/* What arrives from disk: as event_is_sound, but kinds and fields may be those of a newer serviola. */
bool event_is_whole(const struct event *ev);

const char *event_name(enum event_kind kind); /* "hunt.mail_seen"; never NULL */
const char *event_what(enum event_kind kind); /* "a host inside speaks SMTP to the outside" */
enum grade event_grade(enum event_kind kind);
enum event_kind event_kind_of(struct slice name); /* EV_NONE when there is no such name */
const char *grade_name(enum grade g);             /* "note", "warn", "alarm" */
const char *field_name(enum field f);
enum field_type field_type(enum field f);
const char *field_help(enum field f);
#endif
