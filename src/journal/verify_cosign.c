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

static int by_segment(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    return x->c.segment < y->c.segment ? -1 : x->c.segment > y->c.segment;
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
    qsort(w->cosigned->at, w->cosigned->count, sizeof(w->cosigned->at[0]), by_segment);
    if (w->cosigned->damaged > 0)
        walk_report(w, FAULT_CHANGED, &at, "%zu cosigned heads are not what was signed", w->cosigned->damaged);
    if (w->cosigned->unknown > 0)
        walk_report(w, FAULT_NONE, &at,
                    "%zu cosigned heads are signed with a key that is not known: they count for nothing",
                    w->cosigned->unknown);
    return 0;
}

struct when {
    char text[40];
};
static struct when when_of(const struct cosign *c)
{
    struct when when;
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

        entry->met = true;
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

static void report_unmet(struct walk *w, const struct cosign *c)
{
    const struct file_name name = folder_name(c->segment, "zst");
    const struct place at = { .file = name.text, .segment = c->segment, .last_seq = c->last_seq };

    walk_report(w, c->segment >= w->segment ? FAULT_CUT : FAULT_MISSING, &at,
                "segment %llu, up to %llu, whose head %s cosigned at %s, is not here as it was sealed",
                (unsigned long long)c->segment, (unsigned long long)c->last_seq, c->host, when_of(c).text);
}

static const char *worth(enum trust trust)
{
    return trust == BY_KEY  ? "; by the key that was given"
         : trust == BY_COPY ? "; by the witness's own copy"
                            : "; by the key that was kept when the two first met: as good as this host is";
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
        if (entry->fits && (!best || entry->c.segment > best->c.segment || entry->trust > best->trust))
            best = entry;
    }
    if (best) {
        const struct place at = { .file = ".", .segment = best->c.segment, .last_seq = best->c.last_seq };

        w->v->cosigned_segment = best->c.segment;
        walk_report(w, FAULT_NONE, &at, "the head of segment %llu is cosigned by %s at %s%s",
                    (unsigned long long)best->c.segment, best->c.host, when_of(&best->c).text, worth(best->trust));
    }
    free(all);
    w->cosigned = NULL;
}
