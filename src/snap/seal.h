/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * seal - the journal's key signs a picture's manifest, and with it every part.
 *
 * Signed are the bytes "serviola xray 1\n" and the SHA-256 of manifest.json,
 * by the Ed25519 key of the journal's active segment: `serviola log verify`
 * proves that key, segment by segment.  A host without a journal writes down
 * that its picture is not signed, and why.
 */
#ifndef SERVIOLA_SNAP_SEAL_H
#define SERVIOLA_SNAP_SEAL_H
#include "base/text.h"
#include "journal/seal.h"
#include "snap/snap.h"

/* The one line of seal.json; keys NULL: it is not signed, because of `why`. */
void snap_seal_write(struct text *t, struct slice manifest, const struct seal_keys *keys, const char *why);
/* -1 when it says that it is signed, and is not. */
int snap_seal_read(struct slice line, struct slice manifest, struct snap_seal *seal, struct err *e);
#endif
