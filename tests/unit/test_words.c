/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The language is chosen once in a process: each world is a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/words.h"

#define BLOCKED "a host was blocked"
#define MADE_UP "a sentence that no catalogue knows"

static const char *catalogues; /* NULL: built without gettext */

static void speaks(const char *lang, const char *language)
{
    static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(unsetenv(names[i]), 0);
    if (lang)
        assert_int_equal(setenv("LANG", lang, 1), 0);
    if (language)
        assert_int_equal(setenv("LANGUAGE", language, 1), 0);
}

/* Whether `english` comes out as `wanted` in a process that starts with this environment. */
static void reads(const char *lang, const char *language, const char *folder, const char *english, const char *wanted)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        speaks(lang, language);
        words_start(folder);
        _exit(strcmp(words_in(english), wanted) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("LANG=%s LANGUAGE=%s: \"%s\" is not \"%s\"", lang, language ? language : "", english, wanted);
}

static void need_catalogues(void)
{
    if (!catalogues)
        skip();
}

static void spanish_is_read_where_spanish_is_asked_for(void **state)
{
    (void)state;
    need_catalogues();
    reads("es_ES.UTF-8", NULL, catalogues, BLOCKED, "se bloqueó un equipo");
    reads("es", NULL, catalogues, BLOCKED, "se bloqueó un equipo");
    reads("es_MX.UTF-8", "es", catalogues, BLOCKED, "se bloqueó un equipo");
}

static void english_is_read_everywhere_else(void **state)
{
    (void)state;
    reads(NULL, NULL, catalogues, BLOCKED, BLOCKED);
    reads("C.UTF-8", NULL, catalogues, BLOCKED, BLOCKED);
    reads("C", "es", catalogues, BLOCKED, BLOCKED);
    reads("xx_XX.UTF-8", NULL, catalogues, BLOCKED, BLOCKED);
}

static void a_sentence_without_translation_stays_english(void **state)
{
    (void)state;
    need_catalogues();
    reads("es_ES.UTF-8", NULL, catalogues, MADE_UP, MADE_UP);
    reads("es_ES.UTF-8", NULL, catalogues, "", "");
}

static void a_missing_catalogue_is_no_matter(void **state)
{
    (void)state;
    reads("es_ES.UTF-8", NULL, "/nonexistent", BLOCKED, BLOCKED);
}

static void programs_read_english(void **state)
{
    int status = 0;
    pid_t child;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        speaks("es_ES.UTF-8", NULL);
        words_start(catalogues);
        words_off();
        _exit(strcmp(words_in(BLOCKED), BLOCKED) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void counts_have_their_plural(void **state)
{
    (void)state;
    assert_string_equal(words_many("%s host", "%s hosts", 1), "%s host");
    assert_string_equal(words_many("%s host", "%s hosts", 0), "%s hosts");
    assert_string_equal(words_many("%s host", "%s hosts", UINT64_MAX), "%s hosts");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(spanish_is_read_where_spanish_is_asked_for),
        cmocka_unit_test(english_is_read_everywhere_else),
        cmocka_unit_test(a_sentence_without_translation_stays_english),
        cmocka_unit_test(a_missing_catalogue_is_no_matter),
        cmocka_unit_test(programs_read_english),
        cmocka_unit_test(counts_have_their_plural),
    };

    catalogues = access("po/es/LC_MESSAGES/serviola.mo", R_OK) == 0 ? "po" : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
