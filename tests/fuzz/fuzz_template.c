/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masks and templates: bounded whatever comes, no mark but ours, and the same message has the same template. */
#include <stdlib.h>
#include <string.h>

#include "sense/log/mask.h"
#include "sense/log/template.h"

#define MUST(so)                                                                                                       \
    do                                                                                                                 \
        if (!(so))                                                                                                     \
            abort();                                                                                                   \
    while (0)

static void check_mask(struct slice line)
{
    struct masked m;
    size_t words = m.len = 0;

    mask_message(line, &m);
    MUST(m.len <= sizeof(m.text) && m.words <= TEMPLATE_WORDS);
    for (size_t i = 0; i < m.len; i++) {
        MUST((uint8_t)m.text[i] >= ' ' || m.text[i] == TEMPLATE_MARK);
        words += m.text[i] != ' ' && (i == 0 || m.text[i - 1] == ' ');
    }
    MUST(words == m.words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct template_caps caps = { .templates = 8, .children = 4, .spellings = 4 };
    struct slice rest = slice_of(data, size);
    struct templates *t = templates_new(&caps, 1, NULL);

    MUST(t);
    while (rest.len > 0) {
        struct slice line = slice_until(rest, '\n', &rest);
        uint32_t id = templates_learn(t, line);
        uint64_t lines;

        check_mask(line);
        MUST(id <= templates_count(t) && templates_count(t) <= caps.templates);
        MUST(templates_learn(t, line) == id);
        MUST(id == 0 || template_words(t, id, &lines).len <= TEMPLATE_BYTES);
    }
    templates_free(t);
    return 0;
}
