/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola status: how the running house is; exit code 1 when something needs a look. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "view/availability.h"
#include "view/mode.h"
#include "view/paint.h"
#include "view/status.h"
#include "view/when.h"

_Static_assert((int)HUNT_OFF == (int)MODE_OFF && (int)HUNT_OBSERVE == (int)MODE_OBSERVE &&
                   (int)HUNT_LEARN == (int)MODE_LEARN && (int)HUNT_BLOCK == (int)MODE_BLOCK &&
                   (int)HUNT_HOLD == (int)MODE_HOLD,
               "the views name the hunt's modes by number");

struct status_options {
    struct common_options common;
    const char *since;
};

static const struct option_row rows[] = {
    { "since", 's', OPTION_TEXT, offsetof(struct status_options, since), "T",
      N_("when each service was down since then: 7d, 2026-11-01, month (this one)"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "status",
    .what = N_("Says how the running serviola is: its mode, its parts and how they are confined, the interfaces, the\n"
               "journal, the firewall.  Exit code 0: all is well; 1: something needs a look (and it is said what)."),
    .synopsis = "[--since T] [--json]",
    .rows = rows,
    .examples = N_("serviola status|for people\n"
                   "serviola status --json | jq -r .troubles[]|for a monitoring system\n"
                   "serviola status --since 7d|when each service was down, and its availability day by day"),
};

/* ---- --since ---- */

static bool since_read(const char *words, int64_t now_us, int64_t *from_us)
{
    time_t now = (time_t)(now_us / 1000000);
    struct tm tm;

    if (strcmp(words, "month") != 0)
        return when_read(slice_text(words), now_us, from_us);
    if (!localtime_r(&now, &tm))
        return false;
    tm.tm_sec = tm.tm_min = tm.tm_hour = 0;
    tm.tm_mday = 1;
    tm.tm_isdst = -1;
    *from_us = (int64_t)mktime(&tm) * 1000000;
    return true;
}

static bool take(void *own, const struct event *ev)
{
    availability_take(own, ev);
    return true;
}

/* From the journal, whether it runs or not: 1 when something was down. */
static int tell_since(struct sight *s, int64_t from_us, int64_t now_us, bool json)
{
    const struct query q = { .kinds = availability_kinds, .kinds_count = availability_kinds_count };
    struct availability *a;
    struct err e;
    int code = EXIT_CANNOT;
    bool runs = sight_connect(s) == 0;

    if (sight_open_disk(s) < 0 && !runs) {
        say("%s", s->disk_error.text);
        return EXIT_CANNOT;
    }
    a = availability_new(from_us, now_us, &e);
    if (!a || sight_query(s, &q, take, a, NULL, &e) < 0) {
        say("%s", e.text);
        goto out;
    }
    availability_end(a, runs);
    code = EXIT_FINE;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->at[i]->all.down_us > 0)
            code = EXIT_FOUND;
    if (json)
        availability_json(a, stdout);
    else if (a->count == 0)
        (void)puts(_("No service is probed: watch: { services: } of serviola.conf(5) names them"));
    else
        availability_print(a, stdout, paint_wanted(STDOUT_FILENO));
out:
    availability_free(a);
    return code;
}

int cmd_status(int argc, char **argv)
{
    struct status_options o = { 0 };
    struct sight s = { 0 };
    struct ctl_status status;
    int64_t now_us = clock_wall_us();
    int64_t from_us;
    struct err e;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.since && (!since_read(o.since, now_us, &from_us) || from_us >= now_us))
        return options_wrong(&usage, _("--since wants %s"), _(WHEN_HELP));
    code = sight_configure(&s, &o.common);
    if (code != EXIT_FINE)
        goto out;
    if (o.since) {
        code = tell_since(&s, from_us, now_us, o.common.json);
        goto out;
    }
    s.client = client_open(s.conf->core.control, &e);
    if (!s.client || client_status(s.client, &status, &e) < 0) {
        say("%s", e.text);
        code = EXIT_CANNOT;
        goto out;
    }
    if (o.common.json)
        status_json(&status, stdout);
    else
        status_print(&status, stdout, paint_wanted(STDOUT_FILENO));
    code = status_troubles(&status, NULL, NULL) > 0 ? EXIT_FOUND : EXIT_FINE;
out:
    sight_close(&s);
    return code;
}
