/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/analyst.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/text.h"
#include "journal/crc32c.h"
#include "journal/folder.h"
#include "sense/log/analyse/analyse.h"
#include "sys/say.h"

enum {
    MATTERS = 16384, /* told ones that are remembered; the oldest leaves */
    WORDS_MOST = 8,  /* how often the words of one matter may change */
    PROOFS_MOST = 3,
    A_MINUTE = 60, /* findings that are no alarms */
    HEAD = 32,     /* of a memory file: magic, number of the newest line in it, sum */
    MEMORY_MOST = 512 << 20,
};
#define MINUTE_US (60 * (int64_t)1000000)
#define SAVE_US   (30 * MINUTE_US)

static const char magic[17] = "serviola live 1\n";
static const char *const files[2] = { "analysis-0", "analysis-1" };

struct matter {
    uint64_t words; /* hash of the last text */
    uint8_t grade, phase, times;
};

struct analyst {
    struct live *live;
    struct analysis *analysis;
    struct table *matters;   /* uint64_t key -> struct matter */
    struct table *addresses; /* uint64_t hash of a host's name -> struct addr it sends from */
    uint64_t seed;

    uint64_t seq;      /* read up to here */
    int64_t now_us;    /* as told by lines and ticks */
    int64_t known_us;  /* lines up to then were learned from elsewhere */
    uint64_t saved[2]; /* numbers in the two files; 0: none */
    int64_t saved_us;
    bool again; /* what is found now was told in an earlier life */

    int64_t minute; /* this one, and what was told in it */
    uint64_t in_minute, kept_back;
};

/* ---- telling ---- */

static void send(struct analyst *w, struct event *ev, const struct log_finding *f)
{
    uint64_t name = hash_bytes(f->host, strlen(f->host), w->seed);
    const struct addr *from = f->host[0] ? table_find(w->addresses, &name) : NULL;

    if (from)
        ev->src = *from;
    live_event(w->live, ev);
}

static void tell(struct analyst *w, const struct log_finding *f)
{
    struct event ev = log_finding_event(f);

    send(w, &ev, f);
    for (unsigned i = 0; i < f->proofs && i < PROOFS_MOST; i++) {
        ev = event_new(EV_LOG_PROOF);
        if (f->host[0])
            event_add_text(&ev, F_NAME, slice_first(slice_text(f->host), 32));
        event_add_number(&ev, F_FLOW, f->key);
        event_add_words(&ev, F_PROOF, f->proof[i]);
        send(w, &ev, f);
    }
}

/* Many at once that are no alarms: their number is told instead. */
static bool is_too_much(struct analyst *w, const struct log_finding *f)
{
    if (f->grade == GRADE_ALARM || ++w->in_minute <= A_MINUTE)
        return false;
    w->kept_back++;
    return true;
}

static void end_minute(struct analyst *w)
{
    struct log_finding f = { .id = "more", .grade = GRADE_WARN, .phase = LOG_NOW, .key = (uint64_t)w->now_us };

    if (w->now_us / MINUTE_US == w->minute)
        return;
    f.from_us = w->minute * MINUTE_US;
    f.count = w->kept_back;
    w->minute = w->now_us / MINUTE_US;
    w->in_minute = w->kept_back = 0;
    if (f.count > 0)
        tell(w, &f);
}

/* True: this was not said before, or not in these words. */
static bool is_news(struct analyst *w, const struct log_finding *f)
{
    struct matter *m = table_add(w->matters, &f->key, NULL, NULL, NULL);
    struct matter was = *m;
    bool fresh = was.times == 0;

    m->words = hash_bytes(f->text, strlen(f->text), w->seed);
    m->grade = (uint8_t)f->grade;
    m->phase = (uint8_t)f->phase;
    if (!fresh && f->phase == LOG_ENDED)
        return was.phase != LOG_ENDED;
    if (!fresh && m->grade <= was.grade && (m->words == was.words || was.times >= WORDS_MOST)) {
        m->grade = was.grade;
        return was.phase == LOG_ENDED;
    }
    m->times = (uint8_t)(was.times < UINT8_MAX ? was.times + 1 : was.times);
    return true;
}

static void on_found(void *own, const struct log_finding *f)
{
    struct analyst *w = own;

    if (is_news(w, f) && !w->again && !is_too_much(w, f))
        tell(w, f);
}

/* ---- what was learned ---- */

static uint64_t head_seq(struct slice file)
{
    struct bytes_in in = { .rest = file };
    uint64_t seq;

    if (file.len < HEAD || memcmp(file.at, magic, 16) != 0)
        return 0;
    in.rest = slice_skip(file, 16);
    seq = bytes_get(&in, 8);
    return bytes_get(&in, 4) == crc32c(0, file.at, 24) ? seq : 0;
}

static int save_one(struct analyst *w, size_t i, struct err *e)
{
    struct bytes_out to = { 0 };
    int result = -1;

    for (size_t n = 0; n < 16; n++)
        bytes_put(&to, (uint8_t)magic[n], 1);
    bytes_put(&to, w->seq, 8);
    bytes_put(&to, to.bad ? 0 : crc32c(0, to.at, 24), 4);
    bytes_put(&to, 0, 4);
    if (analysis_save(w->analysis, &to, e) == 0)
        result = folder_replace(live_folder(w->live), files[i], 0640, slice_of(to.at, to.len), e);
    bytes_done(&to);
    if (result == 0)
        w->saved[i] = w->seq;
    return result;
}

/* Over the older of the two; both: nothing before this moment shall come again. */
static void save(struct analyst *w, bool both)
{
    size_t older = w->saved[0] > w->saved[1];
    struct err e;

    w->saved_us = w->now_us;
    if (w->seq == 0 || (w->seq == w->saved[!older] && !both))
        return;
    if (save_one(w, older, &e) < 0 || (both && save_one(w, !older, &e) < 0))
        say("what the analysis has learned can't be kept: %s", e.text);
}

static int load_one(struct analyst *w, const char *name, bool headed, struct err *e)
{
    uint8_t *at;
    size_t len;
    struct slice file;
    int result;

    if (folder_read(live_folder(w->live), name, MEMORY_MOST, &at, &len, e) < 0)
        return -1;
    file = slice_of(at, len);
    w->seq = headed ? head_seq(file) : 0;
    result = headed && w->seq == 0 ? err_set(e, 0, "it is damaged")
                                   : analysis_load(w->analysis, headed ? slice_skip(file, HEAD) : file, e);
    free(at);
    return result;
}

static uint64_t number_in(const struct analyst *w, const char *name)
{
    uint8_t *at;
    size_t len;
    uint64_t seq;

    if (folder_read(live_folder(w->live), name, MEMORY_MOST, &at, &len, NULL) < 0)
        return 0;
    seq = head_seq(slice_of(at, len));
    free(at);
    return seq;
}

static struct analysis *blank(struct analyst *w, const struct log_analyse *s, struct err *e)
{
    const uint64_t usual = 128 << 20;
    struct analysis_caps caps = analysis_usual;
    struct analysis *a;

    caps.hosts = (uint32_t)(caps.hosts * s->memory_bytes / usual);
    caps.programs = (uint32_t)(caps.programs * s->memory_bytes / usual);
    caps.streams = (uint32_t)(caps.streams * s->memory_bytes / usual);
    caps.patterns = (uint32_t)(caps.patterns * s->memory_bytes / usual);
    caps.messages = (uint32_t)(caps.messages * s->memory_bytes / usual);
    a = analysis_new(&caps, w->seed, on_found, w, e);
    for (uint32_t i = 0; a && i < s->own.count; i++)
        if (analysis_own(a, s->own.at[i], e) < 0) {
            analysis_free(a);
            return NULL;
        }
    return a;
}

/* The older one of the two that is sound; else what was learned elsewhere; else nothing. */
static int load(struct analyst *w, const struct log_analyse *s, struct err *e)
{
    const char *order[3] = { files[0], files[1], "learned" };

    for (size_t i = 0; i < 2; i++)
        w->saved[i] = number_in(w, files[i]);
    if (w->saved[0] > w->saved[1] && w->saved[1] > 0) {
        order[0] = files[1];
        order[1] = files[0];
    }
    for (size_t i = 0; i < 3; i++) {
        struct err why;

        w->analysis = blank(w, s, e);
        if (!w->analysis)
            return -1;
        if (load_one(w, order[i], i < 2, &why) == 0) {
            w->now_us = analysis_until(w->analysis);
            w->known_us = i < 2 ? 0 : w->now_us;
            return 0;
        }
        if (why.code != ENOENT)
            say("what the analysis had learned is left aside: %s: %s", order[i], why.text);
        analysis_free(w->analysis);
    }
    w->seq = 0;
    w->analysis = blank(w, s, e);
    return w->analysis ? 0 : -1;
}

/* ---- the reader ---- */

static uint64_t after(void *own)
{
    return ((const struct analyst *)own)->seq;
}

static void learn_address(struct analyst *w, const struct log_line *l)
{
    struct addr from = live_sender(l);
    char words[80];
    struct text t = TEXT_IN(words);
    uint64_t name;

    if (l->host.len == 0 || from.family == 0)
        return;
    text_visible(&t, l->host);
    name = hash_bytes(words, t.len, w->seed);
    *(struct addr *)table_add(w->addresses, &name, NULL, NULL, NULL) = from;
}

static void on_line(void *own, const struct log_line *l, bool again)
{
    struct analyst *w = own;

    w->seq = l->seq;
    if (l->at_us <= w->known_us) /* only of a memory that was learned elsewhere */
        return;
    w->again = again;
    w->now_us = l->at_us > w->now_us ? l->at_us : w->now_us;
    learn_address(w, l);
    analyse_line(w->analysis, l);
}

static void on_tick(void *own, int64_t now_us, bool again)
{
    struct analyst *w = own;

    w->again = again;
    w->now_us = now_us > w->now_us ? now_us : w->now_us;
    analyse_tick(w->analysis, now_us);
    if (again)
        return;
    end_minute(w);
    if (w->saved_us == 0)
        w->saved_us = w->now_us;
    if (w->now_us - w->saved_us >= SAVE_US)
        save(w, false);
}

static void on_down(void *own, int64_t from_us, int64_t to_us)
{
    struct analyst *w = own;

    w->again = false;
    if (from_us < w->now_us) /* it was learned elsewhere what was then */
        from_us = w->now_us;
    if (from_us >= to_us)
        return;
    analyse_down(w->analysis, from_us, to_us);
    w->now_us = to_us;
    save(w, true);
}

static void on_end(void *own)
{
    struct analyst *w = own;

    analysis_free(w->analysis);
    table_free(w->matters);
    table_free(w->addresses);
    free(w);
}

int analyst_add(struct live *l, const struct log_analyse *s, struct err *e)
{
    struct live_reader reader = {
        .name = "analysis", .after = after, .line = on_line, .tick = on_tick, .down = on_down, .end = on_end
    };
    struct analyst *w = calloc(1, sizeof(*w));

    if (!w || getrandom(&w->seed, sizeof(w->seed), 0) != (ssize_t)sizeof(w->seed)) {
        free(w);
        return err_set(e, errno, "log: the analysis");
    }
    w->live = l;
    w->matters = table_new(MATTERS, sizeof(uint64_t), sizeof(struct matter), w->seed, e);
    w->addresses = table_new(analysis_usual.hosts, sizeof(uint64_t), sizeof(struct addr), w->seed, e);
    reader.own = w;
    if (w->matters && w->addresses && load(w, s, e) == 0 && live_add(l, &reader, e) == 0)
        return 0;
    on_end(w);
    return -1;
}
