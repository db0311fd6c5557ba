/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/relp.h"

enum { NUMBER_MAX = 9 };

/* What stands before the next blank (or line end, where `or_line`): at most `max` octets. */
static enum relp_got word_at(struct slice stream, size_t *at, size_t max, bool or_line, struct slice *word)
{
    size_t end = *at;

    while (end < stream.len && stream.at[end] != ' ' && !(or_line && stream.at[end] == '\n'))
        if (end++ - *at >= max)
            return RELP_BAD;
    if (end == stream.len)
        return RELP_MORE;
    *word = slice_of(stream.at + *at, end - *at);
    *at = end;
    return word->len > 0 ? RELP_WHOLE : RELP_BAD;
}

enum relp_got relp_frame_read(struct slice stream, size_t max, struct relp_frame *f)
{
    struct slice number;
    uint64_t length;
    enum relp_got got;
    size_t at = 0;

    if ((got = word_at(stream, &at, NUMBER_MAX, false, &number)) != RELP_WHOLE)
        return got;
    if (!slice_to_u64(number, &f->txnr) || f->txnr > RELP_TXNR_MAX)
        return RELP_BAD;
    at++;
    if ((got = word_at(stream, &at, RELP_COMMAND_MAX, false, &f->command)) != RELP_WHOLE)
        return got;
    at++;
    if ((got = word_at(stream, &at, NUMBER_MAX, true, &number)) != RELP_WHOLE)
        return got;
    if (!slice_to_u64(number, &length) || length > max || (length > 0 && stream.at[at] != ' '))
        return RELP_BAD;
    at += stream.at[at] == ' ';
    if (stream.len < at + length + 1)
        return RELP_MORE;
    f->data = slice_of(stream.at + at, (size_t)length);
    f->used = at + (size_t)length + 1;
    return stream.at[f->used - 1] == '\n' ? RELP_WHOLE : RELP_BAD;
}
