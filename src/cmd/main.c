/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola: the table of its subcommands, and the door of its roles. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "conf/near.h"
#include "core/roster.h"

static const struct command {
    const char *group; /* stands above the first of each group */
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { N_("Watch and act"), "run", cmd_run,
      N_("everything the configuration switches on, in the foreground, with a live console") },
    { NULL, "hunt", cmd_hunt, N_("who inside sends mail to the outside: live, or from a capture file") },
    { NULL, "gate", cmd_gate, N_("an SMTP front for any mail server, that can't be talked into a loop") },
    { N_("Look"), "status", cmd_status, N_("is it up, is it well, what does it listen on") },
    { NULL, "events", cmd_events, N_("what happened; what happens now (--follow)") },
    { NULL, "why", cmd_why, N_("why a host is blocked, or not; what led to an event") },
    { NULL, "blocks", cmd_blocks, N_("who is blocked now") },
    { NULL, "xray", cmd_xray, N_("a picture of the whole host at this instant, and what it shows") },
    { NULL, "explain", cmd_explain, N_("what a picture shows; what can be found (--list)") },
    { NULL, "audit", cmd_audit, N_("what is exposed, what is superfluous, what drifted from its twin") },
    { NULL, "watch", cmd_watch, N_("what is measured each second; when a trigger would have fired (try)") },
    { NULL, "top", cmd_top, N_("who is busy, now or at a moment that is gone (--at)") },
    { N_("Decide"), "block", cmd_block, N_("block a host's mail") },
    { NULL, "unblock", cmd_unblock, N_("lift a block") },
    { NULL, "allow", cmd_allow, N_("never block this host or network, and report none of its mail") },
    { NULL, "ack", cmd_ack, N_("somebody takes care of it: what was noticed is not told to others") },
    { NULL, "mail", cmd_mail, N_("the queue by account; accounts that seem stolen: hold, release, purge, guard") },
    { N_("Keep"), "check", cmd_check, N_("the configuration: its faults, or its defaults") },
    { NULL, "reload", cmd_reload, N_("a changed configuration comes into force") },
    { NULL, "log", cmd_log, N_("kept, searched and read for you; is it whole (log verify); sealed evidence") },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_table(FILE *to)
{
    (void)fprintf(to, _("serviola %s - guards mail servers, web servers and firewalls\n"), SERVIOLA_VERSION);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].group)
            (void)fprintf(to, "\n%s\n", _(commands[i].group));
        (void)fprintf(to, "  serviola %-8s  %s\n", commands[i].name, _(commands[i].what));
    }
    (void)fputs(
        _("\nserviola help COMMAND shows options and examples.  Exit codes: 0 fine, 1 a finding (or nothing found),\n"
          "2 wrong usage or configuration, 3 could not run.\n"),
        to);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int no_such(const char *name)
{
    struct near near = near_to(slice_text(name));
    char visible[128];
    struct text t = TEXT_IN(visible);

    for (size_t i = 0; i < COMMANDS; i++)
        near_try(&near, commands[i].name);
    text_visible(&t, slice_text(name));
    if (near.word)
        (void)fprintf(stderr, _("serviola: there is no command \"%s\"; did you mean \"serviola %s\"?\n"), visible,
                      near.word);
    else
        (void)fprintf(stderr, _("serviola: there is no command \"%s\"\n"), visible);
    (void)fputs(_("(serviola alone lists them)\n"), stderr);
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    static char help_word[] = "--help";
    const struct command *c;

    if (argc < 2) {
        print_table(stdout);
        return EXIT_FINE;
    }
    c = find(argv[1]);
    if (c && argc > 2) /* help log search */
        return c->run(3, (char *[]){ argv[1], argv[2], help_word, NULL });
    return c ? c->run(2, (char *[]){ argv[1], help_word, NULL }) : no_such(argv[1]);
}

/*
 * Out of a build folder the catalogues lie in its po/.  A part that is started later runs from memory and finds no
 * folder: it gets it by the environment, as whoever tests another catalogue does.
 */
static const char *catalogues(void)
{
    static char folder[PATH_MAX];
    const char *given = getenv("SERVIOLA_LOCALES");
    ssize_t n = given && *given ? 0 : readlink("/proc/self/exe", folder, sizeof(folder) - sizeof("/po"));
    char *end = n > 0 ? memrchr(folder, '/', (size_t)n) : NULL;

    if (given && *given)
        return given;
    if (!end)
        return NULL;
    memcpy(end, "/po", sizeof("/po"));
    if (access(folder, R_OK) < 0 || setenv("SERVIOLA_LOCALES", folder, 0) < 0)
        return NULL;
    return folder;
}

/* What the other parts say goes to the journal and the log of the machine, where it is English. */
static bool speaks_to_people(int argc, char **argv)
{
    return argc < 2 || strcmp(argv[1], "-x") != 0 || (argc == 3 && strcmp(argv[2], "console") == 0);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct command *c;

    if (speaks_to_people(argc, argv))
        words_start(catalogues());
    if (argc == 3 && strcmp(word, "-x") == 0)
        return roles_main(argv[2]);
    if (!word) {
        print_table(stdout);
        return EXIT_FINE;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        (void)puts("serviola " SERVIOLA_VERSION);
        return EXIT_FINE;
    }
    c = find(word);
    return c ? c->run(argc - 1, argv + 1) : no_such(word);
}
