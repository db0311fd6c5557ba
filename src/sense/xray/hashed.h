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
#include <pthread.h>
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

/* What a file holds, in the order it was given in. */
struct hashed_kept {
    struct hashed *at; /* owned */
    size_t count;
    pthread_mutex_t lock;
    uint32_t *by_path; /* owned: made when first one is not where it is looked for */
};

/*
 * Takes the digest of one with the same path that looks the same; threads may
 * ask at once.  `place`: where it is looked for first, and where it was found.
 * Whoever asks in the order of the time before finds each at once.
 */
bool hashed_recall(struct hashed_kept *k, size_t *place, struct hashed *h);

/*
 * False when nothing is known: with *why NULL when there is no file for us, with words when it is not to be trusted.
 * hashed_done in either case.
 */
bool hashed_read(const char *path, struct hashed_kept *k, const char **why);
void hashed_done(struct hashed_kept *k);

/* Puts them in the file's place; no part of a file is left when that fails. */
bool hashed_write(const char *path, const struct hashed *h, size_t count);
#endif
