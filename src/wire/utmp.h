/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * utmp - who logged in, as wtmp, btmp, utmp and lastlog hold it: utmp(5).
 *
 * Records of one size, in the machine's own byte order; whoever may write
 * the file chooses what is in them.
 */
#ifndef SERVIOLA_WIRE_UTMP_H
#define SERVIOLA_WIRE_UTMP_H
#include "base/addr.h"
#include "base/slice.h"

enum { UTMP_SIZE = 384, LASTLOG_SIZE = 292 };
enum utmp_type {
    UTMP_BOOT = 2,
    UTMP_NEW_TIME = 3,
    UTMP_OLD_TIME = 4,
    UTMP_LOGIN_WAITS = 6,
    UTMP_USER = 7,
    UTMP_DEAD = 8
};

struct utmp_record {
    int type; /* enum utmp_type, or another number */
    int64_t pid, at_us;
    struct slice line, user, host; /* borrowed */
    struct addr address;           /* family 0: none */
};
/* The next record of a file's bytes; false when less than one is left. */
bool utmp_next(struct slice *rest, struct utmp_record *r);

/* The record of one user in lastlog; its number is the place in the file. */
struct lastlog_record {
    int64_t at_s; /* 0: never */
    struct slice line, host;
};
bool lastlog_next(struct slice *rest, struct lastlog_record *r);
#endif
