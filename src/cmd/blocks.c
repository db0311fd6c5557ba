/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola blocks: who is blocked now, as the kernel counts it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/blocks.h"
#include "view/paint.h"

static const struct usage usage = {
    .name = "blocks",
    .what = N_("Lists the hosts that are blocked now: since when, how long still, and what was dropped since."),
    .synopsis = "[--json]",
    .examples = N_("serviola blocks|a table\n"
                   "serviola blocks --json | jq -r .host|the addresses alone"),
};

struct list {
    struct ctl_entry *at; /* owned */
    size_t count, cap;
    bool full;
};

static void add(void *own, const struct ctl_entry *entry)
{
    struct list *l = own;

    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 256;
        struct ctl_entry *more = reallocarray(l->at, cap, sizeof(*more));

        if (!more) {
            l->full = true;
            return;
        }
        l->at = more;
        l->cap = cap;
    }
    l->at[l->count++] = *entry;
}

static int by_since(const void *a, const void *b)
{
    const struct ctl_entry *x = a;
    const struct ctl_entry *y = b;

    return x->since_us < y->since_us ? -1 : x->since_us > y->since_us;
}

static void print(struct list *l, bool json)
{
    int64_t now_us = clock_wall_us();

    if (l->count > 0)
        qsort(l->at, l->count, sizeof(l->at[0]), by_since);
    for (size_t i = 0; i < l->count && json; i++)
        blocks_json(&l->at[i], now_us, stdout);
    if (!json)
        blocks_print(l->at, l->count, now_us, stdout, paint_wanted(STDOUT_FILENO));
    if (l->full)
        say(_("no memory for all of them"));
}

int cmd_blocks(int argc, char **argv)
{
    struct common_options o = { 0 };
    struct sight s = { 0 };
    struct list l = { 0 };
    struct err e;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    code = sight_configure(&s, &o);
    if (code != EXIT_FINE)
        goto out;
    s.client = client_open(s.conf->core.control, &e);
    if (!s.client || client_blocks(s.client, add, &l, &e) < 0) {
        say("%s", e.text);
        code = EXIT_CANNOT;
        goto out;
    }
    print(&l, o.json);
out:
    free(l.at);
    sight_close(&s);
    return code;
}
