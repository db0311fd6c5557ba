/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server - one page over HTTP: GET /metrics, and nothing else.
 *
 * libmicrohttpd reads the requests; it is loaded by this part alone.  The
 * listening socket was opened by the hand.  Bounded: 16 connections, 10
 * seconds each, 16 KiB of request.
 */
#ifndef SERVIOLA_METRICS_SERVER_H
#define SERVIOLA_METRICS_SERVER_H
#include "base/err.h"
#include "base/text.h"
#include "sys/loop.h"

enum { SERVER_PAGE = 1024 * 1024 };

struct server;
/* Before the jail: the library. `make` writes the page, SERVER_PAGE bytes at most. */
struct server *metrics_server_new(struct loop *l, void (*make)(void *ctx, struct text *page), void *ctx, struct err *e);
/* Serves this socket, which becomes its own. */
int metrics_server_open(struct server *s, int fd, struct err *e);
#endif
