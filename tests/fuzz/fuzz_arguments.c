/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command line of any bytes: it grows by nothing, its arguments stay as many, and a named secret is gone. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "wire/arguments.h"

static size_t nuls(const uint8_t *at, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += at[i] == '\0';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char planted[] = "\0--password=Xq7Zq7X";
    size_t more = sizeof(planted); /* with its NUL */
    uint8_t *line = malloc(size + more);
    size_t len;

    if (!line)
        return 0;
    if (size > 0)
        memcpy(line, data, size);
    len = arguments_mask(line, size);
    assert(len <= size);
    assert(nuls(line, len) == nuls(data, size));
    if (size > 0)
        memcpy(line, data, size);
    memcpy(line + size, planted, more);
    len = arguments_mask(line, size + more);
    assert(len < size + more);
    assert(!memmem(line, len, "Xq7Zq7X", 7) || (size > 0 && memmem(data, size, "Xq7", 3)));
    free(line);
    return 0;
}
