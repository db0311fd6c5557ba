/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one part says to another.  Memory files: they pass through here, and
 * the newest of each stays, so that whoever dies and comes again goes on with
 * the same memory, however slow the disk is.  What is in them is not looked at.
 */
#include <string.h>
#include <unistd.h>

#include "core/core.h"

static const struct relay {
    uint16_t op;
    const char *from, *to; /* rows */
    bool back;             /* who made it gets it again, or hears that there is none */
} relays[] = {
    { LINK_BOOK, "book", "gate", true },           { LINK_LISTS, "lists", "gate", false },
    { LINK_ACCOUNTS, "gate", "book", true }, /* before what the disk has: it is newer */
    { LINK_ACCOUNTS_KEPT, "book", "gate", false }, { LINK_BOARD, "watch", "metrics", false },
};
_Static_assert(sizeof(relays) / sizeof(relays[0]) == CORE_RELAYS, "the core has a place for each");

void relay_open(struct core *c)
{
    for (size_t i = 0; i < CORE_RELAYS; i++)
        c->relayed[i] = -1;
}

static void give(struct core *c, const struct relay *r, int fd)
{
    for (uint32_t i = 0; i < roster_count; i++)
        if (strcmp(roster[i].name, r->to) == 0)
            (void)peer_say(&c->peers[i], r->op, 0, 0, NULL, 0, fd);
}

void relay_brief(struct peer *p)
{
    struct core *c = p->core;

    for (size_t i = 0; i < CORE_RELAYS; i++) {
        const struct relay *r = &relays[i];
        bool receives = strcmp(p->row->name, r->to) == 0 && c->relayed[i] >= 0;

        if (receives || (r->back && strcmp(p->row->name, r->from) == 0))
            (void)peer_say(p, r->op, 0, 0, NULL, 0, c->relayed[i]);
    }
}

int relay_on_file(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;
    struct core *c = p->core;

    (void)from;
    (void)body;
    for (size_t i = 0; i < CORE_RELAYS && fd >= 0; i++) {
        if (relays[i].op != m->op || strcmp(relays[i].from, p->row->name) != 0)
            continue;
        if (c->relayed[i] >= 0)
            (void)close(c->relayed[i]);
        c->relayed[i] = fd;
        give(c, &relays[i], fd);
        return 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1; /* no file, or not its own */
}

/* A message that is looked at here too: only who sends nonsense is ended for it. */
int relay_on_mail(void *ctx, struct chan *from, const struct msg *m, const void *body, int fd)
{
    struct peer *p = ctx;

    (void)from;
    (void)fd;
    if (strcmp(p->row->name, "log") != 0 || !link_mail_is_sound(body))
        return -1;
    for (uint32_t i = 0; i < roster_count; i++)
        if (strcmp(roster[i].name, "gate") == 0)
            (void)peer_say(&p->core->peers[i], m->op, 0, 0, body, m->len, -1);
    return 0;
}
