/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/gate/callback_talk.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static void rule(struct callback_verdict *v, enum callback_result r, const char *words)
{
    struct text t = TEXT_IN(v->words);

    v->result = r;
    v->quit = false;
    text_word(&t, words);
}

static void rule_by_line(struct callback_verdict *v, enum callback_result r, const char *before,
                         const struct callback_talk *talk)
{
    struct text t = TEXT_IN(v->words);

    v->result = r;
    v->quit = r == CALLBACK_SPEAKS;
    text_word(&t, before);
    text_visible(&t, slice_trim(slice_of(talk->line, talk->len < sizeof(talk->line) ? talk->len : sizeof(talk->line))));
}

/* 0: the line begins with no reply code. */
static unsigned code_of(const struct callback_talk *t)
{
    const char *l = t->line;

    if (t->len < 3 || l[0] < '2' || l[0] > '5' || l[1] < '0' || l[1] > '9' || l[2] < '0' || l[2] > '9')
        return 0;
    return (unsigned)(l[0] - '0') * 100 + (unsigned)(l[1] - '0') * 10 + (unsigned)(l[2] - '0');
}

/* One whole line, without its end. */
static enum callback_next on_line(struct callback_talk *t, struct callback_verdict *v)
{
    unsigned code = code_of(t);

    if (code == 0) {
        rule_by_line(v, CALLBACK_REFUSED, "what it says is no SMTP: ", t);
        return CALLBACK_OVER;
    }
    if (code / 100 != 4 && t->len > 3 && t->line[3] == '-') /* "250-" goes on, "250 " or "250" is the end */
        return CALLBACK_GOES_ON;
    if (t->step == CALLBACK_EHLO || code / 100 == 4) { /* it has greeted us, or says that it is busy: a mail server */
        rule_by_line(v, CALLBACK_SPEAKS, "it says ", t);
        return CALLBACK_OVER;
    }
    if (code / 100 != 2) {
        rule_by_line(v, CALLBACK_REFUSED, "it greets with ", t);
        return CALLBACK_OVER;
    }
    t->step = CALLBACK_EHLO;
    return CALLBACK_SAY_EHLO;
}

static enum callback_next on_byte(struct callback_talk *t, char byte, struct callback_verdict *v)
{
    enum callback_next next = CALLBACK_GOES_ON;

    if (byte == '\n') {
        if (t->len > 0 && t->len <= sizeof(t->line) && t->line[t->len - 1] == '\r')
            t->len--;
        next = on_line(t, v);
        t->len = 0;
    } else {
        if (t->len < sizeof(t->line))
            t->line[t->len] = byte;
        t->len++;
    }
    if (++t->bytes < CALLBACK_BYTES || next == CALLBACK_OVER)
        return next;
    rule(v, CALLBACK_REFUSED, "64 KiB, and no end of its words");
    return CALLBACK_OVER;
}

enum callback_next callback_talk_hear(struct callback_talk *t, struct slice *bytes, struct callback_verdict *v)
{
    enum callback_next next = CALLBACK_GOES_ON;
    size_t i = 0;

    while (i < bytes->len && next == CALLBACK_GOES_ON)
        next = on_byte(t, (char)bytes->at[i++], v);
    *bytes = slice_skip(*bytes, i);
    return next;
}

void callback_talk_end(const struct callback_talk *t, int code, struct callback_verdict *v)
{
    bool hung_up = code == 0 || code == ECONNRESET || code == EPIPE;

    if (hung_up && code_of(t) / 100 == 4) /* "421 busy", and the end of the line never came */
        rule_by_line(v, CALLBACK_SPEAKS, "it says ", t);
    else if (hung_up && t->step == CALLBACK_EHLO)
        rule(v, CALLBACK_SPEAKS, "it greets, and hangs up at EHLO");
    else if (code == 0)
        rule(v, CALLBACK_REFUSED, "it hangs up without a greeting");
    else if (code == ETIMEDOUT || code == EHOSTUNREACH || code == EHOSTDOWN)
        rule(v, CALLBACK_SILENT, strerror(code));
    else if (hung_up || code == ECONNREFUSED)
        rule(v, CALLBACK_REFUSED, strerror(code));
    else /* our own trouble: no route, no memory */
        rule(v, CALLBACK_BUSY, strerror(code));
}
