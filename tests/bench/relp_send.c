/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * relp_send HOST PORT FILE CONNECTIONS WINDOW - sends the lines of a file by RELP and waits until all are acknowledged;
 * prints messages, seconds and acknowledged messages a second as JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, OUT = 1 << 20, IN = 1 << 18 };

struct client {
    int fd;
    const char *at, *end; /* lines to send */
    uint32_t txnr, sent, acked;
    char *out;
    size_t out_from, out_to;
    char in[IN];
    size_t in_len;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(const char *host, const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)inet_pton(AF_INET, host, &to.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    return fd;
}

static void greet(struct client *c)
{
    static const char hello[] = "1 open 30 relp_version=0\ncommands=syslog\n";
    char answer[512];

    if (write(c->fd, hello, sizeof(hello) - 1) < 0 || read(c->fd, answer, sizeof(answer)) <= 0)
        die("open");
    c->txnr = 1;
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void fill(struct client *c, uint32_t window)
{
    if (c->out_from == c->out_to)
        c->out_from = c->out_to = 0;
    while (c->at < c->end && c->sent - c->acked < window) {
        const char *stop = memchr(c->at, '\n', (size_t)(c->end - c->at));
        size_t len = (size_t)((stop ? stop : c->end) - c->at);

        if (OUT - c->out_to < len + 64)
            return;
        c->out_to += (size_t)snprintf(c->out + c->out_to, 64, "%u syslog %zu ", ++c->txnr, len);
        memcpy(c->out + c->out_to, c->at, len);
        c->out_to += len;
        c->out[c->out_to++] = '\n';
        c->at += len + (stop != NULL);
        c->sent++;
    }
}

static void flush(struct client *c)
{
    ssize_t n = c->out_from < c->out_to ? write(c->fd, c->out + c->out_from, c->out_to - c->out_from) : 0;

    if (n > 0)
        c->out_from += (size_t)n;
    else if (n < 0 && errno != EAGAIN)
        die("write");
}

static void hear(struct client *c)
{
    ssize_t n = read(c->fd, c->in + c->in_len, IN - c->in_len);
    char *at = c->in;
    char *stop;

    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("read");
    c->in_len += n > 0 ? (size_t)n : 0;
    while ((stop = memchr(at, '\n', c->in_len - (size_t)(at - c->in)))) {
        if (!memmem(at, (size_t)(stop - at), " rsp 6 200 OK", 13)) {
            (void)fprintf(stderr, "refused: %.*s\n", (int)(stop - at), at);
            exit(1);
        }
        c->acked++;
        at = stop + 1;
    }
    c->in_len -= (size_t)(at - c->in);
    memmove(c->in, at, c->in_len);
}

static bool is_done(const struct client *c)
{
    return c->at == c->end && c->acked == c->sent;
}

int main(int argc, char **argv)
{
    static struct client clients[MOST];
    struct pollfd polls[MOST];
    int count = argc == 6 ? atoi(argv[4]) : 0;
    uint32_t window = argc == 6 ? (uint32_t)atoi(argv[5]) : 0;
    uint64_t acked = 0;
    struct stat st;
    double begin;
    char *text;
    int left;
    int fd;

    if (count < 1 || count > MOST)
        return 2;
    fd = open(argv[3], O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0)
        die(argv[3]);
    text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    for (int i = 0; i < count; i++) {
        struct client *c = &clients[i];
        const char *to = text + st.st_size / count * (i + 1);

        c->at = i == 0 ? text : clients[i - 1].end;
        c->end = i + 1 == count ? text + st.st_size : (const char *)memchr(to, '\n', 1 << 20) + 1;
        c->out = malloc(OUT);
        c->fd = dial(argv[1], argv[2]);
        greet(c);
    }
    begin = now();
    do {
        left = 0;
        for (int i = 0; i < count; i++) {
            fill(&clients[i], window);
            flush(&clients[i]);
            polls[i] =
                (struct pollfd){ .fd = is_done(&clients[i]) ? -1 : clients[i].fd,
                                 .events = (short)(POLLIN | (clients[i].out_from < clients[i].out_to ? POLLOUT : 0)) };
            left += !is_done(&clients[i]);
        }
        if (left > 0 && poll(polls, (nfds_t)count, 10000) <= 0)
            die("no answer");
        for (int i = 0; i < count; i++)
            if (polls[i].fd >= 0 && (polls[i].revents & (POLLIN | POLLHUP)))
                hear(&clients[i]);
    } while (left > 0);
    for (int i = 0; i < count; i++)
        acked += clients[i].acked;
    (void)printf("{\"acked\":%llu,\"seconds\":%.3f,\"acked_per_s\":%.0f}\n", (unsigned long long)acked, now() - begin,
                 (double)acked / (now() - begin));
    return 0;
}
