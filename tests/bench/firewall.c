/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * firewall - what a block costs, at the hand's own functions and in a network namespace of its own.
 *
 *   firewall       one block (with 0, 10,000 and 100,000 there), 10,000 in one go, put back, compare, list
 *   firewall fill Nfills the table of the namespace it is started in and leaves it there
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "hand/wall.h"
#include "sys/clock.h"

static struct hand_settings set;
static struct never never;
static struct wall wall;
static uint32_t next;

static int64_t cpu_us(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void must(int rc, const struct err *e)
{
    if (rc >= 0)
        return;
    (void)fprintf(stderr, "%s\n", e->text);
    exit(3);
}

static struct hand_block one_more(void)
{
    uint32_t n = next++;

    return (
        struct hand_block){ .who = addr_v4(0x0a000001 + n / 254 * 256 + n % 254, 0), .seconds = 3600, .unasked = 1 };
}

static void add(size_t count)
{
    struct hand_block asks[HAND_BATCH];
    struct hand_outcome out[HAND_BATCH];

    while (count > 0) {
        size_t n = count < HAND_BATCH ? count : HAND_BATCH;

        for (size_t i = 0; i < n; i++)
            asks[i] = one_more();
        wall_block(&wall, asks, n, out, clock_mono_us());
        for (size_t i = 0; i < n; i++)
            if (out[i].code != HAND_OK) {
                (void)fprintf(stderr, "%s: %s\n", addr_text(out[i].who).text, hand_code_words((unsigned)out[i].code));
                exit(3);
            }
        count -= n;
    }
}

static void fresh(bool may_own)
{
    struct err e;

    must(wall_open(&wall, &set, &never, 1, &e), &e);
    /* The hand locks its memory: no page is touched for the first time while a block waits. */
    memset(wall.bans.slots, 0, (wall.bans.mask + 1) * sizeof(wall.bans.slots[0]));
    wall.may_own = may_own;
    must(wall_begin(&wall, clock_mono_us(), &e), &e);
}

static void done(void)
{
    wall_end(&wall, true, clock_mono_us());
    wall_close(&wall);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void bench_one(size_t there, bool may_own)
{
    enum { TIMES = 1000 };
    static int64_t took[TIMES];
    int64_t cpu;

    fresh(may_own);
    add(there);
    cpu = cpu_us();
    for (size_t i = 0; i < TIMES; i++) {
        int64_t from = clock_mono_us();

        add(1);
        took[i] = clock_mono_us() - from;
    }
    cpu = cpu_us() - cpu;
    qsort(took, TIMES, sizeof(took[0]), by_value);
    printf("one block, %zu there, table %s: median %ld us, p99 %ld us, CPU %.1f us each\n", there,
           may_own ? "owned" : "plain", (long)took[TIMES / 2], (long)took[TIMES * 99 / 100], (double)cpu / TIMES);
    done();
}

static void bench_many(bool may_own)
{
    enum { TIMES = 7 };
    int64_t took[TIMES];
    int64_t cpu[TIMES];

    for (size_t i = 0; i < TIMES; i++) {
        int64_t from;

        fresh(may_own);
        cpu[i] = cpu_us();
        from = clock_mono_us();
        add(10000);
        took[i] = clock_mono_us() - from;
        cpu[i] = cpu_us() - cpu[i];
        done();
    }
    qsort(took, TIMES, sizeof(took[0]), by_value);
    qsort(cpu, TIMES, sizeof(cpu[0]), by_value);
    printf("10,000 blocks in batches of %d, table %s: median %.1f ms (%.1f to %.1f), CPU %.1f ms\n", HAND_BATCH,
           may_own ? "owned" : "plain", (double)took[TIMES / 2] / 1e3, (double)took[0] / 1e3,
           (double)took[TIMES - 1] / 1e3, (double)cpu[TIMES / 2] / 1e3);
}

static void ignore(void *ctx, const struct hand_entry *entry)
{
    (void)ctx;
    (void)entry;
}

static void bench_whole(size_t there, bool may_own)
{
    struct err e;
    int64_t from;
    int64_t restored;
    int64_t compared;

    fresh(may_own);
    add(there);
    from = clock_mono_us();
    must(wall_restore(&wall, from, &e), &e);
    restored = clock_mono_us();
    must(wall_compare(&wall, restored, &e), &e);
    compared = clock_mono_us();
    must(wall_count(&wall, compared), &e);
    while (wall_count_step(&wall) == 1)
        ;
    wall_list(&wall, compared, ignore, NULL);
    printf("with %zu blocks, table %s: put back %.1f ms, compare %.1f ms, list %.1f ms\n", there,
           may_own ? "owned" : "plain", (double)(restored - from) / 1e3, (double)(compared - restored) / 1e3,
           (double)(clock_mono_us() - compared) / 1e3);
    done();
}

int main(int argc, char **argv)
{
    bool fill = argc == 3 && strcmp(argv[1], "fill") == 0;

    strcpy(set.table, "serviola");
    set.acts = 1;
    set.total = 200000;
    set.log_per_minute = 10;
    set.ports_count = 4;
    memcpy(set.ports, (uint16_t[]){ 25, 465, 587, 2525 }, 4 * sizeof(uint16_t));
    set.inside.count = 1;
    set.inside.at[0] = prefix_of(addr_v4(0x0a000000, 0), 8);
    never_init(&never, &set);
    never.facts.known = true;
    if (fill) {
        fresh(true);
        add(strtoul(argv[2], NULL, 10));
        return 0; /* the kernel keeps the table */
    }
    if (unshare(CLONE_NEWNET) < 0) {
        perror("bench_firewall: a namespace of its own needs root");
        return 3;
    }
    bench_one(0, true);
    bench_one(10000, true);
    bench_one(100000, true);
    bench_one(0, false);
    bench_many(true);
    bench_many(false);
    bench_whole(100000, true);
    bench_whole(100000, false);
    return 0;
}
