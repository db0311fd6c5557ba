/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/recorded.h"

#include <unistd.h>

#include "base/words.h"

static struct past *with_ring(struct sight *s, const char *folder, struct err *e)
{
    struct past *p;
    int ring;

    if (!s->client && sight_connect(s) < 0) {
        *e = s->core_error;
        return NULL;
    }
    ring = client_recorder(s->client, e);
    if (ring < 0)
        return NULL;
    p = past_open(folder, ring, e);
    (void)close(ring);
    return p;
}

struct past *recorded_open(struct sight *s, struct err *e)
{
    struct past *p = with_ring(s, s->conf->journal.folder, e);

    if (p || access(s->conf->journal.folder, R_OK | X_OK) < 0)
        return p;
    return past_open(s->conf->journal.folder, -1, e); /* it does not run now: the disk knows what was */
}

struct past *recorded_live(struct sight *s, struct err *e)
{
    return with_ring(s, NULL, e);
}

struct snap *recorded_snap(const struct common_options *o, int64_t at_us, struct err *e)
{
    struct sight s = { 0 };
    struct past *past = NULL;
    const struct reel_picture *p = NULL;
    struct snap *snap = NULL;

    if (sight_configure(&s, o) != 0)
        err_set(e, 0, _("without a configuration nobody knows where the recorder's files are"));
    else
        past = recorded_open(&s, e);
    p = past ? past_at(past, at_us, e) : NULL;
    if (p)
        snap = past_snap(p, e);
    past_close(past);
    sight_close(&s);
    return snap;
}
