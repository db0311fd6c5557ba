/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snap/line.h"

#include <string.h>

/* Twenty thousand sockets are many little pieces; only snap_line_write's last one is terminated. */
static inline void add(struct text *t, struct slice s)
{
    if (t->cut || s.len >= t->cap - t->len) {
        text_add(t, s);
        return;
    }
    if (s.len > 0)
        memcpy(t->at + t->len, s.at, s.len);
    t->len += s.len;
}

/* printf would be half the time that a picture takes. */
static void write_number(struct text *t, uint64_t n, bool negative)
{
    char digits[24];
    size_t from = sizeof(digits);

    do
        digits[--from] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    if (negative)
        digits[--from] = '-';
    add(t, slice_of(digits + from, sizeof(digits) - from));
}

/* Most texts hold nothing to escape. */
static void write_text(struct text *t, struct slice s)
{
    size_t plain = 0;

    while (plain < s.len && s.at[plain] >= 0x20 && s.at[plain] < 0x7f && s.at[plain] != '"' && s.at[plain] != '\\')
        plain++;
    add(t, SLICE("\""));
    add(t, slice_first(s, plain));
    if (plain < s.len)
        text_json(t, slice_skip(s, plain));
    add(t, SLICE("\""));
}

static void write_addr(struct text *t, struct addr a)
{
    add(t, SLICE("\""));
    if (a.family == 4 && a.port != 0) {
        for (size_t i = 0; i < 4; i++) {
            write_number(t, a.ip[i], false);
            add(t, slice_of(i < 3 ? "." : ":", 1));
        }
        write_number(t, a.port, false);
    } else {
        text_word(t, addr_socket_text(a).text);
    }
    add(t, SLICE("\""));
}

static void write_value(struct text *t, const struct snap_field *f, const void *at)
{
    int64_t number;

    switch (f->type) {
    case SNAP_TYPE_TEXT:
        write_text(t, *(const struct slice *)at);
        break;
    case SNAP_TYPE_U64:
        write_number(t, *(const uint64_t *)at, false);
        break;
    case SNAP_TYPE_I64:
        number = *(const int64_t *)at;
        write_number(t, number < 0 ? -(uint64_t)number : (uint64_t)number, number < 0);
        break;
    case SNAP_TYPE_FLAG:
        add(t, SLICE("true"));
        break;
    case SNAP_TYPE_ADDR:
        write_addr(t, *(const struct addr *)at);
        break;
    case SNAP_TYPE_END:
        break;
    }
}

void snap_line_write(struct text *t, enum snap_part part, const void *record)
{
    struct slice between = SLICE("{");

    for (const struct snap_field *f = snap_kinds[part].fields; f->type != SNAP_TYPE_END; f++) {
        const void *at = (const uint8_t *)record + f->offset;

        if (snap_field_is_empty(f, record))
            continue;
        add(t, between);
        add(t, f->label);
        write_value(t, f, at);
        between = SLICE(",");
    }
    if (between.at[0] == '{')
        add(t, between);
    text_add(t, SLICE("}"));
}

/* --- reading */

static void blanks(struct slice *rest)
{
    while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t' || rest->at[0] == '\r' || rest->at[0] == '\n'))
        *rest = slice_skip(*rest, 1);
}

static bool take(struct slice *rest, char c)
{
    blanks(rest);
    if (rest->len == 0 || rest->at[0] != (uint8_t)c)
        return false;
    *rest = slice_skip(*rest, 1);
    return true;
}

/* The string at the start, quotes and all; false when it does not end. */
static bool take_string(struct slice *rest, struct slice *quoted)
{
    blanks(rest);
    if (rest->len < 2 || rest->at[0] != '"')
        return false;
    for (size_t i = 1; i < rest->len; i++) {
        if (rest->at[i] == '\\') {
            i++;
        } else if (rest->at[i] == '"') {
            *quoted = slice_first(*rest, i + 1);
            *rest = slice_skip(*rest, i + 1);
            return true;
        }
    }
    return false;
}

/* A string, a number, true, false or null. */
static bool take_value(struct slice *rest, struct slice *value)
{
    size_t n = 0;

    blanks(rest);
    if (rest->len > 0 && rest->at[0] == '"')
        return take_string(rest, value);
    while (n < rest->len && rest->at[n] != ',' && rest->at[n] != '}' && rest->at[n] != '{' && rest->at[n] != '[')
        n++;
    *value = slice_trim(slice_first(*rest, n));
    *rest = slice_skip(*rest, n);
    return value->len > 0;
}

int snap_members(struct slice line, void (*found)(void *own, struct slice name, struct slice value), void *own,
                 struct err *e)
{
    struct slice name;
    struct slice value;

    if (!take(&line, '{'))
        return err_set(e, 0, "no JSON object");
    if (take(&line, '}'))
        return 0;
    do {
        if (!take_string(&line, &name) || !take(&line, ':') || !take_value(&line, &value))
            return err_set(e, 0, "no flat JSON object");
        found(own, slice_of(name.at + 1, name.len - 2), value);
    } while (take(&line, ','));
    if (!take(&line, '}'))
        return err_set(e, 0, "a JSON object without an end");
    return 0;
}

static bool hex4(struct slice s, uint32_t *value)
{
    *value = 0;
    if (s.len < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = s.at[i];
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)c - '0'
                       : c >= 'a' && c <= 'f' ? (uint32_t)c - 'a' + 10
                       : c >= 'A' && c <= 'F' ? (uint32_t)c - 'A' + 10
                                              : 16;

        if (digit > 15)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

/* A code point below 0x10000 as UTF-8; 0x80 to 0xff is the stray byte that text_json wrote so. */
static size_t put_point(uint8_t *to, uint32_t point)
{
    if (point < 0x100) {
        to[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (uint8_t)(0xc0 | point >> 6);
        to[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    to[0] = (uint8_t)(0xe0 | point >> 12);
    to[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    to[2] = (uint8_t)(0x80 | (point & 0x3f));
    return 3;
}

/* One escape behind the backslash; how many bytes of s it took, 0: none. */
static size_t take_escape(struct slice s, uint8_t *to, size_t *len)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char stand_for[] = "\"\\/\b\f\n\r\t";
    const char *hit = s.len > 0 && s.at[0] != '\0' ? strchr(letters, s.at[0]) : NULL;
    uint32_t point;

    if (hit) {
        to[(*len)++] = (uint8_t)stand_for[hit - letters];
        return 1;
    }
    if (s.len < 5 || s.at[0] != 'u' || !hex4(slice_skip(s, 1), &point))
        return 0;
    *len += put_point(to + *len, point);
    return 5;
}

bool snap_string(struct slice quoted, uint8_t *bytes, size_t *len)
{
    struct slice s;

    *len = 0;
    if (quoted.len < 2 || quoted.at[0] != '"')
        return false;
    for (s = slice_of(quoted.at + 1, quoted.len - 2); s.len > 0;) {
        size_t n = 1;

        if (s.at[0] != '\\')
            bytes[(*len)++] = s.at[0];
        else if ((n = take_escape(slice_skip(s, 1), bytes, len)) == 0)
            return false;
        else
            n++;
        s = slice_skip(s, n);
    }
    return true;
}

struct reading {
    struct snap *snap;
    const struct snap_kind *kind;
    uint8_t *record;
    bool wrong;
};

static bool read_i64(struct slice value, int64_t *number)
{
    bool negative = value.len > 0 && value.at[0] == '-';
    uint64_t n;

    if (!slice_to_u64(slice_skip(value, negative ? 1 : 0), &n) || n > INT64_MAX)
        return false;
    *number = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool read_text(struct snap *s, struct slice value, struct slice *text)
{
    /* Unescaped it is no longer than it was: kept first, then written over. */
    struct slice room = snap_keep(s, value);
    size_t len;

    if (room.len == 0 || !snap_string(value, s->texts + (room.at - s->texts), &len))
        return false;
    s->texts_used -= room.len - len;
    *text = slice_of(room.at, len);
    return true;
}

static bool read_value(struct reading *r, const struct snap_field *f, struct slice value)
{
    void *at = r->record + f->offset;

    switch (f->type) {
    case SNAP_TYPE_TEXT:
        return read_text(r->snap, value, at);
    case SNAP_TYPE_U64:
        return slice_to_u64(value, at);
    case SNAP_TYPE_I64:
        return read_i64(value, at);
    case SNAP_TYPE_FLAG:
        *(bool *)at = slice_eq(value, SLICE("true"));
        return *(bool *)at || slice_eq(value, SLICE("false"));
    case SNAP_TYPE_ADDR:
        return value.len > 2 && value.at[0] == '"' &&
               addr_read_port(slice_of(value.at + 1, value.len - 2), (struct addr *)at);
    case SNAP_TYPE_END:
        break;
    }
    return true;
}

static void on_member(void *own, struct slice name, struct slice value)
{
    struct reading *r = own;

    for (const struct snap_field *f = r->kind->fields; f->type != SNAP_TYPE_END; f++)
        if (slice_eq(name, slice_text(f->name)) && !read_value(r, f, value))
            r->wrong = true;
}

int snap_line_read(struct snap *s, enum snap_part part, struct slice line, struct err *e)
{
    struct reading r = { .snap = s, .kind = &snap_kinds[part] };

    r.record = snap_add(s, part);
    if (!r.record)
        return err_set(e, 0, "more than %zu records of kind %s", s->part[part].count, r.kind->name);
    if (snap_members(line, on_member, &r, e) < 0)
        return -1;
    return r.wrong ? err_set(e, 0, "a value of another kind than it should be") : 0;
}
