/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/policyproto.h"

#include <string.h>

/* Cuts a line off `rest`.  POLICY_MORE: its end is not there. */
static enum policy_got cut_line(struct slice *rest, struct slice *line)
{
    const uint8_t *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

    if (!end)
        return POLICY_MORE;
    *line = slice_first(*rest, (size_t)(end - rest->at));
    *rest = slice_skip(*rest, line->len + 1);
    return line->len > 0 && memchr(line->at, 0, line->len) ? POLICY_BAD : POLICY_OK;
}

static enum policy_state state_of(struct slice name)
{
    static const struct {
        const char *name;
        enum policy_state state;
    } states[] = { { "CONNECT", POLICY_AT_CONNECT },   { "HELO", POLICY_AT_HELO }, { "EHLO", POLICY_AT_HELO },
                   { "MAIL", POLICY_AT_MAIL },         { "RCPT", POLICY_AT_RCPT }, { "DATA", POLICY_AT_DATA },
                   { "END-OF-MESSAGE", POLICY_AT_END } };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (slice_eq(name, slice_text(states[i].name)))
            return states[i].state;
    return POLICY_AT_ELSE;
}

static bool take(struct policy_request *r, struct slice name, struct slice value)
{
    const struct {
        const char *name;
        struct slice *at;
    } texts[] = {
        { "client_address", &r->client_address },
        { "client_port", &r->client_port },
        { "server_address", &r->server_address },
        { "server_port", &r->server_port },
        { "helo_name", &r->helo },
        { "sender", &r->sender },
        { "recipient", &r->recipient },
        { "instance", &r->instance },
        { "sasl_username", &r->user },
        { "queue_id", &r->queue_id },
        { "encryption_protocol", &r->encryption },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (slice_eq(name, slice_text(texts[i].name)))
            *texts[i].at = value;
    if (slice_eq(name, SLICE("protocol_state")))
        r->state = state_of(value);
    else if (slice_eq(name, SLICE("recipient_count")))
        return slice_to_u64(value, &r->recipients);
    else if (slice_eq(name, SLICE("size")))
        return slice_to_u64(value, &r->size);
    else if (slice_eq(name, SLICE("request")))
        return slice_eq(value, SLICE("smtpd_access_policy"));
    return true;
}

enum policy_got policy_request_read(struct slice in, struct policy_request *r)
{
    struct slice rest = slice_first(in, POLICY_BYTES);
    struct slice line, value;

    *r = (struct policy_request){ .state = POLICY_AT_ELSE };
    for (unsigned n = 0; n < POLICY_LINES; n++) {
        enum policy_got got = cut_line(&rest, &line);

        if (got == POLICY_MORE)
            return in.len < POLICY_BYTES ? POLICY_MORE : POLICY_BAD;
        if (got == POLICY_BAD)
            return POLICY_BAD;
        if (line.len == 0) {
            r->used = slice_first(in, POLICY_BYTES).len - rest.len;
            return n > 0 ? POLICY_OK : POLICY_BAD;
        }
        value = slice_of(NULL, 0);
        if (!memchr(line.at, '=', line.len))
            return POLICY_BAD;
        line = slice_until(line, '=', &value);
        if (line.len == 0 || line.len > POLICY_NAME || !take(r, line, value))
            return POLICY_BAD;
    }
    return POLICY_BAD;
}

/* In one line: what could end it is a question mark. */
static void add_harmless(struct text *t, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        text_add(t, s.at[i] < ' ' || s.at[i] == 0x7f ? SLICE("?") : slice_of(s.at + i, 1));
}

void policy_answer_write(struct slice action, struct text *t)
{
    text_word(t, "action=");
    add_harmless(t, action);
    text_word(t, "\n\n");
}

void policy_request_add(struct text *t, const char *name, struct slice value)
{
    text_addf(t, "%s=", name);
    add_harmless(t, value);
    text_word(t, "\n");
}

void policy_request_end(struct text *t)
{
    text_word(t, "\n");
}

enum policy_got policy_answer_read(struct slice in, struct slice *action, size_t *used)
{
    struct slice rest = slice_first(in, POLICY_BYTES);
    struct slice line;

    *action = slice_of(NULL, 0);
    for (unsigned n = 0; n < POLICY_LINES; n++) {
        enum policy_got got = cut_line(&rest, &line);

        if (got == POLICY_MORE)
            return in.len < POLICY_BYTES ? POLICY_MORE : POLICY_BAD;
        if (got == POLICY_BAD)
            return POLICY_BAD;
        if (line.len == 0) {
            *used = slice_first(in, POLICY_BYTES).len - rest.len;
            return action->len > 0 ? POLICY_OK : POLICY_BAD;
        }
        if (slice_starts_nocase(line, SLICE("action=")))
            *action = slice_skip(line, 7);
    }
    return POLICY_BAD;
}
