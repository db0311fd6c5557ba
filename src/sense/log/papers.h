/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * papers - the texts of the certificates and keys that TLS needs, read by who may.
 *
 * The supervisor reads the files at start and at each reload and hands the
 * texts on with the settings: the part itself may not open root's files.
 */
#ifndef SERVIOLA_SENSE_LOG_PAPERS_H
#define SERVIOLA_SENSE_LOG_PAPERS_H
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "sense/log/settings.h"

enum { PAPER_MOST = 512 << 10 }; /* Debian's whole list of authorities takes half of it */

struct paper {    /* PEM */
    uint32_t len; /* 0: none */
    char text[PAPER_MOST];
};
struct papers {
    struct paper certificate, key, clients, revoked;
};
struct log_house { /* what the part gets */
    struct log_settings set;
    struct papers papers;
};

/* Reads what `s` names, if there is TLS; -1 leaves `p` as it was, with the key of the configuration, the path and the
 * way out. */
int papers_read(struct papers *p, const struct log_settings *s, struct err *e);
void papers_forget(struct papers *p);
struct slice paper_text(const struct paper *p);
#endif
