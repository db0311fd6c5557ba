/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * redact - a picture that can be shown to strangers: addresses, users and hosts get other names, always the same ones.
 *
 * Loopback and unspecified addresses stay, since explanations hang on them.
 * An IPv4 address becomes one of 198.18.0.0/15, an IPv6 address one of
 * 2001:db8::/32; users become user-1, hosts and domains host-1.  Programs,
 * paths, ports and numbers stay as they are: read it before it is sent.
 */
#ifndef SERVIOLA_SNAP_REDACT_H
#define SERVIOLA_SNAP_REDACT_H
#include "snap/snap.h"

int snap_redact(struct snap *s, struct err *e);
#endif
