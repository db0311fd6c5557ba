/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * eye - a process that was there before the supervisor's jail, and starts the part that takes pictures.
 *
 * Landlock forbids whoever is under it to look into processes that are not,
 * and all children of the supervisor are.  The eye is forked before that.  It
 * keeps the iterators loaded that pictures are taken with (sys/iter), gives
 * the watch the one that it looks with each second,
 * hears one byte and a link, and reads and knows nothing else; it ends with
 * the supervisor.  Who takes the picture, `serviola -x xray`, was begun
 * before and waits for the link: when the disk is dead, no program can be
 * begun any more.
 */
#ifndef SERVIOLA_CORE_EYE_H
#define SERVIOLA_CORE_EYE_H
#include "base/err.h"

enum { EYE_ITERATORS_FD = 5 }; /* the part's first of ITER_LINKS, when they could be loaded */

/* `image` is what is run; borrowed.  The descriptor to say it on (close-on-exec), or -1. */
int eye_start(int image, struct err *e);
/* What the watch walks processes with: the link of an iterator, the caller's; -1: it could not be loaded. */
int eye_glance(int eye);
/* The part that takes pictures, before all else: until LINK_FD is its link; -1: there is nobody any more to wait for.
 */
int eye_wait(void);
int eye_open(int eye, int link, struct err *e); /* `link` becomes LINK_FD of the part; it stays the caller's */
#endif
