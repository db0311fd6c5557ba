/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gate - an SMTP front for any mail server, that can't be talked into a loop.
 *
 *   gate.c     the part: start, reload, what the core says, the tick
 *   door.c     listening sockets, who may come in, PROXY headers
 *   session.c  a client's connection            dialogue.c its commands
 *   onward.c   what goes on to the server        message.c  DATA on its way
 *   blind.c    bytes that go by unread
 *   server.c   the dialogue with the server      backend.c  is the server there, what does it offer, whom does it trust
 *   verdict.c  what the checks come to           checks/    one question each
 *   dns.c book.c lists.c callback.c limits.c     what checks work with
 *
 * The bound: a connection that brings mail causes at most one connection to
 * the server and one callback; a callback causes none between gates that share
 * the token, and one each way between others: at most G x (G - 1) + 1 among G
 * gates.  tests/model/gate.pml proves it.
 */
#ifndef SERVIOLA_GATE_GATE_H
#define SERVIOLA_GATE_GATE_H
#include "part/part.h"

extern const struct part sense_gate;
#endif
