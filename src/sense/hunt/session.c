/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/hunt/session.h"

#include <stdlib.h>
#include <string.h>

#include "wire/smtp.h"
#include "wire/tls.h"

enum mode { IN_COMMANDS, IN_BODY, IN_CHUNK, IN_HELLO, IN_OPAQUE };
enum tail { TAIL_INSIDE, TAIL_START, TAIL_DOT, TAIL_DOT_CR }; /* of a body's line */
enum auth { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN, AUTH_DIGEST, AUTH_BEARER, AUTH_OTHER };
enum { QUEUE_GREETING = SMTP_ELSE + 1, QUEUE_BODY_END, QUEUE_START = 16 };
enum { USER_MAX = 256 };

static const struct slice nothing;

void session_init(struct session *s, bool midstream)
{
    *s = (struct session){ .lossy = midstream, .after_gap = midstream, .tail = TAIL_START };
}

void session_done(struct session *s)
{
    if (s->line)
        explicit_bzero(s->line, s->line_cap);
    free(s->line);
    free(s->queue);
    s->line = NULL;
    s->queue = NULL;
}

/* --- which command a reply belongs to --- */

static void queue_put(struct session *s, uint8_t kind)
{
    if (s->queue_len == SESSION_QUEUE) {
        s->lossy = true;
        return;
    }
    if (s->queue_len == s->queue_cap) {
        uint16_t cap = s->queue_cap ? (uint16_t)(s->queue_cap * 2) : QUEUE_START;
        uint8_t *bigger = malloc(cap);

        if (!bigger) {
            s->lossy = true;
            return;
        }
        for (uint16_t i = 0; i < s->queue_len; i++)
            bigger[i] = s->queue[(s->queue_head + i) % s->queue_cap];
        free(s->queue);
        s->queue = bigger;
        s->queue_cap = cap;
        s->queue_head = 0;
    }
    s->queue[(s->queue_head + s->queue_len++) % s->queue_cap] = kind;
}

static uint8_t queue_at(const struct session *s, uint16_t i)
{
    return s->queue[(s->queue_head + i) % s->queue_cap];
}

static void queue_drop(struct session *s, uint16_t n)
{
    s->queue_head = (uint16_t)((s->queue_head + n) % s->queue_cap);
    s->queue_len = (uint16_t)(s->queue_len - n);
}

/* After losses: a reply that fits one kind alone says where we are. */
static bool queue_seek(struct session *s, uint8_t kind)
{
    for (uint16_t i = 0; i < s->queue_len; i++)
        if (queue_at(s, i) == kind) {
            queue_drop(s, i);
            return true;
        }
    return false;
}

/* --- AUTH: the name is read, the rest wiped --- */

static enum auth auth_kind(struct slice mechanism)
{
    if (slice_eq_nocase(mechanism, SLICE("PLAIN")))
        return AUTH_PLAIN;
    if (slice_eq_nocase(mechanism, SLICE("LOGIN")))
        return AUTH_LOGIN;
    if (slice_starts_nocase(mechanism, SLICE("CRAM-")))
        return AUTH_DIGEST;
    if (slice_eq_nocase(mechanism, SLICE("XOAUTH2")) || slice_eq_nocase(mechanism, SLICE("OAUTHBEARER")))
        return AUTH_BEARER;
    return AUTH_OTHER;
}

/* PLAIN: who NUL user NUL secret (RFC 4616).  LOGIN: the first answer.  CRAM-MD5: user SP digest.  XOAUTH2: user=...^A
 */
static struct slice auth_user(enum auth kind, struct slice decoded)
{
    struct slice after;
    struct slice user = nothing;

    switch (kind) {
    case AUTH_PLAIN:
        (void)slice_until(decoded, '\0', &after);
        user = slice_until(after, '\0', &decoded);
        break;
    case AUTH_LOGIN:
        user = decoded;
        break;
    case AUTH_DIGEST:
        user = slice_until(decoded, ' ', &after);
        break;
    case AUTH_BEARER:
        if (slice_starts_nocase(decoded, SLICE("user=")))
            user = slice_until(slice_skip(decoded, 5), '\1', &after);
        break;
    case AUTH_NONE:
    case AUTH_OTHER:
        break;
    }
    return user;
}

static void auth_tell(struct session *s, struct slice secret, const struct session_talk *talk)
{
    uint8_t decoded[1024];
    size_t len = 0;
    struct slice user = nothing;

    if (s->auth_told)
        return;
    s->auth_told = true;
    if (secret.len > 0 && smtp_base64(secret, decoded, sizeof(decoded), &len))
        user = slice_first(auth_user((enum auth)s->auth, slice_of(decoded, len)), USER_MAX);
    talk->said(talk->ctx, SAID_AUTH, slice_of(s->mechanism, s->mechanism_len), user);
    explicit_bzero(decoded, sizeof(decoded));
}

static void auth_begin(struct session *s, const struct smtp_command *c, const struct session_talk *talk)
{
    struct slice m = slice_first(c->mechanism, sizeof(s->mechanism));

    memcpy(s->mechanism, m.at ? (const void *)m.at : "", m.len);
    s->mechanism_len = (uint8_t)m.len;
    s->auth = (uint8_t)auth_kind(c->mechanism);
    s->auth_lines = 0;
    s->auth_due = false;
    s->auth_told = false;
    if (c->initial.len > 0)
        auth_tell(s, c->initial, talk);
}

static void auth_line(struct session *s, struct slice line, const struct session_talk *talk)
{
    line = slice_trim(line);
    s->auth_due = false;
    if (s->auth_lines < UINT8_MAX)
        s->auth_lines++;
    if (!slice_eq(line, SLICE("*")))
        auth_tell(s, line, talk);
}

static void auth_end(struct session *s, const struct session_talk *talk)
{
    auth_tell(s, nothing, talk);
    s->auth = AUTH_NONE;
}

/* --- the client's lines --- */

static void begin_body(struct session *s, const struct session_talk *talk)
{
    s->mode = IN_BODY;
    s->tail = TAIL_START;
    s->body_lossy = false;
    s->body_open = false;
    talk->said(talk->ctx, SAID_BODY, nothing, nothing);
}

static void on_command(struct session *s, const struct smtp_command *c, const struct session_talk *talk)
{
    queue_put(s, (uint8_t)c->verb);
    switch (c->verb) {
    case SMTP_HELO:
    case SMTP_EHLO:
        talk->said(talk->ctx, SAID_HELO, c->argument, nothing);
        break;
    case SMTP_MAIL:
        talk->said(talk->ctx, SAID_MAIL, c->path, nothing);
        break;
    case SMTP_RCPT:
        talk->said(talk->ctx, SAID_RCPT, c->path, nothing);
        break;
    case SMTP_DATA:
        begin_body(s, talk);
        break;
    case SMTP_BDAT:
        s->chunk = c->chunk;
        if (s->chunk > 0)
            s->mode = IN_CHUNK;
        talk->said(talk->ctx, SAID_BODY, nothing, nothing);
        break;
    case SMTP_AUTH:
        auth_begin(s, c, talk);
        break;
    case SMTP_STARTTLS:
    case SMTP_RSET:
    case SMTP_QUIT:
    case SMTP_ELSE:
        break;
    }
}

/* A line that was cut (by the limit or a loss) counts when its address is whole. */
static bool is_whole_path(const struct smtp_command *c)
{
    return (c->verb == SMTP_MAIL || c->verb == SMTP_RCPT) && c->path_whole;
}

static void on_line(struct session *s, struct slice line, bool cut, const struct session_talk *talk)
{
    struct smtp_command c;
    bool known = smtp_command_read(line, &c);
    bool after_gap = s->after_gap;

    s->after_gap = false;
    if (s->auth != AUTH_NONE && (s->auth_due || !known)) {
        auth_line(s, line, talk);
        return;
    }
    if (cut && !(known && is_whole_path(&c)))
        known = false;
    if (known)
        on_command(s, &c, talk);
    else if (!after_gap)
        queue_put(s, SMTP_ELSE);
}

static bool line_add(struct session *s, struct slice more, size_t max)
{
    size_t room = max - s->line_len;
    size_t n = more.len < room ? more.len : room;

    if (s->line_len + n > s->line_cap) {
        size_t cap = s->line_cap ? s->line_cap : 128;
        uint8_t *bigger;

        while (cap < s->line_len + n)
            cap *= 2;
        bigger = malloc(cap);
        if (!bigger)
            return false;
        if (s->line) {
            memcpy(bigger, s->line, s->line_len);
            explicit_bzero(s->line, s->line_cap);
            free(s->line);
        }
        s->line = bigger;
        s->line_cap = (uint32_t)cap;
    }
    if (n > 0)
        memcpy(s->line + s->line_len, more.at, n);
    s->line_len += (uint32_t)n;
    return n == more.len;
}

static void line_clear(struct session *s)
{
    if (s->line)
        explicit_bzero(s->line, s->line_len);
    if (s->line_cap > 1024) { /* a long one is rare: give the memory back */
        free(s->line);
        s->line = NULL;
        s->line_cap = 0;
    }
    s->line_len = 0;
    s->line_long = false;
}

/* `so_far` ends with `part`, which is what just came in: say which bytes of it nobody may keep. */
static void mark_secret(const struct session *s, struct slice so_far, struct slice part,
                        const struct session_talk *talk)
{
    bool all = s->auth != AUTH_NONE || s->line_long || !smtp_is_harmless_start(so_far);
    size_t at = smtp_secret_at(so_far);

    if (all) {
        talk->secret(talk->ctx, part);
        return;
    }
    if (at >= so_far.len)
        return;
    if (so_far.len - at < part.len)
        part = slice_skip(part, part.len - (so_far.len - at));
    talk->secret(talk->ctx, part);
}

static struct slice on_command_bytes(struct session *s, struct slice in, size_t line_max,
                                     const struct session_talk *talk)
{
    const uint8_t *end = memchr(in.at, '\n', in.len);
    struct slice part = end ? slice_first(in, (size_t)(end - in.at) + 1) : in;
    struct slice rest = slice_skip(in, part.len);

    if (end && s->line_len == 0 && !s->line_long && part.len <= line_max) {
        mark_secret(s, part, part, talk);
        on_line(s, part, false, talk);
        return rest;
    }
    if (!s->line_long && !line_add(s, part, line_max)) {
        s->line_long = true;
        talk->said(talk->ctx, SAID_LONG, nothing, nothing);
    }
    mark_secret(s, slice_of(s->line, s->line_len), part, talk);
    if (end) {
        uint8_t *line = s->line; /* taken out: on_line may not see it change */
        uint32_t len = s->line_len;

        on_line(s, slice_of(line, len), s->line_long, talk);
        line_clear(s);
    }
    return rest;
}

/* Looks for the line that is a dot alone; gives what follows it. */
static struct slice on_body_bytes(struct session *s, struct slice in)
{
    const uint8_t *p = in.at;
    const uint8_t *end = in.at + in.len;

    while (p < end) {
        if (s->tail == TAIL_INSIDE) {
            p = memchr(p, '\n', (size_t)(end - p));
            if (!p)
                break;
            s->tail = TAIL_START;
        } else if (*p == '\n') {
            if (s->tail == TAIL_DOT || s->tail == TAIL_DOT_CR) {
                s->mode = IN_COMMANDS;
                queue_put(s, QUEUE_BODY_END);
                return slice_of(p + 1, (size_t)(end - p) - 1);
            }
            s->tail = TAIL_START;
        } else if (s->tail == TAIL_START && *p == '.')
            s->tail = TAIL_DOT;
        else if (s->tail != TAIL_START && *p == '\r')
            s->tail = TAIL_DOT_CR;
        else
            s->tail = TAIL_INSIDE;
        p++;
    }
    return nothing;
}

/* Gives what must be read again as commands; empty when nothing must. */
static struct slice on_hello_bytes(struct session *s, struct slice in, uint8_t begun[8],
                                   const struct session_talk *talk)
{
    struct tls_hello hello;
    enum tls_got got = TLS_BAD;
    uint32_t before = s->line_len;
    bool room = line_add(s, in, TLS_HELLO_MAX);

    hello.name = nothing;
    if (!s->hello_sure && before < 8 && !tls_is_hello_start(slice_of(s->line, s->line_len))) {
        if (before > 0)
            memcpy(begun, s->line, before);
        line_clear(s);
        s->mode = IN_COMMANDS;
        s->no_hello = true;
        return slice_of(begun, before);
    }
    if (room && s->line_len < 6) /* too short to tell */
        return nothing;
    if (room)
        got = tls_hello_read(slice_of(s->line, s->line_len), &hello);
    if (got == TLS_MORE)
        return nothing;
    talk->said(talk->ctx, SAID_TLS, got == TLS_OK ? hello.name : nothing, nothing);
    s->mode = IN_OPAQUE;
    line_clear(s);
    return nothing;
}

/* TLS from the first byte (port 465), or the hello came before the server's answer to STARTTLS was seen. */
static bool hello_begins(const struct session *s, struct slice in)
{
    bool expected = !s->begun || (s->queue_len > 0 && queue_at(s, (uint16_t)(s->queue_len - 1)) == SMTP_STARTTLS);

    return expected && !s->no_hello && s->line_len == 0 && tls_is_hello_start(in);
}

void session_client(struct session *s, struct slice in, size_t line_max, const struct session_talk *talk)
{
    while (in.len > 0) {
        switch ((enum mode)s->mode) {
        case IN_COMMANDS:
            if (hello_begins(s, in)) {
                s->mode = IN_HELLO;
                break;
            }
            if (!s->begun && !s->lossy && !s->answered)
                queue_put(s, QUEUE_GREETING);
            s->begun = true;
            in = on_command_bytes(s, in, line_max, talk);
            s->no_hello = s->line_len > 0 && s->no_hello;
            break;
        case IN_BODY:
            in = on_body_bytes(s, in);
            break;
        case IN_CHUNK: {
            size_t n = s->chunk < in.len ? (size_t)s->chunk : in.len;

            in = slice_skip(in, n);
            s->chunk -= n;
            if (s->chunk == 0)
                s->mode = IN_COMMANDS;
            break;
        }
        case IN_HELLO: {
            uint8_t begun[8];
            struct slice again = on_hello_bytes(s, in, begun, talk);

            if (s->mode != IN_COMMANDS)
                return;
            session_client(s, again, line_max, talk);
            s->no_hello = true; /* `again` may have been empty */
            break;
        }
        case IN_OPAQUE:
            return;
        }
    }
}

void session_client_gap(struct session *s, uint64_t len, const struct session_talk *talk)
{
    s->lossy = true;
    switch ((enum mode)s->mode) {
    case IN_CHUNK:
        if (len < s->chunk) {
            s->chunk -= len;
            return;
        }
        s->after_gap = len > s->chunk;
        s->chunk = 0;
        s->mode = IN_COMMANDS;
        return;
    case IN_BODY:
        s->tail = TAIL_INSIDE;
        s->body_lossy = true;
        return;
    case IN_HELLO:
        talk->said(talk->ctx, SAID_TLS, nothing, nothing);
        s->mode = IN_OPAQUE;
        line_clear(s);
        return;
    case IN_COMMANDS:
        if (s->line_len > 0 && s->auth == AUTH_NONE)
            on_line(s, slice_of(s->line, s->line_len), true, talk);
        line_clear(s);
        s->begun = true;
        s->after_gap = true;
        return;
    case IN_OPAQUE:
        return;
    }
}

/* --- the server's replies --- */

static void on_data_reply(struct session *s, unsigned code)
{
    if (code == 354) {
        s->body_open = true;
        return;
    }
    /* Refused: what follows are commands again.  After losses a 2xx belongs to another command. */
    if (s->mode == IN_BODY && (code >= 400 || !s->lossy))
        s->mode = IN_COMMANDS;
}

static void on_paired(struct session *s, uint8_t kind, unsigned code, const struct session_talk *talk)
{
    switch (kind) {
    case SMTP_DATA:
        on_data_reply(s, code);
        break;
    case SMTP_RCPT:
        if (code >= 500)
            talk->said(talk->ctx, SAID_REFUSED, nothing, nothing);
        break;
    case SMTP_STARTTLS:
        if (code / 100 == 2 && s->mode == IN_COMMANDS) {
            s->mode = IN_HELLO;
            s->hello_sure = true;
            line_clear(s);
        }
        break;
    case SMTP_AUTH:
        if (s->auth != AUTH_NONE)
            auth_end(s, talk);
        break;
    default:
        break;
    }
}

/* The server waits for a body whose DATA was lost. */
static void on_lost_data(struct session *s)
{
    s->queue_len = 0;
    s->mode = IN_BODY;
    s->tail = TAIL_START;
    s->body_open = true;
    s->body_lossy = true;
    line_clear(s);
}

static void on_reply(struct session *s, unsigned code, const struct session_talk *talk)
{
    bool first = !s->answered;

    s->answered = true;
    if (first && !s->begun)
        return; /* the greeting */
    if (s->lossy && code == 354 && !queue_seek(s, SMTP_DATA) && s->mode == IN_COMMANDS) {
        on_lost_data(s);
        return;
    }
    if (s->lossy && code == 220)
        (void)queue_seek(s, SMTP_STARTTLS);
    if (s->mode == IN_BODY && s->body_lossy && s->body_open && s->queue_len == 0) {
        s->mode = IN_COMMANDS; /* the end of the body was among what was lost */
        return;
    }
    if (s->queue_len > 0 && queue_at(s, 0) == QUEUE_GREETING) {
        queue_drop(s, 1);
        if (code == 220 || code >= 400)
            return;
    }
    if (s->queue_len == 0)
        return;
    if (queue_at(s, 0) == SMTP_AUTH && code == 334) {
        s->auth_due = s->auth != AUTH_NONE;
        return;
    }
    uint8_t kind = queue_at(s, 0);

    queue_drop(s, 1);
    on_paired(s, kind, code, talk);
}

void session_server(struct session *s, struct slice in, const struct session_talk *talk)
{
    while (in.len > 0 && s->mode != IN_OPAQUE) {
        const uint8_t *end = memchr(in.at, '\n', in.len);
        struct slice part = end ? slice_first(in, (size_t)(end - in.at) + 1) : in;

        for (size_t i = 0; i < part.len && s->reply_len < sizeof(s->reply) && !s->reply_rest; i++)
            s->reply[s->reply_len++] = part.at[i];
        if (end) {
            unsigned code;
            bool last;

            if (!s->reply_rest && smtp_reply_read(slice_of(s->reply, s->reply_len), &code, &last) && last)
                on_reply(s, code, talk);
            s->reply_len = 0;
            s->reply_rest = false;
        }
        in = slice_skip(in, part.len);
    }
}

void session_server_gap(struct session *s)
{
    s->lossy = true;
    s->reply_len = 0;
    s->reply_rest = true;
}
