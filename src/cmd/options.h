/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options - one way to read a command's options, and to print its help from the same table.
 *
 *   static const struct option_row rows[] = {
 *       { "since", 's', OPTION_TIME, offsetof(struct events_options, since_us), "T", "from this time on", NULL },
 *       { 0 },
 *   };
 *   static const struct usage usage = { "events", "show what happened", "[--since T]", rows, 0, 0, examples };
 *
 * -c FILE, --json and --help are understood by every command; a command's
 * own struct begins with struct common_options.
 */
#ifndef SERVIOLA_CMD_OPTIONS_H
#define SERVIOLA_CMD_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_FLAG,   /* bool; no argument */
    OPTION_TEXT,   /* const char *; borrowed from argv */
    OPTION_NUMBER, /* uint64_t */
    OPTION_SPAN,   /* int64_t microseconds: 30s, 2h */
    OPTION_TIME,   /* int64_t microseconds since 1970: see view/when.h */
    OPTION_ADDR,   /* struct addr */
    OPTION_NET,    /* struct prefix; an address alone is a network of one */
    OPTION_WORD,   /* int: index into `words` */
};

struct option_row {
    const char *name; /* without the dashes; NULL ends the table */
    char letter;      /* or 0 */
    enum option_type type;
    size_t offset;            /* in the command's own struct */
    const char *argument;     /* "FILE"; NULL for a flag */
    const char *help;         /* one line */
    const char *const *words; /* for WORD, NULL-ended */
};

struct usage {
    const char *name;
    const char *what;              /* one or two sentences */
    const char *synopsis;          /* behind the name: "[--follow] [--since T]" */
    const struct option_row *rows; /* may be NULL */
    int least, most;               /* words that are no options */
    const char *examples;          /* lines of "command|what it does", separated by newlines */
    bool no_json;                  /* this command has no --json */
};

struct common_options {
    const char *conf; /* -c FILE, or NULL: settings_path(conf) says which file that means; borrowed */
    bool json;
    int count;    /* words that are no options */
    char **words; /* borrowed from argv */
};

/* False: end with *exit_code (help was printed, or what is wrong was said).  `into` holds the defaults before. */
bool options_read(const struct usage *u, int argc, char **argv, void *into, int *exit_code);
void options_help(const struct usage *u, FILE *to);
/* Says `serviola NAME: TEXT` and where help is; gives EXIT_USAGE. */
int options_wrong(const struct usage *u, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif
