/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola reload: a changed configuration comes into force, and who typed it hears how that went. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/client.h"
#include "cmd/options.h"
#include "core/settings.h"
#include "sys/say.h"
#include "view/paint.h"

static const struct usage usage = {
    .name = "reload",
    .what = N_("Reads the configuration anew and puts it in force in the serviola that runs.  Faults are told as by\n"
               "serviola check, and the configuration in force stays.  No connection ends that may stay."),
    .synopsis = "[--json]",
    .examples = N_("serviola reload|after the file was changed; systemctl reload serviola does the same"),
};

static void print_json(const struct ctl_done *answer)
{
    char line[8 * CTL_TEXT];
    struct text t = TEXT_IN(line);

    text_addf(&t, "{\"done\":%s,\"text\":\"", answer->code == 0 ? "true" : "false");
    text_json(&t, slice_text(answer->text));
    text_word(&t, "\"}");
    (void)puts(line);
}

static int report(const struct ctl_done *answer, bool json)
{
    char words[4 * CTL_TEXT];
    struct text t = TEXT_IN(words);

    text_visible(&t, slice_text(answer->text));
    if (json)
        print_json(answer);
    else if (answer->code != 0)
        say(_("%s; what was in force stays"), words);
    else
        (void)printf(words[0] ? _("the configuration is in force; %s\n") : _("the configuration is in force\n"), words);
    return answer->code == 0 ? EXIT_FINE : EXIT_USAGE;
}

/* Every fault at once, as the core would tell the first alone. */
static bool is_sound(const char *path, struct house_settings *conf)
{
    struct conf_faults faults;

    if (settings_read(settings_path(path), conf, &faults) == 0)
        return true;
    conf_print_faults(&faults, stderr, paint_wanted(STDERR_FILENO));
    (void)fputs(_("serviola reload: nothing was changed; what was in force stays\n"), stderr);
    return false;
}

static int reload(const char *control, bool json)
{
    struct ctl_done answer;
    struct err e = { 0 };
    struct client *c = client_open(control, &e);
    int code = EXIT_CANNOT;

    if (c && client_reload(c, &answer, &e) == 0)
        code = report(&answer, json);
    else
        say("%s", e.text);
    client_close(c);
    return code;
}

int cmd_reload(int argc, char **argv)
{
    struct common_options o = { 0 };
    struct house_settings *conf;
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    conf = calloc(1, sizeof(*conf));
    if (!conf)
        return EXIT_CANNOT;
    code = is_sound(o.conf, conf) ? reload(conf->core.control, o.json) : EXIT_USAGE;
    free(conf);
    return code;
}
