/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sdfile - a file of systemd's journal that was cut, read up to the cut: its library leaves such a file out as a whole.
 *
 * Objects stand one behind the other (systemd's JOURNAL_FILE_FORMAT): what an entry is made of comes before it, so all
 * entries before the cut are whole.  Fields packed by zstd are unpacked; those packed by XZ or LZ4, as before 2020, are
 * left out and counted.  A slice in, slices out; nothing of it is trusted.
 */
#ifndef SERVIOLA_SENSE_LOG_SDFILE_H
#define SERVIOLA_SENSE_LOG_SDFILE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SDFILE_ROOM = 192 << 10, SDFILE_ID = 16 };

struct sdfile {
    struct slice file; /* borrowed */
    uint64_t at;       /* the object that is next; after the last entry: where reading ended */
    bool compact;
    uint8_t id[SDFILE_ID];      /* the file's own */
    uint8_t numbers[SDFILE_ID]; /* whose numbers its entries have */
    uint64_t packed_otherwise;  /* fields that could not be unpacked */

    uint64_t number, at_us; /* of the entry that is looked at */
    struct slice items;
    uint8_t room[SDFILE_ROOM]; /* a field that was packed */
};

/* Whether this is the beginning of such a file, and less of it is there than its header says; `len` of the whole file.
 */
bool sdfile_is_cut(struct slice head, uint64_t len);
enum { SDFILE_HEAD = 208 };

/* False: it is no such file, or its header is not whole. */
bool sdfile_begin(struct sdfile *f, struct slice file);
/* The next whole entry; false: no more of them, and nothing behind f->at is readable. */
bool sdfile_next(struct sdfile *f);
/* Behind "NAME="; empty when the entry has no such field.  Good until the next call. */
struct slice sdfile_value(struct sdfile *f, struct slice name);
#endif
