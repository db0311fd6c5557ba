/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unpack - is this evidence file what was packed?  And if so, its files into a folder.
 *
 * Read is only what pack writes: plain files, relative names below files/ in
 * rising order without . and .., then sums, manifest and seal.  A link, a
 * device, a sparse file, a name twice, or more bytes than allowed is
 * refused, and it is said at which member.  The archive is never trusted to
 * say where a file goes: each folder on the way is opened without following
 * links, each file must be new.
 */
#ifndef SERVIOLA_SENSE_LOG_UNPACK_H
#define SERVIOLA_SENSE_LOG_UNPACK_H
#include "sense/log/manifest.h"

struct unpack_result {
    uint64_t files, bytes;
    uint8_t root[EVIDENCE_HASH], key[EVIDENCE_HASH];
};
/*
 * `into` is an open folder, or -1 to check alone.  `most` bounds the bytes of all files together.
 * -1 with e->code 0: it is not whole, or hostile; else the system could not.
 */
int unpack_file(const char *path, int into, uint64_t most, struct unpack_result *r, struct err *e);
#endif
