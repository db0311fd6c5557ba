/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * book - what the greylist costs with millions of pairs: insert, look-up, memory; writing, and reading back.
 *
 * usage: book FOLDER [MILLIONS]     Prints lines of NAME VALUE UNIT.  FOLDER is for the file, and is emptied of it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sense/gate/bookfile.h"

enum { NOW = 1700000000, LOOKS = 2000000 };

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A pair as the gate makes it: a network, a sender, a recipient. */
static struct book_key pair(const struct book *b, uint32_t n)
{
    char net[32];
    char sender[64];
    int a = snprintf(net, sizeof(net), "%u.%u.%u.0/24", n >> 16 & 255, n >> 8 & 255, n & 255);
    int s = snprintf(sender, sizeof(sender), "sender-%u@some-domain-%u.example", n, n % 5000);

    return book_key(b, BOOK_PAIR, slice_of(net, (size_t)a), slice_of(sender, (size_t)s),
                    SLICE("somebody@here.example"));
}

static uint64_t resident_mib(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f && fscanf(f, "%*u %llu", &pages) != 1)
        pages = 0;
    if (f)
        (void)fclose(f);
    return pages * 4096 >> 20;
}

static uint32_t step(uint32_t x)
{
    return x * 1664525 + 1013904223;
}

/* The keys' making is measured by itself: snprintf is not the gate's. */
static void memory(struct book *b, uint32_t entries)
{
    struct book_key *keys = malloc(LOOKS * sizeof(*keys));
    struct book_entry en = { .first_s = NOW, .last_s = NOW, .kind = BOOK_PAIR };
    uint64_t found = 0;
    uint32_t x = 1;
    double t;

    if (!keys)
        exit(3);
    t = now_s();
    for (uint32_t n = 0; n < LOOKS; n++)
        keys[n] = book_key(b, BOOK_PAIR, SLICE("192.0.2.0/24"), SLICE("sender-1234567@some-domain.example"),
                           slice_of(&n, sizeof(n)));
    printf("key %.3f us\n", (now_s() - t) / LOOKS * 1e6);
    t = 0;
    for (uint32_t done = 0; done < entries; done += LOOKS) {
        double from;

        for (uint32_t n = 0; n < LOOKS; n++)
            keys[n] = pair(b, done + n);
        from = now_s();
        for (uint32_t n = 0; n < LOOKS; n++) {
            en.key = keys[n];
            book_put(b, &en, NOW);
        }
        t += now_s() - from;
    }
    printf("insert %.3f us (with the memory's first touch)\n", t / entries * 1e6);
    printf("entries %" PRIu64 ", had to leave %" PRIu64 ", memory %" PRIu64 " MiB\n", book_count(b), book_left(b),
           resident_mib());
    for (uint32_t n = 0; n < LOOKS; n++)
        keys[n] = pair(b, (x = step(x)) % entries);
    t = now_s();
    for (uint32_t n = 0; n < LOOKS; n++)
        found += book_get(b, &keys[n], &en);
    printf("look-up, there %.3f us (%" PRIu64 " of %d)\n", (now_s() - t) / LOOKS * 1e6, found, LOOKS);
    t = now_s();
    for (uint32_t n = 0; n < LOOKS; n++) {
        en.key = keys[n];
        book_put(b, &en, NOW);
    }
    printf("change %.3f us\n", (now_s() - t) / LOOKS * 1e6);
    for (uint32_t n = 0; n < LOOKS; n++)
        keys[n] = pair(b, entries + (x = step(x)) % entries);
    t = now_s();
    for (found = 0, x = 0; x < LOOKS; x++)
        found += book_get(b, &keys[x], &en);
    printf("look-up, not there %.3f us (%" PRIu64 ")\n", (now_s() - t) / LOOKS * 1e6, found);
    free(keys);
}

static void on_disk(struct bookfile *f, struct book *b)
{
    struct err e;
    uint64_t entries;
    uint32_t x = 1;
    double t = now_s();

    if (bookfile_round(f, &entries, &e) < 0) {
        (void)fprintf(stderr, "book: %s\n", e.text);
        exit(3);
    }
    printf("first round, all %.2f s\n", now_s() - t);
    for (int i = 0; i < 4000; i++) {
        struct book_entry en = { .key = pair(b, x = step(x)), .first_s = NOW, .last_s = NOW, .kind = BOOK_PAIR };

        book_put(b, &en, NOW);
    }
    t = now_s();
    if (bookfile_round(f, &entries, &e) < 0)
        exit(3);
    printf("round of %" PRIu64 " entries %.3f s\n", entries, now_s() - t);
}

int main(int argc, char **argv)
{
    uint32_t entries = (argc > 2 ? (uint32_t)atoi(argv[2]) : 10) * 1000000;
    struct book_read read;
    struct bookfile *f;
    struct book *b;
    char path[512];
    uint64_t before;
    struct err e;
    double t;

    if (argc < 2) {
        (void)fprintf(stderr, "usage: book FOLDER [MILLIONS]\n");
        return 2;
    }
    f = bookfile_open(argv[1], &e);
    b = f ? bookfile_read(f, entries, &read, &e) : NULL;
    if (!b) {
        (void)fprintf(stderr, "book: %s\n", e.text);
        return 3;
    }
    memory(b, entries);
    on_disk(f, b);
    before = book_count(b);
    bookfile_close(f);
    t = now_s();
    f = bookfile_open(argv[1], &e);
    b = f ? bookfile_read(f, entries, &read, &e) : NULL;
    printf("restart %.2f s, %" PRIu64 " of %" PRIu64 " entries, %" PRIu64 " damaged\n", now_s() - t,
           b ? book_count(b) : 0, before, read.damaged);
    bookfile_close(f);
    (void)snprintf(path, sizeof(path), "%s/gate.book", argv[1]);
    (void)unlink(path);
    return 0;
}
