/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fastclock - the clock of one part of serviola runs faster, so that an evening takes a quarter of a minute.
 *
 * Preloaded by a scene.  FASTCLOCK="log 1000 FROM TO": the part `log`, a thousand times, so that the real moment FROM
 * (microseconds since 1970) is the moment TO for it.  Wall clock, boot clock and the loop's sleep change together: the
 * part is as it is, on a world that is faster.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static long long times = 1, from_us, to_us, boot_us;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_pwait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

static long long real_us(clockid_t which)
{
    struct timespec t;

    (void)real_gettime(which, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Its command line is `serviola -x PART`. */
static int is_part(const char *part)
{
    char line[256] = "";
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 2);
    const char *word = line + strlen(line) + 1;

    if (fd >= 0)
        (void)close(fd);
    return n > 0 && strcmp(word, "-x") == 0 && strcmp(word + 3, part) == 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *wish = getenv("FASTCLOCK");
    char part[32];
    long long n;

    *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&real_pwait2 = dlsym(RTLD_NEXT, "epoll_pwait2");
    if (!wish || sscanf(wish, "%31s %lld %lld %lld", part, &n, &from_us, &to_us) != 4 || !is_part(part))
        return;
    boot_us = real_us(CLOCK_BOOTTIME) - (real_us(CLOCK_REALTIME) - from_us); /* the same for each of its lives */
    times = n;
}

int clock_gettime(clockid_t which, struct timespec *t)
{
    long long us;

    if (times == 1 || (which != CLOCK_REALTIME && which != CLOCK_BOOTTIME))
        return real_gettime(which, t);
    us = which == CLOCK_REALTIME ? to_us + (real_us(which) - from_us) * times
                                 : boot_us + (real_us(which) - boot_us) * times;
    t->tv_sec = us / 1000000;
    t->tv_nsec = us % 1000000 * 1000;
    return 0;
}

int epoll_pwait2(int epoll, struct epoll_event *ev, int most, const struct timespec *wait, const sigset_t *mask)
{
    struct timespec less;
    long long ns;

    if (times == 1 || !wait)
        return real_pwait2(epoll, ev, most, wait, mask);
    ns = ((long long)wait->tv_sec * 1000000000 + wait->tv_nsec) / times;
    less.tv_sec = ns / 1000000000;
    less.tv_nsec = ns % 1000000000;
    return real_pwait2(epoll, ev, most, &less, mask);
}
