/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log - the words of `serviola log` (log.c has their table).  Each takes its own arguments, its name first, and gives
 * the exit code.
 */
#ifndef SERVIOLA_CMD_LOG_H
#define SERVIOLA_CMD_LOG_H
#include "base/bytes.h"
#include "base/err.h"
#include "sense/log/lines.h"

int log_search(int argc, char **argv);
int log_show(int argc, char **argv);
int log_timeline(int argc, char **argv);
int log_analyse(int argc, char **argv);
int log_new(int argc, char **argv);
int log_templates(int argc, char **argv);
int log_receive(int argc, char **argv);
int log_import(int argc, char **argv);
int log_verify(int argc, char **argv);
int log_pack(int argc, char **argv);
int log_unpack(int argc, char **argv);

/* Learned from all messages of the store, in their order; as templates_save writes them.  For who searches by them. */
int templates_of_store(const struct lines *l, struct bytes_out *to, struct err *e);
#endif
