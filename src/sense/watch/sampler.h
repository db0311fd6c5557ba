/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sampler - this second's facts, from files of /proc that are kept open.
 */
#ifndef SERVIOLA_WATCH_SAMPLER_H
#define SERVIOLA_WATCH_SAMPLER_H
#include "base/err.h"
#include "sense/watch/facts.h"

struct sampler;
struct sampler_limits {
    uint32_t processes, sockets, descriptors;
    int glance; /* link of an iterator for processes (sys/iter), borrowed for life; -1: none */
};
/* `proc` is /proc, borrowed for life.  Before the jail. */
struct sampler *sampler_new(int proc, const struct sampler_limits *l, struct err *e);
void sampler_free(struct sampler *s); /* NULL is fine */
/* Valid until the next call.  sockets_budget_us 0: connections are not looked at. */
const struct facts *sampler_sample(struct sampler *s, int64_t sockets_budget_us, int64_t at_us, int64_t mono_us);
bool sampler_walks(const struct sampler *s);       /* processes are told by the iterator, not by /proc */
uint64_t sampler_refused(const struct sampler *s); /* processes and connections that found no place */
#endif
