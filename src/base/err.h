/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * err - why something failed, as a text that gains context while it rises.
 *
 * Who knows the cause calls err_set, who knows the circumstances err_wrap;
 * who can act on it logs it, once.  All of them give -1, so that
 * `return err_set(...)` is the error path.  A NULL err is fine everywhere.
 */
#ifndef SERVIOLA_BASE_ERR_H
#define SERVIOLA_BASE_ERR_H

struct err {
    int code;       /* an errno, or 0 when the system had no part in it */
    char text[508]; /* "gate: 192.0.2.1 port 25: bind: Address already in use" */
};

/* The text, then ": " and the words for `code` when it is not 0. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts the text and ": " in front of what is there; keeps the code. */
int err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time: it has to be told that neither gives 0. */
#define ERR_MINUS_ONE(call)                                                                                            \
    __extension__({                                                                                                    \
        int always_ = (call);                                                                                          \
        __builtin_assume(always_ == -1);                                                                               \
        always_;                                                                                                       \
    })
#define err_set(...)  ERR_MINUS_ONE(err_set(__VA_ARGS__))
#define err_wrap(...) ERR_MINUS_ONE(err_wrap(__VA_ARGS__))
#endif
#endif
