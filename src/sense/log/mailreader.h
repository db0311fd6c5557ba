/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailreader - what mail servers log of their accounts, told to the gate each second (part/link.h, LINK_MAIL).
 *
 * A reader of live.h.  What is the same within a second is summed up, and only so much a second is told: a flood of
 * lines is no flood of messages.
 */
#ifndef SERVIOLA_SENSE_LOG_MAILREADER_H
#define SERVIOLA_SENSE_LOG_MAILREADER_H
#include "base/err.h"
#include "sense/log/live.h"

int mailreader_add(struct live *l, struct err *e);
#endif
