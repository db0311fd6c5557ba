/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola: the table of its subcommands, and the door of its roles. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/command.h"
#include "conf/near.h"
#include "core/roster.h"

static const struct command {
    const char *group; /* stands above the first of each group */
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "Watch and act", "run", cmd_run,
      "everything the configuration switches on, in the foreground, with a live console" },
    { NULL, "hunt", cmd_hunt, "who inside sends mail to the outside: live, or from a capture file" },
    { "Look", "status", cmd_status, "is it up, is it well, what does it listen on" },
    { NULL, "events", cmd_events, "what happened; what happens now (--follow)" },
    { NULL, "why", cmd_why, "why a host is blocked, or not; what led to an event" },
    { NULL, "blocks", cmd_blocks, "who is blocked now" },
    { "Decide", "block", cmd_block, "block a host's mail" },
    { NULL, "unblock", cmd_unblock, "lift a block" },
    { NULL, "allow", cmd_allow, "never block this host or network, and report none of its mail" },
    { "Keep", "check", cmd_check, "the configuration: its faults, or its defaults" },
    { NULL, "log", cmd_log, "the journal: is it whole and unchanged (log verify)" },
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_table(FILE *to)
{
    (void)fputs("serviola " SERVIOLA_VERSION " - guards mail servers, web servers and firewalls\n", to);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].group)
            (void)fprintf(to, "\n%s\n", commands[i].group);
        (void)fprintf(to, "  serviola %-8s  %s\n", commands[i].name, commands[i].what);
    }
    (void)fputs(
        "\nserviola help COMMAND shows options and examples.  Exit codes: 0 fine, 1 a finding (or nothing found),\n"
        "2 wrong usage or configuration, 3 could not run.\n",
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
    (void)fprintf(stderr, "serviola: there is no command \"%s\"", visible);
    if (near.word)
        (void)fprintf(stderr, "; did you mean \"serviola %s\"?", near.word);
    (void)fputs("\n(serviola alone lists them)\n", stderr);
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
    return c ? c->run(2, (char *[]){ argv[1], help_word, NULL }) : no_such(argv[1]);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct command *c;

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
