/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bookkeeper - role `book`: what the gate remembers is on disk within a second, and there again after a restart.
 *
 * The disk is left to a thread of its own.  While it does not answer, the
 * gate goes on in memory and the event gate.book_stuck says so; a gate that
 * starts while the file can't be read begins with an empty book, and gets the
 * old one as soon as it is read.
 */
#ifndef SERVIOLA_GATE_BOOKKEEPER_H
#define SERVIOLA_GATE_BOOKKEEPER_H
#include "part/part.h"

extern const struct part gate_book;
#endif
