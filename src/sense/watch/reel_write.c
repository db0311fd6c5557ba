/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "journal/crc32c.h"
#include "sense/watch/reel.h"
#include "sense/watch/reel_marks.h"

struct reel_writer {
    ZSTD_CCtx *zstd;
    struct fact_process *processes; /* as last told, by place */
    struct fact_socket *sockets;
    uint32_t processes_room, sockets_room;
    struct fact_listener listeners[REEL_LISTENERS];
    uint32_t listeners_count;
    double numbers[VALUES_MOST];
    uint32_t names;
    int64_t at_us, mono_us;
    bool told;    /* a key went out, and what followed it */
    uint8_t *raw; /* REEL_RAW, touched as needed */
    size_t len;
    uint8_t *frame;
    size_t frame_cap;
};

struct reel_writer *reel_writer_new(struct err *e)
{
    struct reel_writer *w = calloc(1, sizeof(*w));

    if (w) {
        w->zstd = ZSTD_createCCtx();
        w->processes = calloc(REEL_PROCESSES, sizeof(*w->processes));
        w->sockets = calloc(REEL_SOCKETS, sizeof(*w->sockets));
        w->raw = malloc(REEL_RAW);
        w->frame_cap = sizeof(struct reel_head) + ZSTD_compressBound(REEL_RAW) + 8;
        w->frame = malloc(w->frame_cap);
    }
    if (w && w->zstd && w->processes && w->sockets && w->raw && w->frame)
        return w;
    reel_writer_free(w);
    err_set(e, ENOMEM, "the recorder");
    return NULL;
}

void reel_writer_free(struct reel_writer *w)
{
    if (!w)
        return;
    (void)ZSTD_freeCCtx(w->zstd);
    free(w->processes);
    free(w->sockets);
    free(w->raw);
    free(w->frame);
    free(w);
}

/* ---- bytes; what does not fit makes len go past REEL_RAW, and the frame is not made ---- */

static void put_bytes(struct reel_writer *w, const void *at, size_t n)
{
    if (w->len + n <= REEL_RAW)
        memcpy(w->raw + w->len, at, n);
    w->len = w->len + n <= REEL_RAW ? w->len + n : REEL_RAW + 1;
}

static void put_number(struct reel_writer *w, uint64_t n)
{
    uint8_t bytes[10];
    size_t len = 0;

    do {
        bytes[len++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>= 7;
    } while (n > 0);
    put_bytes(w, bytes, len);
}

static void put_difference(struct reel_writer *w, uint64_t now, uint64_t before)
{
    int64_t d = (int64_t)(now - before);

    put_number(w, (uint64_t)d << 1 ^ (uint64_t)(d >> 63));
}

/* Places ascend: each is told as its distance from the one before. */
static void put_place(struct reel_writer *w, uint32_t place, uint32_t *last)
{
    put_number(w, place - *last + 1);
    *last = place;
}

/* ---- values ---- */

static void put_values(struct reel_writer *w, const struct values *v)
{
    uint32_t last = 0;

    put_number(w, v->count - w->names);
    for (uint32_t i = w->names; i < v->count; i++) {
        size_t len = strlen(v->at[i].name);

        put_number(w, len);
        put_bytes(w, v->at[i].name, len);
        memset(&w->numbers[i], 0xff, sizeof(w->numbers[i])); /* no number that is ever told */
    }
    w->names = v->count;
    for (uint32_t i = 0; i < v->count; i++) {
        if (memcmp(&w->numbers[i], &v->at[i].number, sizeof(double)) == 0)
            continue;
        put_place(w, i, &last);
        put_bytes(w, &v->at[i].number, sizeof(double));
        w->numbers[i] = v->at[i].number;
    }
    put_number(w, 0);
}

/* ---- processes ---- */

static unsigned process_marks(const struct fact_process *now, const struct fact_process *before)
{
    unsigned marks = 0;

    if (now->state == 0)
        return before->state ? MARK_GONE : 0;
    if (before->state == 0 || before->pid != now->pid || before->start_ticks != now->start_ticks)
        return MARK_NEW;
    marks |= now->state != before->state ? MARK_STATE : 0;
    marks |= now->cpu_ticks != before->cpu_ticks ? MARK_CPU : 0;
    marks |= now->rss_pages != before->rss_pages ? MARK_RSS : 0;
    marks |= memcmp(now->comm, before->comm, FACT_COMM) != 0 ? MARK_COMM : 0;
    marks |= now->parent != before->parent || now->threads != before->threads ? MARK_KIN : 0;
    return marks;
}

static void put_comm(struct reel_writer *w, const char comm[FACT_COMM])
{
    size_t len = strnlen(comm, FACT_COMM);

    put_number(w, len);
    put_bytes(w, comm, len);
}

static void put_process(struct reel_writer *w, unsigned marks, const struct fact_process *now,
                        const struct fact_process *before)
{
    uint8_t byte = (uint8_t)marks;

    put_bytes(w, &byte, 1);
    if (marks & MARK_NEW) {
        put_number(w, (uint64_t)now->pid);
        put_number(w, now->start_ticks);
        put_number(w, now->kernel);
    }
    if (marks & (MARK_NEW | MARK_STATE))
        put_bytes(w, &now->state, 1);
    if (marks & (MARK_NEW | MARK_CPU))
        put_difference(w, now->cpu_ticks, marks & MARK_NEW ? 0 : before->cpu_ticks);
    if (marks & (MARK_NEW | MARK_RSS))
        put_difference(w, now->rss_pages, marks & MARK_NEW ? 0 : before->rss_pages);
    if (marks & (MARK_NEW | MARK_COMM))
        put_comm(w, now->comm);
    if (marks & (MARK_NEW | MARK_KIN)) {
        put_number(w, (uint64_t)now->parent);
        put_number(w, now->threads);
    }
}

static void put_processes(struct reel_writer *w, const struct facts *f)
{
    static const struct fact_process nobody;
    uint32_t room = f->processes_room < REEL_PROCESSES ? f->processes_room : REEL_PROCESSES;
    uint32_t last = 0;

    for (uint32_t i = 0; i < room || i < w->processes_room; i++) {
        const struct fact_process *now = i < room ? &f->processes[i] : &nobody;
        unsigned marks = process_marks(now, &w->processes[i]);

        if (marks == 0)
            continue;
        put_place(w, i, &last);
        put_process(w, marks, now, &w->processes[i]);
        w->processes[i] = *now;
    }
    w->processes_room = room;
    put_number(w, 0);
}

/* ---- sockets ---- */

static unsigned socket_marks(const struct fact_socket *now, const struct fact_socket *before)
{
    if (now->state == 0)
        return before->state ? MARK_GONE : 0;
    if (before->state == 0 || before->cookie != now->cookie)
        return MARK_NEW;
    return now->state != before->state ? MARK_STATE : 0;
}

static void put_addr(struct reel_writer *w, const struct addr *a)
{
    put_bytes(w, &a->family, 1);
    put_number(w, a->port);
    put_bytes(w, a->ip, a->family == 4 ? 4 : 16);
}

static void put_sockets(struct reel_writer *w, const struct facts *f)
{
    static const struct fact_socket nobody;
    uint32_t room = f->sockets_room < REEL_SOCKETS ? f->sockets_room : REEL_SOCKETS;
    uint32_t last = 0;

    for (uint32_t i = 0; i < room || i < w->sockets_room; i++) {
        const struct fact_socket *now = i < room ? &f->sockets[i] : &nobody;
        unsigned marks = socket_marks(now, &w->sockets[i]);
        uint8_t byte = (uint8_t)marks;

        if (marks == 0)
            continue;
        put_place(w, i, &last);
        put_bytes(w, &byte, 1);
        if (marks & MARK_NEW) {
            put_addr(w, &now->local);
            put_addr(w, &now->remote);
            put_number(w, now->uid);
            put_number(w, now->inode);
        }
        if (marks & (MARK_NEW | MARK_STATE))
            put_bytes(w, &now->state, 1);
        w->sockets[i] = *now;
    }
    w->sockets_room = room;
    put_number(w, 0);
}

static void put_listeners(struct reel_writer *w, const struct facts *f)
{
    uint32_t count = f->listeners_count < REEL_LISTENERS ? f->listeners_count : REEL_LISTENERS;
    uint8_t changed = count != w->listeners_count ||
                      (count > 0 && memcmp(f->listeners, w->listeners, count * sizeof(f->listeners[0])) != 0);

    put_bytes(w, &changed, 1);
    if (!changed)
        return;
    put_number(w, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct fact_listener *l = &f->listeners[i];

        put_addr(w, &l->local);
        put_number(w, l->waiting);
        put_number(w, l->most);
        put_number(w, l->uid);
        put_number(w, l->inode);
        w->listeners[i] = *l;
    }
    w->listeners_count = count;
}

/* ---- a frame ---- */

static void forget(struct reel_writer *w)
{
    memset(w->processes, 0, w->processes_room * sizeof(*w->processes));
    memset(w->sockets, 0, w->sockets_room * sizeof(*w->sockets));
    w->processes_room = w->sockets_room = w->names = 0;
    w->listeners_count = UINT32_MAX; /* told anew */
    w->at_us = w->mono_us = 0;
}

struct slice reel_write(struct reel_writer *w, const struct facts *f, const struct values *v, bool key)
{
    struct reel_head h = { .magic = REEL_MAGIC, .at_us = f->at_us, .mono_us = f->mono_us };
    size_t packed;

    h.key = key || !w->told;
    if (h.key)
        forget(w);
    w->len = 0;
    put_values(w, v);
    put_processes(w, f);
    put_sockets(w, f);
    put_listeners(w, f);
    w->told = false;
    if (w->len > REEL_RAW)
        return slice_of(NULL, 0);
    packed = ZSTD_compressCCtx(w->zstd, w->frame + sizeof(h), w->frame_cap - sizeof(h) - 8, w->raw, w->len, 1);
    if (ZSTD_isError(packed))
        return slice_of(NULL, 0);
    w->told = true;
    h.len = (uint32_t)packed;
    h.raw = (uint32_t)w->len;
    h.crc = crc32c(0, w->frame + sizeof(h), packed);
    memcpy(w->frame, &h, sizeof(h));
    memset(w->frame + sizeof(h) + packed, 0, 8);
    return slice_of(w->frame, reel_size(&h));
}
