/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * relp - frames of the reliable event logging protocol, as rsyslog's librelp speaks it.
 *
 * TXNR SP COMMAND SP LENGTH [SP DATA] LF
 */
#ifndef SERVIOLA_WIRE_RELP_H
#define SERVIOLA_WIRE_RELP_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { RELP_TXNR_MAX = 999999999, RELP_COMMAND_MAX = 32 };

struct relp_frame {
    uint64_t txnr;
    struct slice command, data;
    size_t used; /* octets of the whole frame */
};
enum relp_got { RELP_MORE, RELP_WHOLE, RELP_BAD };
/* The frame at the beginning of `stream`; its data has at most `max` octets. */
enum relp_got relp_frame_read(struct slice stream, size_t max, struct relp_frame *f);
#endif
