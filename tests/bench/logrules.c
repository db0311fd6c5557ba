/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rules - how fast the lines of a file are judged by logcheck's rules: rules FOLDER MOST FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sense/log/logfiles.h"
#include "sense/log/logrules.h"

static uint64_t verdicts[4];
static uint64_t refused;

static void judged(void *own, enum logrules_verdict v, struct slice text)
{
    (void)own;
    (void)text;
    verdicts[v]++;
}

static void note(void *own, const char *file, unsigned line, const char *why)
{
    (void)own;
    refused++;
    (void)fprintf(stderr, "%s:%u: %s\n", file, line, why);
}

static void note_file(void *own, const char *name, const char *why)
{
    (void)own;
    (void)fprintf(stderr, "%s: %s\n", name, why);
}

static double cpu(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* All lines in memory first: what is measured is the judging. */
struct kept {
    struct log_line *at;
    size_t count, cap;
    uint64_t bytes;
};

static struct slice copy(struct slice s)
{
    uint8_t *to = malloc(s.len + 1);

    if (!to)
        exit(3);
    if (s.len > 0)
        memcpy(to, s.at, s.len);
    return slice_of(to, s.len);
}

static void keep(struct kept *k, const struct log_line *l)
{
    if (k->count == k->cap) {
        k->cap = k->cap ? 2 * k->cap : 1 << 16;
        k->at = reallocarray(k->at, k->cap, sizeof(*k->at));
        if (!k->at)
            exit(3);
    }
    k->at[k->count] = *l;
    k->at[k->count].raw = copy(l->raw);
    k->at[k->count].program = copy(l->program);
    k->at[k->count++].text = copy(l->text);
    k->bytes += l->raw.len + 1;
}

static int judge(struct logrules_scan *s, const struct kept *k, struct err *e)
{
    for (size_t i = 0; i < k->count; i++)
        if (logrules_line(s, &k->at[i], e) < 0)
            return -1;
    return logrules_flush(s, e);
}

int main(int argc, char **argv)
{
    struct err e = { 0 };
    struct logrules *r = logrules_new(&e);
    struct logfiles_order order = { .now_us = 4102444800000000LL, .note = note_file };
    struct kept kept = { 0 };
    struct logrules_scan *s;
    struct logfiles *f;
    struct log_line l;
    double from;

    if (argc != 4 || !r) {
        (void)fprintf(stderr, "rules FOLDER LEVEL FILE\n");
        return 2;
    }
    order.paths = argv + 3;
    order.count = 1;
    f = logfiles_open(&order, &e);
    if (!f || logrules_logcheck(r, argv[1], (enum logrules_level)atoi(argv[2]), note, NULL, &e) < 0)
        goto fail;
    while (logfiles_next(f, &l, &e) > 0)
        keep(&kept, &l);
    from = cpu();
    if (logrules_compile(r, &e) < 0)
        goto fail;
    (void)printf("rules %zu refused %llu compile %.2f s\n", logrules_count(r), (unsigned long long)refused,
                 cpu() - from);
    s = logrules_scan_new(r, judged, NULL, &e);
    from = cpu();
    if (!s || judge(s, &kept, &e) < 0) /* the rules of the programs that are there are compiled */
        goto fail;
    (void)printf("a first pass %.2f s\n", cpu() - from);
    memset(verdicts, 0, sizeof(verdicts));
    from = cpu();
    if (judge(s, &kept, &e) < 0)
        goto fail;
    (void)printf("lines %zu bytes %llu cpu %.3f s, %.0f MB/s; harmless %llu unknown %llu violation %llu attack %llu\n",
                 kept.count, (unsigned long long)kept.bytes, cpu() - from, (double)kept.bytes / 1e6 / (cpu() - from),
                 (unsigned long long)verdicts[LOGRULES_HARMLESS], (unsigned long long)verdicts[LOGRULES_UNKNOWN],
                 (unsigned long long)verdicts[LOGRULES_VIOLATES], (unsigned long long)verdicts[LOGRULES_ATTACKS]);
    return 0;
fail:
    (void)fprintf(stderr, "%s\n", e.text);
    return 3;
}
