/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * page - metrics in Prometheus' text form, version 0.0.4.
 *
 * A family is begun, then come its samples: HELP and TYPE once, all samples
 * of a family together, as the form demands.  Names are our own; values of
 * labels may be anything and are escaped.  What does not fit is left out
 * whole, line by line, and said at the end.
 */
#ifndef SERVIOLA_METRICS_PAGE_H
#define SERVIOLA_METRICS_PAGE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum page_type { PAGE_GAUGE, PAGE_COUNTER };

struct page {
    struct text text;
    const char *family;
    uint64_t left_out; /* lines */
};

struct page_label {
    const char *name, *value; /* name NULL: none */
};

void page_family(struct page *p, const char *name, enum page_type type, const char *help);
/* Of the family that was begun last, with up to two labels. */
void page_sample(struct page *p, struct page_label a, struct page_label b, double value);
void page_value(struct page *p, double value); /* without labels */
void page_end(struct page *p);

/* "disk.latency.NAME" in seconds: "serviola_watch_disk_latency_each_seconds"; base units, and % is a ratio. */
void page_name(struct text *t, const char *measure, const char *unit);
#endif
