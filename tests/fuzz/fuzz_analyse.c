/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of a file through the whole analysis, and its memory: what is saved loads again, what is not ours never does
 * harm.  The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "journal/crc32c.h"
#include "sense/log/analyse/analyse.h"
#include "wire/logline.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

static const struct analysis_caps small = { .hosts = 4, .programs = 8, .streams = 6, .patterns = 16, .messages = 8 };

static void on_finding(void *own, const struct log_finding *f)
{
    bool known = false;

    (void)own;
    for (const struct log_finding_kind *k = log_finding_kinds; k->id; k++)
        known = known || strcmp(k->id, f->id) == 0;
    MUST(known && f->proofs <= LOG_FINDING_PROOFS && f->text[0]);
    for (const char *c = f->text; *c; c++)
        MUST((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void lines(struct analysis *a, struct slice rest)
{
    int64_t now_us = 0;

    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        struct logline p;
        struct log_line l = { .raw = line };

        logline_read(line, INT64_C(1197000000000000), 0, &p);
        l.host = p.host;
        l.program = p.program;
        l.text = p.text;
        l.pid = p.pid;
        l.severity = p.priority >= 0 ? (uint8_t)((unsigned)p.priority % 8U) : LOG_UNKNOWN;
        l.stamp_us = p.stamp_us;
        now_us = p.stamp_us > now_us ? p.stamp_us : now_us + 1;
        l.at_us = now_us;
        analyse_line(a, &l);
    }
    analyse_end(a, now_us);
    analyse_new(a, 0, SLICE(""), 10, on_finding, NULL);
}

/* The bytes between head and checksum are the input's own: so the checks behind the checksum are reached. */
static void memory(struct analysis *a, struct slice body)
{
    static const char head[] = "serviola log memory\n\1\0\0\0";
    struct bytes_out kept = { 0 };
    struct err e;

    for (size_t i = 0; i < sizeof(head) - 1; i++)
        bytes_put(&kept, (uint8_t)head[i], 1);
    for (size_t i = 0; i < body.len; i++)
        bytes_put(&kept, body.at[i], 1);
    bytes_put(&kept, crc32c(0, kept.at, kept.len), 4);
    if (analysis_load(a, slice_of(kept.at, kept.len), &e) == 0)
        lines(a, SLICE("Dec  5 18:28:00 h p[1]: text\n"));
    bytes_done(&kept);
}

static void again(struct analysis *a)
{
    struct analysis *b = analysis_new(&small, 2, on_finding, NULL, NULL);
    struct bytes_out kept = { 0 };
    struct err e;

    MUST(b && analysis_save(a, &kept, &e) == 0);
    MUST(analysis_load(b, slice_of(kept.at, kept.len), &e) == 0);
    bytes_done(&kept);
    analysis_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct analysis *a = analysis_new(&small, 1, on_finding, NULL, NULL);
    struct slice s = slice_of(data, size);

    MUST(a);
    if (size > 0 && data[0] == 'M') {
        memory(a, slice_skip(s, 1));
    } else {
        lines(a, s);
        again(a);
    }
    analysis_free(a);
    return 0;
}
