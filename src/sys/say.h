/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * say - diagnostics on standard error: words before numbers, the object named, outside bytes escaped by the caller.
 *
 * The audit trail is the journal; this is for whoever stands beside the
 * program.  It never waits for a pipe or terminal that does not drain: the
 * line is lost, and the next one that gets through says how many were.
 */
#ifndef SERVIOLA_SYS_SAY_H
#define SERVIOLA_SYS_SAY_H

void say_name(const char *part); /* "hunt": stands before each line; borrowed for life; default "serviola" */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));       /* one line, newline added */
void say_debug(const char *format, ...) __attribute__((format(printf, 1, 2))); /* only with SERVIOLA_DEBUG set */
#endif
