/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log: the table of its words. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "cmd/command.h"
#include "cmd/log.h"
#include "conf/near.h"

static const struct word {
    const char *group; /* stands above the first of each group */
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
} words[] = {
    { N_("Read"), "search", log_search, N_("lines that hold a text, a word or an expression, the newest first") },
    { NULL, "show", log_show, N_("lines as they came") },
    { NULL, "timeline", log_timeline, N_("the lines of all hosts in the order in which things happened") },
    { N_("Have it read"), "analyse", log_analyse, N_("who fell silent, what is new, dying disks, stolen accounts") },
    { NULL, "new", log_new, N_("what was never logged before (--since reboot)") },
    { NULL, "templates", log_templates, N_("which kinds of messages there are, and how many of each") },
    { N_("Keep"), "receive", log_receive, N_("syslog, RELP, files and the journal of systemd into a store") },
    { NULL, "import", log_import, N_("a whole /var/log with its rotations into a store") },
    { NULL, "verify", log_verify, N_("is it whole, unchanged, and sealed by whom it says") },
    { NULL, "pack", log_pack, N_("files or lines as sealed evidence") },
    { NULL, "unpack", log_unpack, N_("evidence back into files, each compared with its seal") },
};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static void print_table(FILE *to)
{
    (void)fputs(_("serviola log WORD - the log: kept, searched, read for you\n"), to);
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i].group)
            (void)fprintf(to, "\n%s\n", _(words[i].group));
        (void)fprintf(to, "  serviola log %-9s  %s\n", words[i].name, _(words[i].what));
    }
    (void)fputs(_("\nserviola help log WORD shows options and examples.\n"), to);
}

static int no_such(const char *name)
{
    struct near near = near_to(slice_text(name));
    char visible[128];
    struct text t = TEXT_IN(visible);

    for (size_t i = 0; i < WORDS; i++)
        near_try(&near, words[i].name);
    text_visible(&t, slice_text(name));
    if (near.word)
        (void)fprintf(stderr, _("serviola log: there is no \"%s\"; did you mean \"serviola log %s\"?\n"), visible,
                      near.word);
    else
        (void)fprintf(stderr, _("serviola log: there is no \"%s\"\n"), visible);
    (void)fputs(_("(serviola log --help lists what there is)\n"), stderr);
    return EXIT_USAGE;
}

int cmd_log(int argc, char **argv)
{
    if (argc < 2) {
        print_table(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_table(stdout);
        return EXIT_FINE;
    }
    for (size_t i = 0; i < WORDS; i++)
        if (strcmp(words[i].name, argv[1]) == 0)
            return words[i].run(argc - 1, argv + 1);
    return no_such(argv[1]);
}
