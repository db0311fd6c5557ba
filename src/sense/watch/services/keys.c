/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "sense/watch/services/settings.h"
#include "sense/watch/services/target.h"
#include "wire/dns.h"

enum { SECOND = 1000000 };
#define DAY (86400 * (int64_t)SECOND)

static const char *const probes[] = { "tcp",  "tls",   "http", "https", "smtp",    "smtps", "imap", "imaps",
                                      "pop3", "pop3s", "dns",  "echo",  "dnslist", "exec",  NULL };
/* As enum dns_kind. */
static const char *const types[] = { "PTR", "A", "AAAA", "MX", "TXT", "NS", NULL };

_Static_assert(sizeof(probes) / sizeof(probes[0]) == SERVICE_PROBES + 1, "each probe has a name");

const struct key service_keys[] = {
    { .name = "probe",
      .type = KEY_WORD,
      KEY_AT(struct service, probe),
      .words = probes,
      .def = NULL,
      .help =
          "What is said to it: tcp looks whether its port is open, tls looks at the certificate too, http and https "
          "get a page, smtp, "
          "imap and pop3 hear the greeting and say good-bye (smtps, imaps, pop3s: under TLS from the first byte), "
          "dns asks a question, echo is ping, dnslist looks whether an address of yours (`ask`) stands on a DNS list "
          "(`to`), exec runs a program, which has to end with code 0." },
    { .name = "to",
      .type = KEY_TEXT,
      KEY_AT(struct service, to),
      .def = NULL,
      .help = "Where: an address or a name, with a port if it is not the usual one, and for http with a path, such as "
              "\"www.example.org/health\" or \"[2001:db8::1]:8080\".  exec: path and words of the program, without a "
              "shell; "
              "it runs as the user serviola-probe, and one that is new here begins with the next start." },
    { .name = "every",
      .type = KEY_SPAN,
      KEY_AT(struct service, every_us),
      .min = 0,
      .max = DAY,
      .def = "0",
      .help =
          "How often it is asked in its own language; 0: each second for tcp, dns and echo, each 10 seconds for what "
          "leaves a line in a log, each hour for tls and dnslist.  A server that takes connections and does not "
          "answer any more is found out as exactly as this; a closed port as `knock` says.  After a missed probe "
          "the next one comes a second later." },
    { .name = "knock",
      .type = KEY_SPAN,
      KEY_AT(struct service, knock_us),
      .min = 0,
      .max = DAY,
      .def = "1s",
      .help = "What speaks over TCP: how often its port is looked at in between; so exactly it is known when it was "
              "closed and when it is open again.  The connection is broken off before it stands: the server never "
              "hears of it, and no log has a line of it.  0: never." },
    { .name = "within",
      .type = KEY_SPAN,
      KEY_AT(struct service, within_us),
      .min = 10000,
      .max = SERVICE_WITHIN_MOST,
      .def = "5s",
      .help = "An answer that takes longer is none." },
    { .name = "misses",
      .type = KEY_NUMBER,
      KEY_AT(struct service, misses),
      .min = 1,
      .max = 20,
      .def = "2",
      .help = "So many missed probes in a row, and it is down since the first of them." },
    { .name = "steady",
      .type = KEY_SPAN,
      KEY_AT(struct service, steady_us),
      .min = SECOND,
      .max = DAY,
      .def = "2min",
      .help =
          "One that was down three times in ten minutes comes and goes: that is told once, and not each loss, until "
          "nothing has changed for so long." },
    { .name = "after",
      .type = KEY_NAMES,
      KEY_AT(struct service, after),
      .def = "",
      .help = "Services that lie in front of it, such as [router]: while one of them is down, this one is not told." },
    { .name = "expect",
      .type = KEY_NUMBER,
      KEY_AT(struct service, expect),
      .min = 0,
      .max = 599,
      .def = "0",
      .help = "http: the status that it has to answer; 0: any from 200 to 399." },
    { .name = "content",
      .type = KEY_TEXT,
      KEY_AT(struct service, content),
      .def = "",
      .help = "What must stand in the page, or (dns) what must be among the answers." },
    { .name = "ask",
      .type = KEY_TEXT,
      KEY_AT(struct service, ask),
      .def = "localhost",
      .help =
          "dns: the name that is asked for; dnslist: your address, or \"own\": each public one that this host has at "
          "that time, and those of `own` in `gate`." },
    { .name = "type",
      .type = KEY_WORD,
      KEY_AT(struct service, type),
      .words = types,
      .def = "A",
      .help = "dns: the type of record." },
    { .name = "starttls",
      .type = KEY_BOOL,
      KEY_AT(struct service, starttls),
      .def = "no",
      .help = "smtp, imap, pop3: it must offer STARTTLS, with a certificate that is good." },
    { .name = "trust",
      .type = KEY_TEXT,
      KEY_AT(struct service, trust),
      .def = "",
      .help = "Whose certificates are good: empty: those the system trusts; a file of certificates; \"any\": they are "
              "not checked." },
    { .name = NULL },
};

const struct key domain_keys[] = {
    { .name = "domain",
      .type = KEY_TEXT,
      KEY_AT(struct watched_domain, domain),
      .def = "",
      .help = "The domain, such as example.org, if the block is called otherwise." },
    { .name = "rdap",
      .type = KEY_TEXT,
      KEY_AT(struct watched_domain, rdap),
      .def = "https://rdap.org/domain/",
      .help =
          "Who is asked; the domain is put behind it.  rdap.org leads to the registry of each top-level domain that "
          "has such a service; that is followed three times at most, and only under TLS." },
    { .name = "every",
      .type = KEY_SPAN,
      KEY_AT(struct watched_domain, every_us),
      .min = SECOND,
      .max = 30 * DAY,
      .def = "1d",
      .help = "How often; a registry wants no more than a few questions a day.  When one fails it is tried again after "
              "an hour." },
    { .name = "trust",
      .type = KEY_TEXT,
      KEY_AT(struct watched_domain, trust),
      .def = "",
      .help = "Whose certificates are good, as for a service." },
    { .name = NULL },
};

const char *watched_domain_name(const struct watched_domain *d)
{
    return d->domain[0] ? d->domain : d->name;
}

bool watched_domain_service(const struct watched_domain *d, struct service *s, struct err *e)
{
    struct slice url = slice_text(d->rdap);
    bool plain = slice_starts_nocase(url, SLICE("http://"));
    const char *name = watched_domain_name(d);
    struct target t;

    *s = (struct service){ .probe = plain ? SERVICE_HTTP : SERVICE_HTTPS, .within_us = 20 * (int64_t)SECOND };
    memcpy(s->name, d->name, sizeof(s->name));
    memcpy(s->trust, d->trust, sizeof(s->trust));
    if (!plain && !slice_starts_nocase(url, SLICE("https://")))
        return err_set(e, 0, "`rdap` has to begin with https://"), false;
    if (!dns_name_is_sound(slice_text(name)) || !strchr(name, '.') || strpbrk(name, "/?#%"))
        return err_set(e, 0, "\"%s\" is no domain such as example.org", name), false;
    if (snprintf(s->to, sizeof(s->to), "%s%s%s", d->rdap, url.at[url.len - 1] == '/' ? "" : "/", name) >=
        (int)sizeof(s->to))
        return err_set(e, 0, "`rdap` and the domain are too long together"), false;
    return target_read(s, &t, e);
}

int64_t services_every_us(const struct service *s)
{
    if (s->every_us > 0)
        return s->every_us < SECOND ? SECOND : s->every_us;
    if (s->probe == SERVICE_TLS || s->probe == SERVICE_DNSLIST)
        return 3600 * (int64_t)SECOND;
    return s->probe == SERVICE_TCP || s->probe == SERVICE_DNS || s->probe == SERVICE_ECHO ? SECOND
                                                                                          : 10 * (int64_t)SECOND;
}

int64_t services_knock_us(const struct service *s)
{
    bool talks = s->probe >= SERVICE_TLS && s->probe <= SERVICE_POP3S;
    int64_t knock_us = s->knock_us < SECOND ? SECOND : s->knock_us;

    return talks && s->knock_us > 0 && knock_us < services_every_us(s) ? knock_us : 0;
}

bool services_ask_own(const struct service *s)
{
    return s->probe == SERVICE_DNSLIST && strcmp(s->ask, "own") == 0;
}

int services_find(const struct services *all, const char *name)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Whether `to` is reached from `from` by `after`, in at most `left` steps. */
static bool leads_to(const struct services *all, int from, int to, uint32_t left)
{
    for (uint32_t k = 0; left > 0 && k < all->at[from].after.count; k++) {
        int next = services_find(all, all->at[from].after.at[k]);

        if (next == to || (next >= 0 && leads_to(all, next, to, left - 1)))
            return true;
    }
    return false;
}

bool services_sound(const struct services *all, const char **name, struct err *e)
{
    for (uint32_t i = 0; i < all->count; i++) {
        const struct service *s = &all->at[i];
        struct target t;

        *name = s->name;
        if (!target_read(s, &t, e))
            return false;
        if (s->after.count > SERVICE_AFTER)
            return err_set(e, 0, "at most %d services can stand behind `after`", SERVICE_AFTER), false;
        for (uint32_t k = 0; k < s->after.count; k++)
            if (services_find(all, s->after.at[k]) < 0)
                return err_set(e, 0, "`after` names \"%s\", and there is no such service", s->after.at[k]), false;
        if (leads_to(all, (int)i, (int)i, 6))
            return err_set(e, 0, "it stands in front of itself: `after` goes round in a circle"), false;
    }
    for (uint32_t i = 0; i < all->domains_count; i++) {
        struct service s;

        *name = all->domains[i].name;
        if (!watched_domain_service(&all->domains[i], &s, e))
            return false;
    }
    return true;
}
