/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pages - what comes from the tables of the program: `pages defaults` is etc/serviola.conf, `pages fill < PAGE.in` a
 * manual page whose line @SECTIONS@ or @EVENTS@ becomes the configuration's keys or the list of events.
 */
#include <stdio.h>
#include <string.h>

#include "conf/read.h"
#include "core/settings.h"
#include "journal/json.h"

static int fill(FILE *from, FILE *to)
{
    char line[1024];

    while (fgets(line, sizeof(line), from)) {
        if (strcmp(line, "@SECTIONS@\n") == 0)
            conf_print_mdoc(house_sections, to);
        else if (strcmp(line, "@EVENTS@\n") == 0)
            event_print_mdoc(to);
        else
            fputs(line, to);
    }
    return ferror(from) || fflush(to) != 0 ? 3 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "defaults") == 0) {
        conf_print_defaults(house_sections, stdout);
        return fflush(stdout) == 0 ? 0 : 3;
    }
    if (argc == 2 && strcmp(argv[1], "fill") == 0)
        return fill(stdin, stdout);
    fputs("usage: pages defaults | pages fill < man/PAGE.in\n", stderr);
    return 2;
}
