/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smart - what a disk says of its own health: NVMe's log page 2, and ATA's answer to SMART RETURN STATUS.
 */
#ifndef SERVIOLA_WIRE_SMART_H
#define SERVIOLA_WIRE_SMART_H
#include "base/slice.h"
#include "base/text.h"

/* "good", or "failing: " and why; false when the bytes are no such answer. */
bool smart_nvme_read(struct slice page, struct text *health);      /* NVM Express base specification, figure "SMART" */
bool smart_ata_read(struct slice sense_data, struct text *health); /* SAT: descriptor 9 of sense data 72h */
#endif
