/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words behind `serviola log` that stand in files of their own; argv[0] is that word, the value an exit code. */
#ifndef SERVIOLA_CMD_LOG_TEMPLATES_H
#define SERVIOLA_CMD_LOG_TEMPLATES_H

int log_templates(int argc, char **argv);
#endif
