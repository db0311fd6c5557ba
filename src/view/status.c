/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/status.h"

#include <stdarg.h>
#include <string.h>

#include "base/words.h"
#include "sys/jail.h"
#include "view/mode.h"
#include "view/number.h"
#include "view/paint.h"
#include "view/when.h"

enum {
    STUCK_US = 1000000 /* a disk that is silent for less is at work */
};
#define RESTART_US 3600000000LL /* a part that has lived so long again needs no look */
#define START_US   3000000LL    /* by then every part is up */

static uint32_t at_most(uint32_t n, uint32_t cap)
{
    return n < cap ? n : cap;
}

/* Names come over a link: bounded, and made visible like everything that does. */
struct name {
    char text[16 * 4 + 1];
};
static struct name name_of(const char at[16])
{
    struct name n;
    struct text t = TEXT_IN(n.text);

    text_visible(&t, slice_of(at, strnlen(at, 16)));
    return n;
}

static uint32_t captured(const struct ctl_status *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < at_most(s->links_count, CTL_LINKS); i++)
        n += s->links[i].captured != 0;
    return n;
}

static bool has_table(const struct ctl_status *s)
{
    return mode_blocks(s->mode) || s->gate_blocks;
}

bool status_is_starting(const struct ctl_status *s)
{
    return s->now_us >= s->started_us && s->now_us - START_US < s->started_us &&
           (!s->up || (captured(s) == 0 && s->mode != MODE_OFF));
}

struct status_sums status_sums(const struct ctl_status *s)
{
    struct status_sums sums = { 0, 0 };

    for (uint32_t i = 0; i < at_most(s->links_count, CTL_LINKS); i++) {
        sums.packets += s->links[i].packets;
        sums.lost += s->links[i].lost;
    }
    return sums;
}

static void add_mail(struct text *t, const struct ctl_status *s)
{
    text_addf(t, words_many("%s mail command", "%s mail commands", s->mails), number_words(s->mails).text);
    text_addf(t, words_many(", %s finding", ", %s findings", s->findings), number_words(s->findings).text);
}

void status_totals(struct text *t, const struct ctl_status *s)
{
    struct status_sums sums = status_sums(s);

    add_mail(t, s);
    text_addf(t, words_many(", %s host blocked", ", %s hosts blocked", s->blocks), number_words(s->blocks).text);
    text_addf(t, words_many(", %s of %s packets lost", ", %s of %s packets lost", sums.lost),
              number_words(sums.lost).text, number_words(sums.packets + sums.lost).text);
}

void status_gaps(struct text *t, unsigned gaps)
{
    for (unsigned bit = 1; bit <= 128; bit <<= 1)
        if (gaps & bit)
            text_addf(t, "%s%s", t->len ? ", " : "", _(jail_gap_words((enum jail_gap)bit)));
}

/* ---- what is wrong ---- */

struct telling {
    void (*each)(void *ctx, const char *sentence);
    void *ctx;
    unsigned count;
};

static void trouble(struct telling *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void trouble(struct telling *w, const char *format, ...)
{
    char words[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    w->count++;
    if (w->each)
        w->each(w->ctx, words);
}

static void part_troubles(struct telling *w, const struct ctl_status *s)
{
    for (uint32_t i = 0; i < at_most(s->parts_count, CTL_PARTS); i++) {
        const struct ctl_part *p = &s->parts[i];

        if (!p->up && p->restarts == 0 && status_is_starting(s))
            continue;
        if (!p->up)
            trouble(w, _("the part %s is down (serviola events --kind role.died,role.gave_up says why)"),
                    name_of(p->name).text);
        else if (p->restarts > 0 && s->now_us - p->since_us < RESTART_US)
            trouble(w, _("the part %s died and was started again %s ago (serviola events --kind role.died says why)"),
                    name_of(p->name).text, when_long(s->now_us - p->since_us).text);
        if (p->lost > 0)
            trouble(w,
                    words_many("%s message to or from the part %s did not fit and was dropped",
                               "%s messages to or from the part %s did not fit and were dropped", p->lost),
                    number_words(p->lost).text, name_of(p->name).text);
    }
}

static void link_troubles(struct telling *w, const struct ctl_status *s)
{
    for (uint32_t i = 0; i < at_most(s->links_count, CTL_LINKS); i++) {
        const struct ctl_link *l = &s->links[i];

        if (l->lost > 0)
            trouble(w,
                    words_many("%s packet was lost on %s: the ring was full (hunt: ring makes it larger)",
                               "%s packets were lost on %s: the ring was full (hunt: ring makes it larger)", l->lost),
                    number_words(l->lost).text, name_of(l->name).text);
    }
    if (captured(s) == 0 && s->mode != MODE_OFF && !status_is_starting(s))
        trouble(w,
                _("the hunt listens on no interface (hunt: interfaces names them; by default each that has a route)"));
}

static void door_troubles(struct telling *w, const struct ctl_status *s)
{
    for (uint32_t i = 0; i < at_most(s->doors_count, CTL_DOORS); i++) {
        const struct ctl_door *d = &s->doors[i];

        if (d->closed)
            trouble(w, _("the gate's listener %s stays closed (serviola events --kind gate.server_trusts says why)"),
                    name_of(d->name).text);
        else if (d->down)
            trouble(w, _("the mail server behind the gate's listener %s does not answer"), name_of(d->name).text);
    }
    if (s->doors_full)
        trouble(w, _("every place of the gate is taken (serviola events --kind gate.full says who has them)"));
}

unsigned status_troubles(const struct ctl_status *s, void (*each)(void *ctx, const char *sentence), void *ctx)
{
    struct telling w = { .each = each, .ctx = ctx };

    bool starting = status_is_starting(s);

    if (!s->up && !starting)
        trouble(&w, _("it is still starting: the journal is being read, or the hand is not there"));
    if (s->scribe_behind_us > STUCK_US)
        trouble(&w, _("the journal's disk is stuck: it has not answered for %s; events that wait in memory: %s"),
                when_long(s->scribe_behind_us).text, number_words(s->next_seq - 1 - s->synced_seq).text);
    if (has_table(s) && !s->table_whole && !starting)
        trouble(&w, _("the firewall table is damaged or gone: nobody is blocked until it is back"));
    if (s->blocks_cap > 0 && s->blocks >= s->blocks_cap)
        trouble(&w, _("the limit of %s blocks is reached: nobody else is blocked (block: total raises it)"),
                number_words(s->blocks_cap).text);
    part_troubles(&w, s);
    link_troubles(&w, s);
    door_troubles(&w, s);
    return w.count;
}

/* ---- for people ---- */

struct page {
    FILE *to;
    bool colour;
};

static void print_journal(const struct page *p, const struct ctl_status *s)
{
    uint64_t last = s->next_seq ? s->next_seq - 1 : 0;
    uint64_t waiting = last > s->synced_seq ? last - s->synced_seq : 0;

    if (waiting == 0)
        (void)fprintf(p->to,
                      words_many("Journal     %s event, on disk\n", "Journal     %s events, all on disk\n", last),
                      number_words(last).text);
    else
        (void)fprintf(p->to,
                      words_many("Journal     %s event, %s of them waits for the disk\n",
                                 "Journal     %s events, %s of them wait for the disk\n", last),
                      number_words(last).text, number_words(waiting).text);
}

static void print_lines(const struct page *p, const struct ctl_status *s)
{
    const struct link_lines *l = &s->lines;

    if (!s->lines_known)
        return;
    (void)fprintf(p->to, _("Lines       received: %s, a second: %s\n"), number_words(l->received).text,
                  number_words(l->lately / 10).text);
    if (l->analysed)
        (void)fprintf(p->to, _("Analysis    lines behind: %s; rules: %s, lines that none of them knows: %s\n"),
                      number_words(l->unread).text, number_words(l->rules).text, number_words(l->unknown).text);
}

static void print_firewall(const struct page *p, const struct ctl_status *s)
{
    if (!has_table(s)) {
        (void)fputs(_("Firewall    not touched in this mode\n"), p->to);
        return;
    }
    if (!s->table_whole)
        (void)fprintf(p->to, _("Firewall    %sour table is not in place%s\n"), paint_on(p->colour, PAINT_RED),
                      paint_off(p->colour));
    else
        (void)fprintf(p->to, _("Firewall    our table is in place; %s; %s\n"),
                      s->table_owned ? _("no other program can change it")
                                     : _("this kernel does not protect it from other programs, so it is watched"),
                      s->table_persists ? _("it stays when serviola ends") : _("it goes when serviola ends"));
    (void)fprintf(p->to, _("Blocks      %s of at most %s\n"), number_words(s->blocks).text,
                  number_words(s->blocks_cap).text);
}

static void print_links(const struct page *p, const struct ctl_status *s)
{
    (void)fprintf(p->to, "\n%s%-16s  %-12s  %14s  %10s%s\n", paint_on(p->colour, PAINT_BOLD), _("INTERFACE"),
                  _("STATE"), _("MAIL PACKETS"), _("LOST"), paint_off(p->colour));
    for (uint32_t i = 0; i < at_most(s->links_count, CTL_LINKS); i++) {
        const struct ctl_link *l = &s->links[i];

        (void)fprintf(p->to, "%-16s  %-12s  %14s  %10s\n", name_of(l->name).text,
                      !l->captured ? status_is_starting(s) ? _("starting") : _("not listened")
                      : l->up ? _("listening")
                                   : _("down"),
                      number_words(l->packets).text, number_words(l->lost).text);
    }
}

static void print_accounts(const struct page *p, const struct ctl_status *s)
{
    const struct link_account_sums *a = &s->accounts;

    if (a->known == 0 && a->stopped == 0) /* nobody logs in here, or nobody has yet */
        return;
    (void)fprintf(p->to, _("Accounts    %s known, %s stopped, %s suspected now\n"), number_words(a->known).text,
                  number_words(a->stopped).text, number_words(a->suspected).text);
}

static void print_doors(const struct page *p, const struct ctl_status *s)
{
    if (s->doors_count == 0)
        return;
    (void)fprintf(p->to, "\n%s%-16s  %-12s  %10s  %10s  %10s  %10s%s\n", paint_on(p->colour, PAINT_BOLD), _("GATE"),
                  _("STATE"), _("PASSED"), _("REFUSED"), _("DEFERRED"), _("ENDED"), paint_off(p->colour));
    for (uint32_t i = 0; i < at_most(s->doors_count, CTL_DOORS); i++) {
        const struct ctl_door *d = &s->doors[i];

        (void)fprintf(p->to, "%-16s  %-12s  %10s  %10s  %10s  %10s\n", name_of(d->name).text,
                      d->down   ? _("server down")
                      : d->open ? _("open")
                                : _("closed"),
                      number_words(d->passed).text, number_words(d->refused).text, number_words(d->deferred).text,
                      number_words(d->ended).text);
    }
}

static void print_parts(const struct page *p, const struct ctl_status *s)
{
    (void)fprintf(p->to, "\n%s%-10s  %8s  %-13s  %8s  %9s%s\n", paint_on(p->colour, PAINT_BOLD), _("PART"),
                  _("PROCESS"), _("UP"), _("EVENTS"), _("RESTARTS"), paint_off(p->colour));
    for (uint32_t i = 0; i < at_most(s->parts_count, CTL_PARTS); i++) {
        const struct ctl_part *part = &s->parts[i];

        (void)fprintf(p->to, "%-10s  %8d  %-13s  %8s  %9u\n", name_of(part->name).text, (int)part->pid,
                      part->up ? when_long(s->now_us - part->since_us).text : _("down"),
                      number_words(part->events).text, (unsigned)part->restarts);
    }
}

/* Parts that this kernel leaves less confined than we ask for; those with the same gaps share a line. */
static void print_gaps(const struct page *p, const struct ctl_status *s)
{
    for (unsigned gaps = 1; gaps < 256; gaps++) {
        char what[256];
        char who[CTL_PARTS * 20] = "";
        struct text t = TEXT_IN(what);
        struct text names = TEXT_IN(who);

        for (uint32_t i = 0; i < at_most(s->parts_count, CTL_PARTS); i++)
            if (s->parts[i].up && s->parts[i].gaps == gaps)
                text_addf(&names, "%s%s", names.len ? ", " : "", name_of(s->parts[i].name).text);
        if (names.len == 0)
            continue;
        status_gaps(&t, gaps);
        (void)fprintf(
            p->to,
            _("\nThis kernel is too old to confine everything we ask for.  Not confined by Landlock for %s: %s.\n"),
            who, what);
    }
}

static void print_trouble(void *ctx, const char *sentence)
{
    const struct page *p = ctx;

    (void)fprintf(p->to, "  %s%s%s\n", paint_on(p->colour, PAINT_YELLOW), sentence, paint_off(p->colour));
}

void status_print(const struct ctl_status *s, FILE *to, bool colour)
{
    struct page p = { .to = to, .colour = colour };
    char version[4 * sizeof(s->version) + 1];
    char mail[128];
    struct text t = TEXT_IN(version);
    struct text counts = TEXT_IN(mail);

    text_visible(&t, slice_of(s->version, strnlen(s->version, sizeof(s->version))));
    (void)fprintf(to, _("%sserviola %s%s, up %s (since %s)\n"), paint_on(colour, PAINT_BOLD), version,
                  paint_off(colour), when_long(s->now_us - s->started_us).text,
                  when_near(s->started_us, s->now_us).text);
    (void)fprintf(to, _("Mode        %s%s%s: %s\n"), paint_on(colour, PAINT_BOLD), mode_name(s->mode),
                  paint_off(colour), mode_what(s->mode));
    if (status_is_starting(s))
        (void)fputs(_("State       starting: not every part is there yet\n"), to);
    add_mail(&counts, s);
    (void)fprintf(to, _("Mail        %s since the start\n"), mail);
    print_journal(&p, s);
    print_lines(&p, s);
    print_accounts(&p, s);
    print_firewall(&p, s);
    print_links(&p, s);
    print_doors(&p, s);
    print_parts(&p, s);
    print_gaps(&p, s);
    if (status_troubles(s, NULL, NULL) > 0) {
        (void)fputs(_("\nThis needs a look:\n"), to);
        (void)status_troubles(s, print_trouble, &p);
    }
}

/* ---- JSON ---- */

static void json_name(struct text *t, const char at[16])
{
    text_word(t, "{\"name\":\"");
    text_json(t, slice_of(at, strnlen(at, 16)));
    text_word(t, "\"");
}

static void json_number(struct text *t, const char *key, uint64_t n)
{
    text_addf(t, ",\"%s\":%llu", key, (unsigned long long)n);
}

static void json_bool(struct text *t, const char *key, bool yes)
{
    text_addf(t, ",\"%s\":%s", key, yes ? "true" : "false");
}

static void json_time(struct text *t, const char *key, int64_t at_us)
{
    text_addf(t, ",\"%s\":\"", key);
    text_time(t, at_us, 6);
    text_word(t, "\"");
}

static void json_parts(struct text *t, const struct ctl_status *s)
{
    text_word(t, ",\"parts\":[");
    for (uint32_t i = 0; i < at_most(s->parts_count, CTL_PARTS); i++) {
        const struct ctl_part *p = &s->parts[i];
        char gaps[256];
        struct text g = TEXT_IN(gaps);

        status_gaps(&g, p->gaps);
        text_word(t, i ? "," : "");
        json_name(t, p->name);
        text_addf(t, ",\"pid\":%d", (int)p->pid);
        json_bool(t, "up", p->up);
        json_time(t, "since", p->since_us);
        json_number(t, "events", p->events);
        json_number(t, "lost", p->lost);
        json_number(t, "restarts", p->restarts);
        text_addf(t, ",\"not_confined\":\"%s\"}", gaps);
    }
    text_word(t, "]");
}

static void json_links(struct text *t, const struct ctl_status *s)
{
    text_word(t, ",\"interfaces\":[");
    for (uint32_t i = 0; i < at_most(s->links_count, CTL_LINKS); i++) {
        const struct ctl_link *l = &s->links[i];

        text_word(t, i ? "," : "");
        json_name(t, l->name);
        json_bool(t, "captured", l->captured);
        json_bool(t, "up", l->up);
        json_number(t, "packets", l->packets);
        json_number(t, "lost", l->lost);
        text_word(t, "}");
    }
    text_word(t, "]");
}

static void json_doors(struct text *t, const struct ctl_status *s)
{
    text_word(t, ",\"gate\":[");
    for (uint32_t i = 0; i < at_most(s->doors_count, CTL_DOORS); i++) {
        const struct ctl_door *d = &s->doors[i];

        text_word(t, i ? "," : "");
        json_name(t, d->name);
        json_bool(t, "open", d->open);
        json_bool(t, "server_down", d->down);
        json_number(t, "passed", d->passed);
        json_number(t, "refused", d->refused);
        json_number(t, "deferred", d->deferred);
        json_number(t, "ended", d->ended);
        text_word(t, "}");
    }
    text_word(t, "]");
}

static void json_lines(struct text *t, const struct ctl_status *s)
{
    if (!s->lines_known)
        return;
    text_word(t, ",\"lines\":{\"part\":\"log\"");
    json_number(t, "received", s->lines.received);
    json_number(t, "last_ten_seconds", s->lines.lately);
    json_bool(t, "analysed", s->lines.analysed);
    json_number(t, "unread", s->lines.unread);
    json_number(t, "rules", s->lines.rules);
    json_number(t, "unknown", s->lines.unknown);
    text_word(t, "}");
}

static void json_accounts(struct text *t, const struct ctl_status *s)
{
    text_addf(t, ",\"accounts\":{\"known\":%u,\"stopped\":%u,\"suspected\":%u}", s->accounts.known, s->accounts.stopped,
              s->accounts.suspected);
}

struct json_list {
    struct text *t;
    unsigned count;
};

static void json_trouble(void *ctx, const char *sentence)
{
    struct json_list *list = ctx;

    text_word(list->t, list->count++ ? ",\"" : "\"");
    text_json(list->t, slice_text(sentence));
    text_word(list->t, "\"");
}

void status_json(const struct ctl_status *s, FILE *to)
{
    char line[32768];
    struct text t = TEXT_IN(line);
    struct json_list list = { .t = &t };

    text_word(&t, "{\"version\":\"");
    text_json(&t, slice_of(s->version, strnlen(s->version, sizeof(s->version))));
    text_addf(&t, "\",\"mode\":\"%s\"", mode_name(s->mode));
    json_time(&t, "now", s->now_us);
    json_time(&t, "started", s->started_us);
    json_bool(&t, "starting", status_is_starting(s));
    json_number(&t, "events", s->next_seq ? s->next_seq - 1 : 0);
    json_number(&t, "synced", s->synced_seq);
    json_number(&t, "scribe_behind_us", s->scribe_behind_us > 0 ? (uint64_t)s->scribe_behind_us : 0);
    json_number(&t, "mails", s->mails);
    json_number(&t, "findings", s->findings);
    json_number(&t, "blocks", s->blocks);
    json_number(&t, "blocks_cap", s->blocks_cap);
    json_bool(&t, "table_whole", s->table_whole);
    json_bool(&t, "table_owned", s->table_owned);
    json_bool(&t, "table_persists", s->table_persists);
    json_parts(&t, s);
    json_links(&t, s);
    json_doors(&t, s);
    json_accounts(&t, s);
    json_lines(&t, s);
    text_word(&t, ",\"troubles\":[");
    (void)status_troubles(s, json_trouble, &list);
    text_word(&t, "]}");
    (void)fprintf(to, "%s\n", line);
}
