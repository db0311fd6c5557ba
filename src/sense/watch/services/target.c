/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/watch/services/target.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wire/dns.h"

uint16_t target_usual_port(int probe)
{
    static const uint16_t ports[SERVICE_PROBES] = {
        [SERVICE_TLS] = 443,   [SERVICE_HTTP] = 80,  [SERVICE_HTTPS] = 443, [SERVICE_SMTP] = 25,
        [SERVICE_SMTPS] = 465, [SERVICE_IMAP] = 143, [SERVICE_IMAPS] = 993, [SERVICE_POP3] = 110,
        [SERVICE_POP3S] = 995, [SERVICE_DNS] = 53,
    };

    return probe >= 0 && probe < SERVICE_PROBES ? ports[probe] : 0;
}

/* "host", "host:25", "[::1]", "[::1]:25", "::1". */
static bool split_port(struct slice s, struct slice *host, struct slice *port)
{
    struct slice rest;

    *port = slice_of(NULL, 0);
    if (s.len > 0 && s.at[0] == '[') {
        *host = slice_until(slice_skip(s, 1), ']', &rest);
        if (host->len + 2 > s.len || (rest.len > 0 && rest.at[0] != ':'))
            return false;
        *port = slice_skip(rest, 1);
        return true;
    }
    *host = slice_until(s, ':', &rest);
    if (memchr(rest.at ? rest.at : (const uint8_t *)"", ':', rest.len))
        *host = s; /* an IPv6 address without brackets */
    else
        *port = rest;
    return true;
}

static bool read_list(const struct service *s, struct err *e)
{
    struct addr own;

    if (!services_ask_own(s) && !addr_read(slice_text(s->ask), &own))
        return err_set(e, 0, "`ask` has to be the address that is looked for on the list, or own"), false;
    return dns_name_is_sound(slice_text(s->to)) ? true
                                                : (err_set(e, 0, "`to` has to be the name of a DNS list"), false);
}

bool target_read(const struct service *s, struct target *t, struct err *e)
{
    static const char *const schemes[] = { "http://", "https://" };
    struct slice rest = slice_text(s->to);
    struct slice place;
    struct slice host;
    struct slice port;
    uint64_t number = target_usual_port(s->probe);

    memset(t, 0, sizeof(*t));
    if (s->probe == SERVICE_EXEC)
        return s->to[0] == '/' ? true : (err_set(e, 0, "`to` of exec is the path of a program, from / on"), false);
    if (s->probe == SERVICE_DNSLIST)
        return read_list(s, e);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (slice_starts_nocase(rest, slice_text(schemes[i]))) {
            if (s->probe != (i == 0 ? SERVICE_HTTP : SERVICE_HTTPS))
                return err_set(e, 0, "`to` begins with %s, which is another probe", schemes[i]), false;
            rest = slice_skip(rest, strlen(schemes[i]));
        }
    place = slice_until(rest, '/', &rest);
    (void)snprintf(t->path, sizeof(t->path), "/%.*s", (int)rest.len, rest.len ? (const char *)rest.at : "");
    if (memchr(t->path, ' ', strlen(t->path)))
        return err_set(e, 0, "`to` has a blank in its path; write %%20"), false;
    if (!split_port(place, &host, &port) || (port.len > 0 && (!slice_to_u64(port, &number) || number == 0)) ||
        number > UINT16_MAX)
        return err_set(e, 0, "`to` is no place: an address or a name, and perhaps a port"), false;
    if (number == 0 && s->probe != SERVICE_ECHO)
        return err_set(e, 0, "`to` wants a port, such as \"%s:443\"", s->to), false;
    t->port = (uint16_t)number;
    if (!text_cstr(t->host, sizeof(t->host), host))
        return err_set(e, 0, "`to` is too long"), false;
    if (addr_read(host, &t->addr)) {
        t->addr.port = t->port;
        return true;
    }
    return dns_name_is_sound(host) ? true : (err_set(e, 0, "`to` names no host that can be looked up"), false);
}
