/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/tell_log.h"

#include "base/words.h"
#include "view/tell.h"
#include "view/when.h"

static const char *const templates[EV_KINDS] = {
    [EV_LOG_STARTED] = N_("lines are received and kept[ in {name}]"),
    [EV_LOG_STORE_TORN] = N_(
        "the end of a log segment[ ({name})] was torn[: {bytes} bytes were cut off at the last whole block][; {why}]"),
    [EV_LOG_LOST] = N_("[{count} ]lines were lost before they could be kept[, at {name}][: {why}]"),
    [EV_LOG_DISK_FULL] = N_("the disk of the log store[ {name}] is full, senders are held[: {why}]"),
    [EV_LOG_DISK_FAILED] = N_("the disk of the log store[ {name}] refuses what is written[: {why}]"),
    [EV_LOG_DISK_BACK] = N_("the log store[ {name}] is written again[ after {span}]"),
    [EV_LOG_EXPIRED] = N_("[{count} ]old log segments were removed[ (class {name})]"),
    [EV_LOG_NAME_CHANGED] = N_("{src} calls itself[ {name}] in its lines[, {why}]"),
    [EV_LOG_CLOCK_CHANGED] = N_("the clock of[ {name}] is not ours[: {why}]"),
    [EV_LOG_FRAME_BROKEN] = N_("a message of {src} had a length that is not true[: {why}]"),
    [EV_LOG_CLIENT_REFUSED] = N_("{src} was refused as a sender of lines[: {why}]"),
    [EV_LOG_FILE_PROBLEM] = N_("the file[ {name}] can't be followed as it should[: {why}]"),
    [EV_LOG_FORWARD_LOST] = N_("lines can't be forwarded[ to {name}], they wait in the store[: {why}]"),
    [EV_LOG_FORWARD_BACK] = N_("lines are forwarded again[ to {name}][, {count} had waited]"),
    [EV_LOG_FOUND] = N_("the lines of the logs show[: {why}][ ({rule})]"),
    [EV_LOG_FOUND_OVER] = N_("what the logs showed is over[: {why}][ ({rule})]"),
    [EV_LOG_LISTENING] = N_("lines are received[ at {name}], too"),
    [EV_LOG_NOT_LISTENING] = N_("lines are not received[ at {name}][: {why}]; it is tried again"),
    [EV_LOG_UNKNOWN] = N_("no rule knows lines such as this one[ of {name}][: {why}]"),
    [EV_LOG_UNKNOWN_COUNTED] = N_("[{count} ]lines that no rule knows came in an hour[; {why}]"),
    [EV_LOG_HEAD_REFUSED] =
        N_("the log store[ {name}][ of {src}] was rewritten: the head of its segment[ {count}] is not "
           "cosigned[: {why}]"),
    [EV_LOG_HISTORY_DIFFERS] =
        N_("our log store is not what[ {name}] cosigned: it differs at segment[ {count}][: {why}]"),
    [EV_LOG_PROOF] = N_("it is proved[ for {name}] by[: {proof}]"),
};

const char *tell_log_template(enum event_kind kind)
{
    return kind < EV_KINDS ? templates[kind] : NULL;
}

/* ---- why ---- */

static const struct {
    const char *rule, *advice;
} advices[] = {
    { "silence", N_("Look at the host's console: when its disk hangs it still answers to ping, and logs nothing.") },
    { "program_silence", N_("See whether the program still runs on that host.") },
    { "network_silence", N_("Look at the switch, the tunnel or the relay that these hosts have in common.") },
    { "hardware", N_("Save what can be saved, then look at disk, cable and controller.") },
    { "hung_task", N_("Save what can be saved, then look at disk, cable and controller.") },
    { "reboot_unclean", N_("serviola log new --since reboot shows what was never logged before.") },
    { "bruteforce_success", N_("Change that password now, and see what was done with it.") },
    { "stolen_account", N_("Stop the account and change its password; serviola mail hold stops it at the gate.") },
};

static void put_advice(struct text *t, const struct event *found)
{
    struct slice rule;

    if (!event_get(found, F_RULE, &rule))
        return;
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
        if (slice_eq(rule, slice_text(advices[i].rule)))
            text_addf(t, " %s", _(advices[i].advice));
}

/* The last word on it. */
static const struct event *end_of(const struct why_case *c, const struct event *found)
{
    for (size_t i = c->count; i > 0; i--)
        if (c->about[i - 1].kind == EV_LOG_FOUND_OVER && c->about[i - 1].cause == found->seq)
            return &c->about[i - 1];
    return NULL;
}

static void put_proofs(struct text *t, const struct why_case *c, const struct event *found)
{
    size_t told = 0;

    for (size_t i = 0; i < c->count; i++) {
        struct slice proof;

        if (c->about[i].kind != EV_LOG_PROOF || c->about[i].cause != found->seq ||
            !event_get(&c->about[i], F_PROOF, &proof))
            continue;
        text_addf(t, "%s", told++ == 0 ? _(" Proof: ") : "; ");
        text_visible(t, proof);
    }
    text_word(t, told > 0 ? "." : "");
}

/* What was asked for, or what is newest. */
static const struct event *matter_of(const struct why_case *c)
{
    if (c->asked)
        return c->asked->kind == EV_LOG_FOUND ? c->asked : NULL;
    for (size_t i = c->count; i > 0; i--)
        if (c->about[i - 1].kind == EV_LOG_FOUND)
            return &c->about[i - 1];
    return NULL;
}

bool why_log_answer(struct text *t, const struct why_case *c)
{
    const struct event *found = matter_of(c);
    const struct event *over = found ? end_of(c, found) : NULL;

    if (!found)
        return false;
    if (!c->asked) {
        text_addf(t, _("At %s "), when_near(found->at_us, c->now_us).text);
        tell(t, found, NULL, c->now_us);
        text_word(t, ".");
    }
    put_proofs(t, c, found);
    if (over)
        (void)tell_as(t, _(" It was over at {at}[: {why}]."), over, NULL, c->now_us);
    else
        put_advice(t, found);
    return true;
}
