/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "base/slice.h"
#include "wire/arguments.h"

/* How a program takes a secret that no name stands before. */
struct habit {
    const char *program; /* its name's beginning; a '$' ends it */
    const char *option;
    bool attached; /* in the same word: -pX; otherwise in the next one, too */
    char behind;   /* what stands before the secret in the value; 0: all of it is secret */
};
static const struct habit habits[] = {
    { "mysql", "-p", true, 0 },
    { "mariadb", "-p", true, 0 },
    { "mongo", "-p", false, 0 },
    { "sshpass$", "-p", false, 0 },
    { "docker$", "-p", false, 0 },
    { "podman$", "-p", false, 0 },
    { "7z", "-p", true, 0 },
    { "zip$", "-P", false, 0 },
    { "unzip$", "-P", false, 0 },
    { "ipmitool$", "-P", false, 0 },
    { "redis-cli$", "-a", false, 0 },
    { "ldap", "-w", false, 0 },
    { "snmp", "-A", false, 0 },
    { "snmp", "-X", false, 0 },
    { "snmp", "-c", false, 0 },
    { "swaks$", "-ap", false, 0 },
    { "sendemail$", "-xp", false, 0 },
    { "curl$", "-u", false, ':' },
    { "curl$", "--user", false, ':' },
    { "curl$", "-U", false, ':' },
    { "curl$", "--proxy-user", false, ':' },
    { "lftp$", "-u", false, ',' },
    { "smbclient$", "-U", false, '%' },
    { "rpcclient$", "-U", false, '%' },
    { "net$", "-U", false, '%' },
    /* Begun by sshpass, and without secrets of their own. */
    { "ssh$", NULL, false, 0 },
    { "scp$", NULL, false, 0 },
    { "sftp$", NULL, false, 0 },
    { "rsync$", NULL, false, 0 },
};

/* Parts of names: what follows them is no letter. */
static const char *const secret_parts[] = { "password",   "passwd",   "passphrase", "passcode",   "secret",
                                            "token",      "api-key",  "apikey",     "credential", "pwd",
                                            "access-key", "auth-key", "secret-key" };
/* The same, of which no letter stands in front: there is a bypass. */
static const char *const secret_words[] = { "pass", "dbpass", "userpass", "ftppass", "smtppass" };
/* Names as they are, and headers, whose value has blanks. */
static const char *const secret_names[] = { "pw", "psk", "passwort" };
static const char *const secret_headers[] = { "authorization", "proxy-authorization", "cookie", "set-cookie" };
static const char *const harmless_starts[] = { "no-", "ask-", "without-" };
static const char *const harmless_ends[] = { "-file",  "-path", "-cmd", "-command", "-fd",   "-prompt",
                                             "-stdin", "-dir",  "-env", "-name",    "-type", "-ttl" };

/* One look over a command line: what was read up to `from` is written up to `len`. */
struct mask {
    uint8_t *at;
    size_t len;
    const char *program;       /* of habits[], the last one that was named; NULL: none */
    const struct habit *habit; /* of the option before this word */
    bool next;                 /* this word is a secret */
};

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_of_name(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_quote(uint8_t c)
{
    return c == '\'' || c == '"';
}

/* `_` and `.` in a name are `-` in ours. */
static bool same(uint8_t c, char ours)
{
    return (is_letter(c) ? (c | 0x20) : c == '_' || c == '.' ? '-' : c) == (uint8_t)ours;
}

static bool begins(struct slice s, const char *with)
{
    size_t n = strlen(with);

    if (s.len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!same(s.at[i], with[i]))
            return false;
    return true;
}

static bool is_one_of(struct slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (name.len == strlen(list[i]) && begins(name, list[i]))
            return true;
    return false;
}
#define IS_ONE_OF(name, list) is_one_of(name, list, sizeof(list) / sizeof(*(list)))

static bool is_harmless(struct slice name)
{
    for (size_t i = 0; i < sizeof(harmless_starts) / sizeof(*harmless_starts); i++)
        if (begins(name, harmless_starts[i]))
            return true;
    for (size_t i = 0; i < sizeof(harmless_ends) / sizeof(*harmless_ends); i++)
        if (name.len > strlen(harmless_ends[i]) &&
            begins(slice_skip(name, name.len - strlen(harmless_ends[i])), harmless_ends[i]))
            return true;
    return false;
}

/* It begins with one of the list, and no letter follows. */
static bool ends_word(struct slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(list[i]);

        if (begins(name, list[i]) && (n == name.len || !is_letter(name.at[n])))
            return true;
    }
    return false;
}
#define ENDS_WORD(name, list) ends_word(name, list, sizeof(list) / sizeof(*(list)))

static bool is_secret(struct slice name)
{
    if (name.len > 0 && name.at[0] == '-')
        name = slice_skip(name, name.len > 1 && name.at[1] == '-' ? 2 : 1);
    if (is_harmless(name))
        return false;
    if (IS_ONE_OF(name, secret_names) || IS_ONE_OF(name, secret_headers))
        return true;
    for (size_t at = 0; at < name.len; at++)
        if (ENDS_WORD(slice_skip(name, at), secret_parts) ||
            ((at == 0 || !is_letter(name.at[at - 1])) && ENDS_WORD(slice_skip(name, at), secret_words)))
            return true;
    return false;
}

/* --- what is written */

static void keep(struct mask *m, struct slice s)
{
    if (s.len > 0 && m->at + m->len != s.at)
        memmove(m->at + m->len, s.at, s.len);
    m->len += s.len;
}

static void hide(struct mask *m, struct slice s)
{
    for (size_t i = 0; i < 3 && i < s.len; i++)
        m->at[m->len++] = '*';
}

/* Up to a blank or one of `stops`; what is quoted is part of it. */
static size_t word_len(struct slice s, const char *stops)
{
    size_t n = 0;

    while (n < s.len && s.at[n] != '\0' && !is_blank(s.at[n]) && !strchr(stops, s.at[n])) {
        const uint8_t *end = is_quote(s.at[n]) ? memchr(s.at + n + 1, s.at[n], s.len - n - 1) : NULL;

        n = end ? (size_t)(end - s.at) + 1 : is_quote(s.at[n]) ? s.len : n + 1;
    }
    return n;
}

/* The quotes around it are shown. */
static void hide_value(struct mask *m, struct slice s)
{
    bool closed = s.len > 1 && is_quote(s.at[0]) && s.at[s.len - 1] == s.at[0];

    if (closed)
        keep(m, slice_first(s, 1));
    hide(m, closed ? slice_of(s.at + 1, s.len - 2) : s);
    if (closed)
        keep(m, slice_skip(s, s.len - 1));
}

/* What stands behind the first `mark` in it. */
static void hide_behind(struct mask *m, struct slice s, char mark)
{
    struct slice rest;
    struct slice user = slice_until(s, mark, &rest);

    if (rest.len == 0) {
        keep(m, s);
        return;
    }
    keep(m, slice_first(s, user.len + 1));
    hide(m, rest.len > 1 && is_quote(rest.at[rest.len - 1]) ? slice_first(rest, rest.len - 1) : rest);
    if (rest.len > 1 && is_quote(rest.at[rest.len - 1]))
        keep(m, slice_skip(rest, rest.len - 1));
}

/* --- what is read: each takes something off the front of `s`, or nothing */

/* `user:secret@` behind `://`. */
static bool address(struct mask *m, struct slice *s)
{
    size_t n = 3;

    if (s->len < 3 || memcmp(s->at, "://", 3) != 0)
        return false;
    while (n < s->len && !is_blank(s->at[n]) && !is_quote(s->at[n]) && !strchr("/?#@", s->at[n]))
        n++;
    if (n == s->len || s->at[n] != '@')
        n = 3;
    keep(m, slice_first(*s, 3));
    hide_behind(m, slice_of(s->at + 3, n - 3), ':');
    *s = slice_skip(*s, n);
    return true;
}

static size_t header_len(struct slice s)
{
    size_t n = 0;

    while (n < s.len && !is_quote(s.at[n]) && s.at[n] != '\n')
        n++;
    return n;
}

/*
 * A `=` or `:` behind a name that is secret.  `whole`: the name begins the argument, and all that follows is its value.
 */
static bool value(struct mask *m, struct slice name, bool whole, struct slice *s)
{
    bool colon = s->at[0] == ':';
    bool header = colon && IS_ONE_OF(name, secret_headers);
    size_t n = 1;

    if (!is_secret(name))
        return false;
    while (colon && n < s->len && is_blank(s->at[n]))
        n++;
    keep(m, slice_first(*s, n));
    *s = slice_skip(*s, n);
    n = s->len;
    if (header)
        n = header_len(*s);
    else if (!whole)
        n = word_len(*s, colon ? ",}&;" : ",&;");
    hide_value(m, slice_first(*s, n));
    *s = slice_skip(*s, n);
    return true;
}

static const char *program_named(struct slice word)
{
    for (size_t n = word.len; n > 0; n--)
        if (word.at[n - 1] == '/') {
            word = slice_skip(word, n);
            break;
        }
    for (size_t i = 0; i < sizeof(habits) / sizeof(*habits) && word.len > 0; i++) {
        size_t n = word.at[0] == (uint8_t)habits[i].program[0] ? strcspn(habits[i].program, "$") : SIZE_MAX;

        if (word.len >= n && memcmp(word.at, habits[i].program, n) == 0 &&
            (habits[i].program[n] == '\0' || word.len == n))
            return habits[i].program;
    }
    return NULL;
}

/* An option of the program that was named: true when all of the word is done. */
static bool option(struct mask *m, struct slice word)
{
    for (size_t i = 0; m->program && i < sizeof(habits) / sizeof(*habits); i++) {
        const struct habit *h = &habits[i];
        size_t n = h->option ? strlen(h->option) : SIZE_MAX;

        if (strcmp(h->program, m->program) != 0 || word.len < n || memcmp(word.at, h->option, n) != 0)
            continue;
        if (word.len == n) {
            m->habit = h->attached ? NULL : h;
            return false;
        }
        if (h->option[1] == '-' || n > 2)
            continue;
        keep(m, slice_first(word, n));
        if (h->behind)
            hide_behind(m, slice_skip(word, n), h->behind);
        else
            hide_value(m, slice_skip(word, n));
        return true;
    }
    return false;
}

/* A word of its own, all of it known: true when it is done. */
static bool word(struct mask *m, struct slice w)
{
    const struct habit *habit = m->habit && m->habit->behind && w.at[0] == '-' ? NULL : m->habit;
    const char *program;
    bool next = m->next && w.at[0] != '-';

    m->habit = NULL;
    m->next = false;
    if (habit && habit->behind)
        hide_behind(m, w, habit->behind);
    else if (next || habit)
        hide_value(m, w);
    if (next || habit)
        return true;
    if (w.at[0] != '-') {
        program = program_named(w);
        m->program = program ? program : m->program;
        if (w.len > 5 && memcmp(w.at, "pass:", 5) == 0) {
            keep(m, slice_first(w, 5));
            hide(m, slice_skip(w, 5));
            return true;
        }
        return false;
    }
    if (option(m, w))
        return true;
    m->next = !memchr(w.at, '=', w.len) && is_secret(w);
    return false;
}

/* Where a word may begin: an outer one, or one within what is quoted. */
struct reader {
    struct slice rest;
    const uint8_t *outer; /* the end of the outer word */
    bool apart;           /* blanks divide it */
};

static struct slice next_word(struct reader *r)
{
    size_t n = 0;

    if (!r->apart)
        return r->rest;
    if (r->rest.at >= r->outer) {
        n = word_len(r->rest, ";|&()");
        r->outer = r->rest.at + n;
        return slice_first(r->rest, n);
    }
    while (r->rest.at + n < r->outer && !is_blank(r->rest.at[n]) && !is_quote(r->rest.at[n]))
        n++;
    return slice_first(r->rest, n);
}

/* How much of the end of what is written is a name; `quote`: a quote stands behind it. */
static size_t name_len(const struct mask *m, size_t start, bool quote)
{
    size_t end = m->len - quote;
    size_t n = 0;

    while (n < end - start && is_of_name(m->at[end - n - 1]))
        n++;
    return n;
}

/* At a `=` or `:`. */
static bool assigned(struct mask *m, size_t start, bool whole, struct slice *s)
{
    bool quote = m->len > start && is_quote(m->at[m->len - 1]);
    size_t n = name_len(m, start, quote);

    if (address(m, s))
        return true;
    return value(m, slice_of(m->at + m->len - quote - n, n), whole && m->len == start + n, s);
}

/* One argument.  `shell`: it is a text that a shell reads. */
static void argument(struct mask *m, struct slice s, bool shell)
{
    struct reader r = { .rest = s, .outer = s.at, .apart = shell };
    size_t start = m->len;
    bool fresh = true;

    for (size_t i = 0; i < s.len && !r.apart; i++)
        r.apart = is_blank(s.at[i]);
    while (r.rest.len > 0) {
        struct slice w = fresh ? next_word(&r) : slice_first(r.rest, 0);
        uint8_t c = r.rest.at[0];

        fresh = false;
        if (w.len > 0 && word(m, w)) {
            r.rest = slice_skip(r.rest, w.len);
            continue;
        }
        if ((c == '=' || c == ':') && assigned(m, start, !shell, &r.rest))
            continue;
        keep(m, slice_first(r.rest, 1));
        r.rest = slice_skip(r.rest, 1);
        fresh = r.apart && (is_blank(c) || is_quote(c) || strchr(";|&()", c) != NULL);
    }
}

size_t arguments_mask(uint8_t *at, size_t len)
{
    struct mask m = { .at = at };
    struct slice rest = slice_of(at, len);
    bool shell = len > 0 && !memchr(at, '\0', len - 1);

    while (rest.len > 0) {
        const uint8_t *nul = memchr(rest.at, '\0', rest.len);
        struct slice a = slice_first(rest, nul ? (size_t)(nul - rest.at) : rest.len);
        bool hidden = (m.next || m.habit) && a.len > 0 && word(&m, a);
        bool runs = slice_eq(a, SLICE("-c"));

        if (a.len == 0)
            m = (struct mask){ .at = at, .len = m.len, .program = m.program };
        else if (!hidden)
            argument(&m, a, shell);
        if (nul)
            m.at[m.len++] = '\0';
        rest = slice_skip(rest, a.len + (nul != NULL));
        shell = runs;
    }
    return m.len;
}
