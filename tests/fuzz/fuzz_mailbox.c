/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of mail servers, of any bytes: each is inside, none is read twice, and a verdict needs its word. */
#include <assert.h>
#include <string.h>

#include "wire/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size), line;
    size_t used;

    while (mailbox_line(in, &line, &used)) {
        assert(used > 0 && used <= in.len && line.len < used && in.at[used - 1] == '\n');
        assert(line.len == 0 || !memchr(line.at, '\n', line.len));
        if (mailbox_pop3(line) != MAILBOX_NONSENSE)
            assert(line.at[0] == '+' || line.at[0] == '-');
        if (mailbox_imap(line, SLICE("")) != MAILBOX_NONSENSE)
            assert(line.at[0] == '*');
        if (mailbox_imap(line, SLICE("a")) == MAILBOX_OK)
            assert(line.at[0] == 'a');
        in = slice_skip(in, used);
    }
    return 0;
}
