/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * crc32c - the checksum of iSCSI and ext4 (RFC 3720 appendix B.4), by the processor where it can.
 */
#ifndef SERVIOLA_JOURNAL_CRC32C_H
#define SERVIOLA_JOURNAL_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/* `before` is 0, or the result for the bytes in front of these. */
uint32_t crc32c(uint32_t before, const void *at, size_t len);
uint32_t crc32c_portable(uint32_t before, const void *at, size_t len); /* the same without the processor's help */
#endif
