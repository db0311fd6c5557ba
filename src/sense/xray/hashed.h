/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hashed - what files looked like when they were hashed last, kept in a file of root's own.
 *
 * The file is ours only: a regular one of who we are, that nobody else may
 * read or write.  It is taken whole or not at all: its length and a sum of
 * its bytes stand in front, and one that does not fit is made anew.
 */
#ifndef SERVIOLA_SENSE_XRAY_HASHED_H
#define SERVIOLA_SENSE_XRAY_HASHED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { HASHED_DIGEST = 32, HASHED_MOST = 2000000 };

struct hashed {
    uint64_t path, device, inode, size; /* path: a hash of it; 0: nothing is known of this one */
    int64_t modified_ns, changed_ns;
    uint8_t digest[HASHED_DIGEST];
};

/* Fills all but path and digest. */
void hashed_look(struct hashed *h, const struct stat *st);

/*
 * Whether a file that looks so, and was hashed at now_ns (CLOCK_REALTIME), can be told from one that is written in the
 * same tick of the file system's clock: if not, it must be hashed again the next time.
 */
bool hashed_is_settled(const struct hashed *h, int64_t now_ns);

/* Takes the digest of one with the same path that looks the same. */
bool hashed_recall(const struct hashed *old, size_t count, struct hashed *h);

/*
 * What the file holds, sorted by path; malloced, the caller frees it.  NULL with *why NULL when there is no file for
 * us, with words when it is not to be trusted.
 */
struct hashed *hashed_read(const char *path, size_t *count, const char **why);

/* Sorts them, and puts them in the file's place; no part of a file is left when that fails. */
bool hashed_write(const char *path, struct hashed *h, size_t count);
#endif
