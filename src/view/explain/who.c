/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Was an account stolen?  Did the clock jump? */
#include <inttypes.h>
#include <stdlib.h>

#include "base/words.h"
#include "view/explain/inner.h"

enum {
    GUESSES = 10,
    CLOCK_STEP_US = 500000,
    RTC_FAR_S = 120,
    BOOT_FAR_S = 60,
    DAY_S = 86400,
    ZONE_S = 900,
    ZONE_NEAR_S = 60
};

static bool is(const struct snap_login *l, const char *kind)
{
    return slice_eq(l->kind, slice_text(kind));
}

static bool same_place(const struct snap_login *a, const struct snap_login *b)
{
    if (a->address.family != 0 && b->address.family != 0)
        return addr_eq_ip(a->address, b->address);
    return a->host.len > 0 && slice_eq(a->host, b->host);
}

/* How often somebody at the place of this login had tried and failed before it. */
static size_t guesses_before(const struct snap *s, const struct snap_login *in)
{
    size_t count = 0;

    SNAP_LIST(s, SNAP_LOGIN, struct snap_login, l)
    count += is(l, "failed") && l->at_s <= in->at_s && l->at_s > in->at_s - DAY_S && same_place(l, in);
    return count;
}

static bool is_told(const struct snap *s, const struct snap_login *in)
{
    SNAP_LIST(s, SNAP_LOGIN, struct snap_login, l)
    {
        if (l == in)
            return false;
        if (is(l, "login") && slice_eq(l->user, in->user) && same_place(l, in) && guesses_before(s, l) >= GUESSES)
            return true;
    }
    return false;
}

static void tell_stolen(struct explain *x, const struct snap_login *in, size_t guesses)
{
    struct finding *f = explain_found(x, "stolen_account", GRADE_ALARM);
    struct words from =
        in->address.family != 0 ? words_of(slice_text(addr_ip_text(in->address).text)) : words_of(in->host);

    f->likely = true;
    explain_text(f, "The account %s was guessed: %s failed %zu times, and then logged in", words_of(in->user).text,
                 from.text, guesses);
    explain_proof(f, "login at %s on %s, pid %" PRId64,
                  words_at(x->s, in->at_s * 1000000 - snap_host(x->s)->booted_us).text, words_of(in->line).text,
                  in->pid);
    if (join_process(x->j, in->pid))
        explain_proof(f, "it is still there: %s", words_process(join_process(x->j, in->pid)).text);
    explain_next(f, "passwd -l %s; pkill -KILL -u %s; last -i %s   shows what else it did", words_of(in->user).text,
                 words_of(in->user).text, words_of(in->user).text);
}

void explain_accounts(struct explain *x)
{
    SNAP_LIST(x->s, SNAP_LOGIN, struct snap_login, l)
    {
        size_t guesses = is(l, "login") ? guesses_before(x->s, l) : 0;

        if (guesses >= GUESSES && !is_told(x->s, l))
            tell_stolen(x, l, guesses);
    }
}

/* --- the clock */

static struct finding *jumped(struct explain *x, enum grade grade, bool likely)
{
    struct finding *f = explain_found(x, "clock_jump", grade);

    f->likely = likely;
    explain_next(f,
                 "timedatectl; chronyc tracking   shows who keeps the clock; times in logs from then on are shifted");
    return f;
}

static struct words duration(int64_t us)
{
    struct words w;
    struct text t = TEXT_IN(w.text);

    text_duration(&t, us < 0 ? -us : us);
    return w;
}

/* Against the clock that runs by itself; a hardware clock in local time is whole quarters of an hour away. */
static void tell_hardware(struct explain *x)
{
    uint64_t rtc_s = 0;
    uint64_t wall_s = 0;
    uint64_t adrift = 0;
    int64_t apart_s;
    int64_t off_zone_s;
    struct finding *f;

    if (!gauge_of(x->s, "clock.rtc_s", &rtc_s) || !gauge_of(x->s, "clock.beside_rtc_s", &wall_s) ||
        rtc_s > INT32_MAX * 4LL || wall_s > INT32_MAX * 4LL)
        return;
    apart_s = (int64_t)wall_s - (int64_t)rtc_s;
    off_zone_s = llabs(apart_s) % ZONE_S;
    if (llabs(apart_s) < RTC_FAR_S ||
        (llabs(apart_s) <= DAY_S && (off_zone_s < ZONE_NEAR_S || off_zone_s > ZONE_S - ZONE_NEAR_S)))
        return;
    (void)gauge_of(x->s, "clock.unsynchronised", &adrift);
    f = jumped(x, GRADE_WARN, true);
    explain_text(f, "The clock is %s %s the hardware's clock: it jumped, or the hardware's is wrong",
                 duration(apart_s * 1000000).text, apart_s > 0 ? _("ahead of") : _("behind"));
    if (adrift)
        explain_proof(f, "the kernel says that nobody keeps the clock right");
}

/* Who sets the clock by hand leaves two records. */
static void tell_set(struct explain *x)
{
    const struct snap_login *before = NULL;

    SNAP_LIST(x->s, SNAP_LOGIN, struct snap_login, l)
    {
        struct finding *f;

        if (is(l, "clock before"))
            before = l;
        if (!is(l, "clock after") || !before || llabs(l->at_s - before->at_s) < 2)
            continue;
        f = jumped(x, GRADE_NOTE, false);
        explain_text(f, "The clock was set by %s, from %s to %s", duration((l->at_s - before->at_s) * 1000000).text,
                     words_at(x->s, before->at_s * 1000000 - snap_host(x->s)->booted_us).text,
                     words_at(x->s, l->at_s * 1000000 - snap_host(x->s)->booted_us).text);
        before = NULL;
    }
}

/* When the host was started, as it was written down then and as it is reckoned now. */
static void tell_since_boot(struct explain *x)
{
    const struct snap_login *boot = NULL;
    int64_t booted_s = snap_host(x->s)->booted_us / 1000000;
    int64_t apart_s;
    struct finding *f;

    SNAP_LIST(x->s, SNAP_LOGIN, struct snap_login, l)
    boot = is(l, "boot") ? l : boot;
    apart_s = boot && booted_s > 0 ? booted_s - boot->at_s : 0;
    if (llabs(apart_s) < BOOT_FAR_S || llabs(apart_s) > DAY_S)
        return;
    f = jumped(x, GRADE_NOTE, true);
    explain_text(f, "The clock was moved %s by %s since the host was started", apart_s > 0 ? _("ahead") : _("back"),
                 duration(apart_s * 1000000).text);
    explain_proof(f, "wtmp says that it was started at %s",
                  words_at(x->s, boot->at_s * 1000000 - snap_host(x->s)->booted_us).text);
}

void explain_clock(struct explain *x)
{
    uint64_t step_us = 0;

    if (gauge_of(x->s, "clock.step_us", &step_us) && step_us >= CLOCK_STEP_US && step_us < INT64_MAX) {
        struct finding *f = jumped(x, GRADE_ALARM, false);

        explain_text(f, "The clock jumped by %s while this picture was taken", duration((int64_t)step_us).text);
    }
    tell_hardware(x);
    tell_set(x);
    tell_since_boot(x);
}
