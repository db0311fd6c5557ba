/* SPDX-License-Identifier: GPL-3.0-or-later */
/* serviola log analyse and log new; argv[0] is that word, the value an exit code. */
#ifndef SERVIOLA_CMD_LOG_ANALYSE_H
#define SERVIOLA_CMD_LOG_ANALYSE_H

int log_analyse(int argc, char **argv);
int log_new(int argc, char **argv);
#endif
