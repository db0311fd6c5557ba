/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * screen - what is refused before the YAML reader sees it.  Inside conf/ only.
 *
 * libfyaml 0.7.12 ends the document, without a word, at a byte that is no
 * text; and some files cost it minutes or hundreds of megabytes.  No file
 * that somebody wrote by hand looks like those.
 */
#ifndef SERVIOLA_CONF_SCREEN_H
#define SERVIOLA_CONF_SCREEN_H
#include "base/slice.h"
#include "conf/fault.h"

enum { SCREEN_BYTES = 1 << 20, SCREEN_LINE = 1 << 16, SCREEN_OPEN = 64 };

/* 0, or -1 with one fault. */
int screen(struct slice yaml, struct conf_faults *faults);
#endif
