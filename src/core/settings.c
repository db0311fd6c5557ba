/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/settings.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/doors.h"
#include "sense/log/classes.h"
#include "sense/watch/condition.h"
#include "sense/watch/indicator.h"

#define MINUTE_US 60000000LL
#define DAY_US    (86400000000LL)

static const struct key core_keys[] = {
    { .name = "control",
      .type = KEY_TEXT,
      KEY_AT(struct core_settings, control),
      .def = "/run/serviola/control",
      .help = "unix socket through which the commands speak to the running program" },
    { .name = "memory_events",
      .type = KEY_NUMBER,
      KEY_AT(struct core_settings, tail_slots),
      .min = 1024,
      .max = 1048576,
      .def = "16384",
      .help = "events kept in memory while the disk does not answer; 256 bytes each" },
    { .name = "clients",
      .type = KEY_NUMBER,
      KEY_AT(struct core_settings, clients),
      .min = 2,
      .max = 256,
      .def = "32",
      .help = "commands that may be connected at once" },
    { .name = "restarts",
      .type = KEY_NUMBER,
      KEY_AT(struct core_settings, restarts),
      .min = 0,
      .max = 1000,
      .def = "5",
      .help = "how often a part may die within restart_window before it stays down" },
    { .name = "restart_window",
      .type = KEY_SPAN,
      KEY_AT(struct core_settings, restart_window_us),
      .min = 1000000,
      .max = DAY_US,
      .def = "1min",
      .help = "see restarts" },
    { .name = "stuck_after",
      .type = KEY_SPAN,
      KEY_AT(struct core_settings, stuck_us),
      .min = 100000,
      .max = 60 * MINUTE_US,
      .def = "1s",
      .help = "a disk that takes no event for so long is called stuck" },
    { 0 },
};

static const struct key journal_keys[] = {
    { .name = "folder",
      .type = KEY_TEXT,
      KEY_AT(struct journal_settings, folder),
      .def = "/var/lib/serviola/journal",
      .help = "where the events are kept" },
    { .name = "sync",
      .type = KEY_SPAN,
      KEY_AT(struct journal_settings, sync_us),
      .min = 0,
      .max = 10 * 1000000LL,
      .def = "5ms",
      .help = "events wait at most this long for the disk; those that come meanwhile share one write" },
    { .name = "segment_size",
      .type = KEY_BYTES,
      KEY_AT(struct journal_settings, segment_bytes),
      .min = 65536,
      .max = 1LL << 30,
      .def = "16MiB",
      .help = "a segment is closed, compressed and sealed at this size" },
    { .name = "segment_age",
      .type = KEY_SPAN,
      KEY_AT(struct journal_settings, segment_us),
      .min = 1000000,
      .max = 366 * DAY_US,
      .def = "1d",
      .help = "or at this age" },
    { .name = "keep_size",
      .type = KEY_BYTES,
      KEY_AT(struct journal_settings, keep_bytes),
      .min = 1048576,
      .max = 1LL << 46,
      .def = "1GiB",
      .help = "oldest sealed segments are removed above this size in all" },
    { .name = "keep_age",
      .type = KEY_SPAN,
      KEY_AT(struct journal_settings, keep_us),
      .min = 1000000,
      .max = 36600 * DAY_US,
      .def = "366d",
      .help = "sealed segments older than this are removed" },
    { 0 },
};

const struct section house_sections[] = {
    { "serviola", "the program itself", core_keys, sizeof(struct core_settings) },
    { "journal", "where events are kept, and for how long", journal_keys, sizeof(struct journal_settings) },
    { "hunt", "who inside sends mail to the outside", hunt_keys, sizeof(struct hunt_settings) },
    { "block", "how a host is blocked, and who never is", block_keys, sizeof(struct block_settings) },
    { "rules", "which event leads to which act", rules_keys, sizeof(struct rules_settings) },
    { "gate", "the SMTP front of a mail server", gate_keys, sizeof(struct gate_settings) },
    { "log", "what other programs and hosts log: received and kept", log_keys, sizeof(struct log_settings) },
    { "watch", "what is measured each second, and when somebody should know", watch_keys,
      sizeof(struct watch_settings) },
    { "notify", "who is told when something happens, and how", notify_keys, sizeof(struct notify_settings) },
    { "metrics", "figures for Prometheus", metrics_keys, sizeof(struct metrics_settings) },
    { "audit", "who may reach what, for serviola audit", audit_keys, sizeof(struct audit_settings) },
    { 0 },
};

void house_places(struct house_settings *h, void *places[HOUSE_SECTIONS])
{
    places[0] = &h->core;
    places[1] = &h->journal;
    places[2] = &h->hunt;
    places[3] = &h->block;
    places[4] = &h->rules;
    places[5] = &h->gate;
    places[6] = &h->log;
    places[7] = &h->watch;
    places[8] = &h->notify;
    places[9] = &h->metrics;
    places[10] = &h->audit;
}

/* What may be left out in an address: its port. */
static void complete_listener(struct gate_listener *l)
{
    uint16_t usual = l->implicit_tls ? 465 : l->kind == GATE_SUBMISSION ? 587 : 25;

    for (uint32_t i = 0; i < l->listen.count; i++)
        if (l->listen.at[i].port == 0)
            l->listen.at[i].port = usual;
    if (l->to.port == 0)
        l->to.port = usual;
}

/* ---- what the table of keys can't know of triggers ---- */

__attribute__((format(printf, 4, 5))) static void fault_in(struct conf_faults *faults, const char *block,
                                                           const char *name, const char *format, ...)
{
    struct conf_fault *f = &faults->at[faults->count];
    va_list args;
    int n;

    if (faults->count >= sizeof(faults->at) / sizeof(faults->at[0]))
        return;
    memset(f, 0, sizeof(*f));
    n = snprintf(f->text, sizeof(f->text), "%s.%.40s: ", block, name);
    va_start(args, format);
    (void)vsnprintf(f->text + n, sizeof(f->text) - (size_t)n, format, args);
    va_end(args);
    faults->count++;
}

static void check_expression(const char *text, const char *trigger, struct conf_faults *faults)
{
    struct err e;
    struct condition *c = text[0] ? condition_read(slice_text(text), &e) : NULL;
    const char *name;

    if (text[0] && !c)
        fault_in(faults, "watch.triggers", trigger, "%s", e.text);
    for (uint32_t n = 0; c && (name = condition_name(c, n)) != NULL; n++)
        if (!indicator_may_be(name))
            fault_in(faults, "watch.triggers", trigger,
                     "nothing is measured as \"%s\"; serviola watch --list has the names", name);
    condition_free(c);
}

static int check_services(const struct services *all, struct conf_faults *faults)
{
    const char *name;
    struct err e;

    if (services_sound(all, &name, &e))
        return 0;
    fault_in(faults, "watch.services", name, "%s", e.text);
    return -1;
}

static int check_triggers(const struct watch_settings *w, struct conf_faults *faults)
{
    for (uint32_t i = 0; i < w->triggers_count; i++) {
        const struct watch_trigger *t = &w->triggers[i];

        check_expression(t->when, t->name, faults);
        check_expression(t->needs, t->name, faults);
        check_expression(t->clear, t->name, faults);
        for (uint32_t k = 0; k < t->acts.count; k++)
            if (strcmp(t->acts.at[k], "xray") != 0 && strcmp(t->acts.at[k], "notify") != 0)
                fault_in(faults, "watch.triggers", t->name, "`do` knows xray and notify, not \"%s\"", t->acts.at[k]);
    }
    return faults->count > 0 ? -1 : 0;
}

/* Without its interface, which an address here never has, nobody can be reached by it. */
static bool is_of_one_cable(struct addr a)
{
    return a.family == 6 && addr_is_link_local(a);
}

/* Keys that are right each by itself, and wrong together. */
static int check_gate(const struct gate_settings *gate, struct conf_faults *faults)
{
    for (uint32_t i = 0; i < gate->listeners_count; i++) {
        const struct gate_listener *l = &gate->listeners[i];

        if (is_of_one_cable(l->to))
            fault_in(faults, "gate.listeners", l->name, "`to` is %s, which is somebody else on each cable; %s",
                     addr_text(addr_ip(l->to)).text,
                     "write an address of that server which is its own, such as fd00::1");
        for (uint32_t a = 0; a < l->listen.count; a++)
            if (is_of_one_cable(l->listen.at[a]))
                fault_in(faults, "gate.listeners", l->name, "`listen` has %s, which each cable may have; %s",
                         addr_text(addr_ip(l->listen.at[a])).text,
                         "write [::], or an address of one cable alone, such as fd00::1");
        for (uint32_t k = 0; k < gate->listeners_count; k++)
            for (uint32_t a = 0; a < gate->listeners[k].listen.count; a++)
                if (addr_eq(l->to, gate->listeners[k].listen.at[a]))
                    fault_in(faults, "gate.listeners", l->name,
                             "`to` is where the gate itself listens; name the mail server there");
    }
    return faults->count > 0 ? -1 : 0;
}

static int check_others(const struct house_settings *h, struct conf_faults *faults)
{
    const char *name = "";
    struct err e;

    if (!notify_check(&h->notify, &name, &e))
        fault_in(faults, "notify", name, "%s", e.text);
    if (!classes_sound(&h->log, &name, &e))
        fault_in(faults, "log.keep.classes", name, "%s", e.text);
    if (h->metrics.listen.family && h->metrics.listen.port == 0)
        fault_in(faults, "metrics", "listen", "a port is missing, such as in 127.0.0.1:9464");
    return faults->count > 0 ? -1 : 0;
}

int settings_read(const char *path, struct house_settings *h, struct conf_faults *faults)
{
    void *places[HOUSE_SECTIONS];

    memset(h, 0, sizeof(*h));
    house_places(h, places);
    if (path ? conf_read_file(path, house_sections, places, faults) < 0
             : conf_read(SLICE(""), "built-in defaults", house_sections, places, faults) < 0)
        return -1;
    for (uint32_t i = 0; i < h->gate.listeners_count; i++)
        complete_listener(&h->gate.listeners[i]);
    h->log.mail = h->gate.accounts.logs;
    if (h->gate.accounts.logs && h->log.mode == LOG_OFF)
        fault_in(faults, "gate", "accounts",
                 "logs needs lines to read: write `log: { mode: keep }` with where they come from");
    if (check_gate(&h->gate, faults) < 0 || check_others(h, faults) < 0)
        return -1;
    if (check_services(&h->watch.services, faults) < 0)
        return -1;
    return check_triggers(&h->watch, faults);
}

const char *settings_path(const char *asked)
{
    const char *from_environment = getenv("SERVIOLA_CONF");

    if (asked)
        return asked;
    if (from_environment && *from_environment)
        return from_environment;
    return access(SETTINGS_PATH, F_OK) == 0 ? SETTINGS_PATH : NULL;
}

static void copy_nets(const struct key_prefixes *from, struct hand_nets *to)
{
    _Static_assert((int)HAND_NETS >= (int)KEY_PREFIX_CAP, "the hand takes every list that the configuration can hold");
    to->count = from->count;
    memcpy(to->at, from->at, from->count * sizeof(from->at[0]));
}

void settings_for_core(const struct house_settings *h, struct house_settings *core)
{
    memcpy(core, h, sizeof(*core));
    explicit_bzero(core->gate.token, sizeof(core->gate.token));
}

void settings_for_hand(const struct house_settings *h, const struct found *found, struct hand_settings *hand)
{
    memset(hand, 0, sizeof(*hand));
    memcpy(hand->table, h->block.table, sizeof(hand->table));
    hand->gate_only = h->hunt.mode != HUNT_BLOCK && h->hunt.mode != HUNT_HOLD;
    hand->acts = !hand->gate_only;
    hand->hold = h->hunt.mode == HUNT_HOLD;
    hand->hold_fails_open = h->hunt.hold_fails_open;
    hand->how = (uint8_t)h->block.how;
    hand->inside_auto = h->hunt.inside.count == 0;
    hand->hold_wait_us = h->hunt.hold_wait_us;
    hand->log_per_minute = (uint32_t)h->block.log_per_minute;
    hand->per_minute = (uint32_t)h->block.per_minute;
    hand->total = (uint32_t)h->block.total;
    hand->ports_count = h->hunt.ports.count;
    memcpy(hand->ports, h->hunt.ports.at, sizeof(h->hunt.ports.at));
    hand->ifs_count = h->hunt.interfaces.count;
    for (uint32_t i = 0; i < hand->ifs_count; i++)
        memcpy(hand->ifs[i], h->hunt.interfaces.at[i], HAND_NAME - 1);
    while (hand->resolvers_count < found->resolvers_count && hand->resolvers_count < HAND_RESOLVERS) {
        hand->resolvers[hand->resolvers_count] = addr_ip(found->resolvers[hand->resolvers_count]);
        hand->resolvers_count++;
    }
    copy_nets(&h->hunt.inside, &hand->inside);
    copy_nets(&h->hunt.allow, &hand->allow);
    copy_nets(&h->block.admin, &hand->admin);
    copy_nets(&h->block.local_senders, &hand->own_blockable);
    doors_tell_hand(h, found, hand);
}

static uint32_t copy_pem(struct slice from, char to[GATE_PEM])
{
    size_t len = from.len <= GATE_PEM ? from.len : 0; /* who read the file has looked at its size */

    if (len > 0)
        memcpy(to, from.at, len);
    return (uint32_t)len;
}

void settings_for_gate(const struct house_settings *h, const struct found *found, struct gate_settings *gate)
{
    memcpy(gate, &h->gate, sizeof(*gate));
    gate->resolvers.count = 0;
    while (gate->resolvers.count < found->resolvers_count && gate->resolvers.count < KEY_ADDR_CAP) {
        gate->resolvers.at[gate->resolvers.count] = found->resolvers[gate->resolvers.count];
        gate->resolvers.count++;
    }
    gate->certificate_len = copy_pem(found->certificate, gate->certificate_pem);
    gate->key_len = copy_pem(found->key, gate->key_pem);
}

void settings_for_log(const struct house_settings *h, const struct found *found, struct log_house *log)
{
    log->set = h->log;
    if (found->papers)
        memcpy(&log->papers, found->papers, sizeof(log->papers));
}

void settings_for_probe(const struct house_settings *h, const struct found *found, struct services_settings *probe)
{
    memset(probe, 0, sizeof(*probe));
    probe->services = h->watch.services;
    memcpy(probe->journal, h->journal.folder, sizeof(probe->journal));
    for (size_t i = 0; i < found->resolvers_count && i < KEY_ADDR_CAP; i++) {
        probe->resolvers.at[i] = found->resolvers[i];
        probe->resolvers.at[i].port = found->resolvers[i].port ? found->resolvers[i].port : 53;
        probe->resolvers.count++;
    }
    for (uint32_t i = 0; i < h->gate.own.count && probe->own.count < KEY_ADDR_CAP; i++)
        if (h->gate.own.at[i].bits == (h->gate.own.at[i].net.family == 4 ? 32 : 128))
            probe->own.at[probe->own.count++] = addr_ip(h->gate.own.at[i].net);
}

void settings_for_book(const struct house_settings *h, struct book_settings *book)
{
    memset(book, 0, sizeof(*book));
    memcpy(book->folder, h->gate.folder, sizeof(book->folder));
    book->greylist = h->gate.greylist;
    book->callback = h->gate.callback;
}

void settings_for_lists(const struct house_settings *h, struct lists_settings *lists)
{
    memset(lists, 0, sizeof(*lists));
    lists->count = h->gate.lists_count;
    memcpy(lists->at, h->gate.lists, sizeof(lists->at));
    memcpy(lists->countries, h->gate.accounts.countries, sizeof(lists->countries));
}

void settings_for_notify(const struct house_settings *h, struct notify_house *notify)
{
    memset(notify, 0, sizeof(*notify));
    notify->set = h->notify;
    memcpy(notify->journal, h->journal.folder, sizeof(notify->journal));
}

void settings_for_scribe(const struct house_settings *h, struct scribe_settings *scribe)
{
    memset(scribe, 0, sizeof(*scribe));
    scribe->journal = h->journal;
    if (h->hunt.story_log[0]) /* a name alone stands beside the journal */
        (void)snprintf(scribe->story_log, sizeof(scribe->story_log), "%s%s%s",
                       h->hunt.story_log[0] == '/' ? "" : h->journal.folder, h->hunt.story_log[0] == '/' ? "" : "/",
                       h->hunt.story_log);
    scribe->evidence_bytes = h->hunt.evidence_bytes;
    scribe->evidence_files = h->hunt.evidence_files;
    scribe->record_us = h->watch.disk_keep_us;
    scribe->record_bytes = h->watch.disk_bytes;
}
