/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/classes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/feed.h"
#include "journal/journal.h"
#include "sense/log/lines.h"
#include "sense/log/payload.h"
#include "sense/log/shelf.h"
#include "sense/log/store.h"
#include "sys/clock.h"
#include "sys/say.h"

enum {
    GOAL = 128 << 10, /* bytes that are written together at the latest */
    ROOM = GOAL + STORE_LINE_MAX + PAYLOAD_MARK_MAX + 1,
    SEGMENT_BYTES = 8 << 20,
    PATH_ROOM = 300,
};
_Static_assert((int)ROOM <= (int)SEG_RAW_MAX, "a batch is a block");
static const int64_t DAY_US = 86400 * (int64_t)1000000;
static const int64_t AGAIN_US = 60 * (int64_t)1000000;

struct class_store {
    struct log_class is;
    struct shelf_how how;
    struct journal *j;
    uint64_t done;     /* of the store's numbers: on the disk up to here */
    int64_t failed_us; /* when the disk refused last; 0: it takes lines */
    int64_t retained_us;
    uint64_t lost; /* since then */
    struct payload payload;
    uint8_t bytes[ROOM];
};

struct classes {
    struct live *live;
    uint32_t count;
    struct class_store *at[LOG_CLASSES];
};

/* ---- which lines ---- */

static const char *const facilities[] = { "kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                          "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                          "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                          "local2", "local3", "local4", "local5", "local6",   "local7" };

static int facility_of(const char *name)
{
    for (int i = 0; i < (int)(sizeof(facilities) / sizeof(facilities[0])); i++)
        if (strcmp(facilities[i], name) == 0)
            return i;
    return -1;
}

bool classes_sound(const struct log_settings *s, const char **name, struct err *e)
{
    for (uint32_t i = 0; i < s->classes_count; i++) {
        const struct log_class *c = &s->classes[i];

        *name = c->name;
        if (c->facilities.count == 0 && c->programs.count == 0 && c->hosts.count == 0 &&
            c->severity == LOG_ANY_SEVERITY) {
            (void)err_set(e, 0, "it has every line; say which, by facilities, programs, hosts or severity");
            return false;
        }
        for (uint32_t k = 0; k < c->facilities.count; k++)
            if (facility_of(c->facilities.at[k]) < 0) {
                (void)err_set(e, 0,
                              "there is no facility \"%s\"; kern, user, mail, daemon, auth, authpriv, cron, "
                              "local0 ... are",
                              c->facilities.at[k]);
                return false;
            }
    }
    return true;
}

static bool is_named(const struct key_names *names, struct slice s)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (slice_eq_nocase(s, slice_text(names->at[i])))
            return true;
    return names->count == 0;
}

bool class_has(const struct log_class *c, const struct log_line *line)
{
    bool facility = c->facilities.count == 0;

    for (uint32_t i = 0; i < c->facilities.count && !facility; i++)
        facility = facility_of(c->facilities.at[i]) == line->facility;
    return facility && (c->severity == LOG_ANY_SEVERITY || line->severity <= c->severity) &&
           is_named(&c->programs, line->program) && is_named(&c->hosts, line->host);
}

/* ---- a store ---- */

static void tell(const struct classes *all, enum event_kind kind, const struct class_store *s, const char *why,
                 uint64_t count)
{
    struct event ev = event_new(kind);

    event_add_words(&ev, F_NAME, s->is.name);
    if (why)
        event_add_words(&ev, F_WHY, why);
    if (count > 0)
        event_add_number(&ev, F_COUNT, count);
    live_event(all->live, &ev);
}

static int write_batch(struct class_store *s, struct err *e)
{
    const struct feed_block block = { .payload = slice_of(s->bytes, s->payload.len),
                                      .first_seq = journal_last(s->j) + 1,
                                      .records = s->payload.records,
                                      .min_us = s->payload.min_us,
                                      .max_us = s->payload.max_us };

    return feed_append(s->j, &block, 1, e) < 0 ? -1 : journal_sync(s->j, e);
}

/* What waits is on the disk, or it stays where it is and is tried again. */
static void flush(struct classes *all, struct class_store *s)
{
    int64_t now_us = clock_mono_us();
    struct err why;

    if (s->payload.records == 0 || (s->failed_us != 0 && now_us - s->failed_us < 1000000))
        return;
    if (write_batch(s, &why) < 0) {
        if (s->failed_us == 0)
            tell(all, why.code == ENOSPC ? EV_LOG_DISK_FULL : EV_LOG_DISK_FAILED, s, why.text, 0);
        s->failed_us = now_us;
        return;
    }
    if (s->failed_us != 0)
        tell(all, EV_LOG_DISK_BACK, s, NULL, 0);
    if (s->lost > 0)
        tell(all, EV_LOG_LOST, s, "the disk took no more lines of this class; the store has them", s->lost);
    s->failed_us = 0;
    s->lost = 0;
    s->done = s->payload.origin_seq;
    payload_clear(&s->payload);
}

static void tend(struct classes *all, struct class_store *s)
{
    int64_t now_us = clock_wall_us();
    struct journal_expired gone = { 0 };
    struct journal_sealed sealed;
    struct err why;

    if (journal_is_due(s->j, now_us) &&
        (feed_begin(s->j, now_us, &why) < 0 || feed_pack(s->j, now_us, &sealed, &why) < 0))
        say("log class %s: %s", s->is.name, why.text);
    if (now_us - s->retained_us < AGAIN_US && now_us >= s->retained_us)
        return;
    s->retained_us = now_us;
    if (journal_retain(s->j, now_us, &gone, &why) < 0)
        say("log class %s: %s", s->is.name, why.text);
    if (gone.segments > 0)
        tell(all, EV_LOG_EXPIRED, s, NULL, gone.segments);
}

/* The number in the store of the newest line that is in here. */
static int find_done(struct class_store *s, const char *folder, struct err *e)
{
    struct lines *l = lines_open(folder, e);
    struct lines_room room = { 0 };
    struct slice payload;
    struct log_line line;
    size_t count = l ? lines_count(l) : 0;
    int result = l ? 0 : -1;

    if (count > 0 && (result = lines_load(l, count - 1, &room, &payload, e)) == 0) {
        struct lines_walk w = lines_walk(payload, lines_block(l, count - 1)->first_seq);

        while (lines_next(&w, &line))
            s->done = line.origin_seq;
    }
    lines_room_done(&room);
    lines_close(l);
    return result;
}

static int open_store(struct class_store *s, const struct log_settings *set, struct err *e)
{
    struct journal_limits limits = {
        .segment_bytes = SEGMENT_BYTES, .segment_age_us = DAY_US, .total_bytes = s->is.bytes, .age_us = s->is.age_us
    };
    struct feed_kind kind = { .content = SEG_LINES, .pack = shelf_pack, .own = &s->how };
    struct journal_opened found;
    char path[PATH_ROOM];

    s->how.level = (int)set->level;
    s->payload = (struct payload){ .at = s->bytes, .cap = sizeof(s->bytes) };
    payload_clear(&s->payload);
    (void)snprintf(path, sizeof(path), "%s/kept", set->folder);
    if (mkdir(path, 0750) < 0 && errno != EEXIST)
        return err_set(e, errno, "%s", path);
    (void)snprintf(path, sizeof(path), "%s/kept/%s", set->folder, s->is.name);
    s->j = feed_open(path, &limits, &kind, clock_wall_us(), &found, e);
    return s->j ? find_done(s, path, e) : -1;
}

/* ---- the reader ---- */

static void on_line(void *own, const struct log_line *line, bool again)
{
    struct classes *all = own;
    struct log_line copy = *line;

    (void)again;
    copy.origin_seq = line->seq;
    copy.whole_bytes = 0; /* its digest is in the store, and not known here */
    for (uint32_t i = 0; i < all->count; i++) {
        struct class_store *s = all->at[i];

        if (line->seq <= s->done || !class_has(&s->is, line))
            continue;
        if (s->payload.len >= GOAL)
            flush(all, s);
        if (s->payload.len >= GOAL || !payload_put(&s->payload, &copy, NULL))
            s->lost++;
    }
}

static void on_settle(void *own)
{
    struct classes *all = own;

    for (uint32_t i = 0; i < all->count; i++)
        flush(all, all->at[i]);
}

static void on_tick(void *own, int64_t now_us, bool again)
{
    struct classes *all = own;

    (void)now_us;
    (void)again;
    on_settle(all);
    for (uint32_t i = 0; i < all->count; i++)
        tend(all, all->at[i]);
}

static void on_end(void *own)
{
    struct classes *all = own;

    for (uint32_t i = 0; i < all->count; i++) {
        journal_close(all->at[i]->j);
        free(all->at[i]);
    }
    free(all);
}

int classes_add(struct live *l, const struct log_settings *s, struct err *e)
{
    struct live_reader reader = {
        .name = "classes", .line = on_line, .tick = on_tick, .settle = on_settle, .end = on_end
    };
    struct classes *all;

    if (s->classes_count == 0)
        return 0;
    all = calloc(1, sizeof(*all));
    if (!all)
        return err_set(e, ENOMEM, "log classes");
    all->live = l;
    for (uint32_t i = 0; i < s->classes_count && i < LOG_CLASSES; i++) {
        struct class_store *c = calloc(1, sizeof(*c));

        if (!c) {
            on_end(all);
            return err_set(e, ENOMEM, "log classes");
        }
        c->is = s->classes[i];
        all->at[all->count++] = c;
        if (open_store(c, s, e) < 0) {
            (void)err_wrap(e, "log class %s", c->is.name);
            on_end(all);
            return -1;
        }
    }
    reader.own = all;
    if (live_add(l, &reader, e) == 0)
        return 0;
    on_end(all);
    return -1;
}
