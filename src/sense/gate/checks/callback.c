/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * callback - does a client without a name take mail itself?
 *
 * Begun once its HELO is known, never before: two gates that called each
 * other back before they greet would wait for each other.
 */
#include "sense/gate/callback.h"
#include "sense/gate/check.h"

static void found_refused(struct visit *v, const char *words)
{
    struct event ev = event_new(EV_GATE_CALLBACK_FAILED);

    event_add_words(&ev, F_WHY, words);
    if (v->helo)
        event_add_words(&ev, F_HELO, v->helo);
    if (v->means->tell)
        v->means->tell(v->means->ctx, &ev, v);
    visit_found(v, CHECK_CALLBACK, FOUND_HIT, "its port 25: %s", words);
}

static void on_called(void *ctx, enum callback_result r, const char *words)
{
    struct visit *v = ctx;

    *visit_own(v, CHECK_CALLBACK) = NULL;
    switch (r) {
    case CALLBACK_SPEAKS:
        visit_found(v, CHECK_CALLBACK, FOUND_NOTHING, "its port 25: %s", words);
        break;
    case CALLBACK_REFUSED:
        found_refused(v, words);
        break;
    case CALLBACK_SILENT:
        visit_found(v, CHECK_CALLBACK, FOUND_UNSURE, "its port 25: %s", words);
        break;
    case CALLBACK_BUSY:
        visit_found(v, CHECK_CALLBACK, FOUND_UNSURE, "not called back: %s", words);
        break;
    case CALLBACK_NEVER:
        visit_found(v, CHECK_CALLBACK, FOUND_NOTHING, "not called back: %s", words);
        break;
    }
}

static void callback_start(struct visit *v)
{
    struct callback_call *call;

    if (v->rdns != RDNS_NONE || v->found[CHECK_SELF] == FOUND_HIT || v->found[CHECK_HELO] == FOUND_HIT) {
        visit_found(v, CHECK_CALLBACK, FOUND_NOTHING, "%s", "");
        return;
    }
    call = callback_ask(v->means->callback, v->peer, v, on_called, v);
    if (call) /* else it has answered, and the visit may be gone */
        *visit_own(v, CHECK_CALLBACK) = call;
}

static void callback_stop(struct visit *v)
{
    void **own = visit_own(v, CHECK_CALLBACK);

    callback_drop(*own);
    *own = NULL;
}

const struct check check_callback = {
    .name = "callback",
    .starts = STAGE_HELO,
    .due = STAGE_RCPT,
    .after = 1 << CHECK_RDNS | 1 << CHECK_HELO,
    .start = callback_start,
    .stop = callback_stop,
};
