/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sense/log/unknowns.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "journal/folder.h"
#include "sense/log/template.h"
#include "sys/say.h"

enum { FILE_MOST = 16 << 20 };
#define MINUTE_US (60 * (int64_t)1000000)
#define HOUR_US   (60 * MINUTE_US)

static const char file_name[] = "unknown-kinds";

struct unknowns {
    int folder;
    struct unknowns_way way;
    struct templates *kinds;
    int64_t since_us; /* of the numbers below; 0: nothing came yet */
    uint64_t lines, fresh, told;
    uint32_t saved; /* kinds that are in the file */
    int64_t saved_us;
};

static void load(struct unknowns *u)
{
    uint8_t *at = NULL;
    size_t len = 0;
    struct err why = { 0 };

    if (folder_read(u->folder, file_name, FILE_MOST, &at, &len, &why) == 0) {
        struct bytes_in in = { .rest = slice_of(at, len) };

        if (templates_load(u->kinds, &in, &why) < 0)
            say("%s is not taken, kinds of lines are told anew: %s", file_name, why.text);
    } else if (why.code != ENOENT)
        say("%s", why.text);
    free(at);
    u->saved = templates_count(u->kinds);
}

struct unknowns *unknowns_new(int folder, const struct unknowns_way *way, uint64_t seed, struct err *e)
{
    static const struct template_caps caps = { .templates = 8192, .children = 256, .spellings = 8192 };
    struct unknowns *u = calloc(1, sizeof(*u));

    if (!u) {
        (void)err_set(e, ENOMEM, "log: unknown lines");
        return NULL;
    }
    u->folder = folder;
    u->way = *way;
    u->kinds = templates_new(&caps, seed, e);
    if (u->kinds) {
        load(u);
        return u;
    }
    free(u);
    return NULL;
}

void unknowns_save(struct unknowns *u, int64_t now_us)
{
    struct bytes_out out = { 0 };
    struct err why;

    if (templates_count(u->kinds) == u->saved || now_us - u->saved_us < MINUTE_US)
        return;
    templates_save(u->kinds, &out);
    if (!out.bad && folder_replace(u->folder, file_name, 0640, slice_of(out.at, out.len), &why) == 0)
        u->saved = templates_count(u->kinds);
    u->saved_us = now_us; /* a disk that refuses is told by who writes lines */
    bytes_done(&out);
}

void unknowns_free(struct unknowns *u)
{
    if (!u)
        return;
    u->saved_us = 0;
    unknowns_save(u, INT64_MAX);
    templates_free(u->kinds);
    free(u);
}

static void tell_kind(struct unknowns *u, const struct unknown_line *l, uint32_t kind)
{
    struct event ev = event_new(EV_LOG_UNKNOWN);
    char words[160];
    struct text t = TEXT_IN(words);

    ev.src = l->from;
    if (l->host[0])
        event_add_text(&ev, F_NAME, slice_first(slice_text(l->host), 32));
    event_add_number(&ev, F_FLOW, kind);
    text_visible(&t, l->text);
    event_add_words(&ev, F_WHY, words);
    u->way.tell(u->way.ctx, &ev);
    u->told++;
}

static void tell_sum(struct unknowns *u)
{
    struct event ev = event_new(EV_LOG_UNKNOWN_COUNTED);
    char words[120];
    struct text t = TEXT_IN(words);

    event_add_number(&ev, F_COUNT, u->lines);
    event_add_number(&ev, F_SINCE, (uint64_t)u->since_us);
    text_addf(&t, "new kinds: %llu, told one by one: %llu", (unsigned long long)u->fresh, (unsigned long long)u->told);
    event_add_words(&ev, F_WHY, words);
    u->way.tell(u->way.ctx, &ev);
}

void unknowns_tick(struct unknowns *u, int64_t now_us)
{
    if (u->since_us != 0 && now_us - u->since_us < HOUR_US && now_us >= u->since_us)
        return;
    if (u->lines > 0)
        tell_sum(u);
    u->lines = u->fresh = u->told = 0;
    u->since_us = now_us;
}

void unknowns_line(struct unknowns *u, const struct unknown_line *l, uint64_t an_hour)
{
    uint32_t before = templates_count(u->kinds);
    uint32_t kind = templates_learn(u->kinds, l->text);

    if (u->since_us == 0)
        u->since_us = l->at_us;
    u->lines++;
    if (kind <= before)
        return;
    u->fresh++;
    if (u->told < an_hour)
        tell_kind(u, l, kind);
}
