/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola run: everything that the configuration switches on, in the foreground. */
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/live.h"
#include "cmd/options.h"
#include "core/supervise.h"

struct options {
    struct common_options common;
    int mode;
    const char *interfaces;
    bool no_console;
};

static const struct option_row rows[] = {
    { "mode", 'm', OPTION_WORD, offsetof(struct options, mode), "MODE", N_("observe, learn, block or hold"),
      live_modes },
    { "interface", 'i', OPTION_TEXT, offsetof(struct options, interfaces), "IF[,IF]",
      N_("listen here instead of on every interface that carries a route"), NULL },
    { "no-console", 0, OPTION_FLAG, offsetof(struct options, no_console), NULL,
      N_("print no live events (for services)"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "run",
    .what =
        N_("run everything that the configuration switches on, in the foreground, with a live console; Ctrl-C ends it"),
    .synopsis = "[-c FILE] [--mode MODE] [-i IF[,IF]] [--no-console]",
    .rows = rows,
    .examples = N_("serviola run|watch, and block nobody\n"
                   "serviola run --mode block|block who should not send mail\n"),
    .no_json = true,
};

int cmd_run(int argc, char **argv)
{
    struct options o = { .mode = -1 };
    struct run_options run = { .mode = -1 };
    struct slice wrong;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    run.conf_path = o.common.conf;
    run.mode = o.mode;
    run.console = !o.no_console;
    if (o.interfaces && !live_interfaces(o.interfaces, &run.interfaces, &wrong))
        return live_wrong_interface(&usage, wrong);
    return run_house(&run);
}
