/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What letter.c lends to letter_chat.c: JSON strings and sentences. */
#ifndef SERVIOLA_NOTIFY_LETTER_INNER_H
#define SERVIOLA_NOTIFY_LETTER_INNER_H
#include "act/notify/letter.h"

void letter_string(struct text *t, const char *words);                                /* "..." */
void letter_sentence(const struct letter *l, const struct notice *n, struct text *t); /* the same of a notice */
#endif
