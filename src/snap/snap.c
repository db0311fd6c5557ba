/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snap/snap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { TEXTS_MOST = 256 << 20 }; /* only touched pages cost */

struct snap *snap_new(struct err *e)
{
    struct snap *s = calloc(1, sizeof(*s));
    void *texts;

    if (!s) {
        err_set(e, ENOMEM, "a snapshot");
        return NULL;
    }
    texts = mmap(NULL, TEXTS_MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (texts == MAP_FAILED) {
        err_set(e, errno, "a snapshot's texts");
        free(s);
        return NULL;
    }
    s->texts = texts;
    return s;
}

void snap_free(struct snap *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < SNAP_PARTS; i++)
        free(s->part[i].at);
    (void)munmap(s->texts, TEXTS_MOST);
    free(s);
}

void *snap_add(struct snap *s, enum snap_part part)
{
    struct snap_array *a = &s->part[part];
    size_t size = snap_kinds[part].size;

    if (a->count == a->cap && a->cap < snap_kinds[part].most) {
        size_t cap = a->cap ? 2 * a->cap : 16;
        void *more;

        if (cap > snap_kinds[part].most)
            cap = snap_kinds[part].most;
        more = reallocarray(a->at, cap, size);
        if (more) {
            a->at = more;
            a->cap = cap;
        }
    }
    if (a->count == a->cap) {
        a->lost++;
        return NULL;
    }
    return memset((uint8_t *)a->at + a->count++ * size, 0, size);
}

struct slice snap_keep(struct snap *s, struct slice bytes)
{
    uint8_t *at = s->texts + s->texts_used;

    if (bytes.len == 0)
        return SLICE("");
    if (bytes.len > TEXTS_MOST - s->texts_used) {
        s->texts_lost++;
        return SLICE("");
    }
    memcpy(at, bytes.at, bytes.len);
    s->texts_used += bytes.len;
    return slice_of(at, bytes.len);
}

struct slice snap_keep_text(struct snap *s, const char *terminated)
{
    return snap_keep(s, slice_text(terminated));
}

void snap_note(struct snap *s, const char *part, const char *format, ...)
{
    char words[512];
    struct snap_note *n = snap_add(s, SNAP_NOTE);
    va_list args;

    if (!n)
        return;
    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    n->part = snap_keep_text(s, part);
    n->text = snap_keep_text(s, words);
}

const struct snap_host *snap_host(const struct snap *s)
{
    static const struct snap_host none;

    return s->part[SNAP_HOST].count > 0 ? s->part[SNAP_HOST].at : &none;
}
