/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "journal/verify_walk.h"

struct vouchers {
    size_t count, cap;
    struct voucher { /* waits for the key of segment `by` */
        uint64_t segment, by;
        uint8_t key[SEG_HASH];
    } at[];
};

static void untrusted(struct walk *w, const struct voucher *v, const char *why)
{
    const struct file_name name = folder_name(v->segment, "zst");
    const struct place at = { .file = name.text, .segment = v->segment };

    walk_report(w, FAULT_UNTRUSTED, &at, "it was packed again, and that is signed in the name of segment %llu, %s",
                (unsigned long long)v->by, why);
}

void walk_vouched(struct walk *w, const struct place *at, const struct seg_vouch *v)
{
    struct vouchers *all = w->vouchers;
    const size_t count = all ? all->count : 0;

    if (!all || count == all->cap) {
        const size_t cap = count * 2 + 64;

        all = realloc(all, sizeof(*all) + cap * sizeof(all->at[0]));
        if (!all) {
            walk_report(w, FAULT_UNREADABLE, at, "no memory to find who packed it again");
            return;
        }
        all->count = count;
        all->cap = cap;
        w->vouchers = all;
    }
    all->at[all->count] = (struct voucher){ .segment = at->segment, .by = v->segment };
    memcpy(all->at[all->count++].key, v->key, SEG_HASH);
}

void walk_meets_key(struct walk *w, uint64_t segment, const uint8_t key[SEG_HASH])
{
    struct vouchers *all = w->vouchers;
    size_t left = 0;

    for (size_t i = 0; all && i < all->count; i++) {
        const struct voucher v = all->at[i];

        if (v.by != segment)
            all->at[left++] = v;
        else if (memcmp(v.key, key, SEG_HASH) != 0)
            untrusted(w, &v, "whose key is another one");
    }
    if (all)
        all->count = left;
}

/* Of a segment that is missing or has lost its head that was told already. */
void walk_end_vouchers(struct walk *w)
{
    struct vouchers *all = w->vouchers;

    for (size_t i = 0; all && i < all->count; i++)
        if (all->at[i].by > w->segment)
            untrusted(w, &all->at[i], "which is not here");
    free(all);
    w->vouchers = NULL;
}
