/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is memory short?  Are CPUs idle that nobody uses?  What does the picture lack? */
#include <inttypes.h>

#include "view/explain/inner.h"

enum { PRESSED_CENTI = 1000 /* 10 % of the time every task waited for memory */, LITTLE_PERCENT = 4 };

static const struct snap_process *largest(const struct snap *s)
{
    const struct snap_process *most = NULL;

    SNAP_LIST(s, SNAP_PROCESS, struct snap_process, p)
    if (!most || p->rss_kib > most->rss_kib)
        most = p;
    return most;
}

static void prove_largest(struct explain *x, struct finding *f)
{
    const struct snap_process *p = largest(x->s);

    if (p)
        explain_proof(f, "the largest: %s with %" PRIu64 " KiB", words_process(p).text, p->rss_kib);
}

static void tell_killed(struct explain *x)
{
    struct finding *f = NULL;
    size_t killed = 0;
    int64_t age_us = 0;

    SNAP_LIST(x->s, SNAP_KMSG, struct snap_kmsg, k)
    {
        if (k->facility != 0 ||
            (!slice_has(k->text, "Out of memory: Kill") && !slice_has(k->text, "Memory cgroup out of memory: Kill")))
            continue;
        if (!f)
            f = explain_found(x, "memory", GRADE_WARN);
        killed++;
        age_us = age_of(x->s, k->at_us);
        explain_proof(f, "%s  %s", words_at(x->s, k->at_us).text, words_of(k->text).text);
    }
    if (!f)
        return;
    f->grade = age_us > AGE_FRESH_US ? GRADE_NOTE : GRADE_WARN;
    explain_text(f, "The kernel killed %zu process%s for want of memory since the host was started%s", killed,
                 killed == 1 ? "" : "es", words_age(age_us).text);
    explain_next(
        f, "journalctl -k -g 'Out of memory'   shows the kernel's own list; give that service a limit, or more memory");
}

void explain_memory(struct explain *x)
{
    uint64_t all = 0;
    uint64_t left = 0;
    uint64_t pressed = 0;
    bool told = gauge_of(x->s, "memory.MemTotal_kib", &all) && gauge_of(x->s, "memory.MemAvailable_kib", &left);
    struct finding *f;

    (void)gauge_of(x->s, "pressure.memory.full.avg10_centi", &pressed);
    tell_killed(x);
    if ((!told || all == 0 || left > all / 100 * LITTLE_PERCENT) && pressed < PRESSED_CENTI)
        return;
    f = explain_found(x, "memory", pressed >= PRESSED_CENTI ? GRADE_ALARM : GRADE_WARN);
    explain_text(f,
                 "Memory is short: %" PRIu64 " of %" PRIu64 " KiB are left, and everything waited for it %" PRIu64
                 ".%02" PRIu64 " %% of the last ten seconds",
                 left, all, pressed / 100, pressed % 100);
    prove_largest(x, f);
    explain_next(f, "ps -eo pid,rss,args --sort=-rss | head");
}

void explain_cpus(struct explain *x)
{
    const struct snap_host *h = snap_host(x->s);
    struct finding *f;

    if (h->cpus_present <= h->cpus_online || h->cpus_online == 0)
        return;
    f = explain_found(x, "unused_cpu", GRADE_WARN);
    explain_text(f, "%" PRIu64 " of %" PRIu64 " CPUs are not used", h->cpus_present - h->cpus_online, h->cpus_present);
    if (h->command.len > 0)
        explain_proof(f, "the kernel was started with: %s", words_of(h->command).text);
    SNAP_LIST(x->s, SNAP_KMSG, struct snap_kmsg, k)
    if (k->facility == 0 && slice_has(k->text, "NR_CPUS"))
        explain_proof(f, "%s", words_of(k->text).text);
    explain_next(f, "look for nosmp, maxcpus= and nr_cpus= on that line; echo 1 > /sys/devices/system/cpu/cpuN/online "
                    "starts one that was switched off");
}

void explain_notes(struct explain *x)
{
    const struct snap_host *h = snap_host(x->s);
    struct finding *f;

    if (x->s->part[SNAP_NOTE].count == 0)
        return;
    f = explain_found(x, "incomplete", GRADE_NOTE);
    explain_text(f, "This picture lacks something; %" PRIu64 " processes ended while it was taken",
                 h->processes_vanished);
    SNAP_LIST(x->s, SNAP_NOTE, struct snap_note, n)
    explain_proof(f, "%s: %s", words_of(n->part).text, words_of(n->text).text);
}
