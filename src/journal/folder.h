/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * folder - the files of a journal's folder: their names, whole reads, replacements that survive a crash.
 *
 * All names are relative to the folder's descriptor.
 */
#ifndef SERVIOLA_JOURNAL_FOLDER_H
#define SERVIOLA_JOURNAL_FOLDER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

enum seg_form { SEG_WAL, SEG_ZST };

struct file_name {
    char text[32];
};
struct file_name folder_name(uint64_t segment, const char *ending); /* 7, "wal": "0000000007.wal" */

struct folder_entry {
    uint64_t segment;
    bool wal, zst;
    uint64_t bytes; /* of its files together */
};
struct folder_list {
    struct folder_entry *at; /* by number, ascending */
    size_t count;
};
int folder_open(const char *path, struct err *e);
/* Free with folder_list_free, also after -1. */
int folder_read_list(int dir, struct folder_list *list, struct err *e);
void folder_list_free(struct folder_list *list);
int folder_remove_unfinished(int dir, struct err *e); /* *.new */

/* The whole file, at most `max` bytes (an error beyond); free(at).  -1 with code ENOENT when it is not there. */
int folder_read(int dir, const char *name, size_t max, uint8_t **at, size_t *len, struct err *e);
int folder_pread(int fd, void *at, size_t len, uint64_t offset, struct err *e); /* all of it or an error */
int folder_pwrite(int fd, const void *at, size_t len, uint64_t offset, struct err *e);

/* NAME.new is written, synced and renamed over NAME, the folder is synced: NAME is old or new, never between. */
int folder_replace(int dir, const char *name, mode_t mode, struct slice bytes, struct err *e);
/* Appends and syncs; cuts off again what was written of it when that fails. */
int folder_append(int dir, const char *name, struct slice bytes, struct err *e);
int folder_sync(int dir, struct err *e);
int folder_unlink(int dir, const char *name, struct err *e); /* 0 too when it is not there */
#endif
