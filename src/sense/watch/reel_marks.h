/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reel_marks - what is told of a place in a frame: for reel_write.c and reel_read.c.
 */
#ifndef SERVIOLA_WATCH_REEL_MARKS_H
#define SERVIOLA_WATCH_REEL_MARKS_H

enum reel_mark {
    MARK_GONE = 1,
    MARK_NEW = 2, /* all of it follows */
    MARK_STATE = 4,
    MARK_CPU = 8,
    MARK_RSS = 16,
    MARK_COMM = 32,
    MARK_KIN = 64, /* parent and threads */
};
#endif
