/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams of lines: syslog over TCP and TLS, RELP, standard input. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "sense/log/stream.h"
#include "sys/clock.h"
#include "sys/say.h"
#include "sys/sockaddr.h"
#include "wire/syslog.h"

enum {
    LISTENS = LOG_PORTS,
    READS_A_TURN = 4,
    ACCEPTS_A_TURN = 64,
    SWEEP_US = 1000000,
};

struct ear { /* a listening socket; fd -1: a free place */
    struct streams *all;
    struct source source;
    struct log_port port;
};

struct streams {
    struct intake *in;
    struct ear ears[LISTENS];
    struct stream *first; /* of all connections */
    uint64_t count;
    uint32_t sweeper;
    struct secure_house *secure;
};

static void on_ready(void *ctx, int fd, int events);

/* ---- one connection made and ended ---- */

static struct stream *add(struct streams *all, int fd, enum log_way way, struct err *e)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (!s) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    s->all = all;
    s->in = all->in;
    s->way = way;
    s->source = (struct source){ .fd = fd, .ready = on_ready, .ctx = s };
    s->heard_us = s->begun_us = clock_mono_us();
    s->next = all->first;
    if (all->first)
        all->first->before = s;
    all->first = s;
    all->count++;
    return s;
}

static void end(struct stream *s)
{
    struct streams *all = s->all;

    intake_unwatch(all->in, &s->source);
    if (s->before)
        s->before->next = s->next;
    else
        all->first = s->next;
    if (s->next)
        s->next->before = s->before;
    all->count--;
    secure_free(s->secure);
    relp_free(s->relp);
    (void)close(s->source.fd);
    free(s->rest);
    free(s->cut);
    free(s);
}

bool stream_say(struct stream *s, const void *at, size_t len)
{
    return send(s->source.fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* ---- what is read becomes lines ---- */

static bool put(struct stream *s, struct slice raw, uint64_t whole, const uint8_t *digest, int64_t now_us)
{
    struct log_line line = { .raw = raw,
                             .peer = slice_of(s->peer, s->peer_len),
                             .way = s->way,
                             .at_us = now_us,
                             .near_us = now_us,
                             .whole_bytes = whole };

    if (s->way == LOG_TCP || s->way == LOG_TLS) /* a line end of two bytes, and what some put behind */
        while (line.raw.len > 0 && (line.raw.at[line.raw.len - 1] == '\r' || line.raw.at[line.raw.len - 1] == '\0'))
            line.raw.len--;
    if (line.raw.len == 0)
        return true;
    if (intake_line(s->in, &line, digest) == 0)
        return false;
    if (s->sampled_us != now_us) { /* the first of what was read at once */
        s->sampled_us = now_us;
        intake_sample(s->in, &line);
    }
    return true;
}

static void begin_cut(struct stream *s, struct slice beginning, uint64_t left)
{
    s->cut = malloc(beginning.len);
    if (!s->cut)
        return;
    memcpy(s->cut, beginning.at, beginning.len);
    s->cut_whole = beginning.len;
    s->skip_left = left;
    crypto_hash_sha256_init(&s->cut_hash);
    crypto_hash_sha256_update(&s->cut_hash, beginning.at, beginning.len);
}

static bool end_cut(struct stream *s, int64_t now_us)
{
    crypto_hash_sha256_state hash = s->cut_hash;
    uint8_t digest[32];
    size_t kept = s->in->settings.line_bytes;

    crypto_hash_sha256_final(&hash, digest);
    if (!put(s, slice_of(s->cut, kept), s->cut_whole, digest, now_us))
        return false;
    s->in->counts.cut++;
    free(s->cut);
    s->cut = NULL;
    return true;
}

/* More of a line that is too long: how much of `bytes` belongs to it. */
static size_t skip(struct stream *s, struct slice bytes, int64_t now_us)
{
    const uint8_t *newline = NULL;
    size_t n = bytes.len;
    bool over = false;

    if (s->skip_left == SYSLOG_LINE) {
        newline = bytes.len > 0 ? memchr(bytes.at, '\n', bytes.len) : NULL;
        n = newline ? (size_t)(newline - bytes.at) : bytes.len;
        over = newline != NULL;
    } else {
        n = s->skip_left < n ? (size_t)s->skip_left : n;
        over = n == s->skip_left;
    }
    if (over) { /* counted only when the store takes it: there may be no room, and then it is looked at again */
        crypto_hash_sha256_state before = s->cut_hash;

        crypto_hash_sha256_update(&s->cut_hash, bytes.at, n);
        s->cut_whole += n;
        if (end_cut(s, now_us))
            return n + (newline != NULL);
        s->cut_hash = before;
        s->cut_whole -= n;
        return 0;
    }
    crypto_hash_sha256_update(&s->cut_hash, bytes.at, n);
    s->cut_whole += n;
    if (s->skip_left != SYSLOG_LINE)
        s->skip_left -= n;
    return n;
}

static void see_framing(struct stream *s, struct slice frame, struct slice message)
{
    if (frame.at != message.at) {
        s->counted = true;
        return;
    }
    if (!s->counted || s->broken || message.len == 0 || message.at[0] == '<')
        return;
    s->broken = true; /* told once a connection, counted always */
    s->in->counts.framing++;
    intake_tell(s->in, EV_LOG_FRAME_BROKEN, addr_ip(s->from), s->peer, "a count was not the message's length", 0);
}

static size_t feed_syslog(struct stream *s, struct slice bytes, int64_t now_us)
{
    const size_t max = s->in->settings.line_bytes;
    struct slice all = bytes;

    while (bytes.len > 0) {
        struct slice message;
        size_t used;
        uint64_t left;
        enum syslog_frame f;

        if (s->cut) {
            used = skip(s, bytes, now_us);
            bytes = slice_skip(bytes, used);
            if (used == 0)
                break;
            continue;
        }
        f = syslog_frame_read(bytes, max, &message, &used, &left);
        if (f == SYSLOG_FRAME_MORE)
            break;
        see_framing(s, bytes, message);
        if (f == SYSLOG_FRAME_LONG)
            begin_cut(s, message, left);
        else if (!put(s, message, 0, NULL, now_us))
            break;
        bytes = slice_skip(bytes, used);
    }
    return all.len - bytes.len;
}

/* Lines of a file: nothing but a newline ends one. */
static size_t feed_lines(struct stream *s, struct slice bytes, int64_t now_us)
{
    const size_t max = s->in->settings.line_bytes;
    struct slice all = bytes;

    while (bytes.len > 0) {
        const uint8_t *newline;
        size_t used;

        if (s->cut)
            used = skip(s, bytes, now_us);
        else if ((newline = memchr(bytes.at, '\n', bytes.len < max + 1 ? bytes.len : max + 1))) {
            used = (size_t)(newline - bytes.at) + 1;
            if (!put(s, slice_first(bytes, used - 1), 0, NULL, now_us))
                break;
        } else if (bytes.len > max) {
            used = max;
            begin_cut(s, slice_first(bytes, max), SYSLOG_LINE);
        } else
            break;
        if (used == 0)
            break;
        bytes = slice_skip(bytes, used);
    }
    return all.len - bytes.len;
}

size_t stream_feed(struct stream *s, struct slice bytes, int64_t now_us)
{
    return s->way == LOG_STDIN ? feed_lines(s, bytes, now_us) : feed_syslog(s, bytes, now_us);
}

/* ---- reading ---- */

static bool keep_rest(struct stream *s, struct slice rest)
{
    if (rest.len > s->rest_cap) {
        size_t cap = rest.len < 4096 ? 4096 : rest.len;
        uint8_t *at = realloc(s->rest, cap);

        if (!at)
            return false;
        s->rest = at;
        s->rest_cap = cap;
    }
    if (rest.len > 0)
        memmove(s->rest, rest.at, rest.len);
    s->rest_len = rest.len;
    if (rest.len == 0 && s->rest_cap > 4096) {
        free(s->rest);
        s->rest = NULL;
        s->rest_cap = 0;
    }
    return true;
}

/* Takes what it can of the bytes; false: the connection ends. */
static bool digest(struct stream *s, struct slice bytes)
{
    bool bad = false;
    bool waited = s->rest_len > 0 || s->cut;
    bool cutting = s->cut;
    int64_t now_us = clock_wall_us();
    size_t used = s->relp ? relp_feed(s, bytes, now_us, &bad) : stream_feed(s, bytes, now_us);

    if (!waited || (used > 0 && !(cutting && s->cut)))
        s->begun_us = s->heard_us;
    if (s->relp)
        s->waits = relp_waits(s->relp);
    if (bad) {
        s->in->counts.framing++;
        intake_tell(s->in, EV_LOG_FRAME_BROKEN, addr_ip(s->from), s->peer, "this is not RELP", 0);
        return false;
    }
    return keep_rest(s, slice_skip(bytes, used));
}

/* The part that is there of a message with a count in front; false: it is none. */
static bool is_part(struct slice rest, struct slice *part)
{
    uint64_t count;
    struct slice number = slice_until(rest, ' ', part);

    return number.len > 0 && part->len > 0 && part->at[0] == '<' && slice_to_u64(number, &count);
}

/* The other side is gone: a line without its end is a line all the same; part of a RELP message is not. */
static void last_words(struct stream *s)
{
    struct slice rest = slice_of(s->rest, s->rest_len);
    struct slice part;
    int64_t now_us = clock_wall_us();

    if (s->cut)
        (void)end_cut(s, now_us);
    else if (rest.len > 0 && !s->relp) {
        if (s->way != LOG_STDIN && is_part(rest, &part)) {
            s->in->counts.framing++;
            intake_tell(s->in, EV_LOG_FRAME_BROKEN, addr_ip(s->from), s->peer, "the connection ended within it", 0);
            rest = part;
        }
        (void)put(s, rest, 0, NULL, now_us);
    }
}

static ssize_t read_some(struct stream *s, uint8_t *at, size_t len, struct err *why)
{
    ssize_t n;

    if (s->secure)
        return secure_read(s->secure, at, len, why);
    n = read(s->source.fd, at, len);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR)
        return SECURE_AGAIN;
    err_set(why, errno, "read");
    return SECURE_FAILED;
}

static void see_identity(struct stream *s)
{
    char name[100];

    if (!s->secure || !secure_identity(s->secure, name, sizeof(name)))
        return;
    s->peer_len += (size_t)snprintf(s->peer + s->peer_len, sizeof(s->peer) - s->peer_len, ",%s", name);
}

static bool is_stopped(const struct stream *s)
{
    return s->waits || intake_is_held(s->in) || !store_has_room(s->in->store);
}

static void finish(struct stream *s)
{
    bool is_input = s->way == LOG_STDIN;
    struct intake *in = s->in;

    last_words(s);
    end(s);
    if (is_input && in->calls.ended)
        in->calls.ended(in->calls.ctx);
}

/* More of it, after what is left from before; false: it has ended. */
static bool read_round(struct stream *s)
{
    struct intake *in = s->in;
    struct err why = { 0 };
    ssize_t n;

    if (s->rest_len > INTAKE_READ) /* more than a line waits, because there was no room: first that */
        return digest(s, slice_of(s->rest, s->rest_len)) || (end(s), false);
    if (s->rest_len > 0)
        memcpy(in->room, s->rest, s->rest_len);
    n = read_some(s, in->room + s->rest_len, INTAKE_READ + STORE_LINE_MAX - s->rest_len, &why);
    if (n == SECURE_AGAIN)
        return true;
    if (n <= 0) {
        if (n == SECURE_FAILED && s->secure)
            intake_tell(in, EV_LOG_CLIENT_REFUSED, addr_ip(s->from), s->peer, why.text, 0);
        finish(s);
        return false;
    }
    see_identity(s);
    s->heard_us = clock_mono_us();
    if (digest(s, slice_of(in->room, s->rest_len + (size_t)n)))
        return true;
    end(s);
    return false;
}

static void on_ready(void *ctx, int fd, int events)
{
    struct stream *s = ctx;

    (void)fd;
    (void)events;
    for (int i = 0; i < READS_A_TURN && !is_stopped(s); i++)
        if (!read_round(s))
            return;
}

/* What waits in memory, now that there is room or an acknowledgement went out. */
static void go_on(struct stream *s)
{
    s->waits = s->relp && relp_waits(s->relp);
    if (s->rest_len == 0 || is_stopped(s))
        return;
    if (!digest(s, slice_of(s->rest, s->rest_len)))
        end(s);
}

void streams_resume(struct streams *all)
{
    struct stream *next;

    for (struct stream *s = all->first; s; s = next) {
        next = s->next;
        go_on(s);
    }
}

void streams_synced(struct streams *all, uint64_t seq)
{
    struct stream *next;

    for (struct stream *s = all->first; s; s = next) {
        next = s->next;
        if (!s->relp)
            continue;
        if (!relp_synced(s, seq))
            end(s);
        else
            go_on(s);
    }
}

/* ---- accepting ---- */

static void make_place(struct streams *all)
{
    struct stream *oldest = NULL;

    for (struct stream *s = all->first; s; s = s->next)
        if (s->way != LOG_STDIN && (!oldest || s->heard_us < oldest->heard_us))
            oldest = s;
    if (oldest)
        finish(oldest);
}

static void welcome(struct ear *ear, int fd, const struct sockaddr_storage *ss)
{
    struct streams *all = ear->all;
    const enum log_way way = ear->port.way;
    const bool acknowledged = way == LOG_RELP || way == LOG_PEER;
    const struct addr from = sockaddr_read(ss);
    const int one = 1;
    struct err why = { 0 };
    struct stream *s = NULL;

    if (!intake_allows(all->in, from))
        intake_stranger(all->in, from);
    else {
        if (all->count >= all->in->settings.connections)
            make_place(all);
        s = add(all, fd, way, &why);
    }
    if (!s) {
        (void)close(fd);
        return;
    }
    s->from = from;
    s->peer_len = (size_t)snprintf(s->peer, sizeof(s->peer), "%s", addr_socket_text(s->from).text);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    all->in->counts.connections++;
    if (acknowledged)
        s->relp = relp_new();
    else if (way == LOG_TLS)
        s->secure = secure_new(all->secure, fd, &why);
    if ((acknowledged && !s->relp) || (way == LOG_TLS && !s->secure) || intake_watch(all->in, &s->source, &why) < 0) {
        say("log: %s: %s", s->peer, why.text);
        end(s);
    }
}

static void on_knock(void *ctx, int fd, int events)
{
    struct ear *ear = ctx;

    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage ss = { 0 };
        socklen_t len = sizeof(ss);
        int client = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client < 0)
            return;
        welcome(ear, client, &ss);
    }
}

/* A message that was begun and does not come: its sender is slow on purpose, or gone. */
static void sweep(void *ctx)
{
    struct streams *all = ctx;
    int64_t now_us = clock_mono_us();
    struct stream *next;

    for (struct stream *s = all->first; s; s = next) {
        next = s->next;
        if ((s->rest_len > 0 || s->cut || (s->secure && !secure_is_ready(s->secure))) && !is_stopped(s) &&
            s->way != LOG_STDIN && now_us - s->begun_us > all->in->settings.frame_us) {
            intake_tell(all->in, EV_LOG_CLIENT_REFUSED, addr_ip(s->from), s->peer, "half a message, and then nothing",
                        0);
            finish(s);
        }
    }
}

/* ---- listening ---- */

static struct ear *free_ear(struct streams *all)
{
    for (size_t i = 0; i < LISTENS; i++)
        if (all->ears[i].source.fd < 0)
            return &all->ears[i];
    return NULL;
}

static struct ear *add_ear(struct streams *all, const struct log_port *port, int fd, struct err *e)
{
    struct ear *ear = free_ear(all);

    if (!ear) {
        err_set(e, 0, "log: more than %d listening sockets", LISTENS);
        return NULL;
    }
    *ear = (struct ear){ .all = all, .port = *port };
    ear->source = (struct source){ .fd = fd, .ready = on_knock, .ctx = ear };
    return ear;
}

static int open_ear(struct streams *all, const struct log_port *port, struct err *e)
{
    const struct addr at = port->at;
    struct sockaddr_storage room;
    socklen_t len = sockaddr_from(at, &room);
    const int one = 1;
    int fd = socket(room.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err_set(e, errno, "log: TCP socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (at.family == 6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)&room, len) < 0 || listen(fd, 512) < 0)
        err_set(e, errno, "log: %s %s", log_way_name(port->way), addr_socket_text(at).text);
    else if (add_ear(all, port, fd, e))
        return 0;
    (void)close(fd);
    return -1;
}

static int open_all(struct streams *all, const struct papers *papers, struct err *e)
{
    const struct log_settings *s = &all->in->settings;
    struct log_port ports[LOG_PORTS];
    size_t count = log_ports(s, ports);

    for (size_t i = 0; i < count; i++)
        if (ports[i].way != LOG_UDP && open_ear(all, &ports[i], e) < 0)
            return -1;
    if (s->tls.count == 0)
        return 0;
    all->secure = secure_house_new(papers, s->client, e);
    return all->secure ? 0 : -1;
}

bool streams_listens(const struct streams *all, const struct log_port *port)
{
    for (size_t i = 0; i < LISTENS; i++)
        if (all->ears[i].source.fd >= 0 && log_port_eq(&all->ears[i].port, port))
            return true;
    return false;
}

int streams_listen(struct streams *all, const struct log_port *port, int fd, struct err *e)
{
    struct ear *ear = add_ear(all, port, fd, e);

    if (!ear)
        return -1;
    if (intake_watch(all->in, &ear->source, e) == 0)
        return 0;
    ear->source.fd = -1;
    return -1;
}

/* ---- new settings ---- */

/* Who has come already is let in. */
static void close_ear(struct ear *ear)
{
    on_knock(ear, ear->source.fd, LOOP_IN);
    intake_unwatch(ear->all->in, &ear->source);
    (void)close(ear->source.fd);
    ear->source.fd = -1;
}

static const char *why_not(const struct stream *s)
{
    if (s->from.family != 0 && !intake_allows(s->in, s->from))
        return "it is not among the senders any more";
    if (s->secure && secure_is_ready(s->secure) && !secure_still_stands(s->all->secure, s->secure))
        return "its certificate is not good any more";
    return NULL;
}

void streams_renew(struct streams *all, const struct papers *papers)
{
    const struct log_settings *set = &all->in->settings;
    struct secure_house *house = NULL;
    struct stream *next;
    struct err e;

    if (set->tls.count > 0 && !(house = secure_house_new(papers, set->client, &e)))
        say("%s; the certificates that were in force stay so", e.text);
    if (house) { /* connections keep what they need of the old one */
        secure_house_free(all->secure);
        all->secure = house;
    }
    for (size_t i = 0; i < LISTENS; i++)
        if (all->ears[i].source.fd >= 0 && !log_port_is_named(set, &all->ears[i].port))
            close_ear(&all->ears[i]);
    for (struct stream *s = all->first; s; s = next) {
        const char *why = why_not(s);

        next = s->next;
        if (!why)
            continue;
        intake_tell(all->in, EV_LOG_CLIENT_REFUSED, addr_ip(s->from), s->peer, why, 0);
        finish(s);
    }
}

struct streams *streams_new(struct intake *in, const struct papers *papers, struct err *e)
{
    struct streams *all = calloc(1, sizeof(*all));

    if (!all) {
        err_set(e, ENOMEM, "log");
        return NULL;
    }
    all->in = in;
    for (size_t i = 0; i < LISTENS; i++)
        all->ears[i].source.fd = -1;
    if (open_all(all, papers, e) == 0)
        return all;
    streams_free(all);
    return NULL;
}

int streams_start(struct streams *all, struct err *e)
{
    for (size_t i = 0; i < LISTENS; i++)
        if (all->ears[i].source.fd >= 0 && intake_watch(all->in, &all->ears[i].source, e) < 0)
            return -1;
    for (struct stream *s = all->first; s; s = s->next)
        if (intake_watch(all->in, &s->source, e) < 0)
            return -1;
    all->sweeper = loop_timer(all->in->loop, SWEEP_US, SWEEP_US, sweep, all);
    return 0;
}

int streams_read(struct streams *all, int fd, enum log_way way, struct slice peer, struct err *e)
{
    struct stream *s = add(all, fd, way, e);

    if (!s)
        return -1;
    s->peer_len = peer.len < sizeof(s->peer) ? peer.len : sizeof(s->peer) - 1;
    if (s->peer_len > 0)
        memcpy(s->peer, peer.at, s->peer_len);
    return 0;
}

void streams_free(struct streams *all)
{
    if (!all)
        return;
    loop_untimer(all->in->loop, all->sweeper);
    while (all->first)
        end(all->first);
    for (size_t i = 0; i < LISTENS; i++)
        if (all->ears[i].source.fd >= 0) {
            intake_unwatch(all->in, &all->ears[i].source);
            (void)close(all->ears[i].source.fd);
        }
    secure_house_free(all->secure);
    free(all);
}
