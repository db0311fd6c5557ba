/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xray_past - what the journal on disk holds of the minutes around a picture of this host.
 */
#ifndef SERVIOLA_CMD_XRAY_PAST_H
#define SERVIOLA_CMD_XRAY_PAST_H
#include "cmd/options.h"
#include "view/explain/explain.h"

struct xray_past {
    struct explain_past past;
    struct event *room; /* owned */
};

/* Empty when there is no journal, it is another host's, or its disk does not answer within a second. */
void xray_past_read(struct xray_past *p, const struct snap *s, const struct common_options *o);
void xray_past_done(struct xray_past *p);
#endif
