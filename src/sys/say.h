/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * say - diagnostics on standard error: words before numbers, the object named, outside bytes escaped by the caller.
 *
 * The audit trail is the journal; this is for whoever stands beside the program.
 */
#ifndef SERVIOLA_SYS_SAY_H
#define SERVIOLA_SYS_SAY_H

void say_name(const char *part); /* "hunt": stands before each line; default "serviola" */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));       /* one line, newline added */
void say_debug(const char *format, ...) __attribute__((format(printf, 1, 2))); /* only with SERVIOLA_DEBUG set */
#endif
