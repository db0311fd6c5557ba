/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "snap/redact.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"

enum { NAMES_MOST = 20000, ADDRESSES_MOST = 60000, NAME_LEN = 64, TEXT_ROOM = 192 << 10, LEAST_LEN = 2 };

struct redact {
    struct snap *s;
    struct table *addresses; /* struct addr without its port -> uint64_t number */
    struct table *names;     /* NAME_LEN bytes -> struct name */
    uint64_t next_address, next_user, next_host;
    char *room; /* owned: TEXT_ROOM bytes */
};

struct name {
    uint64_t number;
    bool is_user;
};

/* --- addresses */

static struct addr other_address(struct redact *r, struct addr a)
{
    struct addr key = addr_ip(a);
    struct addr to;
    uint64_t *number;
    bool fresh;

    if (a.family == 0 || addr_is_loopback(a) || addr_is_unspecified(a) || addr_is_multicast(a))
        return a;
    number = table_add(r->addresses, &key, &fresh, NULL, NULL);
    if (!number)
        return (struct addr){ .family = 0 };
    if (fresh)
        *number = ++r->next_address;
    if (a.family == 4) {
        to = addr_v4(0xc6120000 + (uint32_t)(*number & 0x1ffff), a.port);
    } else {
        uint8_t ip[16] = { 0x20, 0x01, 0x0d, 0xb8 };

        for (size_t i = 0; i < 8; i++)
            ip[15 - i] = (uint8_t)(*number >> 8 * i);
        to = addr_from_ip(6, ip, a.port);
    }
    return to;
}

/* --- names */

static bool name_key(struct slice word, uint8_t key[NAME_LEN])
{
    memset(key, 0, NAME_LEN);
    if (word.len < LEAST_LEN || word.len > NAME_LEN)
        return false;
    memcpy(key, word.at, word.len);
    return true;
}

static struct name *know(struct redact *r, struct slice word, bool is_user)
{
    uint8_t key[NAME_LEN];
    struct name *n;
    bool fresh;

    if (!name_key(word, key))
        return NULL;
    n = table_add(r->names, key, &fresh, NULL, NULL);
    if (n && fresh) {
        n->is_user = is_user;
        n->number = is_user ? ++r->next_user : ++r->next_host;
    }
    return n;
}

static const struct name *known(const struct redact *r, struct slice word)
{
    uint8_t key[NAME_LEN];

    return name_key(word, key) ? table_find(r->names, key) : NULL;
}

/* Users that every system has tell nothing. */
static bool is_common(struct slice user)
{
    static const char *const users[] = { "root",  "reboot",   "daemon",   "nobody",
                                         "LOGIN", "runlevel", "shutdown", "www-data" };

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
        if (slice_eq(user, slice_text(users[i])))
            return true;
    return slice_eq(slice_first(user, 4), SLICE("uid "));
}

static void learn(struct redact *r)
{
    (void)know(r, snap_host(r->s)->name, false);
    SNAP_LIST(r->s, SNAP_LOGIN, struct snap_login, l)
    {
        struct addr a;

        if (!is_common(l->user))
            (void)know(r, l->user, true);
        if (!addr_read(l->host, &a) && l->host.len > 0 && l->host.at[0] != ':')
            (void)know(r, l->host, false);
    }
    SNAP_LIST(r->s, SNAP_JOB, struct snap_job, j)
    if (!is_common(j->user))
        (void)know(r, j->user, true);
}

/* --- texts: word by word */

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool in_word(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':' || c >= 0x80;
}

/* mail.example.org, and no smtp-front.py. */
static bool is_domain(struct slice w)
{
    static const char *const files[] = { "py",    "pl",      "sh",     "so",  "rb",   "js",     "php",     "log",
                                         "conf",  "gz",      "xz",     "zst", "sock", "socket", "service", "timer",
                                         "pid",   "lock",    "json",   "txt", "db",   "cf",     "d",       "scope",
                                         "slice", "mount",   "target", "ko",  "c",    "h",      "o",       "a",
                                         "part",  "service", "xray",   "yaml" };
    struct slice rest = w;
    struct slice label = SLICE("");
    unsigned labels = 0;

    while (rest.len > 0) {
        label = slice_until(rest, '.', &rest);
        if (label.len == 0 || memchr(label.at, ':', label.len) || memchr(label.at, '_', label.len))
            return false;
        labels++;
    }
    if (labels < 2 || label.len < 2 || w.at[w.len - 1] == '.')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_letter(label.at[i]))
            return false;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (slice_eq(label, slice_text(files[i])))
            return false;
    return true;
}

static void put_name(struct text *t, const struct name *n)
{
    text_addf(t, "%s-%llu", n->is_user ? "user" : "host", (unsigned long long)n->number);
}

static void put_word(struct redact *r, struct text *t, struct slice w, bool after_at, bool after_home)
{
    const struct name *n = known(r, w);
    struct addr a;

    if (!n && after_home)
        n = know(r, w, true);
    if (!n && (after_at || is_domain(w)) && !addr_read_port(w, &a))
        n = know(r, w, false);
    if (n)
        put_name(t, n);
    else if (addr_read_port(w, &a))
        text_word(t, addr_socket_text(other_address(r, a)).text);
    else
        text_add(t, w);
}

/* The end of a sentence belongs to no address. */
static size_t word_len(struct slice s)
{
    size_t n = 0;

    while (n < s.len && in_word(s.at[n]))
        n++;
    while (n > 1 && (s.at[n - 1] == '.' || (s.at[n - 1] == ':' && (n < 2 || s.at[n - 2] != ':'))))
        n--;
    return n;
}

static struct slice other_text(struct redact *r, struct slice s)
{
    struct text t = text_in(r->room, TEXT_ROOM);
    struct slice whole = s;
    bool changed;

    while (s.len > 0 && !t.cut) {
        size_t n = word_len(s);
        size_t before = t.len;
        bool after_at = before > 0 && r->room[before - 1] == '@';
        const struct name *mailbox;
        bool after_home = before >= 6 && memcmp(r->room + before - 6, "/home/", 6) == 0;

        if (n == 0)
            text_add(&t, slice_first(s, 1));
        else if (n < s.len && s.at[n] == '@' && (mailbox = know(r, slice_first(s, n), true)))
            put_name(&t, mailbox);
        else
            put_word(r, &t, slice_first(s, n), after_at, after_home);
        s = slice_skip(s, n ? n : 1);
    }
    changed = !slice_eq(whole, slice_of(r->room, t.len));
    return t.cut ? SLICE("(left out)") : changed ? snap_keep(r->s, slice_of(r->room, t.len)) : whole;
}

static void change_records(struct redact *r, enum snap_part part)
{
    uint8_t *record = r->s->part[part].at;

    for (size_t i = 0; i < r->s->part[part].count; i++, record += snap_kinds[part].size)
        for (const struct snap_field *f = snap_kinds[part].fields; f->type != SNAP_TYPE_END; f++) {
            void *at = record + f->offset;

            if (f->type == SNAP_TYPE_TEXT && ((const struct slice *)at)->len > 0)
                *(struct slice *)at = other_text(r, *(const struct slice *)at);
            else if (f->type == SNAP_TYPE_ADDR)
                *(struct addr *)at = other_address(r, *(const struct addr *)at);
        }
}

/* The names that are known for certain, wherever they stand, before words are guessed at. */
static void change_host(struct redact *r)
{
    struct snap_host *h = r->s->part[SNAP_HOST].at;

    if (h)
        h->boot_id = SLICE("");
}

int snap_redact(struct snap *s, struct err *e)
{
    struct redact r = { .s = s };
    int status = -1;

    r.addresses = table_new(ADDRESSES_MOST, sizeof(struct addr), sizeof(uint64_t), 0, e);
    r.names = r.addresses ? table_new(NAMES_MOST, NAME_LEN, sizeof(struct name), 0, e) : NULL;
    r.room = malloc(TEXT_ROOM);
    if (!r.addresses || !r.names || !r.room) {
        err_set(e, ENOMEM, "to redact");
        goto out;
    }
    learn(&r);
    for (size_t p = 0; p < SNAP_PARTS; p++)
        change_records(&r, (enum snap_part)p);
    change_host(&r);
    snap_note(s, "host", "this picture is redacted: addresses, users and hosts have other names");
    status = 0;
out:
    table_free(r.addresses);
    table_free(r.names);
    free(r.room);
    return status;
}
