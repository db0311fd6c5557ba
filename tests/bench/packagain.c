/* SPDX-License-Identifier: GPL-3.0-or-later */
/* packagain - packs all sealed segments of the stores of lines again, as serviola does a day later: packagain
 * columns|plain STORE...  Prints the CPU seconds it took. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "journal/feed.h"
#include "sense/log/shelf.h"
#include "sys/clock.h"

static int pack_store(const char *folder, struct shelf_how *how, struct err *e)
{
    const struct feed_kind kind = {
        .content = SEG_LINES, .pack = shelf_pack, .pack_again = shelf_pack_again, .own = how
    };
    const struct journal_limits limits = journal_default_limits();
    struct journal_opened found;
    struct journal *j = feed_open(folder, &limits, &kind, clock_wall_us(), &found, e);
    uint64_t segment = 0;
    int result = j ? 1 : -1;

    while (result == 1)
        result = feed_pack_again(j, &segment, INT64_MAX, clock_wall_us(), e);
    journal_close(j);
    return result;
}

int main(int argc, char **argv)
{
    struct shelf_how how = { .level = 1, .columns = argc > 1 && strcmp(argv[1], "columns") == 0 };
    clock_t from = clock();

    for (int i = 2; i < argc; i++) {
        struct err e = { 0 };

        if (pack_store(argv[i], &how, &e) < 0) {
            (void)fprintf(stderr, "%s: %s\n", argv[i], e.text);
            return 1;
        }
    }
    (void)printf("%.3f\n", (double)(clock() - from) / CLOCKS_PER_SEC);
    return 0;
}
