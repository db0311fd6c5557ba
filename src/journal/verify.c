/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/expired.h"
#include "journal/folder.h"
#include "journal/seal.h"
#include "journal/verify_walk.h"

static const size_t file_max = (size_t)2 << 30;

const char *fault_name(enum fault f)
{
    static const char *const names[] = {
        [FAULT_NONE] = "note",
        [FAULT_CHANGED] = "changed",
        [FAULT_CUT] = "cut",
        [FAULT_MISSING] = "missing",
        [FAULT_SWAPPED] = "swapped",
        [FAULT_UNTRUSTED] = "untrusted",
        [FAULT_UNREADABLE] = "unreadable",
    };

    return names[f];
}

void walk_report(struct walk *w, enum fault fault, const struct place *at, const char *format, ...)
{
    struct finding f = { .fault = fault,
                         .segment = at->segment,
                         .first_seq = at->first_seq,
                         .last_seq = at->last_seq,
                         .offset = at->offset };
    va_list args;

    va_start(args, format);
    (void)vsnprintf(f.text, sizeof(f.text), format, args);
    va_end(args);
    (void)snprintf(f.file, sizeof(f.file), "%s", at->file);
    if (fault != FAULT_NONE)
        w->v->faults++;
    w->found(w->own, &f);
}

void walk_saw_head(struct walk *w, const uint8_t chain[SEG_HASH])
{
    if (w->since_head && memcmp(chain, w->since_head, SEG_HASH) == 0)
        w->head_seen = true;
}

static void report_missing(struct walk *w, const struct place *at, uint64_t segment, uint64_t first_seq)
{
    struct place gap = { .file = at->file, .segment = w->segment + 1, .first_seq = w->last_seq + 1 };

    if (first_seq > gap.first_seq)
        gap.last_seq = first_seq - 1;
    if (segment == w->segment + 2)
        walk_report(w, FAULT_MISSING, &gap, "segment %llu is missing", (unsigned long long)gap.segment);
    else
        walk_report(w, FAULT_MISSING, &gap, "segments %llu to %llu are missing", (unsigned long long)gap.segment,
                    (unsigned long long)segment - 1);
}

void walk_enter(struct walk *w, const struct place *at, uint64_t segment, const uint8_t key[SEG_HASH],
                const uint8_t prev[SEG_HASH], uint64_t first_seq)
{
    if (segment > w->segment + 1) {
        report_missing(w, at, segment, first_seq);
        w->known = w->promises = w->proven = false;
    }
    if (segment == 1 && memcmp(key, w->v->id, SEG_HASH) != 0) {
        w->proven = false;
        walk_report(w, FAULT_UNTRUSTED, at, "segment 1 does not carry the key that is the journal's id");
    }
    if (w->promises && memcmp(key, w->promised, SEG_HASH) != 0) {
        w->proven = false;
        walk_report(w, FAULT_UNTRUSTED, at, "its key is not the one that the seal before it names");
    }
    if (w->known && memcmp(prev, w->chain, SEG_HASH) != 0)
        walk_report(w, FAULT_CHANGED, at, "its chain does not begin where the one before it ends");
    walk_meets_key(w, segment, key);
    memcpy(w->chain, prev, SEG_HASH);
    w->known = true;
    w->promises = false;
    w->segment = segment;
    walk_saw_head(w, prev);
}

void walk_leave(struct walk *w, const struct seg_seal *s, const char *file, bool trusted)
{
    walk_meets_head(w, s, file);
    memcpy(w->chain, s->chain, SEG_HASH);
    memcpy(w->promised, s->next_key, SEG_HASH);
    w->promises = trusted;
    w->known = true;
    w->proven = w->proven && trusted;
    w->last_seq = s->last_seq;
    walk_saw_head(w, s->chain);
}

static int walk_expired(struct walk *w, int dir, struct err *e)
{
    struct place at = { .file = "expired" };
    struct seg_seal s;
    struct slice rest;
    enum seg_got got;
    uint8_t *bytes;
    size_t len;

    if (expired_read(dir, &bytes, &len, e) < 0)
        return -1;
    rest = slice_of(bytes, len);
    while (at.offset = len - rest.len, (got = expired_next(&rest, &s)) != SEG_END) {
        at.segment = got == SEG_GOT ? s.segment : w->segment + 1;
        at.first_seq = got == SEG_GOT ? s.first_seq : 0;
        at.last_seq = got == SEG_GOT ? s.last_seq : 0;
        if (got != SEG_GOT)
            walk_report(w, FAULT_CHANGED, &at, "what stands here is no seal");
        else if (s.segment <= w->segment)
            walk_report(w, FAULT_SWAPPED, &at, "the seal of segment %llu stands behind that of %llu",
                        (unsigned long long)s.segment, (unsigned long long)w->segment);
        else {
            bool signed_well = seal_is_signed(&s);

            walk_enter(w, &at, s.segment, s.key, s.prev, s.first_seq);
            if (!signed_well)
                walk_report(w, FAULT_CHANGED, &at, "its signature is wrong");
            walk_leave(w, &s, at.file, signed_well);
            w->v->expired++;
        }
    }
    free(bytes);
    if (w->v->expired > 0) {
        at = (struct place){ .file = "expired", .segment = w->segment, .last_seq = w->last_seq };
        walk_report(w, FAULT_NONE, &at,
                    "the journal here begins behind event %llu: %llu earlier segments expired, their seals are here",
                    (unsigned long long)w->last_seq, (unsigned long long)w->v->expired);
    }
    return 0;
}

static void walk_file(struct walk *w, int dir, const struct folder_entry *entry)
{
    struct file_name name = folder_name(entry->segment, entry->zst ? "zst" : "wal");
    struct place at = { .file = name.text, .segment = entry->segment };
    struct err why = { 0 };
    uint8_t *bytes;
    size_t len;

    if (entry->segment <= w->segment) {
        walk_report(w, FAULT_NONE, &at, "it has expired; the writer removes it at its next start");
        return;
    }
    if (folder_read(dir, name.text, file_max, &bytes, &len, &why) < 0) {
        walk_report(w, FAULT_UNREADABLE, &at, "%.200s", why.text);
        w->segment = entry->segment;
        w->known = w->promises = w->proven = false;
        return;
    }
    w->v->stored_bytes += len;
    w->v->segments++;
    walk_segment(w, name.text, entry->segment, entry->zst, slice_of(bytes, len));
    free(bytes);
}

/* The key file knows which segment is the newest: cutting off the newest ones shows here. */
static void check_tip(struct walk *w, int dir, const struct folder_list *list)
{
    struct place at = { .file = "key", .segment = w->segment };
    bool active = list->count > 0 && list->at[list->count - 1].wal;
    struct err why = { 0 };
    struct seal_keys keys;

    if (!active)
        walk_report(w, FAULT_CUT, &at, "there is no active segment behind segment %llu",
                    (unsigned long long)w->segment);
    if (seal_keys_load(dir, &keys, &why) < 0) {
        walk_report(w, FAULT_NONE, &at, "%.120s: that the newest segment is the newest one made is not shown",
                    why.text);
        return;
    }
    if (keys.segment > w->segment)
        walk_report(w, FAULT_CUT, &at, "the key is that of segment %llu: the newest segments are gone",
                    (unsigned long long)keys.segment);
    else
        w->v->tip_proven = active;
    seal_keys_forget(&keys);
}

/* The id as the journal itself says: of the oldest seal or head that is left. */
static int find_id(int dir, const struct folder_list *list, uint8_t id[SEG_HASH], struct err *e)
{
    struct seg_seal seal;
    struct seg_head head;
    struct seg_scan scan;
    struct seg_element el;
    struct slice rest;
    uint8_t *bytes;
    size_t len;
    bool found = false;

    if (expired_read(dir, &bytes, &len, e) < 0)
        return -1;
    rest = slice_of(bytes, len);
    if (expired_next(&rest, &seal) == SEG_GOT) {
        memcpy(id, seal.id, SEG_HASH);
        found = true;
    }
    free(bytes);
    for (size_t i = 0; i < list->count && !found; i++) {
        struct file_name name = folder_name(list->at[i].segment, list->at[i].zst ? "zst" : "wal");

        if (folder_read(dir, name.text, file_max, &bytes, &len, NULL) < 0)
            continue;
        if (seg_scan_start(&scan, slice_of(bytes, len)) && seg_next(&scan, &el) == SEG_GOT &&
            seg_read_head(&el, &head)) {
            memcpy(id, head.id, SEG_HASH);
            found = true;
        }
        free(bytes);
    }
    return 0;
}

static void check_claims(struct walk *w, const uint8_t *id)
{
    struct place at = { .file = "." };

    w->v->id_proven = id && w->proven && memcmp(id, w->v->id, SEG_HASH) == 0;
    if (id && memcmp(id, w->v->id, SEG_HASH) != 0)
        walk_report(w, FAULT_UNTRUSTED, &at, "this is another journal than the one with the id given");
    if (w->since_head && !w->head_seen)
        walk_report(w, FAULT_MISSING, &at,
                    "the chain head given does not occur: what it stood for was changed or cut off");
    memcpy(w->v->head, w->chain, SEG_HASH);
    w->v->last_seq = w->last_seq;
}

int journal_verify_as(const char *folder, const struct verify_wish *wish,
                      void (*found)(void *own, const struct finding *f), void *own, struct verdict *v, struct err *e)
{
    struct walk w = {
        .found = found, .own = own, .v = v, .since_head = wish->since_head, .quick = wish->quick, .proven = true
    };
    struct folder_list list = { 0 };
    int dir = -1;
    int result = -1;

    *v = (struct verdict){ 0 };
    if (seal_start(e) < 0 || (dir = folder_open(folder, e)) < 0)
        return -1;
    if (folder_read_list(dir, &list, e) < 0 || find_id(dir, &list, v->id, e) < 0 ||
        walk_load_cosigned(&w, dir, wish, e) < 0 || walk_expired(&w, dir, e) < 0)
        goto done;
    for (size_t i = 0; i < list.count; i++)
        walk_file(&w, dir, &list.at[i]);
    check_tip(&w, dir, &list);
    walk_end_vouchers(&w);
    walk_end_cosigned(&w);
    check_claims(&w, wish->id);
    result = 0;
done:
    walk_free_cosigned(&w);
    folder_list_free(&list);
    close(dir);
    return result;
}

int journal_verify(const char *folder, const uint8_t *id, const uint8_t *since_head,
                   void (*found)(void *own, const struct finding *f), void *own, struct verdict *v, struct err *e)
{
    const struct verify_wish wish = { .id = id, .since_head = since_head };

    return journal_verify_as(folder, &wish, found, own, v, e);
}
