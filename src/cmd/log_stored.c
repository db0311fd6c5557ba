/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/log_stored.h"

#include "sense/log/lines.h"
#include "sense/log/payload.h"

#define TOGETHER_US (3600 * (int64_t)1000000) /* lines of two hosts may stand so far from their order */

struct reading {
    bool (*seen)(void *own, const struct log_line *l);
    void *own;
    struct log_stored *told;
    int64_t newest_us;
};

static bool give(struct reading *r, struct log_line *line)
{
    log_line_read(line);
    line->source = payload_source(line->way, line->peer);
    if (line->way == LOG_FILE && line->near_us != line->at_us) { /* imported */
        line->at_us = log_line_time(line);
        if (line->at_us < r->newest_us - TOGETHER_US) {
            r->told->left_out++;
            return true;
        }
    }
    r->newest_us = line->at_us > r->newest_us ? line->at_us : r->newest_us;
    return r->seen(r->own, line);
}

int log_stored_read(const char *folder, bool (*seen)(void *own, const struct log_line *l), void *own,
                    struct log_stored *told, struct err *e)
{
    struct reading r = { .seen = seen, .own = own, .told = told };
    struct lines *l = lines_open(folder, e);
    struct lines_room room = { 0 };
    const char *what;
    bool more = l != NULL;

    *told = (struct log_stored){ 0 };
    for (size_t i = 0; more && i < lines_count(l); i++) {
        struct slice payload;
        struct lines_walk w;
        struct log_line line;

        if (lines_load(l, i, &room, &payload, NULL) < 0) {
            told->damaged++;
            continue;
        }
        w = lines_walk(payload, lines_block(l, i)->first_seq);
        while (more && lines_next(&w, &line))
            more = give(&r, &line);
    }
    if (!l)
        return -1;
    if (told->damaged == 0)
        told->damaged = lines_damaged(l, &what);
    lines_room_done(&room);
    lines_close(l);
    return 0;
}
