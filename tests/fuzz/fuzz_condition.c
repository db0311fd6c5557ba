/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions of triggers: any bytes are read or refused with words fit for a terminal, and what was read is judged. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "sense/watch/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct values values;
    struct err e = { 0 };
    struct condition *c = condition_read(slice_of(data, size), &e);
    struct reason why;
    enum truth first;

    if (!c) {
        assert(e.text[0]);
        for (const char *at = e.text; *at; at++)
            assert((uint8_t)*at >= 0x20);
        return 0;
    }
    values_forget(&values);
    values_set(&values, "disk.latency", 2.5);
    values_set(&values, "dstate.tasks", 0);
    values_set(&values, "psi.io", (double)NAN);
    first = condition_judge(c, &values, 1000, &why);
    assert(first <= TRUTH_UNKNOWN && why.since_us == 1000);
    assert(why.name[0] == '\0' || values_find(&values, slice_text(why.name)) >= 0);
    assert(condition_judge(c, &values, 1000, NULL) == first); /* looking changes nothing */
    assert(first != TRUTH_YES || condition_still(c, &values, 1000, true) == TRUTH_YES || memmem(data, size, "not", 3));
    condition_reset(c);
    condition_free(c);
    return 0;
}
