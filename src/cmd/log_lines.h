/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log_lines - a kept line on paper: log show, log search and log timeline write it alike.
 *
 *   812 2026-11-22T18:28:03.123Z  <6>Nov 22 18:28:03 web1 app: it runs
 *
 * Bytes from outside are escaped here.
 */
#ifndef SERVIOLA_CMD_LOG_LINES_H
#define SERVIOLA_CMD_LOG_LINES_H
#include <stdbool.h>

#include "base/text.h"
#include "sense/log/lines.h"

/* With the separator behind its number: ' ', or as grep has it ':' for a match and '-' for a line near one. */
void log_line_print(const struct log_line *line, char separator);
/* One object; `near` is a line that stands beside a match.  Its claims are to be read before (log_line_read). */
void log_line_print_json(const struct log_line *line, bool near);
/* The inside of that object, without braces. */
void log_line_json(struct text *t, const struct log_line *line);
enum { LOG_LINE_ROOM = 8 * (192 << 10) + 4096 }; /* holds every line, escaped */
#endif
