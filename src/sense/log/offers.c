/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/offers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "journal/expired.h"
#include "journal/seal.h"

static struct file_name pin_name(const struct offers *o)
{
    struct file_name n;

    (void)snprintf(n.text, sizeof(n.text), "witness-%.20s", o->name);
    return n;
}

/* What we have already, so that nothing is kept twice. */
static void load(struct offers *o)
{
    const struct file_name name = cosigned_name(o->id);
    struct cosign c;
    struct slice rest;
    uint8_t *at;
    size_t len;

    o->loaded = true;
    o->pinned = cosign_public_read(o->dir, pin_name(o).text, o->pin, NULL) == 0;
    if (!o->pinned || cosigned_read(o->dir, name.text, &at, &len, NULL) < 0)
        return;
    rest = slice_of(at, len);
    while (cosign_next(&rest, &c))
        if (memcmp(c.key, o->pin, SEG_HASH) == 0 && !cosign_is_open(&c) && c.segment > o->kept)
            o->kept = c.segment;
    free(at);
}

void offers_begin(struct offers *o)
{
    if (!o->loaded)
        load(o);
    o->next = o->goal = o->offered = 0;
    o->waiting = o->stopped = false;
}

/* ---- our own seals ---- */

static bool read_expired(int dir, uint64_t segment, struct seg_seal *s)
{
    struct slice rest;
    enum seg_got got;
    uint8_t *at;
    size_t len;
    bool found = false;

    if (expired_read(dir, &at, &len, NULL) < 0)
        return false;
    rest = slice_of(at, len);
    while (!found && (got = expired_next(&rest, s)) != SEG_END)
        found = got == SEG_GOT && s->segment == segment;
    free(at);
    return found;
}

static bool read_own(const struct offers *o, uint64_t segment, struct seg_seal *s)
{
    return seal_read_of(o->dir, segment, s, NULL) == 0 || read_expired(o->dir, segment, s);
}

static uint64_t newest_sealed(const struct offers *o)
{
    struct folder_list list = { 0 };
    uint64_t newest = 0;

    if (folder_read_list(o->dir, &list, NULL) == 0)
        for (size_t i = 0; i < list.count; i++)
            newest = list.at[i].zst ? list.at[i].segment : newest;
    folder_list_free(&list);
    return newest;
}

static void differ(struct offers *o, uint64_t segment, const char *why)
{
    o->differs = segment;
    (void)snprintf(o->why, sizeof(o->why), "%s", why);
}

/* Those that have expired only on the way to the goal: else it is the next one, which is still to come. */
static bool read_to_offer(const struct offers *o, uint64_t segment, struct seg_seal *s)
{
    return segment < o->goal ? read_own(o, segment, s) : seal_read_of(o->dir, segment, s, NULL) == 0;
}

/* It stands behind `segment`, and says something new. */
static bool is_open_to_offer(const struct offers *o, uint64_t segment, uint64_t acked)
{
    return o->open.segment == segment + 1 && o->open.last_seq > o->offered && o->open.last_seq <= acked;
}

size_t offers_make(struct offers *o, uint64_t acked, int64_t mono_us, struct seg_seal at[OFFERS_SEALS])
{
    size_t count = 0;

    if (o->waiting || o->stopped || mono_us - o->asked_us < OFFERS_EVERY_US)
        return 0;
    o->asked_us = mono_us;
    if (o->next == 0)
        o->next = newest_sealed(o);
    while (o->next > 0 && count < OFFERS_SEALS && read_to_offer(o, o->next + count, &at[count]) &&
           (at[count].records == 0 || at[count].last_seq <= acked))
        count++;
    if (count < OFFERS_SEALS && is_open_to_offer(o, o->next > 0 ? o->next + count - 1 : 0, acked)) {
        o->offered = o->open.last_seq;
        at[count++] = o->open;
    }
    if (count == 0 && o->next < o->goal && !read_own(o, o->next, &at[0]))
        differ(o, o->next, "it is missing here, and later ones are not");
    o->waiting = count > 0;
    return count;
}

/* ---- answers ---- */

static void differ_from(struct offers *o, const struct cosign *c, const char *what)
{
    char when[40];
    struct text t = TEXT_IN(when);
    char why[160];
    struct text words = TEXT_IN(why);

    text_time(&t, c->at_us, 0);
    text_visible(&words, slice_of(c->host, strnlen(c->host, sizeof(c->host))));
    text_addf(&words, " cosigned its head at %s, up to line %llu, and %s", when, (unsigned long long)c->last_seq, what);
    differ(o, c->segment, why);
}

/* Whose word it is; the first key that we hear is kept. */
static bool is_witness(struct offers *o, const struct cosign *c)
{
    if (memcmp(c->origin, o->id, SEG_HASH) != 0 || !cosign_is_signed(c))
        return false;
    if (o->pinned)
        return memcmp(c->key, o->pin, SEG_HASH) == 0;
    memcpy(o->pin, c->key, SEG_HASH);
    o->pinned = cosign_public_save(o->dir, pin_name(o).text, o->pin, NULL) == 0;
    return o->pinned;
}

static bool keep(struct offers *o, const struct cosign *c)
{
    return cosigned_add(o->dir, c, 1, NULL) == 0; /* else our disk refuses: another time */
}

/* Of an earlier line, nobody can tell here: verify does. */
static bool take_open(struct offers *o, const struct cosign *c)
{
    if (c->segment != o->open.segment || c->last_seq < o->open.last_seq)
        return true;
    if (c->last_seq > o->open.last_seq) {
        differ_from(o, c, "ours ends before it");
        return false;
    }
    if (!cosign_fits(c, &o->open)) {
        differ_from(o, c, "ours is another one there");
        return false;
    }
    return keep(o, c);
}

/* A statement against our own seal; false: no more of this answer. */
static bool take_one(struct offers *o, const struct cosign *c)
{
    struct seg_seal own;

    if (!is_witness(o, c)) {
        differ(o, c->segment, "what came back is not signed with the key that is kept of the other side");
        o->stopped = true;
        return false;
    }
    if (cosign_is_open(c))
        return take_open(o, c);
    if (!read_own(o, c->segment, &own)) {
        differ_from(o, c, "no such segment is here");
        return false;
    }
    if (!cosign_fits(c, &own)) {
        differ_from(o, c, "ours ends otherwise");
        return false;
    }
    if (c->segment > o->kept) {
        if (!keep(o, c))
            return false;
        o->kept = c->segment;
    }
    if (c->segment >= o->next)
        o->next = c->segment + 1;
    return true;
}

void offers_take(struct offers *o, struct slice answer)
{
    struct slice rest;
    const struct slice word = slice_until(answer, '\n', &rest);
    struct cosign c = { 0 };
    bool fine = true;

    o->waiting = false;
    while (fine && cosign_next(&rest, &c))
        fine = take_one(o, &c);
    if (slice_eq(word, SLICE("AGAINST"))) { /* to say it once is enough */
        o->stopped = true;
        if (fine)
            differ(o, c.segment > 0 ? c.segment : o->next,
                   "the other side does not cosign what follows it: it is not what that segment's seal promised");
    } else if (slice_eq(word, SLICE("FROM")) && c.segment > 0) {
        o->goal = o->next > o->goal ? o->next : o->goal;
        o->next = c.segment;
    }
}
