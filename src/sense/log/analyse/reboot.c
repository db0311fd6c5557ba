/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Was a host shut down before it booted?  And did the kernel have to kill for memory? */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "sense/log/analyse/inner.h"

#define SAME_BOOT_US (2 * MINUTE_US)
#define SHUTDOWN_US  (30 * MINUTE_US) /* so long before the boot it may have been ordered */

void reboot_line(struct analysis *a, struct reading *r)
{
    struct log_host *h = r->host;
    bool clean = h->halted_us != 0 && r->at_us - h->halted_us < SHUTDOWN_US && h->halted_us > h->booted_us;
    struct log_finding f;

    if (r->kind.marks & KIND_SHUTDOWN) {
        h->halted_us = r->at_us;
        return;
    }
    if (h->booted_us != 0 && r->at_us - h->booted_us < SAME_BOOT_US)
        return;
    h->booted_us = r->at_us;
    f = finding_of(a, clean ? "reboot" : "reboot_unclean", clean ? GRADE_NOTE : GRADE_ALARM, h->id);
    f.from_us = clean ? h->halted_us : r->at_us;
    f.to_us = r->at_us;
    if (clean)
        finding_text(&f, _("%s was shut down at %s and booted at %s"), shown_host(a, h->id).text,
                     shown_time(h->halted_us).text, shown_time(r->at_us).text);
    else
        finding_text(&f, _("%s booted at %s without having been shut down"), shown_host(a, h->id).text,
                     shown_time(r->at_us).text);
    finding_proof(&f, "%s", shown(r->text).text);
    if (!clean)
        finding_next(&f, _("serviola log new --host %s --since %s: what was never logged before"),
                     shown_host(a, h->id).text, shown_time(r->at_us).text);
    finding_tell(a, &f, (uint64_t)r->at_us);
}

void oom_line(struct analysis *a, struct reading *r)
{
    struct log_finding f = finding_of(a, "out_of_memory", GRADE_ALARM, r->host->id);

    f.from_us = f.to_us = r->at_us;
    f.count = 1;
    finding_text(&f, _("%s ran out of memory at %s"), shown_host(a, r->host->id).text, shown_time(r->at_us).text);
    finding_proof(&f, "%s", shown(r->text).text);
    finding_tell(a, &f, (uint64_t)r->at_us / HOUR_US); /* what an oom-killer says in an hour is one matter */
}
