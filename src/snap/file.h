/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file - a picture as one .xray file: a tar, compressed by zstd, of one JSON lines member a part.
 *
 * `tar --zstd -xf FILE` and jq read it without serviola.  manifest.json comes
 * first: host, clock, command line, and the SHA-256 of each member; one
 * changed byte is found when the file is read.  seal.json comes last: the
 * journal's signature of the manifest.  A file appears whole under its name
 * or not at all.
 */
#ifndef SERVIOLA_SNAP_FILE_H
#define SERVIOLA_SNAP_FILE_H
#include "snap/seal.h"
#include "snap/snap.h"

struct snap_bytes {
    uint8_t *at; /* owned */
    size_t len, cap;
    bool full; /* no memory, or past the bound: what is there is not whole */
};
void snap_bytes_done(struct snap_bytes *b);

/* Who signs: keys NULL: nobody, because of `why`. */
struct snap_signer {
    const struct seal_keys *keys;
    const char *why;
};

/* The whole file, in memory.  `command` is what was typed, one word each, NULL-ended; `signer` may be NULL. */
int snap_pack_signed(const struct snap *s, char *const *command, const struct snap_signer *signer,
                     struct snap_bytes *file, struct err *e);
int snap_pack(const struct snap *s, char *const *command, struct snap_bytes *file, struct err *e);
/* The same before it is compressed. */
int snap_pack_tar(const struct snap *s, char *const *command, const struct snap_signer *signer, struct snap_bytes *tar,
                  struct err *e);

/*
 * To a temporary name beside `path`, synced, then renamed.  No component may
 * be a symbolic link, the target no device or pipe; what is there already
 * stays unless `replace`, and stays too when the disk is full.
 */
int snap_write(const char *path, bool replace, const struct snap_bytes *file, struct err *e);

/* NULL when it is no such file, was cut, or was changed; the text names the member. */
struct snap *snap_read(const char *path, struct err *e);
struct snap *snap_read_from(int fd, struct err *e); /* an open file; it stays the caller's */
int snap_tar_read(struct slice tar, struct snap *s, struct err *e);
#endif
