/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was learned, kept for the next start: "serviola log memory", a version, sections in a fixed order, CRC32C of all
 * before it.  Numbers of templates, hosts and programs stay; all else is rebuilt.  Bytes that are not ours are refused:
 * every length, number and order is checked, for the checksum keeps out accidents, not people.
 */
#include <errno.h>
#include <string.h>

#include "base/words.h"
#include "journal/crc32c.h"
#include "sense/log/analyse/inner.h"

static const char magic[] = "serviola log memory\n";
enum { VERSION = 1, SUM = 4 };

static void save_hosts(const struct analysis *a, struct bytes_out *to)
{
    for (uint32_t id = 1; id <= names_count(a->host_names); id++) {
        const struct log_host *h = &a->hosts[id];

        bytes_put(to, h->offset_known, 1);
        bytes_put(to, (uint64_t)h->offset_us, 8);
        bytes_put(to, (uint64_t)h->newest_stamp_us, 8);
        bytes_put(to, (uint64_t)h->booted_us, 8);
        bytes_put(to, (uint64_t)h->halted_us, 8);
        rhythm_save(&h->rhythm, to);
    }
}

static void load_hosts(struct analysis *a, struct bytes_in *from)
{
    for (uint32_t id = 1; id <= names_count(a->host_names) && !from->bad; id++) {
        struct log_host *h = &a->hosts[id];

        h->offset_known = bytes_get(from, 1) & 1;
        h->offset_us = (int64_t)bytes_get(from, 8);
        h->newest_stamp_us = (int64_t)bytes_get(from, 8);
        h->booted_us = (int64_t)bytes_get(from, 8);
        h->halted_us = (int64_t)bytes_get(from, 8);
        from->bad = from->bad || h->offset_us > INT64_MAX / 4 || h->offset_us < INT64_MIN / 4 || h->booted_us < 0 ||
                    h->newest_stamp_us < 0 || h->newest_stamp_us > INT64_MAX / 2 || h->halted_us < 0;
        rhythm_load(&h->rhythm, from);
        h->on_time_us = h->offset_known ? h->rhythm.last_us : 0;
    }
}

static void save_streams(const struct analysis *a, struct bytes_out *to)
{
    bytes_put(to, table_count(a->streams), 4);
    for (const struct log_stream *s = table_oldest(a->streams); s; s = table_newer(a->streams, s)) {
        bytes_put(to, s->host, 4);
        bytes_put(to, s->program, 4);
        rhythm_save(&s->rhythm, to);
    }
}

static bool is_name(const struct analysis *a, uint32_t host, uint32_t program)
{
    return host <= names_count(a->host_names) && program <= names_count(a->program_names);
}

static void load_streams(struct analysis *a, struct bytes_in *from)
{
    uint32_t count = (uint32_t)bytes_get(from, 4);

    from->bad = from->bad || count > a->caps.streams;
    while (count-- > 0 && !from->bad) {
        uint32_t key[2] = { (uint32_t)bytes_get(from, 4), 0 };
        struct log_stream *s;

        key[1] = (uint32_t)bytes_get(from, 4);
        from->bad = from->bad || !is_name(a, key[0], key[1]) || table_find(a->streams, key);
        if (from->bad)
            return;
        s = table_add(a->streams, key, NULL, NULL, NULL);
        s->host = key[0];
        s->program = key[1];
        rhythm_load(&s->rhythm, from);
    }
}

static void save_traces(const struct analysis *a, struct bytes_out *to)
{
    bytes_put(to, table_count(a->traces), 4);
    for (const struct log_trace *t = table_oldest(a->traces); t; t = table_newer(a->traces, t)) {
        const struct trace_key *key = table_key(a->traces, t);

        bytes_put(to, key->host, 4);
        bytes_put(to, key->program, 4);
        bytes_put(to, key->template, 4);
        bytes_put(to, (uint64_t)t->first_us, 8);
        bytes_put(to, (uint64_t)t->last_us, 8);
        bytes_put(to, t->lines, 8);
        bytes_put(to, t->busiest, 4);
        bytes_put(to, t->kind.marks, 4);
        bytes_put(to, t->kind.fault, 1);
        bytes_put(to, t->severity, 1);
        bytes_put(to, t->only_here, 1);
        bytes_put_slice(to, slice_of(t->example, t->example_len));
    }
}

static void load_trace(struct analysis *a, struct bytes_in *from)
{
    uint32_t key[3];
    struct log_trace t = { 0 };
    struct log_trace *place;
    struct log_pattern *p;
    struct slice example;

    for (size_t i = 0; i < 3; i++)
        key[i] = (uint32_t)bytes_get(from, 4);
    t.first_us = (int64_t)bytes_get(from, 8);
    t.last_us = (int64_t)bytes_get(from, 8);
    t.lines = bytes_get(from, 8);
    t.busiest = (uint32_t)bytes_get(from, 4) % (1u << 24);
    t.kind.marks = (uint32_t)bytes_get(from, 4);
    t.kind.fault = (uint8_t)bytes_get(from, 1);
    t.severity = (uint8_t)bytes_get(from, 1);
    t.only_here = bytes_get(from, 1) & 1;
    example = bytes_get_slice(from, sizeof(t.example));
    from->bad = from->bad || !is_name(a, key[0], key[1]) || key[2] == 0 || key[2] > templates_count(a->templates) ||
                t.first_us < 0 || t.last_us < t.first_us || t.kind.fault >= FAULT_CLASSES || table_find(a->traces, key);
    if (from->bad)
        return;
    t.example_len = (uint16_t)example.len;
    if (example.len > 0)
        memcpy(t.example, example.at, example.len);
    place = table_add(a->traces, key, NULL, NULL, NULL);
    *place = t;
    p = table_add(a->patterns, key + 1, NULL, NULL, NULL);
    p->kind = t.kind;
    p->hosts++;
    p->lines += t.lines;
    if (p->first_us == 0 || t.first_us < p->first_us)
        p->first_us = t.first_us;
}

int analysis_save(struct analysis *a, struct bytes_out *to, struct err *e)
{
    struct bytes_out mail = { 0 };
    size_t from = to->len;

    for (size_t i = 0; i < sizeof(magic) - 1; i++)
        bytes_put(to, (uint8_t)magic[i], 1);
    bytes_put(to, VERSION, 4);
    bytes_put(to, (uint64_t)a->began_us, 8);
    bytes_put(to, (uint64_t)a->now_us, 8);
    names_save(a->host_names, to);
    names_save(a->program_names, to);
    templates_save(a->templates, to);
    save_hosts(a, to);
    save_streams(a, to);
    save_traces(a, to);
    mail_save(a, &mail);
    bytes_put_slice(to, slice_of(mail.at, mail.len));
    if (!to->bad)
        bytes_put(to, crc32c(0, to->at + from, to->len - from), SUM);
    to->bad = to->bad || mail.bad;
    bytes_done(&mail);
    return to->bad ? err_set(e, ENOMEM, "the memory of the analysis") : 0;
}

static bool head_is_sound(struct bytes_in *in, struct slice kept, struct err *e)
{
    struct bytes_in sum;

    if (kept.len < sizeof(magic) + 4 + SUM || memcmp(kept.at, magic, sizeof(magic) - 1) != 0) {
        (void)err_set(e, 0, "%s", _("this is no memory of serviola log"));
        return false;
    }
    sum.rest = slice_skip(kept, kept.len - SUM);
    sum.bad = false;
    if (bytes_get(&sum, SUM) != crc32c(0, kept.at, kept.len - SUM)) {
        (void)err_set(e, 0, "%s", _("the memory of serviola log was changed or cut: its checksum is wrong"));
        return false;
    }
    in->rest = slice_skip(slice_first(kept, kept.len - SUM), sizeof(magic) - 1);
    if (bytes_get(in, 4) != VERSION) {
        (void)err_set(e, 0, "%s", _("the memory of serviola log is that of another version"));
        return false;
    }
    return true;
}

int analysis_load(struct analysis *a, struct slice kept, struct err *e)
{
    struct bytes_in in = { 0 };
    uint32_t count;
    struct slice mail;

    if (!head_is_sound(&in, kept, e))
        return -1;
    a->began_us = (int64_t)bytes_get(&in, 8);
    a->now_us = a->ticked_us = (int64_t)bytes_get(&in, 8);
    in.bad = in.bad || a->began_us < 0 || a->now_us < a->began_us || a->now_us > INT64_MAX / 2;
    if (in.bad || names_load(a->host_names, &in, e) < 0 || names_load(a->program_names, &in, e) < 0 ||
        templates_load(a->templates, &in, e) < 0)
        return err_set(e, 0, "%s", _("the memory of serviola log is not sound"));
    load_hosts(a, &in);
    load_streams(a, &in);
    count = (uint32_t)bytes_get(&in, 4);
    in.bad = in.bad || count > a->caps.patterns;
    while (count-- > 0 && !in.bad)
        load_trace(a, &in);
    mail = bytes_get_slice(&in, BYTES_MOST);
    if (in.bad || in.rest.len > 0 || mail_load(a, mail, e) < 0)
        return err_set(e, 0, "%s", _("the memory of serviola log is not sound"));
    return 0;
}
