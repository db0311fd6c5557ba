/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seals that a stranger offers and statements that a stranger sends back: nothing is signed or kept that does not fit.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/seal.h"
#include "sense/log/offers.h"
#include "sense/log/witness.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];
static struct seal_keys keys;
static int dir;

static void clear(void)
{
    const struct file_name name = cosigned_name(keys.id);

    (void)unlinkat(dir, name.text, 0);
    (void)unlinkat(dir, "witness-a", 0);
}

static void set_up(void)
{
    struct err e;

    MUST(seal_start(&e) == 0);
    (void)snprintf(folder, sizeof(folder), "%s/serviola-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    MUST(mkdtemp(folder));
    dir = folder_open(folder, &e);
    MUST(dir >= 0);
    memset(keys.seed, 7, sizeof(keys.seed));
    memset(keys.next_seed, 7, sizeof(keys.next_seed)); /* each promises the same key: so rows of them fit */
    seal_public(keys.seed, keys.id);
}

static void tear_down(void)
{
    clear();
    (void)unlinkat(dir, "witness", 0);
    (void)unlinkat(dir, "witness.pub", 0);
    (void)close(dir);
    (void)rmdir(folder);
}

/* A byte each: which segment, where it begins and ends; all of it signed as it should be. */
static size_t make_seals(struct slice *in, struct seg_seal at[WITNESS_SEALS])
{
    size_t count = 0;

    while (in->len >= 4 && count < WITNESS_SEALS) {
        struct seg_seal *s = &at[count++];

        *s = (struct seg_seal){
            .segment = in->at[0] % 16 + 1, .last_seq = in->at[1], .records = 1, .index_at = in->at[0] < 0x80
        };
        s->prev[0] = in->at[2];
        s->chain[0] = in->at[3];
        seal_sign(&keys, s);
        *in = slice_skip(*in, 4);
        if (s->last_seq % 8 == 7)
            break;
    }
    return count;
}

static void check(const struct witness_answer *a, struct cosign seen[17])
{
    MUST(a->count <= WITNESS_SEALS + 1);
    for (size_t i = 0; i < a->count; i++) {
        const struct cosign *c = &a->at[i];

        MUST(cosign_is_signed(c) && c->segment >= 1 && c->segment <= 16);
        if (cosign_is_open(c))
            continue;
        if (seen[c->segment].segment > 0)
            MUST(memcmp(seen[c->segment].chain, c->chain, SEG_HASH) == 0 && seen[c->segment].last_seq == c->last_seq);
        seen[c->segment] = *c;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size < 4096 ? size : 4096);
    struct cosign seen[17] = { { .segment = 0 } };
    struct offers o = { .name = "a" };
    struct seg_seal seals[WITNESS_SEALS];
    struct witness_answer a;
    struct witness *w;
    int64_t mono_us = 0;
    size_t count;
    struct err e;

    if (!folder[0]) {
        set_up();
        (void)atexit(tear_down);
    }
    clear();
    w = witness_open(folder, &e);
    MUST(w);
    MUST(witness_judge(w, in, UINT64_MAX, 1, 0, &a) == WITNESS_BAD || a.count > 0);
    o.dir = dir;
    memcpy(o.id, keys.id, sizeof(o.id));
    offers_begin(&o);
    offers_take(&o, in);
    MUST(o.kept == 0); /* no such segment is here */
    while ((count = make_seals(&in, seals)) > 0) {
        mono_us += 1000000;
        if (witness_judge(w, slice_of(seals, count * sizeof(seals[0])), 200, 1, mono_us, &a) != WITNESS_BAD)
            check(&a, seen);
    }
    witness_close(w);
    return 0;
}
