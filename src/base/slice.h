/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slice - bytes with a length, borrowed from whoever owns them.
 *
 * Every byte that comes from outside travels as a slice: no terminator is
 * assumed, nothing is copied, nothing is changed.  Passed by value.
 */
#ifndef SERVIOLA_BASE_SLICE_H
#define SERVIOLA_BASE_SLICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const uint8_t *at; /* borrowed; may be NULL when len is 0 */
    size_t len;
};

#define SLICE(literal) ((struct slice){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static inline struct slice slice_of(const void *at, size_t len)
{
    return (struct slice){ (const uint8_t *)at, len };
}
struct slice slice_text(const char *terminated); /* NULL gives an empty slice */

bool slice_eq(struct slice a, struct slice b);
bool slice_eq_nocase(struct slice a, struct slice b); /* ASCII letters only, whatever the locale */
bool slice_starts_nocase(struct slice s, struct slice prefix);

static inline struct slice slice_skip(struct slice s, size_t n) /* never past the end */
{
    if (n == 0)
        return s;
    if (n >= s.len)
        return slice_of(s.at ? s.at + s.len : NULL, 0);
    return slice_of(s.at + n, s.len - n);
}
static inline struct slice slice_first(struct slice s, size_t n) /* at most n bytes */
{
    return slice_of(s.at, n < s.len ? n : s.len);
}
struct slice slice_trim(struct slice s);        /* SP, HT, CR and LF at both ends */
struct slice slice_skip_blanks(struct slice s); /* SP and HT at the start */

/* What stands before the first `stop` (all, if it is absent); *after is what follows it (empty, if absent). */
struct slice slice_until(struct slice s, char stop, struct slice *after);

/* Decimal digits and nothing else, no overflow; false leaves *value alone. */
bool slice_to_u64(struct slice s, uint64_t *value);
#endif
