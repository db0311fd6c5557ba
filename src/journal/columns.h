/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * columns - lines of text taken apart so that zstd finds what is alike: each line is a template and its variables, and
 * the variables at one place of one template stand behind each other.
 *
 * Of any bytes exactly these come back.
 *
 * The form, numbers as LEB128 (at most 64 bits), "zigzag" for those that may be negative (0, -1, 1, -2, ...):
 *
 *   1 (version) | bytes of text | lines | 1 if the last line ends with a newline, else 0 |
 *   templates | bytes of all templates | columns | bytes of each column |
 *   the templates, a newline behind each | the columns
 *
 * A line is what stands before a newline, and what stands behind the last one when that is anything.
 * A template is the line's text with one byte in the place of each variable:
 *
 *   0x11  a decimal number of up to 17 digits, without leading zeros
 *   0x12  a word: anything without a newline
 *   0x13  "Dec  5 18:28:03"               0x15  "2026-11-22T18:28:03"
 *   0x14  "Dec 5 18:28:03"                0x16  "2026-11-22T18:28:03.123456"
 *   0x17  none: the byte behind it is text, whatever it is
 *
 * Column 0 has for each line the number of its template, from 0 on.  Columns 1, 2 and 3 have the stamps of 0x13 and
 * 0x14, of 0x15, of 0x16: zigzag, the difference from the one before.  From column 4 on, in the order of templates and
 * of places in them, come those of 0x11 (zigzag, the difference from the one before) and 0x12 (the word, a newline
 * behind it).  Differences are taken modulo 2^64; the first is from 0.
 *
 * At most COLUMNS_TEMPLATES_MAX templates, COLUMNS_MAX columns, COLUMNS_BODY_MAX bytes in all.  Lines that are too
 * long, have too many variables or would need more templates are one word each.
 *
 * A stamp as a number: ((((year * 12 + month) * 31 + day) * 24 + hour) * 60 + minute) * 60 + second, month and day from
 * 0 on, without a year as if it was 0; for 0x16 times a million, plus the microseconds.
 */
#ifndef SERVIOLA_JOURNAL_COLUMNS_H
#define SERVIOLA_JOURNAL_COLUMNS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "journal/segment.h"

enum {
    COLUMNS_VERSION = 1,
    COLUMNS_BODY_MAX = 2 * SEG_RAW_MAX,
    COLUMNS_BEHIND = 16, /* so many bytes behind a body can be read, and do not count */
    COLUMNS_TEMPLATES_MAX = 8192,
    COLUMNS_MAX = 32768,
    COLUMNS_LINE_VARS = 64,    /* a line that has more, ... */
    COLUMNS_LINE_BYTES = 4096, /* ... or is longer, is one word */
    COLUMNS_FIRST_OWN = 4,
};
enum column_mark {
    COLUMN_NUMBER = 0x11,
    COLUMN_WORD,
    COLUMN_BSD,
    COLUMN_BSD_BARE,
    COLUMN_ISO,
    COLUMN_ISO_US,
    COLUMN_TEXT
};

/* 0: `body`, which is empty, has it; 1: it is not worth it (or more than SEG_RAW_MAX); -1: no memory. */
int columns_write(struct slice text, struct seg_out *body, struct err *e);
/* Fills `text` with exactly `len` bytes, or says what is wrong with the body. */
int columns_read(struct slice body, uint8_t *text, size_t len, struct err *e);

/*
 * The payload of a COLUMNS element (segment.h): a zstd frame with one line of text that says so to who uses zstdcat,
 * then a skippable frame of COLUMNS_ZSTD_MAGIC that holds the zstd frame of the body.
 */
enum { COLUMNS_ZSTD_MAGIC = 0x184D2A54 };
/* 0: it stands behind what `out` had, and was unpacked and compared; 1: not worth it, or not the same; -1. */
int columns_pack(struct slice text, int level, struct seg_out *out, struct err *e);
/* `zstd`: a ZSTD_DCtx. */
int columns_unpack(void *zstd, struct slice stored, uint8_t *text, size_t len, struct err *e);

/* ---- what columns_write.c and columns_read.c share ---- */

struct column_var {
    uint8_t mark;      /* enum column_mark */
    uint32_t column;   /* filled by who writes */
    struct slice word; /* of COLUMN_WORD; borrowed */
    uint64_t number;   /* of all others */
};
struct column_line {
    size_t len, count;
    uint8_t template[2 * COLUMNS_LINE_BYTES];
    struct column_var vars[COLUMNS_LINE_VARS];
};
void column_split(struct slice line, struct column_line *to);
void column_whole(struct slice line, struct column_line *to); /* the line as one word */

enum { COLUMN_STAMP_MAX = 26 };
/* Writes it as its mark says; the bytes written.  Any number gives some text. */
size_t column_stamp_write(uint8_t mark, uint64_t number, uint8_t to[COLUMN_STAMP_MAX]);
static inline bool column_is_stamp(uint8_t mark)
{
    return mark >= COLUMN_BSD && mark <= COLUMN_ISO_US;
}
static inline uint32_t column_of_stamp(uint8_t mark) /* 1 to 3 */
{
    return mark <= COLUMN_BSD_BARE ? 1 : mark == COLUMN_ISO ? 2 : 3;
}
#endif
