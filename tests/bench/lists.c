/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lists - what a million prefixes cost: memory, the pause of a reload, a look-up.
 *
 * usage: lists [THOUSANDS]     Prints lines of NAME VALUE UNIT, for IPv4 and for IPv6.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sense/gate/listcompile.h"
#include "sense/gate/lists.h"

enum { LOOKS = 1000000, LINE = 64, ROUNDS = 9 };

static double cpu_s(void) /* a busy machine makes it no slower */
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t step(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* As in lists of dial-up networks and bad hosts: from /16 to single addresses, of IPv6 from /32 to /64. */
static struct addr somebody(uint64_t *x, unsigned family)
{
    uint64_t r[2] = { step(x), step(x) };
    uint8_t ip[16];

    memcpy(ip, r, sizeof(ip));
    if (family == 4)
        return addr_v4((uint32_t)(r[0] >> 32) % 0xdf000000 + 0x01000000, 0);
    ip[0] = 0x20 | (ip[0] & 15);
    return addr_from_ip(6, ip, 0);
}

static size_t make_text(char *text, size_t lines, unsigned family)
{
    uint64_t x = 88172645463325252u;
    size_t used = 0;

    for (size_t i = 0; i < lines; i++) {
        struct addr a = somebody(&x, family);
        unsigned bits = family == 4 ? 32 - (unsigned)(step(&x) % 17) : 64 - (unsigned)(step(&x) % 33);

        used += (size_t)sprintf(text + used, "%s\n", prefix_text(prefix_of(a, bits)).text);
    }
    return used;
}

static void look(const struct lists *l, const struct addr *who, size_t clients)
{
    struct list_hit hit;
    uint64_t found = 0;
    double t = cpu_s();

    for (size_t i = 0; i < LOOKS; i++)
        found += lists_addr(l, who[i % clients], &hit);
    t = cpu_s() - t;
    printf("    %zu clients: look-up %.3f us (%" PRIu64 " of %d found)\n", clients, t / LOOKS * 1e6, found, LOOKS);
}

static void reload(int fd)
{
    double longest = 0;
    struct lists *l = NULL;

    for (int i = 0; i < ROUNDS; i++) { /* the gate maps the new one, then lets go of the old one */
        double t = now_s();
        struct lists *fresh = lists_map(fd, NULL);

        lists_free(l);
        l = fresh;
        t = now_s() - t;
        longest = t > longest ? t : longest;
    }
    lists_free(l);
    printf("    reload, longest pause of %d %.3f ms\n", ROUNDS, longest * 1e3);
}

static int run(size_t lines, unsigned family)
{
    struct gate_list list = {
        .name = "bench", .file = "bench", .what = GATE_LIST_ADDRESSES, .means = GATE_LIST_REFUSE
    };
    struct listcompile *c = listcompile_new(NULL);
    char *text = malloc(lines * LINE);
    struct addr *who = malloc(LOOKS * sizeof(*who));
    struct err e = { 0 };
    uint64_t x = 1234567;
    struct lists *l;
    struct stat st;
    size_t used;
    double t;
    int fd;

    if (!c || !text || !who)
        return 3;
    used = make_text(text, lines, family);
    t = now_s();
    if (listcompile_add(c, &list, slice_of(text, used), &e) < 0 || (fd = listcompile_finish(c, &e)) < 0 ||
        fstat(fd, &st) < 0) {
        (void)fprintf(stderr, "lists: %s\n", e.text);
        return 3;
    }
    printf("IPv%u, %zu prefixes: compiled in %.2f s (in a process of its own), memory %.1f MB\n", family, lines,
           now_s() - t, (double)st.st_size / 1e6);
    listcompile_free(c);
    reload(fd);
    l = lists_map(fd, &e);
    for (size_t i = 0; i < LOOKS; i++)
        who[i] = somebody(&x, family);
    look(l, who, LOOKS);
    look(l, who, 1000);
    lists_free(l);
    free(text);
    free(who);
    (void)close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    size_t lines = (argc > 1 ? (size_t)atoi(argv[1]) : 1000) * 1000;
    int code = run(lines, 4);

    return code ? code : run(lines, 6);
}
