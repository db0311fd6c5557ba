/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/smtp.h"

#include <string.h>

static const struct {
    const char *name;
    enum smtp_verb verb;
} verbs[] = {
    { "HELO", SMTP_HELO },
    { "EHLO", SMTP_EHLO },
    { "LHLO", SMTP_EHLO },
    { "MAIL", SMTP_MAIL },
    { "RCPT", SMTP_RCPT },
    { "DATA", SMTP_DATA },
    { "BDAT", SMTP_BDAT },
    { "RSET", SMTP_RSET },
    { "QUIT", SMTP_QUIT },
    { "AUTH", SMTP_AUTH },
    { "NOOP", SMTP_ELSE },
    { "STARTTLS", SMTP_STARTTLS },
    { "VRFY", SMTP_ELSE },
    { "EXPN", SMTP_ELSE },
    { "HELP", SMTP_ELSE },
    { "ETRN", SMTP_ELSE },
    { "TURN", SMTP_ELSE },
    { "SEND", SMTP_MAIL },
    { "SOML", SMTP_MAIL },
    { "SAML", SMTP_MAIL },
    { "XCLIENT", SMTP_ELSE },
    { "XFORWARD", SMTP_ELSE },
    { "X-ANONYMOUSTLS", SMTP_STARTTLS },
    { "XEXCH50", SMTP_ELSE },
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static size_t word_length(struct slice s)
{
    size_t n = 0;

    while (n < s.len && !is_blank(s.at[n]))
        n++;
    return n;
}

/* `FROM:` and `TO:`, also with blanks before the colon, or without the colon before a bracket. */
static struct slice skip_keyword(struct slice s)
{
    static const char *const words[] = { "FROM", "TO" };

    for (size_t i = 0; i < 2; i++) {
        struct slice word = slice_text(words[i]);
        struct slice rest;

        if (!slice_starts_nocase(s, word))
            continue;
        rest = slice_skip_blanks(slice_skip(s, word.len));
        if (rest.len > 0 && rest.at[0] == ':')
            return slice_skip_blanks(slice_skip(rest, 1));
        if (rest.len > 0 && rest.at[0] == '<')
            return rest;
    }
    return s;
}

/* Up to the closing bracket; one inside a quoted local part does not count (RFC 5321, 4.1.2). */
static bool bracketed(struct slice s, struct slice *path)
{
    bool quoted = false;
    const uint8_t *hit;

    for (size_t i = 1; i < s.len; i++) {
        if (quoted && s.at[i] == '\\')
            i++;
        else if (s.at[i] == '"')
            quoted = !quoted;
        else if (s.at[i] == '>' && !quoted) {
            *path = slice_of(s.at + 1, i - 1);
            return true;
        }
    }
    hit = memchr(s.at + 1, '>', s.len - 1); /* the quote never ended: then it was none */
    if (!hit)
        return false;
    *path = slice_of(s.at + 1, (size_t)(hit - s.at) - 1);
    return true;
}

static void read_path(struct smtp_command *c)
{
    struct slice s = skip_keyword(c->argument);

    c->path_whole = s.len > 0 && s.at[0] == '<' && bracketed(s, &c->path);
    if (!c->path_whole)
        c->path = slice_first(s, word_length(s));
}

/* `BDAT 100`, `BDAT 100 LAST`; anything else carries no chunk. */
static void read_chunk(struct smtp_command *c)
{
    struct slice s = c->argument;
    size_t n = word_length(s);
    struct slice rest = slice_skip_blanks(slice_skip(s, n));
    uint64_t octets;

    if (n > 10 || !slice_to_u64(slice_first(s, n), &octets))
        return;
    if (rest.len == 0 || slice_eq_nocase(rest, SLICE("LAST")))
        c->chunk = octets;
}

static void read_auth(struct smtp_command *c)
{
    size_t n = word_length(c->argument);

    c->mechanism = slice_first(c->argument, n);
    c->initial = slice_skip_blanks(slice_skip(c->argument, n));
}

static bool find_verb(struct slice word, enum smtp_verb *verb)
{
    for (size_t i = 0; i < VERBS; i++)
        if (slice_eq_nocase(word, slice_text(verbs[i].name))) {
            *verb = verbs[i].verb;
            return true;
        }
    return false;
}

bool smtp_command_read(struct slice line, struct smtp_command *c)
{
    struct slice s = slice_trim(line);
    size_t n = 0;

    while (n < s.len && !is_blank(s.at[n]) && s.at[n] != ':')
        n++;
    *c = (struct smtp_command){ 0 };
    if (!find_verb(slice_first(s, n), &c->verb))
        return false;
    c->argument = slice_skip_blanks(slice_skip(s, n));
    if (c->verb == SMTP_MAIL || c->verb == SMTP_RCPT)
        read_path(c);
    else if (c->verb == SMTP_BDAT)
        read_chunk(c);
    else if (c->verb == SMTP_AUTH)
        read_auth(c);
    return true;
}

bool smtp_is_harmless_start(struct slice start)
{
    struct slice s = slice_skip_blanks(start);
    size_t n = 0;

    while (n < s.len && !is_blank(s.at[n]) && s.at[n] != ':' && s.at[n] != '\r' && s.at[n] != '\n')
        n++;
    for (size_t i = 0; i < VERBS; i++) {
        struct slice name = slice_text(verbs[i].name);

        if (n == s.len ? slice_starts_nocase(name, s) : slice_eq_nocase(slice_first(s, n), name))
            return true;
    }
    return false;
}

size_t smtp_secret_at(struct slice line)
{
    struct slice s = slice_skip_blanks(line);

    if (word_length(s) != 4 || !slice_starts_nocase(s, SLICE("AUTH")))
        return line.len;
    s = slice_skip_blanks(slice_skip(s, 4));
    s = slice_skip_blanks(slice_skip(s, word_length(s)));
    return line.len - s.len;
}

bool smtp_reply_read(struct slice line, unsigned *code, bool *last)
{
    unsigned n = 0;

    if (line.len < 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (line.at[i] < '0' || line.at[i] > '9')
            return false;
        n = n * 10 + (unsigned)(line.at[i] - '0');
    }
    if (line.len > 3 && line.at[3] != ' ' && line.at[3] != '-' && line.at[3] != '\r' && line.at[3] != '\n')
        return false;
    *code = n;
    *last = line.len == 3 || line.at[3] != '-';
    return true;
}

struct slice smtp_domain(struct slice path)
{
    size_t at = path.len;

    while (at > 0 && path.at[at - 1] != '@')
        at--;
    if (at == 0)
        return slice_of(NULL, 0);
    path = slice_skip(path, at);
    if (path.len > 0 && path.at[path.len - 1] == '.')
        path.len--;
    return path;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool smtp_base64(struct slice text, uint8_t *out, size_t size, size_t *len)
{
    uint32_t bits = 0;
    unsigned have = 0;

    *len = 0;
    while (text.len > 0 && text.at[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(text.at[i]);

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            if (*len == size)
                return false;
            have -= 8;
            out[(*len)++] = (uint8_t)(bits >> have);
        }
    }
    return true;
}
