/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RELP from the client's side: a line each, or blocks of lines for another serviola (command "lines"). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/log/payload.h"
#include "sense/log/sender.h"
#include "sense/log/store.h"
#include "sys/sockaddr.h"

enum {
    WINDOW = 4096, /* messages that wait for an answer */
    OUT_GOAL = 128 << 10,
    OUT_ROOM = OUT_GOAL + STORE_LINE_MAX + PAYLOAD_MARK_MAX + 256,
    IN_ROOM = 64 << 10,
    PATIENCE_MS = 10000,
    TXNR_LAST = 999999999,
    ANSWER_ROOM = 32 << 10, /* to an offer of heads */
};

struct sender {
    int fd;
    uint32_t txnr;
    bool blocks; /* for another serviola */
    char id[65]; /* our store's */
    struct {
        uint32_t txnr;
        uint64_t seq;
    } waiting[WINDOW]; /* a ring */
    uint32_t first, count;
    uint64_t acked;
    char in[IN_ROOM];
    size_t in_len;
    bool heads;       /* the other side signs them */
    uint32_t offered; /* the offer that waits for an answer; 0: none */
    uint8_t answer[ANSWER_ROOM];
    size_t answer_len;      /* 0: none */
    struct payload payload; /* the block that grows */
    uint64_t first_seq, last_seq;
    uint8_t *bytes; /* payload's, or messages one behind the other */
    size_t len;
};

/* ---- sockets ---- */

bool sender_wait(int fd, bool to_write)
{
    struct pollfd p = { .fd = fd, .events = to_write ? POLLOUT : POLLIN };

    return poll(&p, 1, PATIENCE_MS) > 0;
}

/* 0, or why it is not connected. */
static int finish_connect(int fd)
{
    int code = ETIMEDOUT;
    socklen_t len = sizeof(code);

    if (!sender_wait(fd, true))
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0 ? errno : code;
}

int sender_connect(struct addr to, struct err *e)
{
    struct sockaddr_storage room;
    socklen_t len = sockaddr_from(to, &room);
    int fd = socket(to.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int code;

    if (fd < 0)
        return err_set(e, errno, "socket");
    code = connect(fd, (const struct sockaddr *)&room, len) == 0 ? 0 : errno;
    if (code == EINPROGRESS)
        code = finish_connect(fd);
    if (code == 0)
        return fd;
    err_set(e, code, "%s", addr_socket_text(to).text);
    (void)close(fd);
    return -1;
}

int sender_write(int fd, const void *at, size_t len, struct err *e)
{
    const uint8_t *from = at;

    while (len > 0) {
        ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

        if (n < 0 && (errno == EINTR || (errno == EAGAIN && sender_wait(fd, true))))
            continue;
        if (n <= 0)
            return err_set(e, errno, "send");
        from += n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- answers ---- */

/* "TXNR rsp LENGTH [DATA]": its length, 0 when it is not whole; `said` is what stands behind 200. */
static size_t answer_length(const struct sender *s, uint32_t *txnr, bool *fine, struct slice *said)
{
    struct slice in = slice_of(s->in, s->in_len);
    struct slice rest;
    struct slice number = slice_until(in, ' ', &rest);
    struct slice word = slice_until(rest, ' ', &rest);
    uint64_t n;
    uint64_t len = 0;
    size_t digits = 0;
    size_t head;

    while (digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9')
        digits++;
    if (digits == rest.len || !slice_to_u64(number, &n) || !slice_to_u64(slice_first(rest, digits), &len))
        return 0;
    head = (size_t)(rest.at - in.at) + digits + (rest.at[digits] == ' ');
    if (len > IN_ROOM || in.len < head + len + 1)
        return 0;
    *txnr = (uint32_t)n;
    *fine = slice_eq(word, SLICE("rsp")) && len >= 3 && memcmp(in.at + head, "200", 3) == 0;
    *said = *fine ? slice_first(slice_skip(in, head + 3), (size_t)len - 3) : slice_of(NULL, 0);
    return head + (size_t)len + 1;
}

/* The line "commands=A,B" of a greeting. */
static bool offers_command(struct slice greeting, struct slice command)
{
    while (greeting.len > 0) {
        struct slice line = slice_until(greeting, '\n', &greeting);

        if (!slice_starts_nocase(line, SLICE("commands=")))
            continue;
        line = slice_skip(line, sizeof("commands=") - 1);
        while (line.len > 0)
            if (slice_eq(slice_until(line, ',', &line), command))
                return true;
    }
    return false;
}

/* What belongs to no lines; false: neither does it to anything else. */
static bool take_other_answer(struct sender *s, uint32_t txnr, struct slice said)
{
    if (txnr == 1)
        s->heads = s->blocks && offers_command(said, SLICE("heads"));
    else if (s->offered > 0 && txnr == s->offered && said.len > 1 && said.len <= sizeof(s->answer)) {
        s->offered = 0;
        s->answer_len = said.len - 1;
        memcpy(s->answer, said.at + 1, s->answer_len);
    } else
        return false;
    return true;
}

static int take_answers(struct sender *s, struct err *e)
{
    struct slice said;
    uint32_t txnr;
    bool fine;
    size_t len;

    while ((len = answer_length(s, &txnr, &fine, &said)) > 0) {
        if (!fine)
            return err_set(e, 0, "the other side refuses: %.*s", (int)(len < 100 ? len : 100), s->in);
        if (s->count > 0 && txnr == s->waiting[s->first].txnr) {
            s->acked = s->waiting[s->first].seq;
            s->first = (s->first + 1) % WINDOW;
            s->count--;
        } else if (!take_other_answer(s, txnr, said))
            return err_set(e, 0, "an answer to nothing");
        s->in_len -= len;
        memmove(s->in, s->in + len, s->in_len);
    }
    return s->in_len == IN_ROOM ? err_set(e, 0, "what comes back is no RELP") : 0;
}

static int hear(struct sender *s, int wait_ms, struct err *e)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    ssize_t n;

    if (poll(&p, 1, wait_ms) <= 0)
        return 0;
    n = recv(s->fd, s->in + s->in_len, IN_ROOM - s->in_len, MSG_DONTWAIT);
    if (n == 0)
        return err_set(e, 0, "the other side has closed");
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : err_set(e, errno, "receive");
    s->in_len += (size_t)n;
    return take_answers(s, e);
}

/* ---- open and close ---- */

static void close_it(struct sender *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->bytes);
    free(s);
}

static int greet(struct sender *s, struct err *e)
{
    char line[128];
    const char *offer = s->blocks ? "relp_version=0\nrelp_software=serviola\ncommands=lines,heads"
                                  : "relp_version=0\nrelp_software=serviola\ncommands=syslog";
    int n = snprintf(line, sizeof(line), "1 open %zu %s\n", strlen(offer), offer);
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    ssize_t got;

    if (sender_write(s->fd, line, (size_t)n, e) < 0)
        return -1;
    s->txnr = 1;
    if (poll(&p, 1, PATIENCE_MS) <= 0 || (got = recv(s->fd, s->in, IN_ROOM, 0)) <= 0)
        return err_set(e, 0, "no greeting");
    s->in_len = (size_t)got;
    return take_answers(s, e);
}

static struct sender *open_it(struct addr to, const uint8_t id[32], bool blocks, struct err *e)
{
    static const char hex[] = "0123456789abcdef";
    struct sender *s = calloc(1, sizeof(*s));

    if (!s || !(s->bytes = malloc(OUT_ROOM))) {
        err_set(e, ENOMEM, "sender");
        free(s);
        return NULL;
    }
    s->blocks = blocks;
    for (size_t i = 0; i < 32; i++) {
        s->id[2 * i] = hex[id[i] >> 4];
        s->id[2 * i + 1] = hex[id[i] & 15];
    }
    s->payload = (struct payload){ .at = s->bytes, .cap = OUT_ROOM };
    s->fd = sender_connect(to, e);
    if (s->fd >= 0 && greet(s, e) == 0)
        return s;
    close_it(s);
    return NULL;
}

static struct sender *open_relp(struct addr to, const uint8_t id[32], struct err *e)
{
    return open_it(to, id, false, e);
}

static struct sender *open_serviola(struct addr to, const uint8_t id[32], struct err *e)
{
    return open_it(to, id, true, e);
}

/* ---- sending ---- */

static void expect(struct sender *s, uint64_t seq)
{
    uint32_t at = (s->first + s->count++) % WINDOW;

    s->waiting[at].txnr = s->txnr;
    s->waiting[at].seq = seq;
}

static int wait_for_place(struct sender *s, struct err *e)
{
    for (int tries = 0; s->count == WINDOW; tries++) {
        if (tries == PATIENCE_MS / 100)
            return err_set(e, 0, "nothing is acknowledged");
        if (hear(s, 100, e) < 0)
            return -1;
    }
    s->txnr = s->txnr == TXNR_LAST ? 2 : s->txnr + 1;
    return 0;
}

static int flush_relp(struct sender *s, struct err *e)
{
    int result = sender_write(s->fd, s->bytes, s->len, e);

    s->len = 0;
    return result;
}

static int send_relp(struct sender *s, const struct log_line *line, struct err *e)
{
    if ((s->count == WINDOW || s->len >= OUT_GOAL) && flush_relp(s, e) < 0)
        return -1;
    if (wait_for_place(s, e) < 0)
        return -1;
    s->len += (size_t)snprintf((char *)s->bytes + s->len, 64, "%u syslog %zu ", s->txnr, line->raw.len);
    memcpy(s->bytes + s->len, line->raw.at, line->raw.len);
    s->len += line->raw.len;
    s->bytes[s->len++] = '\n';
    expect(s, line->seq);
    return 0;
}

/* "TXNR lines LENGTH ID FIRST COUNT\nPAYLOAD\n" */
static int flush_serviola(struct sender *s, struct err *e)
{
    char about[128];
    char head[192];
    int about_len;
    int n;

    if (s->payload.records == 0)
        return 0;
    if (wait_for_place(s, e) < 0)
        return -1;
    about_len =
        snprintf(about, sizeof(about), "%s %llu %u\n", s->id, (unsigned long long)s->first_seq, s->payload.records);
    n = snprintf(head, sizeof(head), "%u lines %zu %s", s->txnr, (size_t)about_len + s->payload.len, about);
    if (sender_write(s->fd, head, (size_t)n, e) < 0 || sender_write(s->fd, s->bytes, s->payload.len, e) < 0 ||
        sender_write(s->fd, "\n", 1, e) < 0)
        return -1;
    expect(s, s->last_seq);
    payload_clear(&s->payload);
    return 0;
}

static int send_serviola(struct sender *s, const struct log_line *line, struct err *e)
{
    struct log_line plain = *line;

    plain.origin_seq = 0;
    if (s->payload.records > 0 && (s->payload.len >= OUT_GOAL || line->seq != s->last_seq + 1) &&
        flush_serviola(s, e) < 0)
        return -1;
    if (s->payload.records == 0)
        s->first_seq = line->seq;
    s->last_seq = line->seq;
    return payload_put(&s->payload, &plain, NULL)
             ? 0
             : err_set(e, 0, "line %llu is too long", (unsigned long long)line->seq);
}

static bool takes_heads(const struct sender *s)
{
    return s->heads;
}

/* "TXNR heads LENGTH SEALS\n" */
static int offer(struct sender *s, struct slice seals, struct err *e)
{
    char head[64];
    int n;

    if (wait_for_place(s, e) < 0)
        return -1;
    s->offered = s->txnr;
    n = snprintf(head, sizeof(head), "%u heads %zu ", s->txnr, seals.len);
    if (sender_write(s->fd, head, (size_t)n, e) < 0 || sender_write(s->fd, seals.at, seals.len, e) < 0)
        return -1;
    return sender_write(s->fd, "\n", 1, e);
}

static bool answered(struct sender *s, struct slice *answer)
{
    *answer = slice_of(s->answer, s->answer_len);
    s->answer_len = 0;
    return answer->len > 0;
}

static int acked(struct sender *s, int wait_ms, uint64_t *seq, struct err *e)
{
    int result = hear(s, s->count > 0 ? wait_ms : 0, e);

    *seq = s->acked;
    return result;
}

const struct sender_kind sender_relp = {
    .name = "relp",
    .open = open_relp,
    .send = send_relp,
    .flush = flush_relp,
    .acked = acked,
    .close = close_it,
    .window = WINDOW / 2,
};
const struct sender_kind sender_serviola = {
    .name = "serviola",
    .takes_heads = takes_heads,
    .offer = offer,
    .answered = answered,
    .open = open_serviola,
    .send = send_serviola,
    .flush = flush_serviola,
    .acked = acked,
    .close = close_it,
    .window = 1 << 20,
};
