/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "sense/log/libarchive.h"
#include "wire/logline.h"

#define SECOND_US 1000000LL
#define DAY_US    (86400 * SECOND_US)
#define ASIDE_US  (60 * SECOND_US) /* so far from its neighbours a stamp is no arrival */
enum { AHEAD = 16, READ = 256 << 10, NAMES = 2, NAME = 64, TELLERS = 256, TELLER_LINES = 16 };

struct ahead {      /* a line that was read and not yet given */
    uint8_t *bytes; /* owned */
    size_t len, cap;
    struct logline parts;
    struct slice raw;
    size_t teller;
    int64_t stamp_us; /* what its stamp would be if its host's clock were not ahead; 0: none */
    int64_t at_us;
};

/* How far a host's clock is ahead: the least that it was in its last lines. */
struct teller {
    uint32_t hash;
    uint32_t lines;
    int64_t least_us, ahead_us;
};

struct track {
    const struct logfiles_order *order;
    uint64_t source;
    const char **paths;
    size_t count, next;   /* next: the file that is to be opened */
    struct archive *open; /* NULL: none */
    int64_t newest_us;    /* of a stamp without a year in this file */
    bool many_hosts;
    bool end, skip, fresh; /* skip: the rest of a line that was cut; fresh: nothing of this file was read yet */
    size_t from, to;
    uint8_t *buffer;    /* [READ + LOGFILES_LINE] */
    struct slice block; /* of the file, unpacked, what is not in the buffer yet; borrowed of libarchive */
    struct ahead ring[AHEAD];
    size_t first, there;
    int64_t at_us, behind_us;       /* arrival of the newest line; stamp of the one before that was behind it, or 0 */
    struct teller tellers[TELLERS]; /* by hash; two in one place spoil each other's estimate and nothing else */
    char name[NAMES][NAME];         /* the last host, and the log's own name: for lines that tell none */
    size_t name_len[NAMES];
};

struct track *track_new(const struct logfiles_order *o, uint64_t source, struct err *e)
{
    struct track *t = calloc(1, sizeof(*t));

    if (t)
        t->buffer = malloc(READ + LOGFILES_LINE);
    if (!t || !t->buffer) {
        free(t);
        (void)err_set(e, ENOMEM, "logs");
        return NULL;
    }
    t->order = o;
    t->source = source;
    return t;
}

void track_free(struct track *t)
{
    if (!t)
        return;
    if (t->open)
        (void)libarchive.read_free(t->open);
    for (size_t i = 0; i < AHEAD; i++)
        free(t->ring[i].bytes);
    free((void *)t->paths);
    free(t->buffer);
    free(t);
}

int track_add(struct track *t, const char *path, struct err *e)
{
    const char **paths = (const char **)reallocarray((void *)t->paths, t->count + 1, sizeof(*paths));

    if (!paths)
        return err_set(e, ENOMEM, "logs");
    t->paths = paths;
    t->paths[t->count++] = path;
    return 0;
}

static void note(struct track *t, const char *why)
{
    t->order->note(t->order->own, t->paths[t->next - 1], why);
}

static void close_file(struct track *t)
{
    (void)libarchive.read_free(t->open);
    t->open = NULL;
    t->from = t->to = 0;
    t->block = slice_of(NULL, 0);
    t->end = t->skip = false;
}

static void set_name(struct track *t, size_t which, struct slice name)
{
    name = slice_first(name, NAME);
    t->name_len[which] = name.len;
    if (name.len > 0)
        memcpy(t->name[which], name.at, name.len);
}

/* The file's own name without what rotation put behind it: what its lines are called that have no program. */
static void name_log(struct track *t, const char *path)
{
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t len = strcspn(base, ".");

    set_name(t, 1, slice_of(base, len > 0 ? len : strlen(base)));
}

/* 1: a file is open; 0: there is no other one. */
static int open_next(struct track *t, struct err *e)
{
    while (!t->open && t->next < t->count) {
        const char *path = t->paths[t->next++];
        struct archive_entry *entry;
        struct stat st;
        int64_t days;

        if (libarchive_load(e) < 0)
            return -1;
        t->open = libarchive.read_new();
        if (!t->open)
            return err_set(e, ENOMEM, "logs");
        libarchive_allow_packed(t->open);
        if (stat(path, &st) < 0 || libarchive.read_open_filename(t->open, path, READ) != ARCHIVE_OK) {
            note(t, libarchive.error_string(t->open) ? libarchive.error_string(t->open) : strerrordesc_np(errno));
            close_file(t);
            continue;
        }
        if (libarchive.read_next_header(t->open, &entry) != ARCHIVE_OK) { /* empty */
            close_file(t);
            continue;
        }
        t->newest_us = (int64_t)st.st_mtime * SECOND_US + DAY_US;
        if (t->newest_us > t->order->now_us + DAY_US)
            t->newest_us = t->order->now_us + DAY_US;
        if (t->order->year > 0 && logline_day(t->order->year, 12, 31, &days))
            t->newest_us = (days + 1) * DAY_US - 1;
        t->fresh = true;
        name_log(t, path);
    }
    return t->open != NULL;
}

/* Block by block: archive_read_data forgets what it has when the next block is damaged. */
static void next_block(struct track *t)
{
    const void *at;
    size_t len = 0;
    la_int64_t offset;
    int got = ARCHIVE_OK;

    while (got >= ARCHIVE_WARN && got != ARCHIVE_EOF && len == 0)
        got = libarchive.read_data_block(t->open, &at, &len, &offset);
    if (got == ARCHIVE_EOF || got < ARCHIVE_WARN) {
        t->end = true;
        if (got != ARCHIVE_EOF)
            note(t, libarchive.error_string(t->open));
    } else
        t->block = slice_of(at, len);
}

/* More bytes of the open file; `end` when there are none. */
static void fill(struct track *t)
{
    struct slice more;

    memmove(t->buffer, t->buffer + t->from, t->to - t->from);
    t->to -= t->from;
    t->from = 0;
    if (t->block.len == 0)
        next_block(t);
    more = slice_first(t->block, READ + LOGFILES_LINE - t->to);
    if (more.len > 0)
        memcpy(t->buffer + t->to, more.at, more.len);
    t->to += more.len;
    t->block = slice_skip(t->block, more.len);
    if (t->fresh && memchr(t->buffer, 0, t->to < 512 ? t->to : 512)) {
        note(t, "this is no text; it is left out");
        t->end = true;
        t->to = 0;
    }
    t->fresh = false;
}

/* The next line of the open file; false: it has no more. */
static bool cut_line(struct track *t, struct slice *line)
{
    for (;;) {
        const uint8_t *at = t->buffer + t->from;
        size_t there = t->to - t->from;
        const uint8_t *stop = there > 0 ? memchr(at, '\n', there) : NULL;
        size_t len = stop ? (size_t)(stop - at) : there;

        if (stop || (t->end && there > 0) || there >= LOGFILES_LINE) {
            bool skipped = t->skip;

            t->skip = !stop && !t->end;
            t->from += len + (stop != NULL);
            *line = slice_first(slice_of(at, len), LOGFILES_LINE);
            if (!skipped)
                return true;
        } else if (t->end) {
            return false;
        } else
            fill(t);
    }
}

static size_t teller_of(struct track *t, struct slice host)
{
    uint32_t hash = (uint32_t)hash_bytes(host.at, host.len, 1);
    struct teller *k = &t->tellers[hash % TELLERS];

    if (k->hash != hash)
        *k = (struct teller){ .hash = hash };
    return hash % TELLERS;
}

static void learn_teller(struct teller *k, int64_t ahead_us)
{
    if (k->lines == 0 || ahead_us < k->least_us)
        k->least_us = ahead_us;
    if (++k->lines < TELLER_LINES)
        return;
    k->ahead_us = k->least_us > ASIDE_US / 2 ? k->least_us : 0;
    k->lines = 0;
}

static int read_ahead(struct track *t, struct slice line, struct err *e)
{
    struct ahead *k = &t->ring[(t->first + t->there) % AHEAD];

    if (line.len > k->cap) {
        uint8_t *bytes = realloc(k->bytes, line.len + 128);

        if (!bytes)
            return err_set(e, ENOMEM, "logs");
        k->bytes = bytes;
        k->cap = line.len + 128;
    }
    if (line.len > 0)
        memcpy(k->bytes, line.at, line.len);
    k->raw = slice_of(k->bytes, line.len);
    if (line.len > 0 && k->raw.at[line.len - 1] == '\r')
        k->raw.len--;
    logline_read(k->raw, t->newest_us, t->order->zone_s, &k->parts);
    k->teller = teller_of(t, k->parts.host);
    k->stamp_us = k->parts.stamp_us != 0 ? k->parts.stamp_us - t->tellers[k->teller].ahead_us : 0;
    t->there++;
    return 0;
}

/* The earliest stamp that was read ahead and is not behind; *behind: all of them are. */
static int64_t earliest(const struct track *t, bool *behind)
{
    int64_t at = INT64_MAX;

    *behind = t->there > 1;
    for (size_t i = 0; i < t->there; i++) {
        int64_t stamp = t->ring[(t->first + i) % AHEAD].stamp_us;

        if (stamp == 0)
            continue;
        *behind = *behind && stamp < t->at_us - ASIDE_US;
        if (stamp >= t->at_us && stamp < at)
            at = stamp;
    }
    return at;
}

/*
 * A line comes when its stamp says so, but not after a line behind it: so a clock that is ahead moves nothing.  A stamp
 * from before is late, or of a clock that is behind: the line comes now.  Only when a log of one host goes back as a
 * whole its time goes on by what passes between its lines.
 */
static int64_t arrival(struct track *t, int64_t stamp_us)
{
    bool behind;
    int64_t at;

    if (stamp_us == 0)
        return t->at_us;
    at = earliest(t, &behind);
    if (stamp_us >= t->at_us)
        return at;
    if (behind && !t->many_hosts && t->behind_us != 0 && stamp_us >= t->behind_us)
        return t->at_us + (stamp_us - t->behind_us);
    return at < INT64_MAX ? at : t->at_us;
}

static void settle(struct track *t)
{
    struct ahead *k = &t->ring[t->first];
    int64_t stamp = k->stamp_us;

    k->at_us = arrival(t, stamp);
    if (stamp != 0)
        learn_teller(&t->tellers[k->teller], k->parts.stamp_us - k->at_us);
    t->behind_us = stamp != 0 && stamp < k->at_us - ASIDE_US ? stamp : 0;
    t->at_us = k->at_us;
    if (k->parts.host.len == 0)
        return;
    t->many_hosts =
        t->many_hosts || (t->name_len[0] > 0 && !slice_eq(k->parts.host, slice_of(t->name[0], t->name_len[0])));
    set_name(t, 0, k->parts.host);
}

int track_ready(struct track *t, struct err *e)
{
    bool had = t->there > 0;

    while (t->there < AHEAD) {
        struct slice line;
        int got = open_next(t, e);

        if (got < 0)
            return -1;
        if (got == 0)
            break;
        if (!cut_line(t, &line))
            close_file(t);
        else if (line.len > 0 && read_ahead(t, line, e) < 0)
            return -1;
    }
    if (t->there > 0 && (!had || t->ring[t->first].at_us == INT64_MIN))
        settle(t);
    return t->there > 0;
}

int64_t track_at(const struct track *t)
{
    return t->ring[t->first].at_us;
}

void track_line(const struct track *t, struct log_line *l)
{
    const struct ahead *k = &t->ring[t->first];
    const struct logline *p = &k->parts;

    memset(l, 0, sizeof(*l));
    l->raw = k->raw;
    l->host = p->host.len > 0 ? p->host : slice_of(t->name[0], t->name_len[0]);
    l->program = p->program.len > 0 || p->host.len > 0 ? p->program : slice_of(t->name[1], t->name_len[1]);
    l->text = p->text;
    l->pid = p->pid;
    l->facility = p->priority >= 0 ? (uint8_t)(p->priority / 8) : LOG_UNKNOWN;
    l->severity = p->priority >= 0 ? (uint8_t)(p->priority % 8) : LOG_UNKNOWN;
    l->stamp_us = p->stamp_us;
    l->at_us = k->at_us;
    l->source = t->source;
}

void track_drop(struct track *t)
{
    t->first = (t->first + 1) % AHEAD;
    t->there--;
    if (t->there > 0)
        t->ring[t->first].at_us = INT64_MIN; /* it is settled once the ring is full again */
}
