/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/origins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/crc32c.h"
#include "journal/folder.h"
#include "sense/log/lines.h"

enum { SAVE_US = 1000000 };

struct origin {
    char id[ORIGIN_WORD];
    uint64_t taken; /* in memory, perhaps not yet on the disk */
};

struct origins_file {
    uint64_t seq;        /* of our own, up to which `at` is complete */
    uint32_t count, crc; /* CRC32C of all else */
    struct {
        char id[ORIGIN_WORD];
        uint64_t seq;
    } at[ORIGINS_MOST];
};

struct origins {
    int dir;
    struct origin at[ORIGINS_MOST];
    size_t count;
    int64_t saved_us;
    bool dirty;
};

static uint32_t crc_of(const struct origins_file *f)
{
    return crc32c(crc32c(0, &f->seq, sizeof(f->seq)), f->at, sizeof(f->at));
}

static struct origin *find(struct origins *o, struct slice id)
{
    struct origin *one;

    if (id.len != ORIGIN_WORD)
        return NULL;
    for (size_t i = 0; i < o->count; i++)
        if (memcmp(o->at[i].id, id.at, ORIGIN_WORD) == 0)
            return &o->at[i];
    if (o->count == ORIGINS_MOST)
        return NULL;
    one = &o->at[o->count++];
    memcpy(one->id, id.at, ORIGIN_WORD);
    return one;
}

uint64_t *origins_find(struct origins *o, struct slice id)
{
    struct origin *one = find(o, id);

    o->dirty |= one != NULL;
    return one ? &one->taken : NULL;
}

static uint64_t load(struct origins *o)
{
    struct origins_file f;
    uint8_t *bytes;
    size_t len;
    uint64_t seq = 0;

    if (folder_read(o->dir, "origins", sizeof(f), &bytes, &len, NULL) < 0)
        return 0;
    if (len == sizeof(f)) {
        memcpy(&f, bytes, sizeof(f));
        if (f.crc == crc_of(&f) && f.count <= ORIGINS_MOST) {
            for (uint32_t i = 0; i < f.count; i++) {
                struct origin *one = find(o, slice_of(f.at[i].id, ORIGIN_WORD));

                if (one)
                    one->taken = f.at[i].seq;
            }
            seq = f.seq;
        }
    }
    free(bytes);
    return seq;
}

/* "192.0.2.7:4433,4f0c...,": the store stands second in a peer's name. */
static void see(struct origins *o, const struct log_line *line)
{
    struct slice rest;
    struct origin *one;

    if (line->way != LOG_PEER || line->origin_seq == 0)
        return;
    (void)slice_until(line->peer, ',', &rest);
    one = find(o, slice_until(rest, ',', &rest));
    if (one && line->origin_seq > one->taken)
        one->taken = line->origin_seq;
}

static int catch_up(struct origins *o, uint64_t from, struct err *e)
{
    struct lines *l = lines_open_at(o->dir, e);
    struct lines_room room = { 0 };

    if (!l)
        return -1;
    for (size_t i = lines_find(l, from + 1); i < lines_count(l); i++) {
        struct lines_walk w;
        struct log_line line;
        struct slice payload;

        if (lines_load(l, i, &room, &payload, NULL) < 0)
            continue;
        w = lines_walk(payload, lines_block(l, i)->first_seq);
        while (lines_next(&w, &line))
            see(o, &line);
    }
    lines_room_done(&room);
    lines_close(l);
    return 0;
}

struct origins *origins_open(const char *folder, struct err *e)
{
    struct origins *o = calloc(1, sizeof(*o));

    if (!o) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    o->dir = folder_open(folder, e);
    if (o->dir >= 0 && catch_up(o, load(o), e) == 0)
        return o;
    origins_close(o);
    return NULL;
}

void origins_close(struct origins *o)
{
    if (!o)
        return;
    if (o->dir >= 0)
        (void)close(o->dir);
    free(o);
}

void origins_save(struct origins *o, uint64_t seq, int64_t mono_us)
{
    struct origins_file f = { .seq = seq, .count = (uint32_t)o->count };

    if (!o->dirty || mono_us - o->saved_us < SAVE_US)
        return;
    for (size_t i = 0; i < o->count; i++) {
        memcpy(f.at[i].id, o->at[i].id, ORIGIN_WORD);
        f.at[i].seq = o->at[i].taken;
    }
    f.crc = crc_of(&f);
    o->saved_us = mono_us;
    o->dirty = folder_replace(o->dir, "origins", 0640, slice_of(&f, sizeof(f)), NULL) < 0;
}
