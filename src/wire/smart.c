/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/smart.h"

enum { NVME_PAGE = 512, WARNING = 0, USED = 5, ATA_DESCRIPTOR = 9, ATA_DESCRIPTOR_LEN = 14 };

bool smart_nvme_read(struct slice page, struct text *health)
{
    static const char *const warnings[] = { "its spare blocks run out", "it is too hot or too cold",
                                            "it makes too many errors", "it is read-only now",
                                            "what it keeps in memory is no longer safe" };
    const char *between = "failing: ";

    if (page.len < NVME_PAGE)
        return false;
    for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
        if (page.at[WARNING] >> i & 1) {
            text_addf(health, "%s%s", between, warnings[i]);
            between = ", ";
        }
    if (between[0] == 'f')
        text_addf(health, "good, %u %% of its life is used", page.at[USED]);
    return true;
}

bool smart_ata_read(struct slice sense, struct text *health)
{
    struct slice rest = slice_skip(sense, 8);

    if (sense.len < 8 || (sense.at[0] & 0x7f) != 0x72)
        return false;
    while (rest.len >= 2) {
        size_t len = (size_t)rest.at[1] + 2;

        if (rest.at[0] == ATA_DESCRIPTOR && len >= ATA_DESCRIPTOR_LEN && rest.len >= ATA_DESCRIPTOR_LEN) {
            uint8_t middle = rest.at[9];
            uint8_t high = rest.at[11];

            if (middle == 0x4f && high == 0xc2)
                text_word(health, "good");
            else if (middle == 0xf4 && high == 0x2c)
                text_word(health, "failing: it passed a threshold of its maker");
            return health->len > 0;
        }
        rest = slice_skip(rest, len);
    }
    return false;
}
