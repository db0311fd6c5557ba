/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text - bounded writing into a buffer that somebody else owns.
 *
 * Always terminated, never past the end; what does not fit is cut and `cut`
 * says so.  text_visible is the one way in which bytes from outside reach a
 * terminal, a log or a report.
 */
#ifndef SERVIOLA_BASE_TEXT_H
#define SERVIOLA_BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct text {
    char *at;   /* borrowed */
    size_t cap; /* with the terminator; at least 1 */
    size_t len;
    bool cut;
};

struct text text_in(char *buffer, size_t size);
#define TEXT_IN(array) text_in((array), sizeof(array))

void text_add(struct text *t, struct slice s); /* bytes as they are */
void text_word(struct text *t, const char *terminated);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Control bytes, DEL, bytes that are no valid UTF-8, C1 controls, and what
 * moves or hides text (direction marks, line separators, characters without
 * a shape) become \xNN for each byte; a backslash \\ .
 */
void text_visible(struct text *t, struct slice s);
/* The same for an 8-bit column: every byte outside 0x20..0x7e becomes \xNN, a backslash stays. */
void text_ascii(struct text *t, struct slice s);
/* The inside of a JSON string (RFC 8259), always valid UTF-8: what text_visible escapes becomes \uNNNN, a stray byte
 * 0xNN \u00NN. */
void text_json(struct text *t, struct slice s);

/* 1 h 2 min, 3 d 4 h, 250 ms: the two largest units. */
void text_duration(struct text *t, int64_t us);
/* 2026-11-22T18:28:03.123456Z (UTC, RFC 3339); `digits` 0 to 6 of the second. */
void text_time(struct text *t, int64_t at_us, int digits);

/* False when it holds a NUL or does not fit; the only way from a slice to a system call. */
bool text_cstr(char *buffer, size_t size, struct slice s);
#endif
