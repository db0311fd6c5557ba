/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/words.h"

#include <libintl.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN "serviola"

static bool off = true; /* written while one thread runs */

/* The language that the environment asks for, in the order of setlocale(3); NULL for English. */
static const char *asked_language(void)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);

        if (value && value[0] != '\0')
            return strcmp(value, "C") == 0 || strcmp(value, "POSIX") == 0 || strncmp(value, "C.", 2) == 0 ? NULL
                                                                                                          : value;
    }
    return NULL;
}

/*
 * Servers often have no locale but C and C.UTF-8 installed, and then LANG=es
 * is refused by setlocale.  A catalogue needs none: with any locale that is
 * not C, gettext goes by LANGUAGE.  Only messages change: numbers are printed
 * and read the same everywhere.
 */
void words_start(const char *folder)
{
    const char *language = asked_language();

    if (!language)
        return;
    if (!setlocale(LC_MESSAGES, "") && setlocale(LC_MESSAGES, "C.UTF-8") && !getenv("LANGUAGE"))
        (void)setenv("LANGUAGE", language, 0);
    (void)bindtextdomain(DOMAIN, folder ? folder : SERVIOLA_LOCALES);
    (void)bind_textdomain_codeset(DOMAIN, "UTF-8");
    off = false;
    (void)words_in("a host was blocked"); /* the catalogue is read now: later there may be a jail around us */
}

void words_off(void)
{
    off = true;
    (void)setlocale(LC_MESSAGES, "C"); /* strerror(3) speaks for the C library */
}

const char *words_in(const char *english)
{
    return off || english[0] == '\0' ? english : dgettext(DOMAIN, english);
}

const char *words_many(const char *one, const char *more, uint64_t n)
{
    if (off)
        return n == 1 ? one : more;
    /* Languages that count look at the last digits: these fit into a long anywhere. */
    return dngettext(DOMAIN, one, more, n < 1000000 ? (unsigned long)n : (unsigned long)(n % 1000000 + 1000000));
}
