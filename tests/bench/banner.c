/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * banner - how long many clients at once wait for a mail server's greeting, while all of them talk.
 *
 * usage: banner ADDRESS PORT FIRST-SOURCE CLIENTS SESSIONS PAUSE-MS
 *
 * Each client is a session after the other, from an address of its own: it connects, waits for the greeting, and says
 * EHLO, MAIL, RCPT, DATA, a short mail and QUIT, with PAUSE-MS before each.  What is timed is from connect(2) to the
 * end of the greeting.  A session fails that has another reply than 2xx or 3xx, or none within 30 s.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_US = 30000000, STEPS = 6, EVENTS = 256 };

static const char *const words[STEPS] = {
    "EHLO client.test\r\n",
    "MAIL FROM:<a@client.test>\r\n",
    "RCPT TO:<b@home.test>\r\n",
    "DATA\r\n",
    "Subject: hello\r\n\r\nIt is only me.\r\n.\r\n",
    "QUIT\r\n",
};

struct client {
    int fd, step;             /* of words: what is said next */
    int64_t began_us, due_us; /* due_us: something is to be said then; else when it is given up */
    bool talks;               /* it waits for its time to speak */
    char line[512];
    size_t len;
};

static struct sockaddr_in server;
static uint32_t first_source;
static struct client *clients;
static size_t clients_count, sessions, begun, over, failed, greeted;
static int64_t *waited_us;
static int64_t pause_us;
static int ep;

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void begin(struct client *c)
{
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
    const int one = 1;

    c->fd = -1;
    c->due_us = INT64_MAX;
    if (begun == sessions)
        return;
    begun++;
    from.sin_addr.s_addr = htonl(first_source + (uint32_t)(c - clients));
    *c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .began_us = now_us() };
    c->due_us = c->began_us + PATIENCE_US;
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) < 0 ||
        bind(c->fd, (const struct sockaddr *)&from, sizeof(from)) < 0 ||
        (connect(c->fd, (const struct sockaddr *)&server, sizeof(server)) < 0 && errno != EINPROGRESS) ||
        epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) < 0)
        die("connect");
}

static void end(struct client *c, bool well)
{
    (void)close(c->fd);
    over++;
    failed += !well;
    begin(c);
}

/* The last line of a reply is there. */
static void on_reply(struct client *c)
{
    bool well = c->line[0] == '2' || c->line[0] == '3';
    int64_t now = now_us();

    if (c->step == 0 && well)
        waited_us[greeted++] = now - c->began_us;
    if (!well || c->step == STEPS) {
        end(c, well);
        return;
    }
    c->talks = true;
    c->due_us = now + pause_us;
}

static void on_bytes(struct client *c)
{
    char bytes[4096];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end(c, false);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (c->len < sizeof(c->line) - 1)
                c->line[c->len++] = bytes[i];
            continue;
        }
        c->line[c->len] = '\0';
        c->len = 0;
        if (c->line[0] != '\0' && c->line[3] != '-') {
            on_reply(c);
            return; /* nobody answers what was not said */
        }
    }
}

static void on_time(struct client *c, int64_t now)
{
    const char *say = words[c->step];

    if (c->due_us > now)
        return;
    if (c->fd < 0) {
        begin(c);
        return;
    }
    if (!c->talks) {
        end(c, false);
        return;
    }
    c->talks = false;
    c->step++;
    c->due_us = now + PATIENCE_US;
    if (write(c->fd, say, strlen(say)) != (ssize_t)strlen(say))
        end(c, false);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double part_ms(unsigned thousandths)
{
    return greeted ? (double)waited_us[(greeted - 1) * thousandths / 1000] / 1000 : 0;
}

int main(int argc, char **argv)
{
    struct rlimit files = { 65536, 65536 };
    struct in_addr from;
    int64_t began, looked = 0;

    if (argc != 7 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || inet_pton(AF_INET, argv[3], &from) != 1) {
        (void)fprintf(stderr, "usage: banner ADDRESS PORT FIRST-SOURCE CLIENTS SESSIONS PAUSE-MS\n");
        return 2;
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    first_source = ntohl(from.s_addr);
    clients_count = strtoul(argv[4], NULL, 10);
    sessions = strtoul(argv[5], NULL, 10);
    pause_us = atoi(argv[6]) * 1000;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0) {
        (void)getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    clients = calloc(clients_count, sizeof(*clients));
    waited_us = calloc(sessions, sizeof(*waited_us));
    ep = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || !waited_us || ep < 0)
        die("banner");
    began = now_us();
    for (size_t i = 0; i < clients_count;
         i++) /* spread over a session's pauses: they are many, not a crowd at the door */
        clients[i] =
            (struct client){ .fd = -1, .due_us = began + (int64_t)i * STEPS * pause_us / (int64_t)clients_count };
    while (over < sessions) {
        struct epoll_event evs[EVENTS];
        int n = epoll_wait(ep, evs, EVENTS, 1);
        int64_t now;

        for (int i = 0; i < n; i++)
            on_bytes(evs[i].data.ptr);
        now = now_us();
        if (now - looked < 1000)
            continue;
        looked = now;
        for (size_t i = 0; i < clients_count; i++)
            on_time(&clients[i], now);
    }
    qsort(waited_us, greeted, sizeof(*waited_us), by_size);
    printf("sessions %zu, failed %zu, %.0f a second; to the greeting: median %.2f ms, p99 %.2f ms, most %.2f ms\n",
           over, failed, (double)over / ((double)(now_us() - began) / 1e6), part_ms(500), part_ms(990), part_ms(1000));
    return failed ? 1 : 0;
}
