/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log_templates - serviola log templates, and the templates of a store for who searches by them. */
#ifndef SERVIOLA_CMD_LOG_TEMPLATES_H
#define SERVIOLA_CMD_LOG_TEMPLATES_H
#include "base/bytes.h"
#include "base/err.h"
#include "sense/log/lines.h"

int log_templates(int argc, char **argv);
/* Learned from all messages of the store, in their order; as templates_save writes them. */
int templates_of_store(const struct lines *l, struct bytes_out *to, struct err *e);
#endif
