/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "act/notify/settings.h"
#include "base/addr.h"
#include "journal/event.h"

#define SECOND ((int64_t)1000000)
#define DAY    (86400 * SECOND)

static const char *const kinds[] = {
    "mail", "hook", "slack", "alertmanager", "alertmanager_hook", "syslog", "run", NULL
};
static const char *const tls_words[] = { "wished", "required", "off", NULL };
static const char *const grades[] = { "warn", "alarm", NULL };

#define TEXT(name_, member, help_)                                                                                     \
    {                                                                                                                  \
        .name = name_, .type = KEY_TEXT, KEY_AT(struct notify_way, member), .def = "", .help = help_                   \
    }

static const struct key way_keys[] = {
    { .name = "by",
      .type = KEY_WORD,
      KEY_AT(struct notify_way, by),
      .words = kinds,
      .def = "mail",
      .help =
          "How: mail; hook, a POST of JSON; slack, one that Slack and its kin understand; alertmanager, to "
          "Alertmanager's own /api/v2/alerts; alertmanager_hook, as Alertmanager itself tells its receivers; syslog; "
          "run, a program." },
    TEXT("to", to,
         "mail: the addresses, with commas between. syslog: address and port, such as 192.0.2.9:514; empty for this "
         "host's own /dev/log."),
    TEXT("from", from, "mail: who it comes from; empty for serviola at this host."),
    TEXT("server", server, "mail: smtp://HOST, smtp://HOST:PORT or smtps://HOST."),
    TEXT("url", url, "Where the POST goes."),
    TEXT("user", user, "Who logs in there; mail then goes under verified TLS alone, but for a server on this host."),
    TEXT("password_file", password_file,
         "A file with the password in its first line, that nobody but its owner may read."),
    TEXT("token_file", token_file, "A file with a bearer token in its first line, for hooks; likewise."),
    TEXT("ca_file", ca_file, "Certificates that sign the server's; empty for those of the system."),
    TEXT("proxy", proxy, "http://HOST:PORT or socks5h://HOST:PORT, when only a proxy leads there."),
    TEXT("command", command,
         "run: the path of a program; it gets the notice as JSON on its standard input, runs as the user "
         "serviola-notify, and has taken the notice when it ends with 0. Changes with the next start."),
    { .name = "tls",
      .type = KEY_WORD,
      KEY_AT(struct notify_way, tls),
      .words = tls_words,
      .def = "wished",
      .help = "mail by smtp://: TLS when the server offers it, whoever signed its certificate; or not without a "
              "certificate that is right; or never." },
    { .name = NULL },
};

static const struct key rule_keys[] = {
    { .name = "events",
      .type = KEY_NAMES,
      KEY_AT(struct notify_rule, events),
      .def = "",
      .help = "Names of events, such as [watch.*, scribe.stuck]; empty for all. Those of triggers count only where the "
              "trigger says notify." },
    { .name = "of",
      .type = KEY_NAMES,
      KEY_AT(struct notify_rule, of),
      .def = "",
      .help = "Only those that speak of one of these: a trigger, a part, an interface." },
    { .name = "grade",
      .type = KEY_WORD,
      KEY_AT(struct notify_rule, grade),
      .words = grades,
      .def = "alarm",
      .help = "From this grade on; a trigger that says notify is told whatever its grade." },
    { .name = "to",
      .type = KEY_NAMES,
      KEY_AT(struct notify_rule, to),
      .def = "",
      .help = "On these ways; empty for all." },
    { .name = "escalate",
      .type = KEY_SPAN,
      KEY_AT(struct notify_rule, escalate_us),
      .min = SECOND,
      .max = 30 * DAY,
      .def = "15min",
      .help = "What is neither over nor acknowledged after so long is told again, on the ways of then." },
    { .name = "then",
      .type = KEY_NAMES,
      KEY_AT(struct notify_rule, then),
      .def = "",
      .help = "The ways of escalate; empty for none." },
    { .name = NULL },
};

#define SPAN(name_, member, least, most, default_, help_)                                                              \
    {                                                                                                                  \
        .name = name_, .type = KEY_SPAN, KEY_AT(struct notify_settings, member), .min = least, .max = most,            \
        .def = default_, .help = help_                                                                                 \
    }

const struct key notify_keys[] = {
    { .name = "ways",
      .type = KEY_EACH,
      KEY_EACH_AT(struct notify_settings, ways, ways_count),
      .sub = way_keys,
      .def = "",
      .help = "How people are told; none: nobody is." },
    { .name = "rules",
      .type = KEY_EACH,
      KEY_EACH_AT(struct notify_settings, rules, rules_count),
      .sub = rule_keys,
      .def = "all: { grade: alarm }\n",
      .help = "Who is told of what; the first rule that fits counts." },
    SPAN("wait", wait_us, 0, 60 * SECOND, "300ms", "What happens within this time goes out in one notice."),
    SPAN("window", window_us, SECOND, DAY, "5min",
         "What happens again is counted, and told once in this time, then once in twice the time."),
    SPAN("window_most", window_most_us, SECOND, 7 * DAY, "1h", "What window grows to."),
    { .name = "burst",
      .type = KEY_NUMBER,
      KEY_AT(struct notify_settings, burst),
      .min = 1,
      .max = 1000,
      .def = "10",
      .help = "So many notices may go out in a row on one way; what comes then is gathered." },
    SPAN("each", each_us, 0, DAY, "1min", "What is gathered goes out in one notice each so long."),
    SPAN("keep", keep_us, 60 * SECOND, 30 * DAY, "1d", "A notice that finds no way out is tried for so long."),
    SPAN("retry", retry_us, SECOND / 10, 3600 * SECOND, "5s",
         "After a failure it is tried again after this pause; each pause is twice as long."),
    SPAN("retry_most", retry_most_us, SECOND / 10, DAY, "10min", "What retry grows to."),
    SPAN("settle", settle_us, SECOND, DAY, "2min",
         "What was told before serviola was started anew, and is not found again within this time, is over."),
    SPAN("timeout", timeout_us, SECOND, 600 * SECOND, "30s", "One try may take so long."),
    { .name = NULL },
};

/* ---- what the table can't know ---- */

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The host is plain: libcurl must find it under the very name that we looked up. */
static bool is_url(const char *url, const char *plain, const char *tls)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    const char *host = url + (starts(url, plain) ? strlen(plain) : starts(url, tls) ? strlen(tls) : 0);
    size_t len = strspn(host, letters);

    return host != url && len > 0 && host[len - 1] != '.' && !strstr(host, ".:") &&
           (host[len] == '\0' || host[len] == '/') && !strpbrk(host, " \"<>\\@");
}

static bool are_addresses(const char *list)
{
    struct slice rest = slice_text(list);

    do {
        struct slice one = slice_trim(slice_until(rest, ',', &rest));
        struct slice domain;
        struct slice local = slice_until(one, '@', &domain);

        if (local.len == 0 || domain.len == 0)
            return false;
        for (size_t i = 0; i < one.len; i++)
            if (one.at[i] <= ' ' || memchr("<>()[]\",;:\\", one.at[i], 11) || one.at[i] >= 0x7f)
                return false;
    } while (rest.len > 0);
    return true;
}

static int check_way(const struct notify_way *w, struct err *e)
{
    struct addr a;

    switch ((enum notify_by)w->by) {
    case BY_MAIL:
        if (!are_addresses(w->to) || (w->from[0] && !are_addresses(w->from)))
            return err_set(e, 0, "mail goes `to` one or more addresses such as admin@example.org");
        if (!is_url(w->server, "smtp://", "smtps://"))
            return err_set(e, 0, "mail needs a `server` such as smtp://mx.example.org");
        break;
    case BY_HOOK:
    case BY_SLACK:
    case BY_ALERTMANAGER:
    case BY_ALERTMANAGER_HOOK:
        if (!is_url(w->url, "http://", "https://"))
            return err_set(
                e, 0,
                "it needs a `url` that begins with https:// or http://; user and password have keys of their own");
        break;
    case BY_SYSLOG:
        if (w->to[0] && (!addr_read_port(slice_text(w->to), &a) || a.port == 0))
            return err_set(e, 0,
                           "syslog goes `to` an address with a port, such as 192.0.2.9:514, or to nothing: /dev/log");
        break;
    case BY_RUN:
        if (w->command[0] != '/')
            return err_set(e, 0, "run needs a `command`: the path of a program, from / on");
        break;
    }
    if (w->proxy[0] && !is_url(w->proxy, "http://", "socks5h://"))
        return err_set(e, 0, "a `proxy` begins with http:// or socks5h://");
    return (w->user[0] != '\0') == (w->password_file[0] != '\0')
             ? 0
             : err_set(e, 0, "`user` and `password_file` belong together");
}

static bool is_event(const char *pattern)
{
    size_t len = strlen(pattern);

    if (len > 0 && pattern[len - 1] != '*')
        return event_kind_of(slice_text(pattern)) != EV_NONE;
    for (int k = EV_NONE + 1; len > 0 && k < EV_KINDS; k++)
        if (strncmp(event_name((enum event_kind)k), pattern, len - 1) == 0)
            return true;
    return false;
}

static uint32_t way_named(const struct notify_settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->ways_count; i++)
        if (strcmp(s->ways[i].name, name) == 0)
            return 1u << i;
    return 0;
}

static int check_rule(const struct notify_settings *s, const struct notify_rule *r, struct err *e)
{
    const struct key_names *lists[] = { &r->to, &r->then };

    for (uint32_t i = 0; i < r->events.count; i++)
        if (!is_event(r->events.at[i]))
            return err_set(e, 0, "there is no event \"%s\"; serviola-events(7) lists them", r->events.at[i]);
    for (unsigned l = 0; l < 2; l++)
        for (uint32_t i = 0; i < lists[l]->count; i++)
            if (way_named(s, lists[l]->at[i]) == 0)
                return err_set(e, 0, "there is no way \"%s\" below notify.ways", lists[l]->at[i]);
    return 0;
}

bool notify_check(const struct notify_settings *s, const char **name, struct err *e)
{
    for (uint32_t i = 0; i < s->ways_count; i++) {
        *name = s->ways[i].name;
        if (check_way(&s->ways[i], e) < 0)
            return false;
    }
    for (uint32_t i = 0; i < s->rules_count; i++) {
        *name = s->rules[i].name;
        if (check_rule(s, &s->rules[i], e) < 0)
            return false;
    }
    return true;
}

uint32_t notify_ways_of(const struct notify_settings *s, const struct key_names *names)
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < names->count; i++)
        bits |= way_named(s, names->at[i]);
    return names->count == 0 ? (1u << s->ways_count) - 1 : bits;
}

bool notify_knows_programs(const struct notify_settings *old, const struct notify_settings *now)
{
    for (uint32_t i = 0; i < now->ways_count; i++) {
        bool known = now->ways[i].by != BY_RUN;

        for (uint32_t k = 0; k < old->ways_count; k++)
            known = known || (old->ways[k].by == BY_RUN && strcmp(old->ways[k].name, now->ways[i].name) == 0 &&
                              strcmp(old->ways[k].command, now->ways[i].command) == 0);
        if (!known)
            return false;
    }
    return true;
}
