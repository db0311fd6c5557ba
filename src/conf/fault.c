/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/fault.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "base/words.h"

enum { BEFORE_CARET = 100 /* columns of a long line that are shown in front of the word */ };

static bool ends_line(struct slice yaml, size_t at)
{
    return yaml.at[at] == '\n' || (yaml.at[at] == '\r' && !(at + 1 < yaml.len && yaml.at[at + 1] == '\n'));
}

unsigned fault_line(struct slice yaml, size_t at)
{
    unsigned line = 1;

    for (size_t i = 0; i < at && i < yaml.len; i++)
        line += ends_line(yaml, i);
    return line;
}

/* Columns, not bytes: what follows the first byte of a UTF-8 sequence takes no room. */
static unsigned columns(const char *from, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((uint8_t)from[i] & 0xc0) != 0x80;
    return n;
}

static bool inside_letter(struct slice yaml, size_t at)
{
    return at < yaml.len && (yaml.at[at] & 0xc0) == 0x80;
}

static void show_source(struct conf_fault *fault, struct slice yaml, size_t start, size_t end, struct place where)
{
    struct text t = TEXT_IN(fault->source);
    size_t word_end = where.at + where.len;

    if (where.at - start > BEFORE_CARET) {
        start = where.at - BEFORE_CARET / 2;
        while (inside_letter(yaml, start))
            start++;
        text_word(&t, "...");
    }
    if (word_end < where.at || word_end > end)
        word_end = end;
    text_visible(&t, slice_of(yaml.at + start, where.at - start));
    fault->caret = columns(t.at, t.len);
    text_visible(&t, slice_of(yaml.at + where.at, word_end - where.at));
    fault->width = columns(t.at, t.len) - fault->caret;
    if (fault->width == 0)
        fault->width = 1;
    text_visible(&t, slice_of(yaml.at + word_end, end - word_end));
}

static void locate(struct conf_fault *fault, struct slice yaml, struct place where)
{
    size_t start;
    size_t end;

    if (where.at == SIZE_MAX)
        return;
    if (where.at > yaml.len)
        where.at = yaml.len;
    start = end = where.at;
    while (start > 0 && !ends_line(yaml, start - 1))
        start--;
    while (end < yaml.len && !ends_line(yaml, end))
        end++;
    fault->line = fault_line(yaml, where.at);
    fault->column = columns((const char *)yaml.at + start, where.at - start) + 1;
    if (end > where.at && yaml.at[end - 1] == '\r')
        end--;
    if (yaml.len > 0)
        show_source(fault, yaml, start, end, where);
}

static bool stands_before(const struct conf_fault *a, const struct conf_fault *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void fault_add(struct conf_faults *f, struct slice yaml, struct place where, const char *format, ...)
{
    struct conf_fault fault = { 0 };
    size_t i = f->count;
    va_list args;

    f->count++;
    if (i >= FAULT_CAP)
        return;
    va_start(args, format);
    (void)vsnprintf(fault.text, sizeof(fault.text), words_in(format), args);
    va_end(args);
    locate(&fault, yaml, where);
    for (; i > 0 && stands_before(&fault, &f->at[i - 1]); i--)
        f->at[i] = f->at[i - 1];
    f->at[i] = fault;
}

static void print_fault(const char *file, const struct conf_fault *fault, FILE *to, bool colour)
{
    const char *loud = colour ? "\033[1;31m" : "";
    const char *bold = colour ? "\033[1m" : "";
    const char *plain = colour ? "\033[0m" : "";

    fprintf(to, "%s%s", bold, file);
    if (fault->line > 0)
        fprintf(to, ":%u:%u", fault->line, fault->column);
    fprintf(to, ":%s %s\n", plain, fault->text);
    if (fault->source[0] == '\0')
        return;
    fprintf(to, "    %s\n    %*s%s", fault->source, (int)fault->caret, "", loud);
    fputc('^', to);
    for (unsigned i = 1; i < fault->width; i++)
        fputc('~', to);
    fprintf(to, "%s\n", plain);
}

void conf_print_faults(const struct conf_faults *faults, FILE *to, bool colour)
{
    size_t kept = faults->count < FAULT_CAP ? faults->count : FAULT_CAP;

    for (size_t i = 0; i < kept; i++)
        print_fault(faults->file, &faults->at[i], to, colour);
    if (faults->count > kept)
        fprintf(to, _("%s: and %zu more faults\n"), faults->file, faults->count - kept);
}
