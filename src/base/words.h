/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * words - what people read, in their language.
 *
 * English is the source and the key.  Events' names, JSON, the journal and
 * the configuration's keys are never translated: programs read those.
 *
 *   printf("%s\n", _("the journal's disk does not answer"));
 *   printf(words_many("%llu host\n", "%llu hosts\n", n), n);
 *   static const char *const greetings[] = { N_("hello") };  ...  _(greetings[0])
 */
#ifndef SERVIOLA_BASE_WORDS_H
#define SERVIOLA_BASE_WORDS_H
#include <stdint.h>

/* Once, at the start, while one thread runs and before a jail: reads the language from the environment and loads the
 * catalogue below `folder` (NULL: where it was installed). */
void words_start(const char *folder);
void words_off(void); /* English from here on: for what programs read, and what the journal keeps */
/* In the reader's language; the same text when there is no translation.  Lives for ever. */
const char *words_in(const char *english) __attribute__((format_arg(1)));
/* The same for a text that counts something: words_many("%s host", "%s hosts", n). */
const char *words_many(const char *one, const char *more, uint64_t n) __attribute__((format_arg(1), format_arg(2)));

#define _(english)  words_in(english)
#define N_(english) (english) /* to be translated where it is printed */
#endif
