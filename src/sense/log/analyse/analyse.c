/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line's way through the questions, and the minute's. */
#include "sense/log/analyse/analyse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/words.h"
#include "sense/log/analyse/inner.h"

enum { TICKS_MOST = 2000 }; /* for one jump of time */

const struct analysis_caps analysis_usual = {
    .hosts = 4096, .programs = 8192, .streams = 8192, .patterns = 65536, .messages = 65536
};

const struct log_finding_kind log_finding_kinds[] = {
    { "silence", N_("a source that usually speaks fell silent") },
    { "program_silence", N_("a program fell silent while its host went on") },
    { "network_silence", N_("several sources fell silent at once: what lies between them and us is suspect") },
    { "late", N_("lines came late; nothing is lost") },
    { "first_seen", N_("a kind of message that was never logged before") },
    { "hardware", N_("faults of a device or of a file system, in their order") },
    { "hung_task", N_("a task waited for its disk for minutes") },
    { "reboot", N_("a host was shut down and started again") },
    { "reboot_unclean", N_("a host started without having been shut down") },
    { "out_of_memory", N_("the kernel ended a process for want of memory") },
    { "clock", N_("a source's clock jumped") },
    { "clock_unset", N_("a source's clock was not set") },
    { "clock_skew", N_("a source's clock is ahead or behind all the time") },
    { "burst", N_("a message came far more often than ever") },
    { "error_ramp", N_("the share of errors among a program's lines grows") },
    { "bruteforce", N_("passwords are tried from one address") },
    { "bruteforce_success", N_("passwords were tried from one address until one was right") },
    { "source_loss", N_("a source says that it dropped messages itself") },
    { "replay", N_("lines were sent again; they count once") },
    { "stolen_account", N_("somebody else seems to have a mail account's password") },
    { "mail_queue", N_("a mail server's queue grows") },
    { "mail_deferred", N_("much of a mail server's mail is deferred") },
    { "mail_blacklisted", N_("other mail servers refuse ours because of a black list") },
    { "mail_egress", N_("a host inside opens connections to many mail servers") },
    { NULL, NULL },
};

struct stream_key {
    uint32_t host, program;
};
struct pattern_key {
    uint32_t program, template;
};

static const struct question {
    int (*open)(struct analysis *a, struct err *e);
    void (*close)(struct analysis *a);
} questions[] = {
    { copies_open, copies_close },     { clock_open, clock_close },         { silence_open, silence_close },
    { hardware_open, hardware_close }, { logins_open, logins_close },       { mail_open, mail_close },
    { packets_open, packets_close },   { mailqueue_open, mailqueue_close },
};
enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

/* Which question hears which lines. */
static const struct {
    uint32_t marks; /* 0: all lines */
    void (*line)(struct analysis *a, struct reading *r);
} hearers[] = {
    { 0, clock_line },          { 0, silence_line },      { 0, first_line },
    { 0, burst_line },          { 0, ramp_line },         { KIND_BOOT | KIND_SHUTDOWN, reboot_line },
    { KIND_OOM, oom_line },     { KIND_LOSS, loss_line }, { KIND_HARDWARE | KIND_HUNG, hardware_line },
    { KIND_AUTH, logins_line }, { KIND_MAIL, mail_line }, { KIND_PACKET, packets_line },
};

static int make_tables(struct analysis *a, struct err *e)
{
    const struct analysis_caps *c = &a->caps;

    a->templates = templates_new(&template_usual, a->seed, e);
    a->host_names = names_new(c->hosts, a->seed, e);
    a->program_names = names_new(c->programs, a->seed, e);
    a->streams = table_new(c->streams, sizeof(struct stream_key), sizeof(struct log_stream), a->seed, e);
    a->patterns = table_new(c->patterns, sizeof(struct pattern_key), sizeof(struct log_pattern), a->seed, e);
    a->traces = table_new(c->patterns, sizeof(struct trace_key), sizeof(struct log_trace), a->seed, e);
    a->hosts = calloc(c->hosts + 1u, sizeof(*a->hosts));
    if (!a->hosts)
        return err_set(e, ENOMEM, "analysis");
    for (uint32_t id = 0; id <= c->hosts; id++)
        a->hosts[id].id = id;
    return a->templates && a->host_names && a->program_names && a->streams && a->patterns && a->traces ? 0 : -1;
}

struct analysis *analysis_new(const struct analysis_caps *caps, uint64_t seed, log_found *found, void *own,
                              struct err *e)
{
    struct analysis *a = calloc(1, sizeof(*a));

    if (!a) {
        (void)err_set(e, ENOMEM, "analysis");
        return NULL;
    }
    a->caps = *caps;
    a->seed = seed;
    a->found = found;
    a->own = own;
    if (make_tables(a, e) < 0)
        goto fail;
    for (size_t i = 0; i < QUESTIONS; i++)
        if (questions[i].open(a, e) < 0)
            goto fail;
    return a;
fail:
    analysis_free(a);
    return NULL;
}

void analysis_free(struct analysis *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < QUESTIONS; i++)
        questions[i].close(a);
    templates_free(a->templates);
    names_free(a->host_names);
    names_free(a->program_names);
    table_free(a->streams);
    table_free(a->patterns);
    table_free(a->traces);
    free(a->hosts);
    free(a);
}

/* /USR/SBIN/CRON and cron are one program: the last part of the path, in small letters.  postfix/smtpd stays. */
static struct slice program_name(struct slice s, char *into, size_t size)
{
    size_t from = 0;
    size_t n = 0;

    if (s.len > 0 && s.at[0] == '/')
        for (size_t i = 0; i < s.len; i++)
            from = s.at[i] == '/' ? i + 1 : from;
    for (size_t i = from; i < s.len && n < size; i++)
        into[n++] = (char)(s.at[i] >= 'A' && s.at[i] <= 'Z' ? s.at[i] | 0x20 : s.at[i]);
    return slice_of(into, n);
}

/* The kernel's own stamp, where the reader left it: "[   12.345678] ". */
static struct slice without_uptime(struct slice s, int64_t *uptime_us)
{
    size_t i = 1;
    int64_t us = 0;
    int64_t unit = 0;

    *uptime_us = -1;
    if (s.len < 5 || s.at[0] != '[')
        return s;
    while (i < s.len && s.at[i] == ' ')
        i++;
    for (; i < s.len && i < 24 && s.at[i] != ']'; i++) {
        if (s.at[i] == '.' && unit == 0) {
            unit = SECOND_US;
            us *= SECOND_US;
        } else if (s.at[i] < '0' || s.at[i] > '9') {
            return s;
        } else if (unit == 0) {
            us = us * 10 + (s.at[i] - '0');
        } else {
            unit /= 10;
            us += unit * (s.at[i] - '0');
        }
    }
    if (unit == 0 || i + 1 >= s.len || s.at[i] != ']' || s.at[i + 1] != ' ')
        return s;
    *uptime_us = us;
    return slice_skip(s, i + 2);
}

static struct log_stream *find_stream(struct analysis *a, uint32_t host, uint32_t program)
{
    struct stream_key key = { host, program };
    struct log_stream *s = table_add(a->streams, &key, NULL, NULL, NULL);

    s->host = host;
    s->program = program;
    return s;
}

static struct log_trace *fresh_trace(struct analysis *a, struct reading *r, struct log_trace *t, struct slice program)
{
    struct pattern_key key = { r->program, r->template };
    bool fresh;
    struct log_pattern *p = table_add(a->patterns, &key, &fresh, NULL, NULL);

    if (fresh) {
        p->kind = kind_of_message(program, r->text);
        p->first_us = r->at_us;
    }
    p->hosts++;
    p->lines++;
    t->kind = p->kind;
    t->only_here = p->hosts == 1;
    t->first_us = r->at_us;
    t->severity = LOG_UNKNOWN;
    t->example_len = (uint16_t)(r->text.len < sizeof(t->example) ? r->text.len : sizeof(t->example));
    if (t->example_len > 0)
        memcpy(t->example, r->text.at, t->example_len);
    return t;
}

/* Who says what: the same for each line, so it is looked up once. */
static void identify(struct analysis *a, struct reading *r)
{
    char lower[NAMES_LENGTH];
    struct slice program = program_name(r->line->program, lower, sizeof(lower));
    uint32_t host = r->host->id != 0 ? r->host->id : names_id(a->host_names, r->line->host);

    r->program = names_id(a->program_names, program);
    r->template = templates_learn_it(a->templates);
    a->told.no_host += host == 0;
    a->told.no_program += r->program == 0;
    a->told.no_template += r->template == 0;
    r->host = &a->hosts[host];
    r->stream = find_stream(a, host, r->program);
    if (r->template != 0) {
        struct trace_key key = { host, r->program, r->template };

        r->trace = table_add(a->traces, &key, &r->fresh, burst_leaves, a);
        if (r->fresh)
            r->trace = fresh_trace(a, r, r->trace, program);
        r->kind = r->trace->kind;
        r->trace->lines++;
        r->trace->last_us = r->at_us;
        if (r->line->severity < r->trace->severity)
            r->trace->severity = r->line->severity;
    } else
        r->kind = kind_of_message(program, r->text);
}

void analyse_line(struct analysis *a, const struct log_line *l)
{
    struct reading r = { .line = l, .at_us = l->at_us };

    if (r.at_us < a->now_us)
        r.at_us = a->now_us;
    if (a->began_us == 0)
        a->began_us = a->ticked_us = r.at_us;
    analyse_tick(a, r.at_us);
    a->told.lines++;
    copies_look(a, &r);
    r.text = without_uptime(l->text, &r.uptime_us);
    templates_look(a->templates, r.text);
    if (copies_line(a, &r)) {
        a->told.copies++;
        return;
    }
    identify(a, &r);
    for (size_t i = 0; i < sizeof(hearers) / sizeof(hearers[0]); i++)
        if (hearers[i].marks == 0 || hearers[i].marks & r.kind.marks)
            hearers[i].line(a, &r);
}

static void tick(struct analysis *a, int64_t now_us)
{
    clock_tick(a, now_us);
    copies_tick(a, now_us);
    burst_tick(a, now_us);
    ramp_tick(a, now_us);
    hardware_tick(a, now_us);
    logins_tick(a, now_us);
    mail_tick(a, now_us);
    mailqueue_tick(a, now_us);
    packets_tick(a, now_us);
}

/* A jump of time is walked in minutes, or in steps that are long enough not to take for ever. */
void analyse_tick(struct analysis *a, int64_t now_us)
{
    int64_t step = MINUTE_US;

    if (a->began_us == 0 || now_us <= a->now_us)
        return;
    if ((now_us - a->ticked_us) / step > TICKS_MOST)
        step = (now_us - a->ticked_us) / TICKS_MOST;
    while (now_us - a->ticked_us >= step) {
        a->ticked_us += step;
        a->now_us = a->ticked_us;
        tick(a, a->ticked_us);
        silence_tick(a, a->ticked_us);
    }
    a->now_us = now_us;
}

void analyse_down(struct analysis *a, int64_t from_us, int64_t to_us)
{
    silence_down(a, from_us, to_us);
    a->now_us = to_us > a->now_us ? to_us : a->now_us;
    a->ticked_us = to_us > a->ticked_us ? to_us : a->ticked_us;
}

void analyse_end(struct analysis *a, int64_t now_us)
{
    analyse_tick(a, now_us);
    tick(a, a->now_us + DAY_US); /* what waits for quiet ends; who is silent stays so */
    silence_end(a);
    hardware_end(a);
    mail_end(a, a->now_us);
    mailqueue_end(a);
}

int analysis_own(struct analysis *a, struct prefix net, struct err *e)
{
    return mail_own(a, net, e);
}

struct analysis_told analysis_told(const struct analysis *a)
{
    return a->told;
}

int64_t analysis_until(const struct analysis *a)
{
    return a->now_us;
}

int64_t analyse_reboot(struct analysis *a, struct slice host)
{
    int64_t newest = 0;

    if (host.len > 0)
        return a->hosts[names_find(a->host_names, host)].booted_us;
    for (uint32_t id = 1; id <= names_count(a->host_names); id++)
        newest = a->hosts[id].booted_us > newest ? a->hosts[id].booted_us : newest;
    return newest;
}
