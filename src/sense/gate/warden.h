/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warden - may this user, who logged in, still send?  Accounts whose password somebody else has.
 *
 * rule/account.h judges; here it is fed (policy service, submission
 * sessions), tells gate.account_abused, and answers by the configuration:
 * note, throttle to a few recipients an hour, or refuse.  What is stopped
 * stays stopped until an administrator releases it (`serviola mail release`)
 * or its time is over; where the user was at home before, and from our own
 * networks, mail goes on.  Other users never notice.
 */
#ifndef SERVIOLA_GATE_WARDEN_H
#define SERVIOLA_GATE_WARDEN_H
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/slice.h"
#include "journal/event.h"
#include "rule/account.h"
#include "sense/gate/settings.h"
#include "sense/gate/verdict.h"

enum { WARDEN_STOPPED = 4096 }; /* accounts that are stopped at once; the oldest is let go */

struct warden;
/* `set` is borrowed; its response, stop_us and throttle may change between calls.  All clocks here are wall clocks. */
struct warden *warden_new(const struct gate_accounts *set, uint64_t seed, void (*tell)(void *ctx, struct event *ev),
                          void *ctx, struct err *e);
void warden_free(struct warden *w);

/*
 * `user` at `client` names one more recipient of `message` (any bytes that tell messages apart).  Counts it, and
 * leaves *v alone when that is fine; else VERDICT_DEFER or VERDICT_REFUSE with what the client reads.
 */
void warden_recipient(struct warden *w, struct slice user, struct addr client, struct slice message, int64_t now_us,
                      struct verdict *v);
/* May he go on here?  The same without counting: for a session that is open while the account is stopped. */
bool warden_lets(struct warden *w, struct slice user, struct addr client, int64_t now_us);
/* Is he at home there? (rule/account.h) */
bool warden_at_home(struct warden *w, struct slice user, struct addr client, int64_t now_us);
/* What the server made of a recipient or a message of his. */
void warden_outcome(struct warden *w, struct slice user, bool refused, int64_t now_us);

struct warden_count {
    size_t known;     /* accounts */
    size_t stopped;   /* of these, or others, now; */
    size_t suspected; /* that somebody else seems to use now */
};
struct warden_count warden_count(const struct warden *w);

/* The same from a log: nobody waits for an answer.  So many messages, recipients of such, outcomes. */
void warden_heard(struct warden *w, struct slice user, struct addr client, uint32_t messages, int64_t at_us);
void warden_heard_recipients(struct warden *w, struct slice user, uint32_t recipients, int64_t at_us);
void warden_heard_outcome(struct warden *w, struct slice user, enum account_outcome o, uint32_t count, int64_t at_us);

void warden_stop(struct warden *w, struct slice user, int64_t now_us);    /* tells gate.account_stopped */
bool warden_release(struct warden *w, struct slice user, int64_t now_us); /* false: it was not stopped */
void warden_tick(struct warden *w, int64_t now_us);                       /* once a minute or so */
void warden_countries(struct warden *w, account_country *of, void *own);  /* rule/account.h */

/*
 * What was learned, and who is stopped, for the next start: in pieces, each what is new since the one before (and at
 * most so many accounts), to be loaded in the same order.  WARDEN_STOPS should be saved at once.
 */
enum warden_news { WARDEN_NOTHING, WARDEN_LEARNED, WARDEN_STOPS };
enum warden_news warden_news(const struct warden *w);
void warden_save_some(struct warden *w, struct bytes_out *to, size_t most);
void warden_save_again(struct warden *w); /* all is new */
void warden_saved(struct warden *w);      /* nothing is */
/* `all`: into a fresh warden; else who was stopped alone, and what was said since counts.  -1: not sound; pieces before
 * it are taken. */
int warden_load_some(struct warden *w, struct slice piece, bool all, struct err *e);
int warden_load_first_form(struct warden *w, struct slice kept, bool all,
                           struct err *e);    /* as it once was: one piece */
bool warden_is_fresh(const struct warden *w); /* it has learned nothing yet */
#endif
