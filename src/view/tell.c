/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/tell.h"

#include <string.h>

#include "base/words.h"
#include "view/line.h"
#include "view/tell_gate.h"
#include "view/tell_log.h"
#include "view/when.h"

static const char *const templates[EV_KINDS] = {
    [EV_SERVIOLA_STARTED] = N_("serviola[ {name}] started[: {why}]"),
    [EV_SERVIOLA_STOPPED] = N_("serviola was asked to stop[ by {who}][: {why}]"),
    [EV_ROLE_STARTED] = N_("the part[ {name}] started[ as process {pid}][: {why}]"),
    [EV_ROLE_DIED] = N_("the part[ {name}][ (process {pid})] died and is started again[: {why}]"),
    [EV_ROLE_GAVE_UP] = N_("the part[ {name}] died too often and stays down[: {why}]"),
    [EV_LINK_BROKE_RULES] = N_("the part[ {name}] said something it may not say and was cut off[: {why}]"),
    [EV_CONF_LOADED] = N_("the configuration[ {name}] is in force[: {why}]"),
    [EV_CONF_REFUSED] = N_("the new configuration[ {name}] has[ {count}] faults, the running one stays[: {why}]"),
    [EV_SCRIBE_STUCK] = N_("the journal's disk is stuck[: it has not answered for {span}][; {count} events wait in "
                           "memory][: {why}][; the scribe hangs in {stack}]"),
    [EV_SCRIBE_BACK] = N_("the journal's disk answers again[ after {span}]"),
    [EV_SCRIBE_FAILED] = N_("the journal[ in {name}] could not be written[: {why}]"),
    [EV_JOURNAL_LOST] = N_("[{count} ]events[, from {offset} on,] left the memory before the disk took them"),
    [EV_JOURNAL_RECOVERED] = N_("the journal[ in {name}] was read back[, up to event {count}][: {why}]"),
    [EV_JOURNAL_TORN] =
        N_("the end of segment[ {value}] of the journal was torn, [{bytes} ]bytes were cut off[: {why}]"),
    [EV_JOURNAL_SEALED] =
        N_("segment[ {value}] of the journal was closed and sealed[: {count} events][, {bytes} bytes]"),
    [EV_JOURNAL_EXPIRED] = N_("[{count} ]old segments of the journal were removed[, up to event {offset}]"),
    [EV_HUNT_STARTED] = N_("the hunt listens[ on {name}][, ports {ports}]"),
    [EV_HUNT_INTERFACE_LOST] = N_("the interface[ {name}] went away, the hunt waits for it[: {why}]"),
    [EV_HUNT_PACKETS_LOST] = N_("[{count} ]packets were lost[ on {name}], the capture ring was full"),
    [EV_HUNT_MAIL_SEEN] = N_("{src} spoke SMTP to {dst}[ with {mail}]"),
    [EV_HUNT_RATE_CROSSED] =
        N_("{src} opened[ {value}] mail connections[ within {span}][, more than {limit}][, the last to {dst}]"),
    [EV_HUNT_SERVERS_CROSSED] =
        N_("{src} spoke to[ {value}] mail servers[ within {span}][, more than {limit}][, the last was {dst}]"),
    [EV_HUNT_SENDERS_CROSSED] =
        N_("{src} used[ {value}] sender addresses[ within {span}][, more than {limit}][, the last in {mail}]"),
    [EV_HUNT_DOMAINS_CROSSED] =
        N_("{src} used[ {value}] sender domains[ within {span}][, more than {limit}][, the last {domain}]"),
    [EV_HUNT_HELO_CHANGED] =
        N_("{src} used[ {value}] HELO names[ within {span}][, more than {limit}][, the last {helo}]"),
    [EV_HUNT_REFUSALS_CROSSED] =
        N_("servers refused[ {value}] recipients of {src}[ within {span}][, more than {limit}][, the last: {reply}]"),
    [EV_HUNT_VOLUME_CROSSED] = N_("{src} sent[ {value}] bytes of mail[ within {span}][, more than {limit}]"),
    [EV_HUNT_TLS_SEEN] = N_("{src} sent mail under TLS to {dst}[ ({sni})]"),
    [EV_HUNT_AUTH_SEEN] = N_("{src} logged in at the mail server {dst}[ as {user}][ by {mechanism}]"),
    [EV_HUNT_UNCONFIRMED] =
        N_("mail commands came in the name of {src} to {dst} without a proven handshake[ ({why})][: {mail}]"),
    [EV_HUNT_OVERLAP] = N_("{src} sent a segment to {dst} twice with different bytes"),
    [EV_HUNT_GAP] = N_("[{bytes} ]bytes from {src} to {dst} were never seen"),
    [EV_HUNT_LINE_TOO_LONG] = N_("{src} sent {dst} a command line over the limit[ of {limit} bytes], it was skipped"),
    [EV_HUNT_TABLE_FULL] =
        N_("the table of[ {name}] is full[ ({limit} entries)], the oldest unconfirmed ones leave[ ({count} by now)]"),
    [EV_HUNT_INBOUND_SEEN] = N_("{src}, which is not inside, sent mail to {dst}[ with {mail}]"),
    [EV_HUNT_EVIDENCE_KEPT] = N_("the first packets of the flow were kept as[ {name}][, {bytes} bytes]"),
    [EV_HUNT_ALLOW_PROPOSED] =
        N_("{src} looks like a mail server of yours[: {count} mails][ in {span}][, of {domain}]"),
    [EV_HUNT_HELD] = N_("mail of {src} to {dst} was held before it left[ ({count} segments)]"),
    [EV_RULE_WOULD_BLOCK] = N_("{src} would have been blocked[ by the rule {rule}], but this mode blocks nobody"),
    [EV_ACT_BLOCKED] = N_("{src} was blocked[ until {until}][ by {who}][ by the rule {rule}][: {why}]"),
    [EV_ACT_BLOCK_REFUSED] = N_("a block of {src} was refused[: {why}]"),
    [EV_ACT_BLOCK_FAILED] = N_("the kernel did not take the block of {src}[: {why}]"),
    [EV_ACT_BLOCK_EXPIRED] = N_("the block of {src} ended by itself[ after {span}]"),
    [EV_ACT_UNBLOCKED] = N_("the block of {src} was lifted[ by {who}][: {why}]"),
    [EV_ACT_BLOCK_KEPT] = N_("the block of {src} stands[ until {until}]"),
    [EV_ACT_ALLOWED] = N_("{allowed} was put on the allow list[ by {who}][: {why}]"),
    [EV_ACT_DISALLOWED] = N_("{allowed} was taken off the allow list[ by {who}][: {why}]"),
    [EV_ACT_CUT] = N_("[{count} ]running connections of {src} were cut"),
    [EV_ACT_CAP_REACHED] = N_("the limit on blocks is reached, {src} and others are not blocked[: {why}]"),
    [EV_ACT_TABLE_LOST] = N_("another program removed the firewall table[ {name}] or part of it"),
    [EV_JOURNAL_CHECKPOINT] = N_("the state as it stands was written again[: {count} entries]"),
    [EV_ACT_BLOCK_ASKED] = N_("a block of {src} was asked for by command[ ({who})][: {why}]"),
    [EV_HUNT_FINDINGS_CAPPED] =
        N_("[{count} ]more findings within a minute were not told[, {value} of them about {mac}][, "
           "the last about {src}]"),
    [EV_HUNT_SOURCE_SUMMED] =
        N_("{src} sent[ {count}] mails[ to {recipients} recipients][ in {connections} connections][ "
           "since {since}]"),
    [EV_ACT_TABLE_BACK] = N_("the firewall table[ {name}] is in place again[ with {count} blocks][ after {span}]"),
    [EV_WATCH_STARTED] = N_("the watch measures each second[: {count} values]"),
    [EV_WATCH_TRIGGERED] = N_("the watch found[: {name}][: {measured}][, since {since}]"),
    [EV_WATCH_NOTICED] = N_("the watch noticed[: {name}][: {measured}][, since {since}]"),
    [EV_WATCH_RECOVERED] = N_("{name}: it is over[ after {span}]"),
    [EV_WATCH_PAUSED] = N_("the watch did not run[ for {span}]: nothing is known of that time"),
    [EV_WATCH_PROBES_PAUSED] = N_("services were not probed[ for {span}]: nothing is known of them in that time"),
    [EV_WATCH_SERVICE_SEEN] = N_("the service[ {name}] answers"),
    [EV_WATCH_SERVICE_LOST] = N_("the service[ {name}] is down[ since {since}][: {why}][; it was last well at {good}]"),
    [EV_WATCH_SERVICE_BACK] = N_("the service[ {name}] is back[ since {since}][, it was down for {span}]"),
    [EV_WATCH_SERVICE_HIDDEN] = N_("the service[ {name}] can't be reached[ since {since}][: {why}]"),
    [EV_WATCH_SERVICE_SHOWN] = N_("the service[ {name}] can be reached again[ since {since}][, after {span}]"),
    [EV_WATCH_SERVICE_FLAPPING] = N_("the service[ {name}] comes and goes[: it was down {count} times][ since {since}]["
                                     ", {span} in all]"),
    [EV_WATCH_SERVICE_BLINKED] = N_("the service[ {name}] was down[ for {span}][, since {since}][: {why}]"),
    [EV_WATCH_SERVICE_STEADY] =
        N_("the service[ {name}] is steady again[; it was down {count} times][ since {since}][, {span} in all]"),
    [EV_WATCH_DOMAIN_SEEN] = N_("the domain[ {domain}] is registered[ until {until}]"),
    [EV_WATCH_DOMAIN_UNKNOWN] =
        N_("when the domain[ {domain}] ends is not known[ since {since}][: {why}][; its registry said "
           "last: {until}]"),
    [EV_WATCH_DOMAIN_ENDED] = N_("the domain[ {domain}] has ended[: {until}]; its registry is about to give it away"),
    [EV_WATCH_SERVICE_DROPPED] = N_("the service[ {name}] is not probed any more"),
    [EV_WATCH_NETWORK_LOST] = N_("this host's own network is down[ since {since}][: {why}][; {count} services can't be "
                                 "seen]"),
    [EV_WATCH_NETWORK_BACK] = N_("this host's own network is back[ since {since}][, after {span}]"),
    [EV_WATCH_SERVICES_STAND] = N_("[{count} ]services are probed[, {value} of them are down]"),
    [EV_XRAY_TAKEN] = N_("a picture of the whole host was taken[ in {span}][: {name}]"),
    [EV_XRAY_FOUND] = N_("the picture shows[ ({name})][: {why}]"),
    [EV_XRAY_ALARM] = N_("the picture shows[ ({name})][: {why}]"),
    [EV_XRAY_FAILED] = N_("a picture could not be taken or kept[: {why}]"),
    [EV_XRAY_ASKED] = N_("a picture of the whole host was asked for[ by {who}]"),
    [EV_NOTIFY_STARTED] = N_("notices are sent[ on {count} ways]"),
    [EV_NOTIFY_SENT] = N_("a notice[ of {count} incidents] went out[ on the way {name}][: {reply}]"),
    [EV_NOTIFY_STUCK] = N_("notices[ on the way {name}] find no way out and are kept[: {why}]"),
    [EV_NOTIFY_BACK] = N_("notices[ on the way {name}] go out again[ after {span}][, {count} waited]"),
    [EV_NOTIFY_LIMITED] =
        N_("more notices[ on the way {name}] than may go out in a row, they are gathered[: {count} wait]"),
    [EV_NOTIFY_LOST] = N_("[{count} ]notices[ on the way {name}] were given up[: {why}]"),
    [EV_NOTIFY_ACKNOWLEDGED] = N_("[{who} ]takes care of it[: {why}]"),
    [EV_METRICS_STARTED] = N_("metrics can be read[ at {name}]"),
};

struct telling {
    const struct event *ev;
    const char *who;
    int64_t now_us;
};

static enum field field_of(struct slice name)
{
    for (int f = F_NONE + 1; f < F_FIELDS; f++)
        if (slice_eq(slice_text(field_name((enum field)f)), name))
            return (enum field)f;
    return F_NONE;
}

/* `MAIL FROM:<a@b>`, however it was written; without a path, the command as seen. */
static bool put_mail(struct text *t, const struct event *ev)
{
    struct slice command = { 0 };
    struct slice path;
    bool has_command = event_get(ev, F_COMMAND, &command);

    if (!event_get(ev, F_PATH, &path)) {
        text_visible(t, command);
        return has_command;
    }
    text_word(t, slice_starts_nocase(command, SLICE("RCPT")) ? "RCPT TO:<" : "MAIL FROM:<");
    text_visible(t, path);
    text_word(t, ">");
    return true;
}

/* Reasons are English in the journal; those of our own making are known to the catalogue. */
static void put_reason(struct text *t, struct slice english)
{
    char words[EVENT_BODY + 1];

    if (text_cstr(words, sizeof(words), english))
        text_visible(t, slice_text(_(words)));
    else
        text_visible(t, english);
}

static bool put_field(struct text *t, const struct telling *w, enum field f)
{
    struct slice value;
    uint64_t n;

    if (f == F_NONE || !event_get(w->ev, f, &value) || value.len == 0)
        return false;
    if (f == F_WHY || f == F_PROOF)
        put_reason(t, value);
    else if (field_type(f) == FIELD_TIME && event_get_number(w->ev, f, &n))
        text_word(t, when_near((int64_t)n, w->now_us).text);
    else
        line_value(t, f, value);
    return true;
}

/* Puts the value for {name}; false when the event has none. */
static bool put(struct text *t, const struct telling *w, struct slice name)
{
    const struct event *ev = w->ev;

    if (slice_eq(name, SLICE("src"))) {
        text_word(t, w->who ? w->who : ev->src.family ? addr_ip_text(ev->src).text : _("a host"));
        return true;
    }
    if (slice_eq(name, SLICE("dst"))) {
        text_word(t, ev->dst.family ? addr_text(ev->dst).text : _("a server"));
        return ev->dst.family != 0;
    }
    if (slice_eq(name, SLICE("at"))) {
        text_word(t, when_near(ev->at_us, w->now_us).text);
        return true;
    }
    if (slice_eq(name, SLICE("mail")))
        return put_mail(t, ev);
    if (slice_eq(name, SLICE("allowed")))
        return put_field(t, w, F_PREFIX) || put(t, w, SLICE("src"));
    return put_field(t, w, field_of(name));
}

/* Fills in `template`; false when a value was missing. */
static bool fill(struct text *t, const struct telling *w, struct slice template)
{
    bool whole = true;

    while (template.len > 0) {
        uint8_t c = template.at[0];
        struct slice rest = slice_skip(template, 1);

        if (c == '{') {
            struct slice name = slice_until(rest, '}', &template);

            whole = put(t, w, name) && whole;
        } else if (c == '[') {
            struct slice part = slice_until(rest, ']', &template);
            struct text before = *t;

            if (!fill(t, w, part)) {
                *t = before;
                t->at[t->len] = '\0';
            }
        } else {
            text_add(t, slice_first(template, 1));
            template = rest;
        }
    }
    return whole;
}

bool tell_as(struct text *t, const char *template, const struct event *ev, const char *who, int64_t now_us)
{
    struct telling w = { .ev = ev, .who = who, .now_us = now_us };

    return fill(t, &w, slice_text(template));
}

void tell(struct text *t, const struct event *ev, const char *who, int64_t now_us)
{
    const char *template = ev->kind < EV_KINDS ? templates[ev->kind] : NULL;

    if (!template)
        template = tell_gate_template((enum event_kind)ev->kind);
    if (!template)
        template = tell_log_template((enum event_kind)ev->kind);
    (void)tell_as(t, _(template ? template : event_what((enum event_kind)ev->kind)), ev, who, now_us);
}
