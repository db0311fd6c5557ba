/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola audit: what of this host can be reached, beside what should be; and what its twin has otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/xray_ask.h"
#include "cmd/xray_keep.h"
#include "core/settings.h"
#include "sense/audit/outside.h"
#include "sense/xray/xray.h"
#include "snap/file.h"
#include "sys/say.h"
#include "sys/sockaddr.h"
#include "sys/whole.h"
#include "view/audit/audit.h"
#include "view/paint.h"

enum { SEEN_MOST = 16 << 20 };

struct audit_options {
    struct common_options common;
    const char *outside, *against, *output, *ports;
    bool force, list;
};

static const struct option_row rows[] = {
    { "from-outside", 0, OPTION_TEXT, offsetof(struct audit_options, outside), "FILE",
      N_("what another host saw: of `serviola audit look`, nmap -oX or nmap -oG"), NULL },
    { "against", 0, OPTION_TEXT, offsetof(struct audit_options, against), "FILE",
      N_("the picture of its twin: what differs"), NULL },
    { "output", 'o', OPTION_TEXT, offsetof(struct audit_options, output), "FILE",
      N_("write the picture there, with the list of packages, and audit nothing"), NULL },
    { "force", 'f', OPTION_FLAG, offsetof(struct audit_options, force), NULL,
      N_("replace a file that is there already"), NULL },
    { "list", 'l', OPTION_FLAG, offsetof(struct audit_options, list), NULL, N_("print what can be found"), NULL },
    { "ports", 'p', OPTION_TEXT, offsetof(struct audit_options, ports), "LIST",
      N_("look: TCP ports such as 22,80,8000-8100; 1-10000 when absent"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "audit",
    .what =
        N_("Puts beside each other what listens on this host, what the configuration declares (audit: services:) and\n"
           "what another host sees of it; tells what is superfluous, and what differs from a twin.  Alone it looks\n"
           "at this host now; a FILE is a picture of serviola xray or of audit -o."),
    .synopsis = "[FILE] [--from-outside FILE] [--against FILE] | look HOST [--ports LIST] | --list",
    .rows = rows,
    .most = 2,
    .examples =
        N_("serviola audit|what listens, and is it declared\n"
           "serviola audit look mail.example.org > seen|on another host of yours: which of its ports let us in\n"
           "serviola audit --from-outside seen|all three lists beside each other\n"
           "serviola audit -o twin.xray|on the twin: a picture with its packages\n"
           "serviola audit --against twin.xray|what drifted from the twin"),
};

/* --- look */

static void ask_range(void *own, uint16_t first, uint16_t last)
{
    struct outside *l = own;

    memset(l->port + first, OUTSIDE_ASKED, (size_t)last - first + 1);
}

static bool find_host(const char *name, struct addr *a)
{
    struct addrinfo wish = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct sockaddr_storage room = { 0 };
    int status = getaddrinfo(name, NULL, &wish, &found);

    if (status == 0 && found->ai_addrlen <= sizeof(room)) {
        memcpy(&room, found->ai_addr, found->ai_addrlen);
        *a = addr_ip(sockaddr_read(&room));
        freeaddrinfo(found);
        return a->family != 0;
    }
    say(_("%s: no address: %s"), name, gai_strerror(status));
    return false;
}

static bool was_tried(const struct outside *l, size_t port)
{
    return l->port[port] > OUTSIDE_ASKED;
}

/* As nmap -oG -v writes it. */
static void print_seen(const struct outside *l)
{
    const char *comma = "";
    unsigned count = 0;

    for (size_t p = 1; p < OUTSIDE_PORTS; p++)
        count += was_tried(l, p);
    (void)printf("# serviola %s audit look\n", SERVIOLA_VERSION);
    if (l->from.family != 0)
        (void)printf("# From: %s\n", addr_ip_text(l->from).text);
    (void)printf("# Ports scanned: TCP(%u;", count);
    for (size_t p = 1; p < OUTSIDE_PORTS; p++) {
        size_t first = p;

        if (!was_tried(l, p))
            continue;
        while (p + 1 < OUTSIDE_PORTS && was_tried(l, p + 1))
            p++;
        (void)printf(p > first ? "%s%zu-%zu" : "%s%zu", comma, first, p);
        comma = ",";
    }
    (void)printf(") UDP(0;)\nHost: %s ()\tPorts: ", addr_ip_text(l->host).text);
    comma = "";
    for (size_t p = 1; p < OUTSIDE_PORTS; p++)
        if (l->port[p] == OUTSIDE_OPEN) {
            (void)printf("%s%zu/open/tcp/////", comma, p);
            comma = ", ";
        }
    (void)putchar('\n');
}

static size_t count_of(const struct outside *l, enum outside_state state)
{
    size_t count = 0;

    for (size_t p = 1; p < OUTSIDE_PORTS; p++)
        count += l->port[p] == state;
    return count;
}

/* Whether there is something to write; a host that never answers is down, or lets nobody in: nobody can tell. */
static bool tell_answers(const struct outside *l)
{
    struct addr_words host = addr_ip_text(l->host);
    size_t left = count_of(l, OUTSIDE_ASKED);

    if (count_of(l, OUTSIDE_OPEN) + count_of(l, OUTSIDE_CLOSED) == 0) {
        say(l->from.family == 0
                ? _("there is no way to %s")
                : _("%s answered on none of these ports: it is down, or a firewall drops all; nothing is known of it"),
            host.text);
        return false;
    }
    if (left > 0)
        say(_("the time was up: %zu ports of %s were not tried"), left, host.text);
    if (addr_eq_ip(l->from, l->host))
        say(_("%s is this host itself: what others see of it is told by a look from another host"), host.text);
    return true;
}

static int look(const struct audit_options *o)
{
    static struct outside l = { .longest_ms = OUTSIDE_LONGEST_MS };
    struct err e;

    if (o->outside || o->against || o->output || o->common.json)
        return options_wrong(&usage, _("look takes a host and --ports, and writes one form"));
    if (!seen_ports(slice_text(o->ports ? o->ports : "1-10000"), ask_range, &l))
        return options_wrong(&usage, _("--ports is a list such as 22,80,8000-8100"));
    if (!find_host(o->common.words[1], &l.host))
        return EXIT_CANNOT;
    if (outside_look(&l, &e) < 0) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    if (!tell_answers(&l))
        return EXIT_CANNOT;
    print_seen(&l);
    return fflush(stdout) == 0 ? EXIT_FINE : EXIT_CANNOT;
}

/* --- what is put beside each other */

static struct snap *read_picture(const char *path)
{
    struct err e;
    struct snap *s = snap_read(path, &e);

    if (!s)
        say("%s: %s", path, e.text);
    return s;
}

static struct snap *take(const struct audit_options *o)
{
    static const struct xray_wish plain;
    char kept[XRAY_KEPT];
    struct err e;
    struct snap *s = geteuid() != 0 ? xray_ask(&o->common, false, kept, &e) : NULL;

    if (!s && geteuid() != 0)
        say(_("%s; this is what you may see yourself: for all of it be root, or ask a running serviola as a member of "
              "its group"),
            e.text);
    if (!s)
        s = xray_take_as(&plain, &e);
    if (s)
        xray_installed(s);
    else
        say("%s", e.text);
    return s;
}

static struct seen *read_seen(const char *path)
{
    struct seen *s = calloc(1, sizeof(*s));
    char *room = malloc(SEEN_MOST);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = room && fd >= 0 ? whole_read(fd, room, SEEN_MOST) : -1;

    if (n < 0)
        say("%s: %s", path, strerror(errno));
    else if (n == SEEN_MOST)
        say(_("%s is longer than 16 MB: look at fewer hosts"), path);
    else if (s && seen_read(s, slice_of(room, (size_t)n)))
        goto out;
    else
        say(_("%s tells of no host: it is not what serviola audit look, nmap -oX or nmap -oG write"), path);
    free(s);
    s = NULL;
out:
    if (fd >= 0)
        close(fd);
    free(room);
    return s;
}

static int tell(const struct audit_options *o, const struct audit_wish *wish)
{
    struct err e;
    struct audit *a = audit_new(wish, &e);
    int code;

    if (!a) {
        say("%s", e.text);
        return EXIT_CANNOT;
    }
    if (o->common.json)
        audit_json(a, stdout);
    else
        audit_print(a, stdout, paint_wanted(STDOUT_FILENO));
    code = fflush(stdout) != 0 ? EXIT_CANNOT : audit_is_grave(a) ? EXIT_FOUND : EXIT_FINE;
    free(a);
    return code;
}

static int keep(const struct audit_options *o, const struct snap *s, char **argv)
{
    struct xray_keep how = { .common = &o->common, .command = argv, .replace = o->force };
    struct err e;

    if (xray_keep_at(s, o->output, &how, &e) == 0)
        return EXIT_FINE;
    say("%s: %s", o->output, e.text);
    return EXIT_CANNOT;
}

static int audit_with(const struct audit_options *o, const struct audit_settings *declared, char **argv)
{
    struct snap *s = NULL;
    struct snap *twin = o->against ? read_picture(o->against) : NULL;
    struct seen *seen = o->outside ? read_seen(o->outside) : NULL;
    struct audit_wish wish = { .declared = declared, .outside = seen, .twin = twin };
    int code = EXIT_CANNOT;

    if ((!o->against || twin) && (!o->outside || seen))
        s = o->common.count > 0 ? read_picture(o->common.words[0]) : take(o);
    wish.snap = s;
    if (s)
        code = o->output ? keep(o, s, argv) : tell(o, &wish);
    snap_free(s);
    snap_free(twin);
    free(seen);
    return code;
}

static int list(bool json)
{
    for (const struct finding_kind *k = audit_kinds; k->id; k++)
        (void)printf(json ? "{\"finding\":\"%s\",\"what\":\"%s\"}\n" : "%-24s%s\n", k->id, _(k->what));
    return fflush(stdout) == 0 ? EXIT_FINE : EXIT_CANNOT;
}

int cmd_audit(int argc, char **argv)
{
    struct audit_options o = { 0 };
    struct house_settings *conf;
    struct conf_faults faults;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.list && o.common.count == 0)
        return list(o.common.json);
    if (o.common.count > 0 && strcmp(o.common.words[0], "look") == 0)
        return o.common.count == 2 ? look(&o) : options_wrong(&usage, _("it is `serviola audit look HOST`"));
    if (o.common.count > 1 || o.ports || (o.output && (o.outside || o.against || o.common.count > 0)) ||
        (o.force && !o.output))
        return options_wrong(&usage, _("name one picture at most; --ports is for look, -o for taking a picture"));
    conf = calloc(1, sizeof(*conf));
    if (!conf)
        return EXIT_CANNOT;
    if (settings_read(settings_path(o.common.conf), conf, &faults) == 0) {
        code = audit_with(&o, &conf->audit, argv);
    } else {
        conf_print_faults(&faults, stderr, paint_wanted(STDERR_FILENO));
        code = EXIT_USAGE;
    }
    free(conf);
    return code;
}
