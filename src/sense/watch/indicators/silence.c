/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logs that have gone silent.  How long a log is quiet differs from log to
 * log, so each one's longest pauses are learned: overdue 1 is as long as the
 * longest of its last 64 pauses.  A log that was rotated is not silent.
 */
#include <linux/capability.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sense/watch/lookout.h"
#include "sense/watch/indicator.h"

enum { PAUSES = 64, LEAST_PAUSES = 8 };
#define LEAST_S 60.0 /* no log is missed sooner than this */

struct seen {
    bool there;
    uint64_t inode, size;
};
struct answer {
    struct seen at[WATCH_LOGS];
};

struct own {
    struct lookout *lookout;
    uint32_t count;
    char names[WATCH_LOGS][KEY_NAME_LEN];
    char files[WATCH_LOGS][WATCH_PATH];
    struct {
        struct seen last;
        int64_t grown_us; /* boot clock; 0: not seen to grow yet */
        double pauses[PAUSES];
        uint32_t count;
    } at[WATCH_LOGS];
};

static void look(void *ctx, void *answer)
{
    const struct own *own = ctx;
    struct answer *a = answer;

    for (uint32_t i = 0; i < own->count; i++) {
        struct stat st;

        a->at[i].there = stat(own->files[i], &st) == 0;
        a->at[i].inode = a->at[i].there ? st.st_ino : 0;
        a->at[i].size = a->at[i].there ? (uint64_t)st.st_size : 0;
    }
}

static int open_it(const struct watch_world *w, void **own_, struct err *e)
{
    static const char *const nothing[] = { NULL }; /* to see a file's size needs no right to read it, */
    struct own *own;                               /* but to pass the folders above it may */
    struct lookout_job job = { .name = "logs",
                               .user = w->user,
                               .keep_caps = w->user ? 1ull << CAP_DAC_READ_SEARCH : 0,
                               .read_only = nothing,
                               .work = look,
                               .answer_bytes = sizeof(struct answer) };

    if (w->settings->logs_count == 0)
        return 0;
    own = calloc(1, sizeof(*own));
    if (!own)
        return err_set(e, 0, "no memory");
    *own_ = own;
    for (; own->count < w->settings->logs_count && own->count < WATCH_LOGS; own->count++) {
        memcpy(own->names[own->count], w->settings->logs[own->count].name, KEY_NAME_LEN);
        memcpy(own->files[own->count], w->settings->logs[own->count].file, WATCH_PATH);
    }
    job.ctx = own;
    own->lookout = lookout_new(&job, e);
    return own->lookout ? 0 : -1;
}

static void close_it(void *own_)
{
    struct own *own = own_;

    if (own)
        lookout_free(own->lookout);
    free(own);
}

static void heard(struct own *own, uint32_t i, const struct seen *now, int64_t mono_us)
{
    bool grew = now->there && (now->inode != own->at[i].last.inode || now->size != own->at[i].last.size);

    if (grew && own->at[i].grown_us > 0)
        own->at[i].pauses[own->at[i].count++ % PAUSES] = (double)(mono_us - own->at[i].grown_us) / 1e6;
    if (grew || own->at[i].grown_us == 0)
        own->at[i].grown_us = mono_us;
    own->at[i].last = *now;
}

static double usual(const struct own *own, uint32_t i)
{
    double longest = LEAST_S;

    for (uint32_t k = 0; k < own->at[i].count && k < PAUSES; k++)
        longest = fmax(longest, own->at[i].pauses[k]);
    return longest;
}

static void sample(void *own_, const struct watch_world *w, const struct facts *f, struct values *out)
{
    struct own *own = own_;
    const struct answer *a = own ? lookout_answer(own->lookout) : NULL;

    (void)w;
    if (!own)
        return;
    for (uint32_t i = 0; i < own->count; i++) {
        double silent;

        if (a)
            heard(own, i, &a->at[i], f->mono_us);
        if (own->at[i].grown_us == 0)
            continue;
        silent = (double)(f->mono_us - own->at[i].grown_us) / 1e6;
        (void)values_setf(out, silent, "log.%s.silent", own->names[i]);
        (void)values_setf(out, own->at[i].last.there, "log.%s.there", own->names[i]);
        if (own->at[i].count >= LEAST_PAUSES)
            (void)values_setf(out, silent / usual(own, i), "log.%s.overdue", own->names[i]);
    }
    lookout_ask(own->lookout, f->mono_us);
}

static const struct indicator_help values[] = {
    { "log.NAME.silent", "s", "since when a log of `logs` has not grown" },
    { "log.NAME.overdue", "", "the same as a multiple of the longest of its last 64 pauses (a minute at least)" },
    { "log.NAME.there", "", "1: the file is there" },
    { NULL, NULL, NULL },
};

const struct indicator indicator_silence = { "silence", values, open_it, sample, close_it };
