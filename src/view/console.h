/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * console - what `serviola run` shows while it runs: events as they come, and how it all stands.
 *
 * A part like any other: it gets the journal's tail and a word when there is
 * more in it, and asks the core for its status.  It has no files; what it
 * prints goes to the descriptor 1 that it was born with.
 */
#ifndef SERVIOLA_VIEW_CONSOLE_H
#define SERVIOLA_VIEW_CONSOLE_H
#include "part/part.h"

extern const struct part view_console;
#endif
