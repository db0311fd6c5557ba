/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe - what another part measures enters the watch as values.
 *
 * The watch has no network.  A part that probes sends LINK_VALUE (struct
 * link_value, part/link.h) to the core whenever it has an answer; the core
 * passes it on, and from the next second on it is a value as all others: in
 * triggers, the recorder, `serviola top`.
 *
 *     service.NAME.up        1 it answers as it should, 0 it does not
 *     service.NAME.latency   how long the answer took, in seconds
 *     service.NAME.missed    probes that were missed in a row
 *     service.NAME.days      days until a certificate of its ends
 *
 * A value is believed for `good_us` after it came; then it is not known.
 */
#ifndef SERVIOLA_WATCH_PROBE_H
#define SERVIOLA_WATCH_PROBE_H
#include "part/link.h"
#include "sense/watch/values.h"

enum { PROBE_VALUES = 512 };

struct probe_values;
struct probe_values *probe_values_new(struct err *e);
void probe_values_free(struct probe_values *p);
/* False: it is malformed, or the table is full. */
bool probe_values_take(struct probe_values *p, const struct link_value *v, int64_t mono_us);
void probe_values_sample(const struct probe_values *p, int64_t mono_us, struct values *out);
#endif
