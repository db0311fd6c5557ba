/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xray_keep - a picture into a file: signed when there is a journal's key, and never waiting for a disk that hangs.
 */
#ifndef SERVIOLA_CMD_XRAY_KEEP_H
#define SERVIOLA_CMD_XRAY_KEEP_H
#include "cmd/options.h"
#include "snap/file.h"

/* What was typed, for the manifest; where the configuration is, for the key. */
struct xray_keep {
    const struct common_options *common;
    char **command;
    bool replace;
};

int xray_keep_at(const struct snap *s, const char *path, const struct xray_keep *how, struct err *e);
/* In the usual folder, or in memory where that can't be written: says where; -1 when both fail, after saying why. */
int xray_keep_usual(const struct snap *s, const struct xray_keep *how);
/* Bytes that are no picture (a page of HTML), with the same care. */
int xray_keep_bytes(const struct snap_bytes *b, const char *path, bool replace, struct err *e);
#endif
