/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "journal/cosign.h"
#include "journal/verify_walk.h"

enum trust { BY_NOBODY, BY_PIN, BY_COPY, BY_KEY };

struct cosigned {
    size_t count, next; /* next: of the segments walked so far all are in front of it */
    size_t unknown, damaged;
    struct block_head *heads; /* of the segment that is walked, whose statements are `first` and behind it */
    size_t first;
    struct entry {
        struct cosign c;
        enum trust trust;
        bool met, fits;
    } at[];
};

struct pins {
    uint8_t at[16][SEG_HASH];
    size_t count;
};

/* The keys of witnesses as they were when they were first met: the files `witness-NAME`. */
static void read_pins(int dir, struct pins *p)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!d && fd >= 0)
        (void)close(fd);
    while (d && p->count < 16 && (entry = readdir(d)))
        if (strncmp(entry->d_name, "witness-", 8) == 0 &&
            cosign_public_read(dir, entry->d_name, p->at[p->count], NULL) == 0)
            p->count++;
    if (d)
        (void)closedir(d);
}

static enum trust trust_of(const struct cosign *c, const struct verify_wish *wish, const struct pins *pins, bool copy)
{
    if (wish->witness_key)
        return memcmp(c->key, wish->witness_key, SEG_HASH) == 0 ? BY_KEY : BY_NOBODY;
    if (copy)
        return BY_COPY;
    for (size_t i = 0; i < pins->count; i++)
        if (memcmp(c->key, pins->at[i], SEG_HASH) == 0)
            return BY_PIN;
    return BY_NOBODY;
}

static int take(struct walk *w, struct slice bytes, const struct verify_wish *wish, const struct pins *pins, bool copy,
                struct err *e)
{
    const size_t had = w->cosigned ? w->cosigned->count : 0;
    struct cosigned *all =
        realloc(w->cosigned, sizeof(*all) + (had + bytes.len / sizeof(struct cosign)) * sizeof(all->at[0]));
    struct cosign c;

    if (!all)
        return err_set(e, ENOMEM, "cosigned heads");
    if (!w->cosigned)
        *all = (struct cosigned){ 0 };
    w->cosigned = all;
    while (cosign_next(&bytes, &c)) {
        const enum trust trust = trust_of(&c, wish, pins, copy);

        if (memcmp(c.origin, w->v->id, SEG_HASH) != 0)
            continue;
        if (trust == BY_NOBODY)
            all->unknown++;
        else if (!cosign_is_signed(&c))
            all->damaged++;
        else
            all->at[all->count++] = (struct entry){ .c = c, .trust = trust };
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->c.segment != y->c.segment)
        return x->c.segment < y->c.segment ? -1 : 1;
    return x->c.last_seq < y->c.last_seq ? -1 : x->c.last_seq > y->c.last_seq;
}

/* The copy that the witness keeps: its folder, or the file itself. */
static int read_copy(const char *path, const char *name, uint8_t **at, size_t *len, struct err *e)
{
    const int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result;

    if (dir < 0 && errno != ENOTDIR)
        return err_set(e, errno, "%s", path);
    if (dir < 0)
        return folder_read(AT_FDCWD, path, COSIGNED_MOST + sizeof(struct cosign), at, len, e);
    result = cosigned_read(dir, name, at, len, e);
    (void)close(dir);
    return result;
}

int walk_load_cosigned(struct walk *w, int dir, const struct verify_wish *wish, struct err *e)
{
    const struct file_name name = cosigned_name(w->v->id);
    const struct place at = { .file = name.text };
    struct pins pins = { 0 };
    uint8_t *bytes = NULL;
    size_t len;
    size_t own;
    int result;

    read_pins(dir, &pins);
    result = cosigned_read(dir, name.text, &bytes, &len, e);
    if (result == 0)
        result = take(w, slice_of(bytes, len), wish, &pins, false, e);
    free(bytes);
    own = result == 0 ? w->cosigned->count : 0;
    if (result == 0 && wish->witness) {
        result = read_copy(wish->witness, name.text, &bytes, &len, e);
        if (result == 0) {
            result = take(w, slice_of(bytes, len), wish, &pins, true, e);
            free(bytes);
        }
        if (result == 0 && w->cosigned->count == own)
            walk_report(w, FAULT_MISSING, &at, "the witness's copy holds no head of this journal");
    }
    if (result < 0)
        return -1;
    w->cosigned->heads = calloc(w->cosigned->count + 1, sizeof(struct block_head));
    if (!w->cosigned->heads)
        return err_set(e, ENOMEM, "cosigned heads");
    qsort(w->cosigned->at, w->cosigned->count, sizeof(w->cosigned->at[0]), by_place);
    if (w->cosigned->damaged > 0)
        walk_report(w, FAULT_CHANGED, &at, "%zu cosigned heads are not what was signed", w->cosigned->damaged);
    if (w->cosigned->unknown > 0)
        walk_report(w, FAULT_NONE, &at,
                    "%zu cosigned heads are signed with a key that is not known: they count for nothing",
                    w->cosigned->unknown);
    return 0;
}

struct words {
    char text[40];
};
static struct words when_of(const struct cosign *c)
{
    struct words when;
    struct text t = TEXT_IN(when.text);

    text_time(&t, c->at_us, 0);
    return when;
}

void walk_meets_head(struct walk *w, const struct seg_seal *s, const char *file)
{
    struct cosigned *all = w->cosigned;
    const struct place at = { .file = file, .segment = s->segment, .first_seq = s->first_seq, .last_seq = s->last_seq };
    bool told = false;

    while (all->next < all->count && all->at[all->next].c.segment < s->segment)
        all->next++;
    for (; all->next < all->count && all->at[all->next].c.segment == s->segment; all->next++) {
        struct entry *entry = &all->at[all->next];

        entry->met = true; /* of an expired segment an open one can't be looked at */
        if (cosign_is_open(&entry->c))
            continue;
        entry->fits = cosign_fits(&entry->c, s);
        if (entry->fits) {
            w->v->cosigned++;
            continue;
        }
        if (!told)
            walk_report(w, FAULT_CHANGED, &at, "the head of segment %llu is not the one that %s cosigned at %s",
                        (unsigned long long)s->segment, entry->c.host, when_of(&entry->c).text);
        told = true;
    }
}

/* The next open one of that segment, from *from on; NULL: there is none. */
static struct entry *next_open(struct cosigned *all, uint64_t segment, size_t *from)
{
    while (*from < all->count && all->at[*from].c.segment <= segment) {
        struct entry *entry = &all->at[(*from)++];

        if (entry->c.segment == segment && cosign_is_open(&entry->c))
            return entry;
    }
    return NULL;
}

/* Each block hears of those within it. */
static void hand_out(struct block_head *next, const struct block_head *end, struct block_check *at, size_t count)
{
    struct seg_block b;

    for (; count > 0; count--, at++) {
        if (!at->is_block || !seg_read_block(&at->el, &b))
            continue;
        while (next < end && next->seq < b.first_seq)
            next++;
        at->heads = next;
        while (next < end && next->seq <= b.last_seq)
            next++;
        at->heads_count = (size_t)(next - at->heads);
        if (at->heads_count > 0)
            at->proof = NULL;
    }
}

void walk_wants_heads(struct walk *w, uint64_t segment, struct block_check *at, size_t count)
{
    struct cosigned *all = w->cosigned;
    const struct entry *entry;
    size_t n = 0;
    size_t from;

    if (!all)
        return;
    while (all->first < all->count && all->at[all->first].c.segment < segment)
        all->first++;
    from = all->first;
    while ((entry = next_open(all, segment, &from)))
        all->heads[n++] = (struct block_head){ .seq = entry->c.last_seq, .chain = entry->c.chain };
    hand_out(all->heads, all->heads + n, at, count);
}

void walk_saw_heads(struct walk *w, uint64_t segment, const char *file)
{
    struct cosigned *all = w->cosigned;
    struct place at = { .file = file, .segment = segment };
    size_t from = all ? all->first : 0;
    struct entry *entry;
    bool told = false;

    for (size_t n = 0; all && (entry = next_open(all, segment, &from)); n++) {
        entry->met = all->heads[n].met;
        entry->fits = all->heads[n].fits;
        w->v->cosigned += entry->fits;
        at.last_seq = entry->c.last_seq;
        if (entry->met && !entry->fits && !told)
            walk_report(w, FAULT_CHANGED, &at, "the lines up to %llu are not those whose head %s cosigned at %s",
                        (unsigned long long)entry->c.last_seq, entry->c.host, when_of(&entry->c).text);
        told = told || (entry->met && !entry->fits);
    }
}

static void report_unmet(struct walk *w, const struct cosign *c)
{
    const struct file_name name = folder_name(c->segment, "zst");
    const struct place at = { .file = name.text, .segment = c->segment, .last_seq = c->last_seq };

    walk_report(w, c->segment >= w->segment ? FAULT_CUT : FAULT_MISSING, &at,
                "segment %llu, up to %llu, whose head %s cosigned at %s, is not here as it was%s",
                (unsigned long long)c->segment, (unsigned long long)c->last_seq, c->host, when_of(c).text,
                cosign_is_open(c) ? "" : " sealed");
}

/* Of an open head. */
static struct words up_to(const struct cosign *c)
{
    struct words where = { "" };
    struct text t = TEXT_IN(where.text);

    if (cosign_is_open(c))
        text_addf(&t, " up to %llu", (unsigned long long)c->last_seq);
    return where;
}

static const char *worth(enum trust trust)
{
    return trust == BY_KEY  ? "; by the key that was given"
         : trust == BY_COPY ? "; by the witness's own copy"
                            : "; by the key that was kept when the two first met: as good as this host is";
}

/* It says more: of later lines, of a sealed segment, by somebody who is better known. */
static bool is_better(const struct entry *x, const struct entry *than)
{
    if (x->c.last_seq != than->c.last_seq)
        return x->c.last_seq > than->c.last_seq;
    if (cosign_is_open(&x->c) != cosign_is_open(&than->c))
        return cosign_is_open(&than->c);
    return x->trust > than->trust;
}

void walk_end_cosigned(struct walk *w)
{
    const struct entry *best = NULL;
    struct cosigned *all = w->cosigned;
    uint64_t told = 0;

    for (size_t i = 0; all && i < all->count; i++) {
        const struct entry *entry = &all->at[i];

        if (!entry->met && entry->c.segment != told) {
            told = entry->c.segment;
            report_unmet(w, &entry->c);
        }
        if (entry->fits && (!best || is_better(entry, best)))
            best = entry;
    }
    if (best) {
        const struct place at = { .file = ".", .segment = best->c.segment, .last_seq = best->c.last_seq };

        w->v->cosigned_segment = best->c.segment;
        walk_report(w, FAULT_NONE, &at, "the head of segment %llu%s is cosigned by %s at %s%s",
                    (unsigned long long)best->c.segment, up_to(&best->c).text, best->c.host, when_of(&best->c).text,
                    worth(best->trust));
    }
    walk_free_cosigned(w);
}

void walk_free_cosigned(struct walk *w)
{
    if (w->cosigned)
        free(w->cosigned->heads);
    free(w->cosigned);
    w->cosigned = NULL;
}
