/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/event.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "an event lies on disk as it lies in memory");
_Static_assert(F_FIELDS <= 256 && EVENT_BODY <= 255, "a field's tag and length are one byte each");

static const struct {
    const char *name;
    const char *what;
    enum grade grade;
} kinds[EV_KINDS] = {
#define EVENT(id, name, grade, what) [EV_##id] = { name, what, GRADE_##grade },
#include "journal/events.def"
};

static const struct {
    const char *name;
    const char *help;
    enum field_type type;
} fields[F_FIELDS] = {
#define FIELD(id, name, type, help) [F_##id] = { name, help, FIELD_##type },
#include "journal/events.def"
};

struct event event_new(enum event_kind kind)
{
    return (struct event){ .kind = (uint16_t)kind, .grade = (uint8_t)event_grade(kind) };
}

/* The next field at *at in the body; false at the end, or when it does not lie inside. */
static bool next_field(const struct event *ev, size_t *at, uint8_t *tag, struct slice *value)
{
    size_t len;

    if (ev->len > EVENT_BODY || *at + 2 > ev->len)
        return false;
    *tag = ev->body[*at];
    len = ev->body[*at + 1];
    if (len > ev->len - *at - 2)
        return false;
    *value = slice_of(ev->body + *at + 2, len);
    *at += 2 + len;
    return true;
}

bool event_get(const struct event *ev, enum field f, struct slice *value)
{
    struct slice found;
    uint8_t tag;
    size_t at = 0;

    while (next_field(ev, &at, &tag, &found))
        if (tag == (unsigned)f) {
            *value = found;
            return true;
        }
    return false;
}

static void add(struct event *ev, enum field f, const void *at, size_t len)
{
    struct slice there;

    if (ev->len + 2 + len > EVENT_BODY || event_get(ev, f, &there)) {
        ev->cut = 1;
        return;
    }
    ev->body[ev->len] = (uint8_t)f;
    ev->body[ev->len + 1] = (uint8_t)len;
    if (len > 0)
        memcpy(ev->body + ev->len + 2, at, len);
    ev->len = (uint16_t)(ev->len + 2 + len);
    ev->fields++;
}

void event_add_text(struct event *ev, enum field f, struct slice s)
{
    size_t room = ev->len + 2 < EVENT_BODY ? (size_t)EVENT_BODY - ev->len - 2 : 0;

    if (s.len > room) {
        ev->cut = 1;
        s.len = room;
        if (room == 0)
            return;
    }
    add(ev, f, s.at, s.len);
}

void event_add_words(struct event *ev, enum field f, const char *terminated)
{
    event_add_text(ev, f, slice_text(terminated));
}

void event_add_number(struct event *ev, enum field f, uint64_t n)
{
    uint8_t bytes[8];
    size_t len = 0;

    do {
        bytes[len++] = (uint8_t)n;
        n >>= 8;
    } while (n > 0);
    add(ev, f, bytes, len);
}

void event_add_bytes(struct event *ev, enum field f, const void *at, size_t len)
{
    add(ev, f, at, len);
}

bool event_get_number(const struct event *ev, enum field f, uint64_t *n)
{
    struct slice value;

    return event_get(ev, f, &value) && event_number(value, n);
}

bool event_number(struct slice value, uint64_t *n)
{
    if (value.len == 0 || value.len > 8)
        return false;
    *n = 0;
    for (size_t i = value.len; i > 0; i--)
        *n = *n << 8 | value.at[i - 1];
    return true;
}

bool event_field_at(const struct event *ev, unsigned n, enum field *f, struct slice *value)
{
    uint8_t tag;
    size_t at = 0;

    do
        if (!next_field(ev, &at, &tag, value))
            return false;
    while (n-- > 0);
    *f = (enum field)tag;
    return true;
}

static bool addr_is_sound(const struct addr *a)
{
    static const uint8_t zeros[16];

    if (a->family == 0)
        return a->zero == 0 && a->port == 0 && memcmp(a->ip, zeros, 16) == 0;
    if (a->family == 4)
        return a->zero == 0 && memcmp(a->ip + 4, zeros, 12) == 0;
    return a->family == 6 && a->zero == 0;
}

static bool value_is_sound(enum field_type type, struct slice value)
{
    struct addr a;

    switch (type) {
    case FIELD_NUMBER:
    case FIELD_TIME:
    case FIELD_SPAN:
        return value.len >= 1 && value.len <= 8;
    case FIELD_ADDR:
        if (value.len != sizeof(a))
            return false;
        memcpy(&a, value.at, sizeof(a));
        return addr_is_sound(&a);
    case FIELD_TEXT:
    case FIELD_HEX:
    default:
        return true;
    }
}

bool event_is_whole(const struct event *ev)
{
    uint64_t seen[4] = { 0 };
    struct slice value;
    uint8_t tag;
    unsigned count = 0;
    size_t at = 0;

    if (ev->kind == EV_NONE || ev->grade < GRADE_NOTE || ev->grade > GRADE_ALARM || ev->cut > 1 ||
        ev->len > EVENT_BODY || !addr_is_sound(&ev->src) || !addr_is_sound(&ev->dst))
        return false;
    for (; next_field(ev, &at, &tag, &value); count++) {
        uint64_t bit = (uint64_t)1 << (tag & 63);

        if (tag == F_NONE || (seen[tag >> 6] & bit) || (tag < F_FIELDS && !value_is_sound(fields[tag].type, value)))
            return false;
        seen[tag >> 6] |= bit;
    }
    if (at != ev->len || count != ev->fields)
        return false;
    while (at < EVENT_BODY)
        if (ev->body[at++] != 0)
            return false;
    return true;
}

bool event_is_sound(const struct event *ev)
{
    enum field f;
    struct slice value;

    if (!event_is_whole(ev) || ev->kind >= EV_KINDS)
        return false;
    for (unsigned i = 0; event_field_at(ev, i, &f, &value); i++)
        if (f >= F_FIELDS)
            return false;
    return true;
}

const char *event_name(enum event_kind kind)
{
    return kind > EV_NONE && kind < EV_KINDS ? kinds[kind].name : "event.unknown";
}

const char *event_what(enum event_kind kind)
{
    return kind > EV_NONE && kind < EV_KINDS ? kinds[kind].what : "an event of a newer serviola";
}

enum grade event_grade(enum event_kind kind)
{
    return kind > EV_NONE && kind < EV_KINDS ? kinds[kind].grade : GRADE_NOTE;
}

enum event_kind event_kind_of(struct slice name)
{
    for (unsigned i = EV_NONE + 1; i < EV_KINDS; i++)
        if (slice_eq(name, slice_text(kinds[i].name)))
            return (enum event_kind)i;
    return EV_NONE;
}

const char *grade_name(enum grade g)
{
    static const char *const names[] = { [GRADE_NOTE] = "note", [GRADE_WARN] = "warn", [GRADE_ALARM] = "alarm" };

    return g >= GRADE_NOTE && g <= GRADE_ALARM ? names[g] : "none";
}

const char *field_name(enum field f)
{
    return f > F_NONE && f < F_FIELDS ? fields[f].name : "unknown";
}

enum field_type field_type(enum field f)
{
    return f > F_NONE && f < F_FIELDS ? fields[f].type : FIELD_HEX;
}

const char *field_help(enum field f)
{
    return f > F_NONE && f < F_FIELDS ? fields[f].help : "a field of a newer serviola";
}
