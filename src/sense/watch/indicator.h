/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * indicator - one thing that is measured each second: a file in indicators/ and a row in indicators.c.
 *
 * `open` runs before the jail, with root's rights: it opens what `sample`
 * needs and keeps it open.  `sample` never waits: what could hang is asked of
 * a lookout (lookout.h).  It sets values by name; what it does not set is not
 * known in this second.  What another part measures (probes) comes in as
 * values too: probe.h.
 */
#ifndef SERVIOLA_WATCH_INDICATOR_H
#define SERVIOLA_WATCH_INDICATOR_H
#include "base/err.h"
#include "sense/watch/facts.h"
#include "sense/watch/mounts.h"
#include "sense/watch/settings.h"
#include "sense/watch/values.h"

struct watch_world {
    const struct watch_settings *settings; /* in force; changes on reload */
    int proc, sys;                         /* folders; a test brings its own */
    struct mounts *mounts;                 /* NULL: none are asked */
    int edges;        /* an epoll: what stirs in it (EPOLLET) brings the next sample at once; -1: there is none */
    const char *user; /* as whom a lookout runs; NULL: as we are, unjailed (tests) */
};

struct indicator_help { /* NULL-ended */
    const char *name;   /* "disk.latency"; NAME stands for what differs: "disk.latency.NAME" */
    const char *unit;   /* "s", "%", "B", "" */
    const char *help;
};

struct indicator {
    const char *name;
    const struct indicator_help *values;
    /* NULL own and 0: nothing to keep.  -1: this indicator stays silent, and the error says why. */
    int (*open)(const struct watch_world *w, void **own, struct err *e);
    void (*sample)(void *own, const struct watch_world *w, const struct facts *f, struct values *out);
    void (*close)(void *own);
};

extern const struct indicator *const indicators[]; /* NULL-ended */

/* What is measured under this name: of "disk.latency.vda" the row "disk.latency.NAME"; NULL: nothing. */
const struct indicator_help *indicator_help_of(const char *name);
/* False for a name that looks like one of ours and is none: "disk.latancy".  Others are somebody else's to know. */
bool indicator_may_be(const char *name);
#endif
