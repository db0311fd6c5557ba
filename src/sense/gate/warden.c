/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/warden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rate.h"
#include "base/table.h"
#include "base/text.h"

#define HOUR_US 3600000000LL
enum { STOPS_IN_PIECE = 1 << 20 };
enum { RECENT = 4 }; /* messages of one user that are told apart at a time: sessions run side by side */

struct user { /* who sent lately */
    uint64_t recent[RECENT];
    uint8_t next;
};

struct stop {
    int64_t until_us;
    struct rate_bucket left;
    bool unsaved;
    bool loaded; /* from an earlier life, and nobody has said it since */
    uint8_t len;
    char name[ACCOUNT_NAME];
};

struct warden {
    const struct gate_accounts *set;
    uint64_t seed;
    struct accounts *accounts;
    struct table *users, *stops; /* hash of the name, letters made small -> struct user, struct stop */
    void (*tell)(void *ctx, struct event *ev);
    void *ctx;
    int64_t now_us;            /* of the call that is being answered */
    struct bytes_out released; /* to be saved: names of stops that ended */
    uint32_t released_count;
    bool stops_unsaved; /* some stop is */
    bool news;          /* of who is stopped, to be saved */
};

static uint64_t key_of(const struct warden *w, struct slice user)
{
    uint8_t small[ACCOUNT_NAME];
    size_t n = user.len < sizeof(small) ? user.len : sizeof(small);

    small[0] = 0; /* no name at all is one too */
    for (size_t i = 0; i < n; i++)
        small[i] = user.at[i] >= 'A' && user.at[i] <= 'Z' ? user.at[i] | 0x20 : user.at[i];
    return hash_bytes(small, n, w->seed);
}

/* ---- stopping ---- */

static void tell_stop(struct warden *w, enum event_kind kind, const struct stop *s, const char *why)
{
    struct event ev = event_new(kind);

    event_add_text(&ev, F_USER, slice_of(s->name, s->len));
    if (kind == EV_GATE_ACCOUNT_STOPPED)
        event_add_number(&ev, F_UNTIL, (uint64_t)s->until_us);
    event_add_words(&ev, F_WHY, why);
    w->tell(w->ctx, &ev);
}

static void save_release(struct warden *w, const struct stop *s)
{
    bytes_put_slice(&w->released, slice_of(s->name, s->len));
    w->released_count++;
    w->news = true;
}

static void leaves(void *ctx, const void *key, void *value)
{
    (void)key;
    save_release(ctx, value);
    tell_stop(ctx, EV_GATE_ACCOUNT_RELEASED, value, "too many accounts are stopped at once");
}

/* One more that is stopped, or the one that is already. */
static struct stop *add_stop(struct warden *w, struct slice user, bool *fresh)
{
    uint64_t key = key_of(w, user);
    struct stop *s = table_add(w->stops, &key, fresh, leaves, w);

    user = slice_first(user, sizeof(s->name));
    s->len = (uint8_t)user.len;
    if (user.len > 0)
        memcpy(s->name, user.at, user.len);
    s->unsaved = w->stops_unsaved = w->news = true;
    return s;
}

static void end_stop(struct warden *w, struct stop *s, const char *why)
{
    tell_stop(w, EV_GATE_ACCOUNT_RELEASED, s, why);
    save_release(w, s);
    table_remove(w->stops, s);
}

static const char *what_happens(const struct warden *w)
{
    return w->set->response == GATE_ACCOUNT_REFUSE ? "nothing of it goes out from networks that are new for it"
                                                   : "only a few recipients an hour, from networks that are new for it";
}

void warden_stop(struct warden *w, struct slice user, int64_t now_us)
{
    bool fresh;
    struct stop *s = add_stop(w, user, &fresh);

    s->until_us = now_us + w->set->stop_us;
    s->loaded = false;
    if (fresh)
        tell_stop(w, EV_GATE_ACCOUNT_STOPPED, s, what_happens(w));
}

bool warden_release(struct warden *w, struct slice user, int64_t now_us)
{
    uint64_t key = key_of(w, user);
    struct stop *s = table_find(w->stops, &key);

    (void)now_us;
    if (!s)
        return false;
    end_stop(w, s, "by command");
    return true;
}

static void add_countries(struct event *ev, const struct account_report *r)
{
    char words[ACCOUNT_COUNTRIES * 4 + 4];
    struct text t = TEXT_IN(words);

    for (uint32_t i = 0; i < r->countries; i++)
        text_addf(&t, "%s%c%c", i ? ", " : "", r->country[i] >> 8, r->country[i] & 0xff);
    if (t.len == 0)
        return;
    event_add_text(ev, F_COUNTRIES, slice_of(words, t.len));
    if (r->home != 0)
        event_add_text(ev, F_HOME, slice_of((const char[]){ (char)(r->home >> 8), (char)r->home }, 2));
}

/* From rule/account.c: once when an account becomes suspected, once when its episode is over. */
static void on_report(void *own, const struct account_report *r)
{
    struct warden *w = own;
    struct event ev = event_new(EV_GATE_ACCOUNT_ABUSED);
    char why[120];

    if (r->over)
        return;
    if (r->source_count > 0)
        ev.src = r->source[0];
    event_add_text(&ev, F_USER, slice_first(r->account, 48));
    event_add_number(&ev, F_COUNT, r->messages);
    event_add_number(&ev, F_RECIPIENTS, r->recipients);
    event_add_number(&ev, F_CONNECTIONS, r->sources);
    event_add_number(&ev, F_SPAN, (uint64_t)(r->last_us - r->from_us));
    add_countries(&ev, r);
    (void)snprintf(why, sizeof(why), "%llu messages from %u networks new for it; %u in its busiest hour before",
                   (unsigned long long)r->messages, r->networks, r->usual);
    event_add_words(&ev, F_WHY, why);
    w->tell(w->ctx, &ev);
    if (w->set->response != GATE_ACCOUNT_NOTE)
        warden_stop(w, r->account, w->now_us);
}

/* ---- sending ---- */

/* Is it the first recipient of this message?  Without a name for the message each one is. */
static bool is_first(struct warden *w, struct slice user, struct slice message)
{
    uint64_t key = key_of(w, user);
    uint64_t hash;
    struct user *u;
    bool fresh;

    if (message.len == 0)
        return true;
    hash = hash_bytes(message.at, message.len, w->seed) | 1; /* 0 is none */
    u = table_add(w->users, &key, &fresh, NULL, NULL);
    for (int i = 0; i < RECENT; i++)
        if (u->recent[i] == hash)
            return false;
    u->recent[u->next] = hash;
    u->next = (uint8_t)((u->next + 1) % RECENT);
    return true;
}

static struct stop *stopped(struct warden *w, struct slice user, struct addr client, int64_t now_us)
{
    uint64_t key = key_of(w, user);
    struct stop *s = table_find(w->stops, &key);

    if (!s)
        return NULL;
    if (now_us >= s->until_us) {
        end_stop(w, s, "its time is over");
        return NULL;
    }
    return accounts_at_home(w->accounts, user, client, now_us) ? NULL : s;
}

void warden_recipient(struct warden *w, struct slice user, struct addr client, struct slice message, int64_t now_us,
                      struct verdict *v)
{
    struct stop *s;

    w->now_us = now_us;
    if (is_first(w, user, message))
        accounts_message(w->accounts, user, client, 1, now_us);
    else
        accounts_recipients(w->accounts, user, 1, now_us);
    s = stopped(w, user, client, now_us);
    if (!s || w->set->response == GATE_ACCOUNT_NOTE)
        return;
    if (w->set->response == GATE_ACCOUNT_THROTTLE) {
        s->unsaved = w->stops_unsaved = true; /* saved when the account is */
        if (rate_take(&s->left, w->set->throttle, HOUR_US / (int64_t)w->set->throttle, now_us))
            return;
        *v = (struct verdict){ .act = VERDICT_DEFER, .by = CHECKS, .code = 450, .enhanced = "4.7.1" };
        (void)snprintf(v->text, sizeof(v->text), "this account sends too much from places that are new for it");
        return;
    }
    *v = (struct verdict){ .act = VERDICT_REFUSE, .by = CHECKS, .code = 550, .enhanced = "5.7.1" };
    (void)snprintf(v->text, sizeof(v->text),
                   "this account is stopped: somebody else seems to have its password; ask your postmaster");
}

bool warden_lets(struct warden *w, struct slice user, struct addr client, int64_t now_us)
{
    return w->set->response != GATE_ACCOUNT_REFUSE || !stopped(w, user, client, now_us);
}

bool warden_at_home(struct warden *w, struct slice user, struct addr client, int64_t now_us)
{
    return accounts_at_home(w->accounts, user, client, now_us);
}

struct warden_count warden_count(const struct warden *w)
{
    return (struct warden_count){ accounts_count(w->accounts), table_count(w->stops),
                                  accounts_suspected_count(w->accounts) };
}

void warden_outcome(struct warden *w, struct slice user, bool refused, int64_t now_us)
{
    w->now_us = now_us;
    accounts_outcome(w->accounts, user, refused ? ACCOUNT_BOUNCED : ACCOUNT_SENT, now_us);
}

void warden_heard(struct warden *w, struct slice user, struct addr client, uint32_t messages, int64_t at_us)
{
    w->now_us = at_us;
    for (uint32_t i = 0; i < messages; i++)
        accounts_message(w->accounts, user, client, 0, at_us);
}

void warden_heard_recipients(struct warden *w, struct slice user, uint32_t recipients, int64_t at_us)
{
    w->now_us = at_us;
    accounts_recipients(w->accounts, user, recipients, at_us);
}

void warden_heard_outcome(struct warden *w, struct slice user, enum account_outcome o, uint32_t count, int64_t at_us)
{
    w->now_us = at_us;
    for (uint32_t i = 0; i < count; i++)
        accounts_outcome(w->accounts, user, o, at_us);
}

void warden_tick(struct warden *w, int64_t now_us)
{
    struct stop *next;

    w->now_us = now_us;
    accounts_tick(w->accounts, now_us);
    for (struct stop *s = table_oldest(w->stops); s; s = next) {
        next = table_newer(w->stops, s);
        if (now_us < s->until_us)
            continue;
        end_stop(w, s, "its time is over");
    }
}

/* ---- for the next start ----
 *
 * A piece: how many names follow, 4; for each its name, until when it is stopped, 8 (0: it no longer is), and what is
 * left of its throttle, 8; then what accounts_save_some wrote.
 */

enum warden_news warden_news(const struct warden *w)
{
    return w->news ? WARDEN_STOPS : accounts_unsaved(w->accounts) ? WARDEN_LEARNED : WARDEN_NOTHING;
}

static void mark_stops(struct warden *w, bool unsaved)
{
    for (struct stop *s = table_oldest(w->stops); s; s = table_newer(w->stops, s))
        s->unsaved = unsaved;
    w->stops_unsaved = unsaved;
}

void warden_save_again(struct warden *w)
{
    mark_stops(w, true);
    accounts_save_again(w->accounts);
}

static void save_stop(struct bytes_out *to, struct slice name, int64_t until_us, int64_t full_at_us)
{
    bytes_put_slice(to, name);
    bytes_put(to, (uint64_t)until_us, 8);
    bytes_put(to, (uint64_t)full_at_us, 8);
}

static void save_stops(const struct warden *w, struct bytes_out *to)
{
    struct bytes_in released = { .rest = slice_of(w->released.at, w->released.len) };
    uint32_t count = w->released_count;
    struct stop *first = w->stops_unsaved ? table_oldest(w->stops) : NULL;

    for (struct stop *s = first; s; s = table_newer(w->stops, s))
        count += s->unsaved;
    bytes_put(to, count, 4);
    for (uint32_t i = 0; i < w->released_count; i++) /* who was stopped again since is so in the end */
        save_stop(to, bytes_get_slice(&released, ACCOUNT_NAME), 0, 0);
    for (struct stop *s = first; s; s = table_newer(w->stops, s))
        if (s->unsaved)
            save_stop(to, slice_of(s->name, s->len), s->until_us, s->left.full_at_us);
}

static void stops_are_saved(struct warden *w)
{
    if (w->stops_unsaved)
        mark_stops(w, false);
    bytes_done(&w->released);
    w->released_count = 0;
    w->news = false;
}

void warden_save_some(struct warden *w, struct bytes_out *to, size_t most)
{
    save_stops(w, to);
    stops_are_saved(w);
    accounts_save_some(w->accounts, to, most);
}

void warden_saved(struct warden *w)
{
    stops_are_saved(w);
    accounts_saved(w->accounts);
}

static void load_stop(struct warden *w, struct bytes_in *in)
{
    struct slice user = bytes_get_slice(in, ACCOUNT_NAME);
    int64_t until_us = (int64_t)bytes_get(in, 8);
    struct rate_bucket left = { .full_at_us = (int64_t)bytes_get(in, 8) };
    struct stop *s;
    uint64_t key;
    bool fresh;

    if (in->bad)
        return;
    key = key_of(w, user);
    s = table_find(w->stops, &key);
    if (s && !s->loaded)
        return; /* what is said now counts */
    if (until_us == 0) {
        if (s)
            table_remove(w->stops, s);
        return;
    }
    s = add_stop(w, user, &fresh);
    s->until_us = until_us;
    s->left = left;
    s->loaded = true;
}

static int not_sound(struct err *e)
{
    return err_set(e, 0, "accounts: this was not written by serviola, or was changed");
}

/* First a look: what is not sound stops nobody.  *in stands behind them then. */
static bool stops_are_sound(struct bytes_in *in, size_t count)
{
    in->bad = in->bad || count > STOPS_IN_PIECE;
    for (size_t i = 0; i < count && !in->bad; i++) {
        (void)bytes_get_slice(in, ACCOUNT_NAME);
        in->bad = (int64_t)bytes_get(in, 8) < 0 || (int64_t)bytes_get(in, 8) < 0 || in->bad;
    }
    return !in->bad;
}

int warden_load_some(struct warden *w, struct slice piece, bool all, struct err *e)
{
    struct bytes_in in = { .rest = piece };
    size_t count = bytes_get(&in, 4);
    struct bytes_in stops = in;

    if (!stops_are_sound(&in, count))
        return not_sound(e);
    for (size_t i = 0; i < count; i++)
        load_stop(w, &stops);
    return all ? accounts_load_some(w->accounts, in.rest, e) : 0;
}

int warden_load_first_form(struct warden *w, struct slice kept, bool all, struct err *e)
{
    struct bytes_in in = { .rest = kept };
    size_t count = bytes_get(&in, 4);
    struct bytes_in stops = in;

    if (!stops_are_sound(&in, count))
        return not_sound(e);
    if (all && accounts_load(w->accounts, in.rest, e) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        load_stop(w, &stops);
    return 0;
}

bool warden_is_fresh(const struct warden *w)
{
    return accounts_count(w->accounts) == 0 && table_count(w->stops) == 0;
}

void warden_countries(struct warden *w, account_country *of, void *own)
{
    accounts_countries(w->accounts, of, own);
}

/* ---- */

static int begin(struct warden *w, struct err *e)
{
    const struct gate_accounts *set = w->set;
    const struct account_limits limits = { .accounts = (uint32_t)set->accounts,
                                           .messages = (uint32_t)set->messages,
                                           .factor = (uint32_t)set->factor,
                                           .quiet_us = set->quiet_us,
                                           .settled_us = set->settled_us };

    w->accounts = accounts_new(&limits, w->seed, on_report, w, e);
    w->users = table_new(set->accounts, sizeof(uint64_t), sizeof(struct user), w->seed, e);
    w->stops = table_new(WARDEN_STOPPED, sizeof(uint64_t), sizeof(struct stop), w->seed, e);
    if (!w->accounts || !w->users || !w->stops)
        return -1;
    for (uint32_t i = 0; i < set->own.count; i++)
        if (accounts_own(w->accounts, set->own.at[i], e) < 0)
            return err_wrap(e, "accounts.own");
    return 0;
}

struct warden *warden_new(const struct gate_accounts *set, uint64_t seed, void (*tell)(void *ctx, struct event *ev),
                          void *ctx, struct err *e)
{
    struct warden *w = calloc(1, sizeof(*w));

    if (!w) {
        (void)err_set(e, 0, "accounts: out of memory");
        return NULL;
    }
    w->set = set;
    w->seed = seed;
    w->tell = tell;
    w->ctx = ctx;
    if (begin(w, e) < 0) {
        warden_free(w);
        return NULL;
    }
    return w;
}

void warden_free(struct warden *w)
{
    if (!w)
        return;
    accounts_free(w->accounts);
    table_free(w->users);
    table_free(w->stops);
    bytes_done(&w->released);
    free(w);
}
