/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * graph - who is connected to whom, by program: at most fifty nodes, in layers, as SVG.
 *
 * Processes are one node when they run the same executable and script, never
 * because they call themselves alike.  What does not fit is one node more,
 * "others"; what is not on this host is "clients outside" or "servers
 * outside".  An edge that goes back to where its path came from is red.
 */
#ifndef SERVIOLA_VIEW_GRAPH_H
#define SERVIOLA_VIEW_GRAPH_H
#include <stdio.h>

#include "snap/snap.h"

enum { GRAPH_NODES = 50 };

struct graph;
struct graph *graph_new(const struct snap *s, struct err *e);
void graph_free(struct graph *g); /* NULL is fine */
size_t graph_nodes(const struct graph *g);
size_t graph_back_edges(const struct graph *g); /* a path that closes */
void graph_svg(const struct graph *g, FILE *to);
#endif
