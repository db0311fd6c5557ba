/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/attempt.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sys/clock.h"

static const struct kind *const kinds[SERVICE_PROBES] = {
    [SERVICE_TCP] = &kind_tcp,         [SERVICE_TLS] = &kind_tls,     [SERVICE_HTTP] = &kind_http,
    [SERVICE_HTTPS] = &kind_https,     [SERVICE_SMTP] = &kind_smtp,   [SERVICE_SMTPS] = &kind_smtps,
    [SERVICE_IMAP] = &kind_imap,       [SERVICE_IMAPS] = &kind_imaps, [SERVICE_POP3] = &kind_pop3,
    [SERVICE_POP3S] = &kind_pop3s,     [SERVICE_DNS] = &kind_dns,     [SERVICE_ECHO] = &kind_echo,
    [SERVICE_DNSLIST] = &kind_dnslist, [SERVICE_EXEC] = &kind_exec,
};

void attempt_init(struct attempt *a, struct prober *p, const struct service *service,
                  void (*done)(void *ctx, struct attempt *a), void *ctx)
{
    struct err e;

    memset(a, 0, sizeof(*a));
    a->prober = p;
    a->service = service;
    a->kind = kinds[service->probe];
    a->fd = a->dns.fd = a->answer = -1;
    a->dns.attempt = a;
    a->done = done;
    a->ctx = ctx;
    (void)target_read(service, &a->target, &e); /* the configuration has been looked at */
    a->to = a->target.addr;
}

static void close_all(struct attempt *a)
{
    a->open = false;
    loop_untimer(a->prober->loop, a->deadline);
    loop_untimer(a->prober->loop, a->resend);
    a->deadline = a->resend = 0;
    dns_exchange_end(&a->dns);
    talk_end(a);
    if (a->kind->end)
        a->kind->end(a);
}

bool attempt_wait(struct attempt *a)
{
    for (uint32_t i = 0; i < SERVICES_MOST; i++)
        if (!a->prober->waiting[i]) {
            a->prober->waiting[i] = a;
            return true;
        }
    return false;
}

void attempt_wait_no_more(struct attempt *a)
{
    for (uint32_t i = 0; i < SERVICES_MOST; i++)
        if (a->prober->waiting[i] == a)
            a->prober->waiting[i] = NULL;
}

void attempt_drop(struct attempt *a)
{
    if (a->open)
        close_all(a);
}

static void finish(struct attempt *a, bool well)
{
    if (!a->open)
        return;
    a->well = well;
    a->took_us = clock_mono_us() - a->begun_us;
    close_all(a);
    a->done(a->ctx, a);
}

void attempt_well(struct attempt *a)
{
    finish(a, true);
}

void attempt_missed(struct attempt *a, const char *format, ...)
{
    va_list args;

    if (!a->open)
        return;
    va_start(args, format);
    (void)vsnprintf(a->why, sizeof(a->why), format, args);
    va_end(args);
    finish(a, false);
}

void attempt_failed(struct attempt *a, const char *what, int error)
{
    a->ours = error == ENETUNREACH || error == ENETDOWN || error == EADDRNOTAVAIL || error == EMFILE ||
              error == ENOBUFS || error == ENOMEM;
    attempt_missed(a, "%s: %s", what, strerror(error));
}

void attempt_refused(struct attempt *a, struct slice said)
{
    char words[ATTEMPT_WHY - 16];
    struct text t = TEXT_IN(words);

    text_visible(&t, slice_first(said, sizeof(words)));
    attempt_missed(a, "it says: %s", words);
}

static void on_deadline(void *ctx)
{
    struct attempt *a = ctx;
    char span[32];
    struct text t = TEXT_IN(span);

    a->deadline = 0;
    text_duration(&t, a->service->within_us);
    if (a->to.family == 0 && !a->kind->placeless)
        attempt_missed(a, "its name could not be looked up within %s", span);
    else
        attempt_missed(a, "%s within %s", a->connected ? "its port is open, but no whole answer" : "no answer", span);
}

static void begin(void *ctx)
{
    struct attempt *a = ctx;

    a->resend = 0;
    if (a->kind->placeless)
        a->kind->start(a);
    else
        resolve_begin(a);
}

static void open_as(struct attempt *a, const struct kind *kind, bool knock)
{
    struct loop *l = a->prober->loop;

    a->kind = kind;
    a->knock = knock;
    a->open = true;
    a->begun_us = clock_mono_us();
    a->begun_at_us = clock_wall_us();
    a->connected = a->secured = a->well = a->ours = false;
    a->in_len = a->out_len = a->out_sent = 0;
    a->step = 0;
    a->days = NAN;
    a->why[0] = '\0';
    a->deadline = loop_timer(l, a->service->within_us, 0, on_deadline, a);
    a->resend = loop_timer(l, 0, 0, begin, a); /* `done` never comes from in here */
}

void attempt_begin(struct attempt *a)
{
    open_as(a, kinds[a->service->probe], false);
}

void attempt_begin_as(struct attempt *a, const struct kind *kind)
{
    open_as(a, kind, false);
}

void attempt_knock(struct attempt *a)
{
    open_as(a, &kind_tcp, true);
}
