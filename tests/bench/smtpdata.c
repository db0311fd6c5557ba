/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * smtpdata - how fast the DATA reader is: GB/s of text in pieces of 16 KiB, for several lengths of line, and for text
 * that is nothing but faults.  Best of five.  usage: bench_smtpdata
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire/smtpdata.h"

enum { SIZE = 64 << 20, PIECE = 16384 };

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double once(const uint8_t *text, enum smtpdata_mode mode)
{
    struct smtpdata d;
    size_t out = 0;
    double start = seconds();

    smtpdata_init(&d, mode);
    for (size_t at = 0; at < SIZE; at += PIECE) {
        struct slice in = slice_of(text + at, PIECE), forward;

        while (in.len > 0) {
            in = slice_skip(in, smtpdata_next(&d, in, &forward));
            out += forward.len;
        }
    }
    if (out == 0)
        puts("nothing came out");
    return (double)SIZE / 1e9 / (seconds() - start);
}

static void measure(const char *name, uint8_t *text, enum smtpdata_mode mode)
{
    double best = 0;

    for (int i = 0; i < 5; i++) {
        double now = once(text, mode);

        if (now > best)
            best = now;
    }
    printf("%-28s %6.2f GB/s\n", name, best);
}

int main(void)
{
    static const size_t lines[] = { 20, 40, 78, 998, SIZE };
    uint8_t *text = malloc(SIZE);

    if (!text)
        return 3;
    for (size_t l = 0; l < sizeof lines / sizeof lines[0]; l++) {
        char name[64];

        memset(text, 'a', SIZE);
        for (size_t at = lines[l]; at + 2 <= SIZE; at += lines[l])
            memcpy(text + at - 2, "\r\n", 2);
        snprintf(name, sizeof name, "lines of %zu", lines[l]);
        measure(name, text, SMTPDATA_REFUSE);
    }
    memset(text, '\n', SIZE);
    measure("bare LF only, normalised", text, SMTPDATA_NORMALISE);
    memset(text, '\r', SIZE);
    measure("bare CR only, normalised", text, SMTPDATA_NORMALISE);
    free(text);
    return 0;
}
