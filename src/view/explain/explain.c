/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/explain/explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "view/explain/inner.h"
#include "view/paint.h"

const struct finding_kind finding_kinds[] = {
    { "self_loop", N_("a server here calls itself, again and again") },
    { "full_house", N_("a listening socket takes no more connections, and who holds the places") },
    { "stuck_disk", N_("processes wait for a disk or file system that does not answer") },
    { "frozen_fs", N_("processes wait for a file system that was frozen (fsfreeze, a backup, a snapshot)") },
    { "failing_disk", N_("the kernel's log speaks of a failing disk, controller, array or file system") },
    { "full_disk", N_("a file system has no room, or no inodes, left") },
    { "deleted_executable", N_("a program runs whose file was removed") },
    { "upgraded_executable", N_("a program runs whose file was replaced: restart it") },
    { "memfd_executable", N_("a program runs that never was a file") },
    { "kernel_thread_impostor", N_("a program calls itself like a thread of the kernel") },
    { "false_name", N_("a program calls itself like a well-known server, and is another file") },
    { "hidden_process", N_("a process lives that /proc does not show") },
    { "hidden_name", N_("a name that wants to be overlooked, or a file in /dev") },
    { "worm", N_("a process opens connections to many mail servers") },
    { "memory", N_("memory is short, or processes were killed for want of it") },
    { "read_only_by_error", N_("a file system was made read-only by errors") },
    { "read_only_by_hand", N_("a file system was made read-only, and no error led to it") },
    { "unused_cpu", N_("CPUs are there that the kernel does not use") },
    { "hidden_port", N_("a port is in use that one of the kernel's lists does not show") },
    { "clock_jump", N_("the clock was moved, or does not agree with the hardware's") },
    { "dns_broken", N_("the name servers of this host can't answer") },
    { "log_silence", N_("a log is no longer written while its writer lives; rotation is none") },
    { "exposed_service", N_("an inner service listens to the whole world") },
    { "stolen_account", N_("somebody guessed a password, and then logged in") },
    { "promiscuous", N_("an interface takes every packet on its cable") },
    { "changed_package", N_("files are not as their packages, or a healthy twin, have them") },
    { "incomplete", N_("what this picture lacks, and why") },
    { NULL, NULL },
};

static void (*const explainers[])(struct explain *x) = {
    explain_loop,      explain_full_house,  explain_worm,         explain_waiting, explain_disk_log,    explain_space,
    explain_read_only, explain_images,      explain_disguise,     explain_hidden,  explain_memory,      explain_cpus,
    explain_raid,      explain_log_silence, explain_hidden_ports, explain_exposed, explain_promiscuous, explain_dns,
    explain_accounts,  explain_clock,       explain_packages,     explain_notes,
};

struct finding *explain_found(struct explain *x, const char *id, enum grade grade)
{
    static struct finding nobody_reads;
    struct finding *f = &nobody_reads;

    if (x->to->count < FINDINGS_MOST)
        f = &x->to->at[x->to->count++];
    else
        x->to->more++;
    memset(f, 0, sizeof(*f));
    f->id = id;
    f->grade = grade;
    return f;
}

__attribute__((format(printf, 3, 0))) static void write_words(char *to, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(to, size, _(format), args);

    if (n >= (int)size)
        memcpy(to + size - 4, "...", 4);
}

void explain_text(struct finding *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_words(f->text, sizeof(f->text), format, args);
    va_end(args);
}

void explain_proof(struct finding *f, const char *format, ...)
{
    va_list args;

    if (f->proofs == FINDING_PROOFS) {
        f->proofs_more++;
        return;
    }
    va_start(args, format);
    write_words(f->proof[f->proofs++], sizeof(f->proof[0]), format, args);
    va_end(args);
}

void explain_next(struct finding *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_words(f->next, sizeof(f->next), format, args);
    va_end(args);
}

static int gravest_first(const void *a, const void *b)
{
    const struct finding *x = *(const struct finding *const *)a;
    const struct finding *y = *(const struct finding *const *)b;

    if (x->grade != y->grade)
        return x->grade > y->grade ? -1 : 1;
    return x < y ? -1 : x > y; /* else as they were found */
}

static struct findings *in_order(struct findings *f)
{
    struct findings *sorted = calloc(1, sizeof(*sorted));
    const struct finding *order[FINDINGS_MOST];

    if (!sorted)
        return f;
    for (size_t i = 0; i < f->count; i++)
        order[i] = &f->at[i];
    if (f->count > 0)
        qsort(order, f->count, sizeof(order[0]), gravest_first);
    for (size_t i = 0; i < f->count; i++)
        sorted->at[i] = *order[i];
    sorted->count = f->count;
    sorted->more = f->more;
    free(f);
    return sorted;
}

struct findings *explain(const struct snap *s, struct err *e)
{
    return explain_with(s, NULL, e);
}

struct findings *explain_with(const struct snap *s, const struct explain_past *past, struct err *e)
{
    struct join *j = join_new(s, e);
    struct explain x = { .s = s, .j = j, .to = calloc(1, sizeof(struct findings)) };

    if (!j || !x.to) {
        err_set(e, ENOMEM, "to explain");
        join_free(j);
        free(x.to);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(explainers) / sizeof(explainers[0]); i++)
        explainers[i](&x);
    if (past)
        explain_by_past(&x, past);
    join_free(j);
    return in_order(x.to);
}

static const char *grade_word(enum grade g)
{
    return g == GRADE_ALARM ? "ALARM" : g == GRADE_WARN ? "WARN" : "note";
}

void findings_print(const struct findings *f, FILE *to, bool colour)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *at = &f->at[i];

        (void)fprintf(to, "%s%-5s%s  %s%s  [%s]\n", paint_on(colour, paint_of(at->grade)), grade_word(at->grade),
                      paint_off(colour), at->likely ? "(likely) " : "", at->text, at->id);
        for (unsigned p = 0; p < at->proofs; p++)
            (void)fprintf(to, "         %s\n", at->proof[p]);
        if (at->proofs_more > 0)
            (void)fprintf(to, "         and %u more\n", at->proofs_more);
        if (at->next[0])
            (void)fprintf(to, "       > %s\n", at->next);
    }
    if (f->more > 0)
        (void)fprintf(to, "and %zu more findings\n", f->more);
}

static void json_string(FILE *to, const char *words)
{
    char escaped[6 * 900 + 1];
    struct text t = TEXT_IN(escaped);

    text_json(&t, slice_text(words));
    (void)fprintf(to, "\"%s\"", escaped);
}

void findings_json(const struct findings *f, FILE *to)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *at = &f->at[i];

        (void)fprintf(to, "{\"finding\":\"%s\",\"grade\":\"%s\",\"text\":", at->id,
                      at->grade == GRADE_ALARM  ? "alarm"
                      : at->grade == GRADE_WARN ? "warn"
                                                : "note");
        json_string(to, at->text);
        (void)fputs(",\"proof\":[", to);
        for (unsigned p = 0; p < at->proofs; p++) {
            (void)fputs(p ? "," : "", to);
            json_string(to, at->proof[p]);
        }
        (void)fputs("],\"next\":", to);
        json_string(to, at->next);
        (void)fprintf(to, ",\"proof_more\":%u,\"sure\":\"%s\"}\n", at->proofs_more, at->likely ? "likely" : "certain");
    }
}
