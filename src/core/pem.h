/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pem - the gate's certificate and key, read by root and handed on unread.
 *
 * The supervisor reads the two files at start and at each reload, and puts
 * their texts into the gate's settings alone: the gate touches no file, and
 * nobody else sees the key.  What is in them, the gate judges.
 */
#ifndef SERVIOLA_CORE_PEM_H
#define SERVIOLA_CORE_PEM_H
#include "base/err.h"
#include "base/slice.h"
#include "sense/gate/settings.h"

struct pem {
    size_t certificate_len, key_len; /* 0: none is configured */
    char certificate[GATE_PEM], key[GATE_PEM];
};

/* Replaces `p`; -1 leaves it as it was, with the path and the way out. */
int pem_read(struct pem *p, const struct gate_settings *gate, struct err *e);
void pem_forget(struct pem *p);
#endif
