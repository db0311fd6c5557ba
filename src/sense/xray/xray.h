/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xray - looks at the whole host once: processes, sockets of every network namespace, disks, memory, the kernel's log.
 *
 * Nothing is executed and nothing is changed.  What a hung disk could keep
 * waiting (statfs, stat, folders) is asked by a forked process with a
 * deadline; the picture says who did not answer.  Root sees all; anybody
 * else a part, and the picture says so.
 */
#ifndef SERVIOLA_SENSE_XRAY_XRAY_H
#define SERVIOLA_SENSE_XRAY_XRAY_H
#include "snap/snap.h"

struct xray_wish {
    bool deep;            /* also tries each port that nobody seems to have: half a second more */
    bool packages;        /* also compares files with what dpkg knows of them */
    const char *against;  /* ... or with a twin's manifest, as sha256sum writes it; NULL: none */
    const int *iterators; /* links that were loaded before (sys/iter/load.h: ITER_LINKS of them); NULL: they are now */
    bool plain;           /* /proc and sock_diag, whatever else could be had */
};

struct snap *xray_take(struct err *e); /* the caller frees it */
struct snap *xray_take_as(const struct xray_wish *wish, struct err *e);
/* Adds the packages that are installed here, and whose program listens, to a picture of this host. */
void xray_installed(struct snap *s);
#endif
