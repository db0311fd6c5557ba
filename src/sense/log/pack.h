/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pack - files into one evidence file (manifest.h says what that is), the same bytes for the same files and key.
 *
 * Nothing in it tells when or by which command it was made.  It appears
 * whole under its name or not at all, and replaces nothing.  Symbolic links,
 * devices and what can't be read are left out and named in the manifest;
 * what changes while it is read is marked there.
 */
#ifndef SERVIOLA_SENSE_LOG_PACK_H
#define SERVIOLA_SENSE_LOG_PACK_H
#include "sense/log/manifest.h"

struct pack_order {
    char *const *paths; /* files and folders; borrowed */
    int count;
    const char *into; /* the evidence file */
    const char *host;
    const struct evidence_key *key;
    /* Something was left out, or changed while it was read. */
    void (*note)(void *own, const char *name, const char *why);
    void *own;
};
struct pack_result {
    uint64_t files, bytes, noted;
    uint8_t root[EVIDENCE_HASH];
};
int pack_files(const struct pack_order *o, struct pack_result *r, struct err *e);
#endif
