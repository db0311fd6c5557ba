/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * greylist - who was never seen comes again; whoever does is a mail server.
 *
 * A pair is key, sender and recipient.  The key is the organisation of the
 * client's confirmed name (a big sender comes again from another address of
 * its pool), unless that name is one of a home line; else the sender's domain
 * when SPF says that this client may send for it; else the client's /24 or
 * /64.  A key that passed often enough is known, and its pairs wait no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sense/gate/book.h"
#include "sense/gate/check.h"
#include "sense/gate/spf.h"

#define SECOND_US 1000000LL
enum {
    KEY_ROOM = 256,
    LOWER_ROOM = 512,
    HOUR_S = 3600, /* a pass counts for its client once an hour, but for a pair's first */
};

struct own { /* while SPF is asked */
    struct visit *visit;
    struct spf_ask *spf;
};

static uint32_t now_s(const struct visit *v)
{
    return (uint32_t)(v->means->wall_us(v->means->ctx) / SECOND_US);
}

/* ---- whose pair it is ---- */

static bool by_organisation(const struct visit *v, char key[KEY_ROOM])
{
    if (v->rdns != RDNS_CONFIRMED || !v->organisation || v->found[CHECK_GENERIC] == FOUND_HIT ||
        (v->open >> CHECK_GENERIC & 1))
        return false;
    (void)snprintf(key, KEY_ROOM, "%s", v->organisation);
    return true;
}

static void by_network(const struct visit *v, char key[KEY_ROOM])
{
    (void)snprintf(key, KEY_ROOM, "%s", prefix_text(prefix_of(addr_ip(v->peer), v->peer.family == 4 ? 24 : 64)).text);
}

static struct slice domain_of(const char *sender)
{
    const char *at = sender ? strrchr(sender, '@') : NULL;

    return slice_text(at ? at + 1 : NULL);
}

static struct slice lower(struct slice s, char room[LOWER_ROOM])
{
    size_t len = s.len < LOWER_ROOM ? s.len : LOWER_ROOM;

    for (size_t i = 0; i < len; i++)
        room[i] = (char)(s.at[i] >= 'A' && s.at[i] <= 'Z' ? s.at[i] | 0x20 : s.at[i]);
    return slice_of(room, len);
}

/* RFC 5321 section 4.5.1: everybody must be able to reach it; it waits for the client alone, whoever the sender is. */
static bool is_postmaster(const char *recipient)
{
    struct slice domain;

    return recipient && slice_eq_nocase(slice_until(slice_text(recipient), '@', &domain), SLICE("postmaster"));
}

static struct book_key client_key(const struct visit *v, const char *key)
{
    return book_key(v->means->book, BOOK_CLIENT, slice_text(key), slice_of(NULL, 0), slice_of(NULL, 0));
}

static struct book_key pair_key(const struct visit *v, const char *key)
{
    char sender[LOWER_ROOM];
    char recipient[LOWER_ROOM];
    struct slice s = lower(slice_text(v->sender), sender);
    struct slice r = lower(slice_text(v->recipient), recipient);

    if (is_postmaster(v->recipient))
        s = SLICE("*");
    return book_key(v->means->book, BOOK_PAIR, slice_text(key), s, r); /* neither, where TLS hides them */
}

/* ---- events ---- */

static void tell(struct visit *v, enum event_kind kind, const char *key, enum field when, uint64_t value)
{
    struct event ev = event_new(kind);

    event_add_words(&ev, F_KEY, key);
    event_add_number(&ev, when, value);
    if (v->sender)
        event_add_words(&ev, F_PATH, v->sender);
    if (v->recipient)
        event_add_words(&ev, F_RECIPIENT, v->recipient);
    if (v->means->tell)
        v->means->tell(v->means->ctx, &ev, v);
}

/* ---- clients ---- */

/* False: there is none, or it is over its time. */
static bool get(const struct visit *v, const struct book_key *k, struct book_entry *en)
{
    if (!book_get(v->means->book, k, en) || book_expired(v->means->book, en, now_s(v)))
        return false;
    if (en->first_s > now_s(v)) /* the clock was set back */
        en->first_s = en->last_s = now_s(v);
    return true;
}

/* Keeps it fresh, but does not write each time. */
static void seen(const struct visit *v, struct book_entry *en)
{
    if (now_s(v) < en->last_s || now_s(v) - en->last_s < HOUR_S)
        return;
    en->last_s = now_s(v);
    book_put(v->means->book, en, now_s(v));
}

static bool is_known(const struct visit *v, const char *key)
{
    struct book_key k = client_key(v, key);
    struct book_entry en;

    if (!get(v, &k, &en) || en.count < v->means->set->greylist.passes)
        return false;
    seen(v, &en);
    return true;
}

bool greylist_knows(const struct visit *v)
{
    char key[KEY_ROOM];

    if (!v->means->book || v->at->checks.greylist == GATE_GREY_OFF)
        return false;
    if (by_organisation(v, key) && is_known(v, key))
        return true;
    by_network(v, key);
    return is_known(v, key);
}

static void count_pass(struct visit *v, const char *key, bool first)
{
    struct book_entry en = { .key = client_key(v, key), .kind = BOOK_CLIENT, .first_s = now_s(v), .last_s = 0 };
    struct book_key k = en.key;

    (void)get(v, &k, &en);
    if (!first && now_s(v) - en.last_s < HOUR_S)
        return;
    en.count = en.count < UINT16_MAX ? (uint16_t)(en.count + 1) : en.count;
    en.last_s = now_s(v);
    book_put(v->means->book, &en, now_s(v));
    if (en.count == v->means->set->greylist.passes)
        tell(v, EV_GATE_CLIENT_KNOWN, key, F_COUNT, en.count);
}

/* ---- the knock ---- */

static void wait_on(struct visit *v, const struct book_entry *en, const char *key, bool fresh)
{
    uint64_t until = en->first_s + (uint64_t)(v->means->set->greylist.delay_us / SECOND_US);

    if (fresh)
        tell(v, EV_GATE_GREYLISTED, key, F_UNTIL, until * SECOND_US);
    visit_found(v, CHECK_GREYLIST, FOUND_HIT, "in %llu seconds (%s %s)", (unsigned long long)(until - now_s(v)), key,
                fresh ? "is new" : "came too early");
}

static void pass(struct visit *v, struct book_entry *en, const char *key)
{
    bool first = en->count == 0;

    if (first)
        tell(v, EV_GATE_GREYLIST_PASSED, key, F_SPAN, (uint64_t)(now_s(v) - en->first_s) * SECOND_US);
    if (first || now_s(v) - en->last_s >= HOUR_S) {
        en->count = en->count < UINT16_MAX ? (uint16_t)(en->count + 1) : en->count;
        en->last_s = now_s(v);
        book_put(v->means->book, en, now_s(v));
    }
    count_pass(v, key, first);
    visit_found(v, CHECK_GREYLIST, FOUND_NOTHING, first ? "%s came again, and passes" : "%s has passed before", key);
}

static void knock(struct visit *v, const char *key)
{
    struct book_entry en = { .kind = BOOK_PAIR };
    struct book_key k = pair_key(v, key);
    uint64_t delay_s = (uint64_t)(v->means->set->greylist.delay_us / SECOND_US);
    bool fresh;

    if (is_known(v, key)) {
        visit_found(v, CHECK_GREYLIST, FOUND_GOOD, "%s is known", key);
        return;
    }
    fresh = !get(v, &k, &en);
    if (fresh) {
        en = (struct book_entry){ .key = k, .kind = BOOK_PAIR, .first_s = now_s(v), .last_s = now_s(v) };
        book_put(v->means->book, &en, now_s(v));
    }
    if (en.count == 0 && now_s(v) < en.first_s + delay_s)
        wait_on(v, &en, key, fresh);
    else
        pass(v, &en, key);
}

/* ---- the check ---- */

static void on_spf(void *ctx, enum spf_result r)
{
    struct own *own = ctx;
    struct visit *v = own->visit;
    char key[KEY_ROOM];
    char domain[LOWER_ROOM];
    struct slice d = lower(domain_of(v->sender), domain);

    own->spf = NULL;
    if (r != SPF_PASS || d.len == 0 || !text_cstr(key, sizeof(key), d))
        by_network(v, key);
    knock(v, key);
}

static void greylist_stop(struct visit *v)
{
    void **at = visit_own(v, CHECK_GREYLIST);
    struct own *own = *at;

    if (own)
        spf_drop(own->spf);
    free(own);
    *at = NULL;
}

static void ask_spf(struct visit *v)
{
    struct own *own = calloc(1, sizeof(*own));
    char key[KEY_ROOM];
    struct spf_ask *ask;

    *visit_own(v, CHECK_GREYLIST) = own;
    if (!own) {
        by_network(v, key);
        knock(v, key);
        return;
    }
    own->visit = v;
    ask = spf_ask(v->means->dns, v->peer, slice_text(v->sender), slice_text(v->helo), on_spf, own);
    if (ask) /* else it has answered, and the visit may be gone */
        own->spf = ask;
}

static void greylist_start(struct visit *v)
{
    char key[KEY_ROOM];

    greylist_stop(v);
    if (v->user || (v->at->checks.greylist == GATE_GREY_FLAGGED && !visit_is_flagged(v))) {
        visit_found(v, CHECK_GREYLIST, FOUND_NOTHING, "%s", "");
    } else if (!v->means->book) {
        visit_found(v, CHECK_GREYLIST, FOUND_UNSURE, "the greylist is not read yet");
    } else if (by_organisation(v, key)) {
        knock(v, key);
    } else if (v->means->set->greylist.spf && v->means->dns && domain_of(v->sender).len > 0) {
        ask_spf(v);
    } else {
        by_network(v, key);
        knock(v, key);
    }
}

const struct check check_greylist = {
    .name = "greylist",
    .starts = STAGE_RCPT,
    .due = STAGE_RCPT,
    .after = (1 << CHECKS) - 1 - (1 << CHECK_GREYLIST),
    .start = greylist_start,
    .stop = greylist_stop,
};
