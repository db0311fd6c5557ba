/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xray - what one picture of this host costs, phase by phase: CPU (with children that were waited for) and wall, in ms.
 *
 * usage: xray FILE [ROUNDS [kept|load|proc]]    Prints a line a phase: NAME, median CPU, median wall.
 *
 * `kept`, as without a word: iterators are loaded once, as the watch has them; `load`: for each picture; `proc`: never.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "sys/iter/load.h"
#include "sense/xray/xray.h"
#include "snap/file.h"
#include "view/explain/explain.h"

enum { ROUNDS_MOST = 64, PHASES = 5 };

struct moment {
    double cpu_ms, wall_ms;
};

static double used_ms(int who)
{
    struct rusage u;

    (void)getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static struct moment now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (struct moment){ .cpu_ms = used_ms(RUSAGE_SELF) + used_ms(RUSAGE_CHILDREN),
                            .wall_ms = (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6 };
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *at, size_t count)
{
    qsort(at, count, sizeof(*at), compare);
    return at[count / 2];
}

/* One picture; the moments between its phases. */
static int round_of(const char *path, const struct xray_wish *wish, struct moment at[PHASES + 1], size_t *sockets)
{
    char *command[] = { NULL };
    struct snap_bytes file = { 0 };
    struct findings *found = NULL;
    struct err e;
    struct slice why;
    struct snap *s;
    int status = -1;

    at[0] = now();
    s = xray_take_as(wish, &e);
    at[1] = now();
    if (s)
        found = explain(s, &e);
    at[2] = now();
    if (!found || snap_pack(s, command, &file, &e) < 0)
        goto out;
    at[3] = now();
    status = snap_write(path, true, &file, &e);
    at[4] = now();
    *sockets = s->part[SNAP_SOCKET].count;
    why = snap_host(s)->back_end_why;
    (void)fprintf(stderr, "%.*s\n", (int)why.len, (const char *)why.at);
out:
    if (status < 0)
        (void)fprintf(stderr, "xray: %s\n", e.text);
    free(found);
    snap_bytes_done(&file);
    snap_free(s);
    at[5] = now();
    return status;
}

int main(int argc, char **argv)
{
    static const char *const names[PHASES] = { "take", "explain", "pack", "write", "free" };
    static double cpu[PHASES + 1][ROUNDS_MOST];
    static double wall[PHASES + 1][ROUNDS_MOST];
    size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    size_t sockets = 0;
    const char *how = argc > 3 ? argv[3] : "";
    int links[ITER_LINKS];
    struct err e;
    struct xray_wish wish = { .plain = strcmp(how, "proc") == 0 };

    if (argc < 2 || rounds == 0 || rounds > ROUNDS_MOST)
        return 2;
    if ((*how == '\0' || strcmp(how, "kept") == 0) && iter_load(links, &e) == 0)
        wish.iterators = links;
    for (size_t r = 0; r < rounds; r++) {
        struct moment at[PHASES + 1];

        if (round_of(argv[1], &wish, at, &sockets) < 0)
            return 1;
        for (size_t p = 0; p < PHASES; p++) {
            cpu[p][r] = at[p + 1].cpu_ms - at[p].cpu_ms;
            wall[p][r] = at[p + 1].wall_ms - at[p].wall_ms;
        }
        cpu[PHASES][r] = at[PHASES].cpu_ms - at[0].cpu_ms;
        wall[PHASES][r] = at[PHASES].wall_ms - at[0].wall_ms;
    }
    for (size_t p = 0; p <= PHASES; p++)
        (void)printf("%-8s cpu %8.1f ms  wall %8.1f ms\n", p < PHASES ? names[p] : "all", median(cpu[p], rounds),
                     median(wall[p], rounds));
    (void)printf("sockets %zu\n", sockets);
    return 0;
}
