/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xray_ask - whoever is not root asks the running serviola for a picture: what needs privilege is looked at by it.
 *
 * It may who may talk to serviola at all, that is block and unblock: root and
 * the members of its group.
 */
#ifndef SERVIOLA_CMD_XRAY_ASK_H
#define SERVIOLA_CMD_XRAY_ASK_H
#include <stdbool.h>

#include "cmd/options.h"
#include "snap/snap.h"

enum { XRAY_KEPT = 512 };

/*
 * NULL: the error is a sentence that says why there is none.  With `keep`
 * serviola keeps it, too; `kept` is where then, else empty.  Says so when it
 * is a picture that somebody else asked for.
 */
struct snap *xray_ask(const struct common_options *o, bool keep, char kept[XRAY_KEPT], struct err *e);
#endif
