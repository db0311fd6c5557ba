/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola check: is the configuration right; what could stand in it. */
#include <stdlib.h>
#include <unistd.h>

#include "base/words.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "core/settings.h"
#include "view/paint.h"

struct check_options {
    struct common_options common;
    bool defaults;
};

static const struct option_row rows[] = {
    { "defaults", 'd', OPTION_FLAG, offsetof(struct check_options, defaults), NULL,
      N_("print every key with its default and what it does, as a file to begin with"), NULL },
    { 0 },
};

static const struct usage usage = {
    .name = "check",
    .what =
        N_("Reads a configuration as `serviola run` would, and says all that is wrong with it: file, line, column,\n"
           "the line itself, and the word that was probably meant.  Nothing is started or changed."),
    .synopsis = "[FILE] [--defaults] [--json]",
    .rows = rows,
    .most = 1,
    .examples = N_("serviola check|the configuration that would be used now\n"
                   "serviola check new.conf|another one, before it takes its place\n"
                   "serviola check --defaults > new.conf|every key there is, commented\n"
                   "serviola check --defaults --json|the same for programs: one object a key"),
};

static void print_member(const char *name, const char *value)
{
    char escaped[2048]; /* the longest value is 256 bytes; the longest escape 6 for one */
    struct text t = TEXT_IN(escaped);

    text_json(&t, slice_text(value));
    (void)printf("\"%s\":\"%s\"", name, escaped);
}

static void print_json(const struct conf_faults *faults)
{
    size_t kept = sizeof(faults->at) / sizeof(faults->at[0]);

    for (size_t i = 0; i < faults->count && i < kept; i++) {
        const struct conf_fault *f = &faults->at[i];

        (void)printf("{");
        print_member("file", faults->file);
        (void)printf(",\"line\":%u,\"column\":%u,", f->line, f->column);
        print_member("text", f->text);
        (void)printf(",");
        print_member("source", f->source);
        (void)printf("}\n");
    }
    (void)printf("{");
    print_member("file", faults->file);
    (void)printf(",\"faults\":%zu}\n", faults->count);
}

static void print_words(const struct conf_faults *faults, bool from_file)
{
    if (faults->count > 0)
        conf_print_faults(faults, stderr, paint_wanted(STDERR_FILENO));
    else if (from_file)
        (void)printf(_("%s: fine\n"), faults->file);
    else
        (void)printf(_("there is no %s; the built-in defaults hold (serviola check --defaults shows them)\n"),
                     SETTINGS_PATH);
}

static int check(const char *path, bool json)
{
    struct house_settings *settings = calloc(1, sizeof(*settings));
    struct conf_faults *faults = calloc(1, sizeof(*faults));
    int code = EXIT_CANNOT;

    if (!settings || !faults) {
        (void)fprintf(stderr, _("serviola check: there is no memory for it\n"));
        goto out;
    }
    code = settings_read(path, settings, faults) == 0 ? EXIT_FINE : EXIT_USAGE;
    if (json)
        print_json(faults);
    else
        print_words(faults, path != NULL);
out:
    free(faults);
    free(settings);
    return code;
}

int cmd_check(int argc, char **argv)
{
    struct check_options o = { 0 };
    int code;

    if (!options_read(&usage, argc, argv, &o, &code))
        return code;
    if (o.defaults) {
        if (o.common.json)
            conf_print_json(house_sections, stdout);
        else
            conf_print_defaults(house_sections, stdout);
        return fflush(stdout) == 0 ? EXIT_FINE : EXIT_CANNOT;
    }
    if (o.common.count > 0 && o.common.conf)
        return options_wrong(&usage, _("name the file once, with -c or without"));
    return check(o.common.count > 0 ? o.common.words[0] : settings_path(o.common.conf), o.common.json);
}
