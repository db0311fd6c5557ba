/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/screen.h"

#include "base/text.h"
#include "base/words.h"

static bool ends_line(uint8_t c)
{
    return c == '\n' || c == '\r';
}

/* The length of the letter at `at` when it is text; 0 for control bytes and what is no UTF-8. */
static size_t letter_length(struct slice yaml, size_t at)
{
    uint8_t c = yaml.at[at];
    size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    char shown[32];
    struct text t = TEXT_IN(shown);

    if (c < 0x80)
        return (c >= 0x20 && c != 0x7f) || ends_line(c) || c == '\t';
    text_visible(&t, slice_first(slice_skip(yaml, at), len));
    return t.len == len && (uint8_t)shown[0] == c ? len : 0; /* nothing had to be escaped */
}

static int check_bytes(struct slice yaml, struct conf_faults *faults)
{
    size_t len;

    for (size_t at = 0; at < yaml.len; at += len) {
        len = letter_length(yaml, at);
        if (len == 0) {
            fault_add(faults, yaml, (struct place){ at, 1 },
                      "the byte 0x%02x is no text; write the file as UTF-8 without control characters", yaml.at[at]);
            return -1;
        }
    }
    return 0;
}

struct shape {
    size_t line;   /* where the line began */
    unsigned open; /* brackets; those in quotes count too */
    bool comment;  /* the line is one from its first letter on */
    bool blank;    /* nothing but blanks in it so far */
};

/* What is wrong with this byte, or NULL. */
static const char *look(struct shape *s, size_t at, uint8_t c)
{
    bool first = s->blank;

    if (ends_line(c)) {
        *s = (struct shape){ .line = at + 1, .open = s->open, .blank = true };
        return NULL;
    }
    s->blank = first && c == ' ';
    s->comment = s->comment || (first && c == '#');
    if (c == '%' && at == s->line)
        return "directives (%) have no place here; leave the line out";
    if (at - s->line >= SCREEN_LINE)
        return "this line is longer than 64 KiB; a list may go on in the next one";
    if (s->comment)
        return NULL;
    if (c == '[' || c == '{')
        s->open++;
    if ((c == ']' || c == '}') && s->open > 0)
        s->open--;
    return s->open > SCREEN_OPEN ? "more than 64 brackets are open here; was one of them not closed?" : NULL;
}

static int check_shape(struct slice yaml, struct conf_faults *faults)
{
    struct shape shape = { .blank = true };

    for (size_t at = 0; at < yaml.len; at++) {
        const char *fault = look(&shape, at, yaml.at[at]);

        if (fault) {
            fault_add(faults, yaml, (struct place){ at, 1 }, "%s", _(fault));
            return -1;
        }
    }
    return 0;
}

int screen(struct slice yaml, struct conf_faults *faults)
{
    if (yaml.len > SCREEN_BYTES) {
        fault_add(faults, yaml, NOWHERE, "it is larger than 1 MiB; that is no configuration");
        return -1;
    }
    return check_bytes(yaml, faults) < 0 ? -1 : check_shape(yaml, faults);
}
