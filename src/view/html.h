/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * html - a picture as one page that needs nothing else: findings, graph, process tree, tables.
 *
 * No script, nothing from outside, and its own policy forbids both.  Bytes
 * of the host are escaped twice: as for a terminal, and as for HTML.
 */
#ifndef SERVIOLA_VIEW_HTML_H
#define SERVIOLA_VIEW_HTML_H
#include <stdio.h>

#include "snap/snap.h"
#include "view/explain/explain.h"

/* At most `most` bytes of it, escaped; dots behind when it was cut. */
void html_put(FILE *to, struct slice s, size_t most);
int html_page(const struct snap *s, const struct findings *f, FILE *to, struct err *e);
#endif
