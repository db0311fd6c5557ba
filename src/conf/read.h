/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * read - a configuration file against the schemas: all faults at once, each with its place.
 *
 *   serviola.conf:14:9: unknown key "lisen" in gate; did you mean "listen"?
 *       lisen: 0.0.0.0:25
 *       ^~~~~
 */
#ifndef SERVIOLA_CONF_READ_H
#define SERVIOLA_CONF_READ_H
#include <stdio.h>

#include "base/err.h"
#include "base/slice.h"
#include "conf/schema.h"

struct conf_fault {
    unsigned line, column; /* from 1; 0: the file as a whole */
    char text[256];        /* one sentence with the way out */
    char source[160];      /* the line it stands in, made visible; "" when there is none */
    unsigned caret, width; /* where under `source`, from 0 */
};

struct conf_faults {
    char file[256];
    size_t count; /* all of them, also those over the cap */
    struct conf_fault at[64];
};

/*
 * Fills settings[i] (zeroed memory of sections[i].size, owned by the caller)
 * with defaults and then with what stands in `yaml`.  0, or -1 with at least
 * one fault.  Nothing is read from disk here.
 */
int conf_read(struct slice yaml, const char *file_name, const struct section *sections, void *const *settings,
              struct conf_faults *faults);
/* The same from a file (at most 1 MiB). */
int conf_read_file(const char *path, const struct section *sections, void *const *settings, struct conf_faults *faults);
void conf_print_faults(const struct conf_faults *faults, FILE *to, bool colour);
/* Every key with its default and help as a commented YAML file (`serviola check --defaults`, etc/serviola.conf). */
void conf_print_defaults(const struct section *sections, FILE *to);
/* The same for programs: one JSON object a key a line, with section, key (as `limits.window`, or `networks.*.net` for a
 * key of named blocks), type, default, min, max (spelled as in the file; null: none), words and help. */
void conf_print_json(const struct section *sections, FILE *to);
/* The body of serviola.conf(5) in mdoc. */
void conf_print_mdoc(const struct section *sections, FILE *to);
#endif
