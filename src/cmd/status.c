/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola status: how the running house is; exit code 1 when something needs a look. */
#include <stdio.h>
#include <unistd.h>

#include "base/words.h"
#include "cmd/command.h"
#include "cmd/sight.h"
#include "sys/say.h"
#include "view/mode.h"
#include "view/paint.h"
#include "view/status.h"

_Static_assert((int)HUNT_OFF == (int)MODE_OFF && (int)HUNT_OBSERVE == (int)MODE_OBSERVE &&
                   (int)HUNT_LEARN == (int)MODE_LEARN && (int)HUNT_BLOCK == (int)MODE_BLOCK &&
                   (int)HUNT_HOLD == (int)MODE_HOLD,
               "the views name the hunt's modes by number");

static const struct usage usage = {
    .name = "status",
    .what = N_("Says how the running serviola is: its mode, its parts and how they are confined, the interfaces, the\n"
               "journal, the firewall.  Exit code 0: all is well; 1: something needs a look (and it is said what)."),
    .synopsis = "[--json]",
    .examples = N_("serviola status|for people\n"
                   "serviola status --json | jq -r .troubles[]|for a monitoring system"),
};

int cmd_status(int argc, char **argv)
{
    struct common_options o = { 0 };
    struct sight s = { 0 };
    struct ctl_status status;
    struct err e;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    code = sight_configure(&s, &o);
    if (code != EXIT_FINE)
        goto out;
    s.client = client_open(s.conf->core.control, &e);
    if (!s.client || client_status(s.client, &status, &e) < 0) {
        say("%s", e.text);
        code = EXIT_CANNOT;
        goto out;
    }
    if (o.json)
        status_json(&status, stdout);
    else
        status_print(&status, stdout, paint_wanted(STDOUT_FILENO));
    code = status_troubles(&status, NULL, NULL) > 0 ? EXIT_FOUND : EXIT_FINE;
out:
    sight_close(&s);
    return code;
}
