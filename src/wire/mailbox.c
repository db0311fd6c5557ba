/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/mailbox.h"

#include <string.h>

bool mailbox_line(struct slice in, struct slice *line, size_t *used)
{
    const uint8_t *end = in.len ? memchr(in.at, '\n', in.len) : NULL;

    if (!end)
        return false;
    *used = (size_t)(end - in.at) + 1;
    *line = slice_first(in, *used - 1);
    if (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    return true;
}

static enum mailbox_said condition(struct slice word)
{
    if (slice_eq_nocase(word, SLICE("OK")) || slice_eq_nocase(word, SLICE("PREAUTH")))
        return MAILBOX_OK;
    if (slice_eq_nocase(word, SLICE("NO")) || slice_eq_nocase(word, SLICE("BAD")))
        return MAILBOX_NO;
    return slice_eq_nocase(word, SLICE("BYE")) ? MAILBOX_BYE : MAILBOX_OTHER;
}

enum mailbox_said mailbox_imap(struct slice line, struct slice tag)
{
    struct slice rest;
    struct slice first = slice_until(line, ' ', &rest);
    enum mailbox_said said = condition(slice_until(rest, ' ', &rest));

    if (slice_eq(first, SLICE("*"))) /* a NO in between is a warning */
        return tag.len > 0 && said != MAILBOX_BYE ? MAILBOX_OTHER : said;
    if (tag.len > 0 && slice_eq(first, tag) && said != MAILBOX_OTHER)
        return said;
    return MAILBOX_NONSENSE;
}

enum mailbox_said mailbox_pop3(struct slice line)
{
    struct slice rest;
    struct slice first = slice_until(line, ' ', &rest);

    if (slice_eq(first, SLICE("+OK")))
        return MAILBOX_OK;
    return slice_eq(first, SLICE("-ERR")) ? MAILBOX_NO : MAILBOX_NONSENSE;
}
