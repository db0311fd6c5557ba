/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Did a log fall silent?  Only its own past tells: how often it was written
 * until it was not.  A log that was rotated away is not silent; its lines go
 * elsewhere.
 */
#include <inttypes.h>

#include "base/words.h"
#include "view/explain/inner.h"

enum { LINES_LEAST = 10, GAPS_YOUNG = 25, GAPS_OLD = 100 };
static const int64_t YOUNG_US = 3600000000; /* below that age its past tells little about its nights */
static const int64_t QUIET_YOUNG_US = 2500000;
static const int64_t QUIET_OLD_US = 600000000;

struct silence {
    int64_t quiet_us, gap_us;
};

static bool is_silent(const struct snap *s, const struct snap_log *l, struct silence *is)
{
    int64_t life_us = l->changed_us - l->born_us;
    uint64_t lines = l->line_bytes > 0 ? l->bytes / l->line_bytes : 0;
    bool young = life_us < YOUNG_US;
    int64_t least_us;

    if (l->answer != SNAP_ANSWERED || l->inode != l->inode_now || l->born_us <= 0 || life_us <= 0 ||
        lines < LINES_LEAST || lines > INT64_MAX)
        return false;
    is->gap_us = life_us / (int64_t)lines;
    is->quiet_us = snap_host(s)->begun_us - l->changed_us;
    least_us = is->gap_us * (young ? GAPS_YOUNG : GAPS_OLD);
    if (least_us < (young ? QUIET_YOUNG_US : QUIET_OLD_US))
        least_us = young ? QUIET_YOUNG_US : QUIET_OLD_US;
    return is->quiet_us >= least_us;
}

/* Its writer waits for a disk, or its file system does not answer: then it is no wonder, and no guess. */
static bool is_held_up(struct explain *x, const struct snap_log *l, const struct snap_process *writer)
{
    const struct snap_mount *m = mount_of(x->s, l->path);

    return (writer && writer->waiting > 0) || (m && m->answer == SNAP_SILENT);
}

void explain_log_silence(struct explain *x)
{
    struct finding *f = NULL;
    const struct snap_log *first = NULL;
    size_t count = 0;
    bool held_up = false;

    SNAP_LIST(x->s, SNAP_LOG, struct snap_log, l)
    {
        const struct snap_process *writer = join_process(x->j, l->pid);
        struct silence is;
        char quiet[40];
        char gap[40];
        struct text q = TEXT_IN(quiet);
        struct text g = TEXT_IN(gap);

        if (!writer || !is_silent(x->s, l, &is))
            continue;
        if (!f)
            f = explain_found(x, "log_silence", GRADE_NOTE);
        first = first ? first : l;
        count++;
        text_duration(&q, is.quiet_us);
        text_duration(&g, is.gap_us);
        held_up = held_up || is_held_up(x, l, writer);
        explain_proof(f, "%s: nothing since %s, which is %s; before that a line every %s; %s lives%s",
                      words_of(l->path).text, words_at(x->s, l->changed_us - snap_host(x->s)->booted_us).text, quiet,
                      gap, words_process(writer).text, is_held_up(x, l, writer) ? _(" and waits for the disk") : "");
    }
    if (!f)
        return;
    f->grade = held_up ? GRADE_WARN : GRADE_NOTE;
    f->likely = !held_up;
    explain_text(f, "%zu log%s fell silent while the writer lives%s", count, count == 1 ? "" : "s",
                 held_up ? _(": the disk below holds it up") : _("; it may have nothing to say"));
    explain_next(f, "ls -l --time-style=full-iso %s; strace -p %" PRId64 " -e write   shows whether it still writes",
                 words_of(first->path).text, first->pid);
}
