/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/blocks.h"

#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "view/number.h"
#include "view/paint.h"
#include "view/when.h"

static int address_width(const struct ctl_entry *entries, size_t count)
{
    int width = 7;

    for (size_t i = 0; i < count; i++) {
        int len = (int)strlen(addr_ip_text(entries[i].who).text);

        width = len > width ? len : width;
    }
    return width;
}

void blocks_print(const struct ctl_entry *entries, size_t count, int64_t now_us, FILE *to, bool colour)
{
    int width = address_width(entries, count);

    if (count == 0) {
        (void)fputs(_("Nobody is blocked.\n"), to);
        return;
    }
    (void)fprintf(to, "%s%-*s  %-19s  %-13s  %10s  %12s  %s%s\n", paint_on(colour, PAINT_BOLD), width, _("HOST"),
                  _("SINCE"), _("LEFT"), _("PACKETS"), _("BYTES"), _("EVENT"), paint_off(colour));
    for (size_t i = 0; i < count; i++) {
        const struct ctl_entry *e = &entries[i];

        (void)fprintf(to, "%-*s  %-19s  %-13s  %10s  %12s  #%llu\n", width, addr_ip_text(e->who).text,
                      when_near(e->since_us, now_us).text, when_long(e->until_us - now_us).text,
                      number_words(e->packets).text, number_words(e->bytes).text, (unsigned long long)e->cause);
    }
    (void)fprintf(to,
                  words_many("%s host blocked; serviola why HOST says why, serviola unblock HOST lifts it\n",
                             "%s hosts blocked; serviola why HOST says why, serviola unblock HOST lifts it\n", count),
                  number_words(count).text);
}

void blocks_json(const struct ctl_entry *entry, int64_t now_us, FILE *to)
{
    char line[512];
    struct text t = TEXT_IN(line);

    text_addf(&t, "{\"host\":\"%s\",\"event\":%llu,\"since\":\"", addr_ip_text(entry->who).text,
              (unsigned long long)entry->cause);
    text_time(&t, entry->since_us, 6);
    text_word(&t, "\",\"until\":\"");
    text_time(&t, entry->until_us, 6);
    text_addf(&t, "\",\"left_us\":%lld,\"packets\":%llu,\"bytes\":%llu}", (long long)(entry->until_us - now_us),
              (unsigned long long)entry->packets, (unsigned long long)entry->bytes);
    (void)fprintf(to, "%s\n", line);
}
