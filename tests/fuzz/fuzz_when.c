/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times as people type them: what is read lies where a journal can, and nothing but `at_us` is written. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "view/when.h"

#define NOW 1795372083500000LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t at_us = INT64_MIN;

    if (!when_read(slice_of(data, size), NOW, &at_us)) {
        assert(at_us == INT64_MIN);
        return 0;
    }
    assert(at_us >= -86400 * 1000000LL && at_us < 253402387200LL * 1000000);
    assert(strlen(when_full(at_us).text) == 23);
    assert(strlen(when_near(at_us, NOW).text) >= 8);
    return 0;
}
