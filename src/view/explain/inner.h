/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner - what explainers are written with.
 */
#ifndef SERVIOLA_VIEW_EXPLAIN_INNER_H
#define SERVIOLA_VIEW_EXPLAIN_INNER_H
#include "base/text.h"
#include "snap/join.h"
#include "view/explain/explain.h"

struct explain {
    const struct snap *s;
    const struct join *j;
    struct findings *to;
};

/* Always a finding to write into: when there is no room it is one that nobody reads. */
struct finding *explain_found(struct explain *x, const char *id, enum grade grade);
void explain_text(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void explain_proof(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void explain_next(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct words {
    char text[240];
};
struct words words_of(struct slice s);                       /* escaped, cut with dots when it is long */
struct words words_of_program(const struct snap_process *p); /* "smtp-front": the script, not its interpreter */
struct words words_process(const struct snap_process *p);    /* "smtp-front (pid 12)"; NULL: "a process that is gone" */
struct words words_args(const struct snap_process *p);       /* the command line, blanks between */
struct words words_at(const struct snap *s, int64_t at_us);  /* wall time of a moment since boot */
/* How long before the picture; at_us is since boot. */
int64_t age_of(const struct snap *s, int64_t at_us);
/* What the kernel said long ago is no alarm now: a warning, and after a day a note. */
static const int64_t AGE_FRESH_US = 600 * INT64_C(1000000);
static const int64_t AGE_PAST_US = 86400 * INT64_C(1000000);
enum grade grade_by_age(int64_t age_us, enum grade fresh);
struct words words_age(int64_t age_us); /* "; the last of it 2 h before this picture"; empty while it is fresh */
struct slice program_of(const struct snap_process *p); /* the same as words_of_program, unescaped */
/* The same, also for a worker that wrote over its command line: the script of the one that forked it. */
struct slice program_in(const struct join *j, const struct snap_process *p);
struct slice file_name(struct slice path); /* behind the last '/', without " (deleted)" */
bool is_interpreter(struct slice name);

bool slice_has(struct slice s, const char *part);
bool slice_begins(struct slice s, const char *with);
bool gauge_of(const struct snap *s, const char *name, uint64_t *value);
/* The mount on which a path lies; NULL when no path is known. */
const struct snap_mount *mount_of(const struct snap *s, struct slice path);

void explain_loop(struct explain *x);
void explain_full_house(struct explain *x);
void explain_worm(struct explain *x);
void explain_waiting(struct explain *x);
void explain_disk_log(struct explain *x);
void explain_space(struct explain *x);
void explain_read_only(struct explain *x);
void explain_images(struct explain *x);
void explain_disguise(struct explain *x);
void explain_hidden(struct explain *x);
void explain_memory(struct explain *x);
void explain_cpus(struct explain *x);
void explain_raid(struct explain *x);
void explain_log_silence(struct explain *x);
void explain_hidden_ports(struct explain *x);
void explain_exposed(struct explain *x);
void explain_promiscuous(struct explain *x);
void explain_dns(struct explain *x);
void explain_accounts(struct explain *x);
void explain_clock(struct explain *x);
void explain_packages(struct explain *x);
void explain_notes(struct explain *x);
void explain_by_past(struct explain *x, const struct explain_past *past); /* after all of them */
#endif
